/* undo.c - undoing an operation: what the journal says of it, whether it can be undone, and the reverse operation made from what stood before.
 *
 * Invariant: an undo is an operation like any other. Policy judges it as the reverse kind, for the token (or the command line) of now; its origin,
 * "undo:<id>", stands in the journal once, so that nothing is undone twice; and what stands in Entra must be what was left (ops/record.c).
 */
#include "ops/undo.h"
#include "base/text.h"
#include "ops/expiry.h"

#include <stdlib.h>
#include <string.h>

struct undo_job {
    struct ops *ops;
    char *operation;                    /* to be undone */
    char *token_id, *token_name;        /* whose; token_id NULL: the command line's */
    char *key, *id;                     /* Idempotency-Key; the new operation's id. NULL: none */
    uint64_t exchange;
    int64_t order;                      /* 0: a request */
    uint64_t parent;                    /* the composite whose step it is; 0: none */
    size_t step;
    char *undoing;                      /* the id of that composite; NULL: none */
    struct ops_fields fields;           /* issue, reason, dryRun */

    struct journal_row row;
    char changed_by[EB_ID_LEN];         /* another operation has changed the same since; "": none has */
    bool is_there;                      /* the order's operation is in the journal: it was taken up before a crash */
};

static void job_free(struct undo_job *j)
{
    journal_row_clear(&j->row);
    ops_fields_clear(&j->fields);
    free(j->operation);
    free(j->token_id);
    free(j->token_name);
    free(j->key);
    free(j->id);
    free(j->undoing);
    free(j);
}

/* ---- on the store's thread ---- */

static json_t *parse(const char *text)
{
    return text != NULL ? json_loads(text, 0, NULL) : NULL;
}

/* Other attributes of the same user may have been changed: that does not matter here. What cannot be compared does. */
static bool touches_same(const char *mine, const char *theirs)
{
    EB_AUTO(json_t, json_decref) a = parse(mine);
    EB_AUTO(json_t, json_decref) b = parse(theirs);
    const char *member;
    json_t *v;

    if (a == NULL || b == NULL)
        return true;
    json_object_foreach(a, member, v)
        if (json_object_get(b, member) != NULL)
            return true;
    return false;
}

static bool is_its_undo(const struct undo_job *j, const struct journal_row *later)
{
    return later->origin != NULL && strncmp(later->origin, UNDO_ORIGIN, strlen(UNDO_ORIGIN)) == 0 &&
           strcmp(later->origin + strlen(UNDO_ORIGIN), j->row.id) == 0;
}

/* The undo of a whole has taken back the later steps of it before: neither they nor their undos stand in the way. */
static bool is_of_the_whole(const struct undo_job *j, const struct journal_row *later)
{
    return j->undoing != NULL && later->step_of != NULL && (eb_streq(later->step_of, j->row.step_of) || eb_streq(later->step_of, j->undoing));
}

/* An earlier undo is known by its origin when this one is accepted: then it is a repeat, or refused with the words for that. */
static bool see_later(void *ctx, const struct journal_row *later)
{
    struct undo_job *j = ctx;
    const struct ops_kind *kind = ops_kind_of_row(&j->row);

    if (kind != NULL && ops_is_composite(kind))         /* each of its steps is looked at in its turn */
        return false;

    if (is_of_the_whole(j, later))
        return true;
    if (!is_its_undo(j, later) && touches_same(j->row.after, later->after))
        eb_text_clean(later->id, j->changed_by, sizeof j->changed_by);
    return j->changed_by[0] == '\0';
}

static bool find_own(struct db *db, struct undo_job *j, struct eb_err *err)
{
    struct journal_row own = { 0 };
    struct eb_err e = { 0 };

    j->is_there = j->id != NULL && journal_get(db, j->id, NULL, &own, &e);
    journal_row_clear(&own);
    if (e.code == EB_OK || e.code == EB_OPERATION_NOT_FOUND)
        return true;
    *err = e;
    return false;
}

