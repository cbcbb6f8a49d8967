/* internal.h - what the files of assets share: the table of calls, and what an answer means. */
#ifndef ASSETS_INTERNAL_H
#define ASSETS_INTERNAL_H

#include "assets/assets.h"

enum assets_answer {                /* what a good answer holds */
    ASSETS_ANSWER_ANY,              /* the status alone is the truth */
    ASSETS_ANSWER_JSON,             /* without JSON it is no answer */
    ASSETS_ANSWER_BYTES,            /* JSON by the look of it, handed over unparsed */
};
struct assets_row {
    const char *name;               /* in metrics, logs and texts: "assets.object_create" */
    const char *method;
    const char *path;               /* behind the workspace; {a}, {start} and {size} are filled in. NULL: `a` is a link. Of imports: from the base on */
    const char *query;              /* added where there is an `a`; NULL: none */
    int size;                       /* where the call does not say it */
    enum assets_answer answer;
    bool has_body;
    bool repeat;                    /* may be sent again after any failure */
    bool read;
    bool import;                    /* with the import token */
    bool gone_is_done;              /* 404 means that nothing is left to do */
    bool background;                /* 303: it is taken in the background */
    const char *scope;              /* that a token with scopes needs, for texts */
    size_t max_body;                /* of the answer; 0: 2 MiB */
};
const struct assets_row *assets_row(enum assets_call_kind kind);

/* The path of a call behind the base, escaped; the caller's. workspace: NULL fails unless the row needs none. prefix: what stands between base and /jsm (gateway). */
bool assets_path(const struct assets_row *row, const struct assets_call *c, const char *prefix, const char *workspace, char **ret, struct eb_err *err) EB_CHECK;

/* Result and error of an answer; doc: its JSON, or NULL. Pure. */
void assets_judge(const struct assets_row *row, const struct outbound_reply *o, const json_t *doc, struct assets_reply *r);

#endif
