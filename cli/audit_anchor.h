/* audit_anchor.h - the comments in Jira as witnesses of the audit rows: what was written there cannot be changed with the database in hand. */
#ifndef CLI_AUDIT_ANCHOR_H
#define CLI_AUDIT_ANCHOR_H

#include "base/hash.h"
#include "base/random.h"
#include "cli/tool.h"
#include "jira/jira.h"

enum anchor_state {
    ANCHOR_GOOD, ANCHOR_WAITING,        /* agrees; not posted yet */
    ANCHOR_NONE, ANCHOR_GIVEN_UP, ANCHOR_GONE, ANCHOR_FOREIGN, ANCHOR_EDITED, ANCHOR_OTHER_ROW, ANCHOR_OTHER_TEXT,
};
const char *anchor_state_text(enum anchor_state s);     /* "edited": for programs */
const char *anchor_state_help(enum anchor_state s);     /* for people */

struct anchor_row {                     /* an audit row that is to have a comment */
    int64_t number;
    char hash[EB_HEX_LEN], operation[EB_ID_LEN], issue[64], comment[32];
    char text_hash[EB_HEX_LEN];         /* "": erased, the text cannot be compared */
    enum anchor_state state;            /* as far as the outbox tells; GOOD: posted, to be looked at */
};
/* What Jira has against what the row says. Pure. */
enum anchor_state anchor_compare(const struct anchor_row *r, const struct jira_comment *c, const char *our_account);

#define ANCHOR_FAULTS_MAX 10000         /* of which the details are kept */
struct anchors {
    int64_t seen, good, waiting, erased /* of the good: text not compared */, faults;
    int64_t anchored;                   /* the newest row whose comment agrees: by the chain it vouches for all before it; 0: none */
    int64_t last;                       /* the newest row */
    json_t *details;                    /* [{"row", "operation", "issue", "comment", "fault"}] */
};
/* Reads the comments of all rows of since_ms or later, a few at once. False: Jira or the database cannot be read; err says why. Clear it either way. */
bool anchors_check(const struct cli *cli, struct db *db, int64_t since_ms, struct anchors *ret, struct eb_err *err) EB_CHECK;
void anchors_clear(struct anchors *a);

#endif