static bool undo_job(struct db *db, void *arg, struct eb_err *err)
{
    struct undo_job *j = arg;

    journal_row_clear(&j->row);
    j->changed_by[0] = '\0';
    return find_own(db, j, err) && journal_get(db, j->operation, j->token_id != NULL ? j->token_name : NULL, &j->row, err) &&
           journal_list_since(db, j->operation, see_later, j, err);
}

/* ---- can it be undone? ---- */

static bool was_shadow(const struct journal_row *r)
{
    EB_AUTO(json_t, json_decref) answer = parse(r->answer);

    return eb_json_bool(answer, "shadow", false);
}

static bool was_end(const struct journal_row *r)
{
    return r->origin != NULL && strncmp(r->origin, EXPIRY_ORIGIN, strlen(EXPIRY_ORIGIN)) == 0;
}

static bool check_ended(const struct journal_row *r, bool composite, struct eb_err *err)
{
    if (r->outcome == NULL)
        return eb_fail(err, EB_UNDO_NOT_POSSIBLE, "The operation is still under way. Undo it once it has ended.");
    if (r->dry_run)
        return eb_fail(err, EB_UNDO_NOT_POSSIBLE, "The operation was a dry run: nothing was changed that could be undone.");
    if (strcmp(r->outcome, "succeeded") != 0 && !(composite && strcmp(r->outcome, "partial") == 0))
        return eb_fail(err, EB_UNDO_NOT_POSSIBLE, "The operation ended as %s: only what has succeeded can be undone.", r->outcome);
    if (was_shadow(r))
        return eb_fail(err, EB_UNDO_NOT_POSSIBLE, "The operation was decided in shadow mode: nothing was changed that could be undone.");
    if (was_end(r))
        return eb_fail(err, EB_UNDO_NOT_POSSIBLE, "The membership had come to the end of its time. Ask for a new one instead.");
    return r->changed || eb_fail(err, EB_UNDO_NOT_POSSIBLE, "The operation changed nothing: all was so already.");
}

static bool check_possible(const struct undo_job *j, const struct ops_kind *kind, struct eb_err *err)
{
    if (kind == NULL)
        return eb_fail(err, EB_UNDO_NOT_POSSIBLE, "This version does not know operations of this kind.");
    if (kind->change == NULL)
        return eb_fail(err, EB_UNDO_NOT_POSSIBLE, "The operation only read.");
    if (kind->undo == NULL && ops_is_composite(kind))
        return eb_fail(err, EB_UNDO_NOT_POSSIBLE, "This was itself the undo of an operation made of steps. Undo its steps one by one; the answer has their ids.");
    if (kind->undo == NULL)
        return eb_fail(err, EB_UNDO_NOT_POSSIBLE, "What %s does cannot be undone.", kind->name);
    if (!check_ended(&j->row, ops_is_composite(kind), err))
        return false;
    return j->changed_by[0] == '\0' || eb_fail(err, EB_UNDO_NOT_POSSIBLE, "Operation %s has changed the same since, and undoing this one would overwrite that.",
                                               j->changed_by);
}

/* ---- the reverse ---- */

static void set_text(json_t *o, const char *key, const char *value)
{
    if (value != NULL)
        json_object_set_new(o, key, json_string(value));
}

/* A membership that was to end comes back with that end. */
static bool set_end(json_t *body, const struct journal_row *r, struct eb_err *err)
{
    EB_AUTO(json_t, json_decref) answer = parse(r->answer);
    const char *ends = eb_json_str(answer, "expiresAtBefore");
    int64_t ends_ms = 0;

    if (ends == NULL)
        return true;
    if (!eb_time_parse(ends, &ends_ms, err) || ends_ms <= eb_now_ms())
        return eb_fail(err, EB_UNDO_NOT_POSSIBLE, "The membership would have ended at %s: there is nothing to go back to.", ends);
    set_text(body, "expiresAt", ends);
    return true;
}

