/* comment.c - the audit comment: an ADF panel that a person reads at a glance; what is long is folded behind it.
 *
 * ADF: no text node may be empty, a line end is no line break, the root takes blocks only, an `expand` stands at the root only
 * (https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/).
 * Invariant: head, number, hash and tail together stay below OPS_COMMENT_MAX: every text has its largest size as it is written, escaped.
 */
#include "ops/report.h"
#include "base/text.h"
#include "store/audit.h"

#include <stdlib.h>
#include <string.h>

#define BREAK "{\"type\":\"hardBreak\"}"
#define CHANGES_MAX 10              /* in the panel; all of them are in the folded part then */
#define VALUE_MAX 240               /* bytes of a value in the panel */
#define ITEM_MAX 600                /* of one in the folded part */
#define STEP_CELLS 3
#define STEP_MAX 300                /* bytes of a cell */
#define FOLD_AT (OPS_COMMENT_MAX - 2000)    /* the folded part ends before: its last line and the closing brackets fit behind it */

struct page {
    struct eb_buf adf, text;        /* the document; its text alone */
    bool in_paragraph;              /* something stands in the paragraph: a break comes before the next line */
};

/* ---- text nodes ---- */

/* Cleans s, and cuts it on a character boundary to what takes at most `max` bytes in JSON. */
static char *cut(const char *s, size_t max)
{
    static const char dots[] = "…";
    size_t len = strlen(s), used = 0, cost = 0;
    char *clean = eb_alloc(len + sizeof dots);
    uint32_t c;

    eb_text_clean(s, clean, len + 1);
    len = strlen(clean);
    while (used < len) {
        size_t n = eb_utf8_next(clean + used, len - used, &c);
        size_t more = n + (c == '"' || c == '\\');
        if (cost + more > max - (sizeof dots - 1)) {
            strcpy(clean + used, dots);
            break;
        }
        cost += more;
        used += n;
    }
    return clean;
}

static void add_text(struct page *p, const char *s, size_t max, bool strong)
{
    char *text = cut(s, max);
    const char *shown = text[0] == '\0' ? "-" : text;

    if (p->in_paragraph)
        eb_buf_str(&p->adf, ",");
    p->in_paragraph = true;
    eb_buf_str(&p->adf, "{\"type\":\"text\",\"text\":");
    if (!eb_json_quote(&p->adf, shown))
        p->adf.failed = true;
    eb_buf_str(&p->adf, strong ? ",\"marks\":[{\"type\":\"strong\"}]}" : "}");
    eb_buf_str(&p->text, shown);
    free(text);
}

static void add_break(struct page *p)
{
    if (p->in_paragraph)
        eb_buf_str(&p->adf, "," BREAK);
}

static void add_line(struct page *p, const char *label, const char *value, size_t max)
{
    if (value == NULL || value[0] == '\0')
        return;
    add_break(p);
    add_text(p, label, 200, true);
    add_text(p, value, max, false);
}

static void open_paragraph(struct page *p)
{
    eb_buf_str(&p->adf, "{\"type\":\"paragraph\",\"content\":[");
    p->in_paragraph = false;
}

/* ---- old and new values ---- */

/* The text of an entry of a list, or of a value that is no list. The caller's. */
static char *value_text(const json_t *v)
{
    const char *name = eb_json_str(v, "displayName");

    if (v == NULL || json_is_null(v))
        return eb_strdup("(none)");
    if (json_is_string(v))
        return eb_strdup(json_string_length(v) > 0 ? json_string_value(v) : "(empty)");
    if (json_is_boolean(v))
        return eb_strdup(json_is_true(v) ? "true" : "false");
    if (name != NULL)
        return eb_strdup(name);
    char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
    return text != NULL ? text : eb_strdup("?");
}

