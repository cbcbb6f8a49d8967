/* audit_anchor.c - what a comment in Jira says about its audit row. */
#include "cli/audit_anchor.h"

#include "base/text.h"
#include "store/audit.h"

#include <stdlib.h>
#include <string.h>

static const struct { const char *text, *help; } states[] = {
    [ANCHOR_GOOD] = { "good", "agrees" },
    [ANCHOR_WAITING] = { "waiting", "not posted yet" },
    [ANCHOR_NONE] = { "no_anchor", "no comment is recorded for it" },
    [ANCHOR_GIVEN_UP] = { "given_up", "the comment could not be posted; see `entrabridge outbox list`" },
    [ANCHOR_GONE] = { "missing", "the comment is gone, or hidden from our account" },
    [ANCHOR_FOREIGN] = { "foreign_author", "the comment is not by our account" },
    [ANCHOR_EDITED] = { "edited", "the comment was edited" },
    [ANCHOR_OTHER_ROW] = { "other_row", "the comment names another number or hash: the row was rewritten" },
    [ANCHOR_OTHER_TEXT] = { "other_text", "the comment's text is not what was posted" },
};

const char *anchor_state_text(enum anchor_state s)
{
    return states[s].text;
}

const char *anchor_state_help(enum anchor_state s)
{
    return states[s].help;
}

/* The hash of the text without number and hash of the row: what the row's record holds. */
static void hash_without(const char *text, const char *anchor, size_t anchor_len, char out[EB_HEX_LEN])
{
    char *rest = eb_asprintf("%.*s%s", (int)(anchor - text), text, anchor + anchor_len);

    eb_sha256_hex(rest, strlen(rest), out);
    free(rest);
}

enum anchor_state anchor_compare(const struct anchor_row *r, const struct jira_comment *c, const char *our_account)
{
    static const char label[] = "Audit: ";
    char want[sizeof label + AUDIT_ANCHOR_LEN], hash[EB_HEX_LEN];

    if (!eb_streq(c->account_id, our_account))
        return ANCHOR_FOREIGN;
    if (!eb_streq(c->created, c->updated))
        return ANCHOR_EDITED;
    strcpy(want, label);
    audit_anchor(r->number, r->hash, want + sizeof label - 1);
    const char *at = strstr(c->text, want);
    if (at == NULL)
        return ANCHOR_OTHER_ROW;
    if (r->text_hash[0] == '\0')
        return ANCHOR_GOOD;
    hash_without(c->text, at + sizeof label - 1, strlen(want) - (sizeof label - 1), hash);
    return strcmp(hash, r->text_hash) == 0 ? ANCHOR_GOOD : ANCHOR_OTHER_TEXT;
}