/* What the reverse kind needs besides targets, issue and reason; *kind becomes the one for nothing that stood before. */
static json_t *reverse_fields(const struct undo_job *j, const struct ops_kind *undone, const struct ops_kind **kind)
{
    EB_AUTO(json_t, json_decref) before = parse(j->row.before);
    EB_AUTO(json_t, json_decref) after = parse(j->row.after);
    json_t *fields = undone->undo_fields != NULL ? undone->undo_fields(before, after) : json_object();

    *kind = ops_kind_find(undone->undo);
    if (fields == NULL && undone->undo_to_none != NULL) {
        *kind = ops_kind_find(undone->undo_to_none);
        fields = json_object();
    }
    return fields;
}

/* What every undo has; that of a composite nothing else: its steps are found when it is composed. */
static json_t *common_body(const struct undo_job *j)
{
    json_t *body = json_object();

    set_text(body, "issue", j->fields.issue);
    set_text(body, "reason", j->fields.reason);
    if (j->fields.dry_run)
        json_object_set_new(body, "dryRun", json_true());
    return body;
}

static bool make_body(const struct undo_job *j, const struct ops_kind *undone, const struct ops_kind **kind, json_t **ret, struct eb_err *err)
{
    EB_AUTO(json_t, json_decref) fields = reverse_fields(j, undone, kind);

    if (fields == NULL || *kind == NULL)
        return eb_fail(err, EB_UNDO_NOT_POSSIBLE, "What stood before cannot be brought back by an operation.");
    EB_AUTO(json_t, json_decref) body = common_body(j);
    json_object_update(body, fields);
    if (ops_kind_field(*kind, "user") != NULL)
        set_text(body, "user", j->row.user_id);
    if (ops_kind_field(*kind, "group") != NULL)
        set_text(body, "group", j->row.group_id);
    if ((*kind)->change->adds_member && !set_end(body, &j->row, err))
        return false;
    *ret = json_incref(body);
    return true;
}

static bool make_fields(const struct undo_job *j, const struct ops_kind **kind, struct ops_fields *ret, struct eb_err *err)
{
    const struct ops_kind *undone = ops_kind_of_row(&j->row);
    EB_AUTO(json_t, json_decref) body = NULL;
    struct eb_err e = { 0 };

    if (undone != NULL && ops_is_composite(undone)) {
        EB_AUTO(json_t, json_decref) common = common_body(j);

        *kind = ops_kind_undoing(undone);
        return check_possible(j, undone, err) && ops_fields_read(*kind, common, ret, err);
    }

    if (!check_possible(j, undone, err) || !make_body(j, undone, kind, &body, err))
        return false;
    if (ops_fields_read(*kind, body, ret, &e))
        return true;
    return eb_fail(err, EB_UNDO_NOT_POSSIBLE, "What stood before cannot be brought back by %s: %s", (*kind)->name, e.text);
}

void undo_expect(struct operation *op, const char *before, const char *after, int64_t ended_ms)
{
    op->expected = parse(after);
    if (json_object_get(op->expected, "managerId") != NULL)
        json_object_del(op->expected, "manager");       /* who was renamed meanwhile is the same one */
    if (eb_now_ms() - ended_ms < OPS_RECENT_MS)
        op->expected_late = parse(before);
}

static struct operation *make(struct undo_job *j, const struct ops_kind *kind, struct ops_fields *fields)
{
    const struct operation *composite = ops_find(j->ops, j->parent);
    struct auth_token caller = { .name = j->token_name };
    bool by_command = j->token_id == NULL;

    if (!by_command)
        memcpy(caller.id, j->token_id, strlen(j->token_id) + 1);
    struct operation *op = ops_accept(j->ops, kind, fields, by_command || composite != NULL ? NULL : &caller, j->exchange, j->id);
    if (composite != NULL) {
        ops_make_step(op, composite, j->step);
    } else if (by_command) {
        op->token_name = eb_strdup(j->token_name);
        op->by_command = true;
        op->order = j->order;
    }
    return op;
}