static char *joined_text(const json_t *v)
{
    struct eb_buf b = EB_BUF(KiB(64));
    size_t i;
    json_t *item;

    if (!json_is_array(v))
        return value_text(v);
    json_array_foreach(v, i, item) {
        char *text = value_text(item);
        eb_buf_str(&b, i > 0 ? ", " : "");
        eb_buf_str(&b, text);
        free(text);
    }
    char *all = b.len > 0 && !b.failed ? eb_strdup(b.data) : NULL;
    eb_buf_free(&b);
    return all != NULL ? all : eb_strdup(json_array_size(v) == 0 ? "(none)" : "(too long)");
}

/* As it stands in the panel; *folded is set where that is not all of it. */
static char *short_text(const json_t *v, bool *folded)
{
    char *text = joined_text(v);

    if (strlen(text) <= VALUE_MAX / 2)
        return text;
    *folded = true;
    if (!json_is_array(v))
        return text;                    /* add_text() cuts it */
    free(text);
    return eb_asprintf("%zu entries", json_array_size(v));
}

static bool differs(const struct ops_report *r, const char *member)
{
    const json_t *a = json_object_get(r->before, member), *b = json_object_get(r->after, member);

    if (a == NULL || json_is_null(a))
        return b != NULL && !json_is_null(b);
    return b == NULL || json_equal(a, b) == 0;
}

/* Members of both, each once: iterates over `after`, then over what only `before` has. */
typedef void each_change(struct page *p, const struct ops_report *r, const char *member);
static size_t for_each_change(struct page *p, const struct ops_report *r, size_t most, each_change *fn)
{
    const json_t *sides[] = { r->after, r->before };
    size_t count = 0;
    const char *member;
    json_t *v;

    for (size_t s = 0; s < EB_LEN(sides); s++)
        if (json_is_object(sides[s]))
            json_object_foreach((json_t *)(uintptr_t)sides[s], member, v) {
                if ((s == 1 && json_object_get(r->after, member) != NULL) || !differs(r, member))
                    continue;
                if (count++ < most)
                    fn(p, r, member);
            }
    return count;
}

static void add_change(struct page *p, const struct ops_report *r, const char *member)
{
    bool folded = false;
    char *old = short_text(json_object_get(r->before, member), &folded), *new = short_text(json_object_get(r->after, member), &folded);

    add_break(p);
    add_text(p, member, 100, true);
    add_text(p, ": ", 10, true);
    add_text(p, old, VALUE_MAX, false);
    add_text(p, " → ", 10, false);
    add_text(p, new, VALUE_MAX, false);
    free(old);
    free(new);
}

static bool full(const struct page *p)
{
    return p->adf.len > FOLD_AT;
}

/* One entry a line; "… and 12 more" where the page is full. */
static void add_side(struct page *p, const char *member, const char *which, const json_t *v)
{
    char *label = eb_asprintf("%s, %s: ", member, which), *text;
    size_t count = json_is_array(v) ? json_array_size(v) : 1;

    if (!full(p)) {
        add_break(p);
        add_text(p, label, 120, true);
        for (size_t i = 0; i < count; i++) {
            if (full(p)) {
                text = eb_asprintf("… and %zu more", count - i);
                i = count;
            } else {
                text = json_is_array(v) ? value_text(json_array_get(v, i)) : value_text(v);
            }
            if (json_is_array(v))
                add_break(p);
            add_text(p, text, ITEM_MAX, false);
            free(text);
        }
    }
    free(label);
}

static void add_whole_change(struct page *p, const struct ops_report *r, const char *member)
{
    add_side(p, member, "before", json_object_get(r->before, member));
    add_side(p, member, "after", json_object_get(r->after, member));
}

static void see_folded(struct page *p, const struct ops_report *r, const char *member)
{
    bool folded = false;

    free(short_text(json_object_get(r->before, member), &folded));
    free(short_text(json_object_get(r->after, member), &folded));
    p->in_paragraph |= folded;          /* of a page that is only there to tell */
}

