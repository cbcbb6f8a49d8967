/* catalogue.c - what Graph's answers mean.
 *
 * The first row of graph/answers.c that fits decides; what no row knows is refused with Graph's own words, and a write that
 * failed on the other side may have happened.
 */
#include "graph/answers.h"
#include "graph/permission.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

static void clean(const json_t *text, char *out, size_t size)
{
    const char *s = json_string_value(json_is_object(text) ? json_object_get(text, "value") : text);
    eb_text_clean(s != NULL ? s : "", out, size);
}

void graph_error_read(const json_t *body, struct graph_error *ret)
{
    const json_t *error = json_object_get(body, "error"), *details = json_object_get(error, "details");
    const json_t *first = json_is_array(details) ? json_array_get(details, 0) : details;
    const json_t *target = json_object_get(first, "target");

    clean(json_object_get(error, "code"), ret->code, sizeof(ret->code));
    clean(json_object_get(error, "message"), ret->message, sizeof(ret->message));
    clean(json_object_get(first, "code"), ret->detail, sizeof(ret->detail));
    clean(target != NULL ? target : json_object_get(error, "target"), ret->target, sizeof(ret->target));
}

bool graph_is_transient(int status)
{
    return status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

/* ---- texts ---- */

/* The property that an error is about: its target, or the word behind "property" in the message. */
static void property_of(const struct graph_error *e, char out[64])
{
    const char *at = strcasestr(e->message, "property ");

    snprintf(out, 64, "%s", e->target);
    if (out[0] != '\0' || at == NULL)
        return;
    at += strlen("property ");
    at += strspn(at, "'\"");
    snprintf(out, 64, "%.*s", (int)strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"), at);
}

/* {property}, {changes} and {words} stand for what the error is about, what the call changes, and Graph's message. */
static void fill(struct eb_buf *out, const char *text, const struct graph_asked *a, const struct graph_error *e)
{
    char property[64];

    property_of(e, property);
    const struct { const char *mark, *value; } marks[] = {
        { "{property}", property[0] != '\0' ? property : "one of the values" },
        { "{changes}", a->changes != NULL && a->changes[0] != '\0' ? a->changes : "what was to be changed" },
        { "{words}", e->message[0] != '\0' ? e->message : "nothing" },
    };
    while (*text != '\0') {
        size_t plain = strcspn(text, "{"), i = 0;
        eb_buf_add(out, text, plain);
        text += plain;
        while (*text != '\0' && i < EB_LEN(marks) && strncmp(text, marks[i].mark, strlen(marks[i].mark)) != 0)
            i++;
        if (*text == '\0')
            break;
        eb_buf_str(out, i < EB_LEN(marks) ? marks[i].value : "{");
        text += i < EB_LEN(marks) ? strlen(marks[i].mark) : 1;
    }
}

/* ---- verdicts ---- */

static bool fits(const struct graph_answer *row, const struct graph_asked *a, const struct graph_error *e, int status)
{
    bool told = row->message == NULL && row->code == NULL;

    if ((row->kinds & (int)a->kind) == 0 || (row->status != 0 ? row->status != status : status < 400 || status > 499))
        return false;
    return told || (row->message != NULL && strcasestr(e->message, row->message) != NULL) ||
           (row->code != NULL && (eb_strieq(row->code, e->code) || eb_strieq(row->code, e->detail)));
}

static void apply(const struct graph_answer *row, const struct graph_asked *a, const struct graph_error *e, struct graph_reply *r)
{
    struct eb_buf text = EB_BUF(KiB(2));
    char cut[sizeof(r->err.text)];

    r->result = row->result;
    if (row->err == EB_OK)
        return;
    fill(&text, row->text, a, e);
    eb_text_clean(text.data != NULL ? text.data : "", cut, sizeof(cut));
    (void)eb_fail(&r->err, row->err, "%s", cut);
    eb_buf_free(&text);
}

#define ACCOUNTS (GRAPH_USER | GRAPH_PASSWORD | GRAPH_DELETE | GRAPH_RESTORE)
#define METHODS (GRAPH_PASS | GRAPH_METHOD)

static const struct { int kinds; const char *text; } hints[] = {
    { ACCOUNTS, " Where the user holds an administrator role, or is member or owner of a role-assignable group, the application "
                "itself needs the directory role Privileged Authentication Administrator besides." },
    { GRAPH_ADD | GRAPH_REMOVE, " A group with dynamic membership or in a restricted management unit is refused in the same way." },
    { METHODS, " If it has that, look whether the tenant's authentication methods policy allows the method to this user." },
    { GRAPH_INVITE, " If it has that, look who may invite guests in the tenant's external collaboration settings." },
};

static void judge_403(const struct graph_asked *a, struct graph_reply *r)
{
    const char *hint = "";

    for (size_t i = 0; i < EB_LEN(hints); i++)
        if ((hints[i].kinds & (int)a->kind) != 0)
            hint = hints[i].text;
    r->result = GRAPH_REFUSED;
    (void)eb_fail(&r->err, EB_ENTRA_PERMISSION_MISSING,
                  "Graph refuses the call (403): the application needs the permission %s, with admin consent.%s",
                  a->permission != NULL ? a->permission : graph_permission_of_read(a->path), hint);
}

/* Does the message name the object whose id stands behind `before` in the path? */
static bool names(const struct graph_error *e, const char *path, const char *before)
{
    const char *at = strstr(path, before);
    char id[37] = "";

    if (at == NULL || strlen(at + strlen(before)) < 36)
        return false;
    memcpy(id, at + strlen(before), 36);
    return strcasestr(e->message, id) != NULL;
}

/* Whatever comes after the table. */
static void judge_rest(const struct graph_asked *a, const struct graph_error *e, struct graph_reply *r)
{
    bool final = r->status >= 400 && r->status < 500;

    r->result = final ? GRAPH_REFUSED : GRAPH_IN_DOUBT;
    if (final)
        (void)eb_fail(&r->err, EB_REJECTED_BY_ENTRA, "Entra rejected the call (%d): %s%s%s", r->status, e->code,
                      e->code[0] != '\0' ? ": " : "", e->message[0] != '\0' ? e->message : "it did not say why");
    else
        (void)eb_fail(&r->err, EB_ENTRA_UNAVAILABLE, "Graph answered %d%s%s%s", r->status, e->code[0] != '\0' ? ", " : "",
                      e->code, a->kind == GRAPH_READ ? "." : ": it is not known whether the change was made.");
}

static void judge_404(const struct graph_asked *a, const struct graph_error *e, struct graph_reply *r)
{
    bool user = strncmp(a->path, "/users/", 7) == 0 || (a->kind == GRAPH_READ && strncmp(a->path, "/users", 6) == 0);

    r->result = GRAPH_REFUSED;
    if (a->kind == GRAPH_ADD && !names(e, a->path, "/groups/"))
        (void)eb_fail(&r->err, EB_USER_NOT_FOUND, "Entra does not know the user or the group (any more).");
    else if (a->kind == GRAPH_MANAGER && !names(e, a->path, "/users/"))
        (void)eb_fail(&r->err, EB_USER_NOT_FOUND, "Entra does not know the user or the manager (any more).");
    else if (user)
        (void)eb_fail(&r->err, EB_USER_NOT_FOUND, "Entra does not know this user.");
    else if (strncmp(a->path, "/groups", 7) == 0)
        (void)eb_fail(&r->err, EB_GROUP_NOT_FOUND, "Entra does not know this group.");
    else if (a->kind == GRAPH_READ)
        (void)eb_fail(&r->err, EB_NOT_THERE, "Entra does not know this object.");
    else
        judge_rest(a, e, r);
}

void graph_judge(const struct graph_asked *a, const struct graph_error *e, struct graph_reply *r)
{
    const struct graph_answer *row = NULL;

    if (r->status >= 200 && r->status < 300) {
        r->result = GRAPH_OK;
        return;
    }
    for (size_t i = 0; row == NULL && i < graph_answer_count; i++)
        if (fits(&graph_answers[i], a, e, r->status))
            row = &graph_answers[i];
    if (row != NULL)
        apply(row, a, e, r);
    else if (r->status == 403)
        judge_403(a, r);
    else if (r->status == 404)
        judge_404(a, e, r);
    else
        judge_rest(a, e, r);
    if (r->retry_after_ms > 0)
        r->err.retry_after_ms = (int)r->retry_after_ms;
}