static void begin(struct undo_job *j, const struct ops_kind *kind, struct ops_fields *fields)
{
    struct operation *op = make(j, kind, fields);

    op->origin = eb_asprintf(UNDO_ORIGIN "%s", j->row.id);
    if (ops_is_composite(kind))
        op->undone = parse(j->row.answer);
    else
        undo_expect(op, j->row.before, j->row.after, j->row.ended_ms);
    ops_begin(op, j->key);
}

static void refuse(const struct undo_job *j, const struct eb_err *err)
{
    if (j->parent != 0)
        composite_step_refused(j->ops, j->parent, j->step, err);
    else if (j->order != 0)
        orders_answer(j->ops, j->order, NULL, err);
    else
        j->ops->parts.answer(j->ops->parts.answer_ctx, j->exchange, &(struct ops_answer){ .err = err });
}

static void undo_read(void *arg, const struct eb_err *err)
{
    struct undo_job *j = arg;
    const struct ops_kind *kind = NULL;
    struct ops_fields fields = { 0 };
    struct eb_err e = err != NULL ? ops_store_error(NULL, err) : (struct eb_err){ 0 };

    if (j->is_there)
        orders_answer(j->ops, j->order, j->id, NULL);
    else if (err != NULL || (j->parent == 0 && !ops_ready(j->ops, &e)) || !make_fields(j, &kind, &fields, &e))
        refuse(j, &e);
    else
        begin(j, kind, &fields);
    job_free(j);
}

/* ---- who asks ---- */

/* The fields that every kind has; an undo has no others. */
static bool read_body(const json_t *body, struct ops_fields *ret, struct eb_err *err)
{
    static const struct ops_kind none = { .name = "An undo" };

    if (!ops_fields_read(&none, body, ret, err))
        return false;
    if (ret->again == NULL)
        return true;
    ops_fields_clear(ret);
    return eb_fail_field(err, EB_INVALID_REQUEST, "again", "An undo is not done again: undo the operation that brought it back.");
}

void ops_undo(struct ops *o, const struct ops_undo *u)
{
    struct undo_job *j = eb_alloc(sizeof *j);
    struct eb_err err = { 0 };

    j->ops = o;
    j->exchange = u->exchange;
    if (!ops_ready(o, &err) || !ops_key_check(u->idempotency_key, &err) || !read_body(u->body, &j->fields, &err)) {
        refuse(j, &err);
        job_free(j);
        return;
    }
    j->operation = eb_strdup(u->operation);
    j->token_id = eb_strdup(u->caller->id);
    j->token_name = eb_strdup(u->caller->name);
    j->key = eb_strdup(u->idempotency_key);
    store_submit(o->parts.store, undo_job, j, undo_read);
}

void undo_by_order(struct ops *o, const struct undo_order *u)
{
    struct undo_job *j = eb_alloc(sizeof *j);
    struct eb_err err = { 0 };

    j->ops = o;
    j->order = u->number;
    if (!read_body(u->body, &j->fields, &err)) {
        refuse(j, &err);
        job_free(j);
        return;
    }
    j->operation = eb_strdup(u->operation);
    j->token_name = eb_asprintf("command line, %s", u->by);
    j->id = eb_strdup(u->id);
    store_submit(o->parts.store, undo_job, j, undo_read);
}

void undo_step(struct operation *composite, size_t step, const char *operation, const char *id)
{
    struct undo_job *j = eb_alloc(sizeof *j);

    j->ops = composite->ops;
    j->parent = composite->run;
    j->step = step;
    j->undoing = eb_strdup(composite->id);
    j->operation = eb_strdup(operation);
    j->token_id = eb_strdup(composite->token_id);
    j->token_name = eb_strdup(composite->token_name);
    j->id = eb_strdup(id);
    j->fields.issue = eb_strdup(composite->fields.issue);
    j->fields.reason = eb_strdup(composite->fields.reason);
    j->fields.dry_run = composite->fields.dry_run;
    store_submit(j->ops->parts.store, undo_job, j, undo_read);
}