static bool changed_values(const struct ops_report *r)
{
    return r->changed && r->code == NULL && json_is_object(r->after);
}

/* What the panel does not show in full stands behind it, folded. */
static void add_folded(struct page *p, const struct ops_report *r)
{
    struct page any = { .in_paragraph = false };

    if (!changed_values(r))
        return;
    if (for_each_change(&any, r, SIZE_MAX, see_folded) <= CHANGES_MAX && !any.in_paragraph)
        return;
    eb_buf_str(&p->adf, ",{\"type\":\"expand\",\"attrs\":{\"title\":\"Old and new values\"},\"content\":[");
    open_paragraph(p);
    for_each_change(p, r, SIZE_MAX, add_whole_change);
    if (full(p)) {
        add_break(p);
        add_text(p, "The rest does not fit into a comment: `entrabridge operations show` tells all.", 200, false);
    }
    eb_buf_str(&p->adf, "]}]}");
}

/* ---- the steps of a composite ---- */

static void add_cell(struct page *p, const char *type, const char *text, bool strong)
{
    eb_buf_addf(&p->adf, "{\"type\":\"%s\",\"content\":[", type);
    open_paragraph(p);
    add_text(p, text, STEP_MAX, strong);
    eb_buf_str(&p->adf, "]}]}");
}

static void add_row(struct page *p, const char *type, const char *const cells[STEP_CELLS])
{
    eb_buf_str(&p->adf, "{\"type\":\"tableRow\",\"content\":[");
    for (size_t i = 0; i < STEP_CELLS; i++) {
        eb_buf_str(&p->adf, i > 0 ? "," : "");
        add_cell(p, type, cells[i], i == 0);
    }
    eb_buf_str(&p->adf, "]}");
}

static void add_step(struct page *p, const json_t *step)
{
    const char *name = eb_json_str(step, "name"), *outcome = eb_json_str(step, "outcome"), *message = eb_json_str(step, "message");
    bool changed = eb_json_bool(step, "changed", false);
    char *who = eb_json_str(step, "user") != NULL ? eb_asprintf("%s: %s", eb_json_str(step, "user"), message != NULL ? message : "") : NULL;
    const char *const cells[STEP_CELLS] = { name != NULL ? name : "?", eb_streq(outcome, "succeeded") && !changed ? "nothing to do" : outcome != NULL ? outcome : "?",
                                            who != NULL ? who : message != NULL ? message : "" };

    eb_buf_str(&p->adf, ",");
    add_row(p, "tableCell", cells);
    free(who);
}

/* What went wrong first: those are the rows that somebody must read, and a comment has an end. */
static void add_steps_that(struct page *p, const json_t *steps, bool succeeded, size_t *left_out)
{
    const json_t *step;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)steps, i, step)
        if (eb_streq(eb_json_str(step, "outcome"), "succeeded") == succeeded) {
            if (full(p))
                ++*left_out;
            else
                add_step(p, step);
        }
}

static void add_steps(struct page *p, const struct ops_report *r)
{
    static const char *const heads[STEP_CELLS] = { "Step", "Outcome", "What happened" };
    size_t left_out = 0;

    if (json_array_size(r->steps) == 0)
        return;
    eb_buf_str(&p->adf, ",{\"type\":\"table\",\"attrs\":{\"isNumberColumnEnabled\":false,\"layout\":\"default\"},\"content\":[");
    add_row(p, "tableHeader", heads);
    add_steps_that(p, r->steps, false, &left_out);
    add_steps_that(p, r->steps, true, &left_out);
    eb_buf_str(&p->adf, "]}");
    if (left_out == 0)
        return;
    char *more = eb_asprintf("%zu more steps do not fit into a comment: `entrabridge operations show %s` tells all.", left_out, r->operation);
    eb_buf_str(&p->adf, ",");
    open_paragraph(p);
    add_text(p, more, 300, false);
    eb_buf_str(&p->adf, "]}");
    free(more);
}

static void add_changes(struct page *p, const struct ops_report *r)
{
    if (!changed_values(r))
        return;
    size_t count = for_each_change(p, r, CHANGES_MAX, add_change);
    if (count > CHANGES_MAX) {
        char *more = eb_asprintf("%zu more values, below", count - CHANGES_MAX);
        add_line(p, "And: ", more, 60);
        free(more);
    }
}

/* ---- the panel ---- */

static const char *panel_type(const struct ops_report *r)
{
    if (r->code == NULL)
        return r->changed ? "success" : "info";
    return strcmp(r->outcome, "refused") == 0 ? "warning" : "error";
}

static const char *headline(const struct ops_report *r)
{
    static const struct { const char *outcome, *text; } heads[] = {
        { "refused", "Not done: " }, { "failed", "Failed: " }, { "expired", "Expired: " }, { "unknown", "Outcome unknown: " },
        { "partial", "Done in part: " },
    };

    for (size_t i = 0; i < EB_LEN(heads); i++)
        if (strcmp(heads[i].outcome, r->outcome) == 0)
            return heads[i].text;
    return NULL;
}

/* Where the message says what is wrong, this says who can mend it. */
static const char *advice(const struct ops_report *r)
{
    static const struct { enum eb_code code; const char *text; } rows[] = {
        { EB_OPERATION_NOT_PERMITTED, "The token or the policy does not allow this operation. Ask who administers entrabridge." },
        { EB_ISSUE_NOT_PERMITTED, "Work on an issue of a project, type and status that the policy lists, or have the policy extended." },
        { EB_APPROVAL_MISSING, "Have the request approved as the policy asks, then run the rule again." },
        { EB_REQUESTER_NOT_PERMITTED, "Let somebody ask for it who may, in an issue of their own." },
        { EB_GROUP_NOT_SERVICEABLE, "Have the group listed under serviceable_groups, or let its owner make the change." },
        { EB_PRINCIPAL_PROTECTED, "Protected people and groups are changed by an administrator in Entra, never from an issue." },
        { EB_DUTY_CONFLICT, "End the other membership first, or have the policy's duties changed." },
        { EB_USER_NOT_FOUND, "Check the user in the issue, then run the rule again." },
        { EB_GROUP_NOT_FOUND, "Check the group in the issue, then run the rule again." },
        { EB_REJECTED_BY_ENTRA, "Mend in Entra what it names, then run the rule again." },
        { EB_ENTRA_PERMISSION_MISSING, "Grant what is missing; `entrabridge check` lists it. Then run the rule again." },
        { EB_ENTRA_UNAVAILABLE, "Nothing more will be tried by itself: run the rule again when Entra answers." },
        { EB_JIRA_UNAVAILABLE, "Nothing more will be tried by itself: run the rule again when Jira answers." },
        { EB_PARTLY_FAILED, "What was done stays done. Mend the cause, then send the request with \"again\" and the id below; without it, the answer is this one again." },
    };

    if (strcmp(r->outcome, "unknown") == 0)
        return "Look in Entra whether it was done. It is not repeated by itself, for it could be done twice.";
    /* Sent again, they would make a second account. */
    if (r->code != NULL && strcmp(r->code, eb_code_text(EB_PARTLY_FAILED)) == 0 &&
        (strcmp(r->kind, "user.onboard") == 0 || strcmp(r->kind, "user.create") == 0))
        return "What was done stays done. Mend the cause, then ask for what is missing by itself, such as group.add_member: the same request again does not make it.";
    for (size_t i = 0; r->code != NULL && i < EB_LEN(rows); i++)
        if (strcmp(eb_code_text(rows[i].code), r->code) == 0)
            return rows[i].text;
    return NULL;
}

/* "Grace Hopper, Alan Turing"; "" where nobody has approved. The caller's. */
static char *approved_by(const json_t *approvals)
{
    struct eb_buf b = EB_BUF(KiB(16));
    size_t i, k;
    json_t *round, *person;

    json_array_foreach(approvals, i, round)
        json_array_foreach(json_object_get(round, "approvers"), k, person) {
            const char *name = eb_json_str(person, "name");
            if (!eb_streq(eb_json_str(person, "decision"), "approved"))
                continue;
            if (name == NULL || name[0] == '\0')
                name = eb_json_str(person, "accountId");
            eb_buf_str(&b, b.len > 0 ? ", " : "");
            eb_buf_str(&b, name != NULL ? name : "?");
        }
    char *text = eb_strdup(b.data != NULL ? b.data : "");
    eb_buf_free(&b);
    return text;
}

static void add_details(struct page *p, const struct ops_report *r)
{
    char *approved = approved_by(r->approvals);

    open_paragraph(p);
    add_line(p, "Operation: ", r->kind, 100);
    add_line(p, "Undoes: ", r->undoes, 60);
    add_line(p, "User: ", r->user, 700);
    add_line(p, "Group: ", r->group, 1100);
    add_changes(p, r);
    add_line(p, "Token: ", r->token, 250);
    add_line(p, "Rule: ", r->rule, 200);
    add_line(p, "Approved by: ", approved, 1200);
    add_line(p, "Reason: ", r->reason, 1200);
    add_line(p, "Code: ", r->code, 60);
    if (r->undo != NULL && r->code == NULL && r->changed) {
        char *undo = eb_asprintf("entrabridge operations undo %s (%s)", r->operation, r->undo);
        add_line(p, "To undo: ", undo, 200);
        free(undo);
    }
    add_line(p, "Id: ", r->operation, 60);
    add_break(p);
    add_text(p, "Audit: ", 20, true);
    free(approved);
}

static void add_message(struct page *p, const struct ops_report *r)
{
    const char *head = headline(r);

    open_paragraph(p);
    if (head != NULL)
        add_text(p, head, 60, true);
    add_text(p, r->message, 1500, r->code == NULL);
    add_line(p, "Note: ", r->note, 600);
    add_line(p, "What to do: ", advice(r), 300);
    eb_buf_str(&p->adf, "]},");
}

/* Written straight: as a tree it would cost ten times as much, and be the dearest thing that an operation makes. */
void ops_comment_make(const struct ops_report *r, struct ops_comment *ret)
{
    struct page p = { .adf = EB_BUF(KiB(64)), .text = EB_BUF(KiB(64)) };

    eb_buf_addf(&p.adf, "{\"type\":\"doc\",\"version\":1,\"content\":[{\"type\":\"panel\",\"attrs\":{\"panelType\":\"%s\"},\"content\":[", panel_type(r));
    add_message(&p, r);
    add_details(&p, r);
    eb_buf_str(&p.adf, ",{\"type\":\"text\",\"text\":\"");
    size_t head_len = p.adf.len;
    eb_buf_str(&p.adf, "\"}]}]}");
    add_steps(&p, r);
    add_folded(&p, r);
    eb_buf_str(&p.adf, "]}");
    eb_sha256_hex(p.text.data, p.text.len, ret->text_hash);
    ret->tail = eb_strdup(p.adf.data + head_len);
    p.adf.data[head_len] = '\0';
    ret->head = eb_strdup(p.adf.data);
    eb_buf_free(&p.adf);
    eb_buf_free(&p.text);
}

char *ops_comment_whole(const struct ops_comment *c, int64_t number, const char *hash)
{
    char anchor[AUDIT_ANCHOR_LEN];

    return eb_asprintf("%s%s%s", c->head, audit_anchor(number, hash, anchor), c->tail);
}

void ops_comment_clear(struct ops_comment *c)
{
    free(c->head);
    free(c->tail);
    *c = (struct ops_comment){ 0 };
}
