/* composite_look.c - a composite after a start: what became of its steps, as the journal tells, and the secret that one of them has sealed. */
#include "ops/composite.h"
#include "base/text.h"
#include "ops/secret.h"
#include "store/secret_table.h"

#include <stdio.h>
#include <stdlib.h>

bool composite_take_up(struct operation *op, const char *text)
{
    EB_AUTO(json_t, json_decref) all = json_loads(text, 0, NULL);
    const char *note = eb_json_str(all, "note");
    json_t *list = json_object_get(all, "steps");

    if (!json_is_array(list))
        return false;
    op->composite = composite_new(json_incref(list));
    op->composite->members = json_incref(json_object_get(all, "members"));
    op->approvals = json_incref(json_object_get(all, "approvals"));
    op->result = json_incref(json_object_get(all, "user"));
    snprintf(op->plan.note, sizeof op->plan.note, "%s", note != NULL ? note : "");
    op->recorded = true;
    op->step = composite_first_step();
    return true;
}

struct look_job { struct operation *op; json_t **told; char *sealed, *sealed_by; const char *sealed_as; };

/* *ret NULL: it was not begun, or is under way. */
static bool look_at(struct db *db, const struct step *s, json_t **ret, struct eb_err *err)
{
    struct journal_row r = { 0 };
    struct eb_err e = { 0 };

    json_decref(*ret);
    *ret = NULL;
    if (!journal_get(db, s->id, NULL, &r, &e)) {
        if (e.code != EB_OPERATION_NOT_FOUND)
            *err = e;
        return e.code == EB_OPERATION_NOT_FOUND;
    }
    if (r.ended_ms != 0)
        *ret = step_told_of_row(&r);
    journal_row_clear(&r);
    return true;
}

static bool look_for_secret(struct db *db, struct look_job *j, const struct step *s, struct eb_err *err)
{
    static const char *const whats[] = { OPS_SECRET_ACCESS_PASS, OPS_SECRET_PASSWORD };

    for (size_t i = 0; s->kind != NULL && s->kind->secret != NULL && j->sealed == NULL && i < EB_LEN(whats); i++) {
        struct secret_row row = { 0 };
        struct eb_err e = { 0 };

        if (secret_get(db, s->id, whats[i], &row, &e)) {
            j->sealed = eb_strdup(row.sealed);
            j->sealed_by = eb_strdup(s->id);
            j->sealed_as = whats[i];
            secret_row_clear(&row);
        } else if (e.code != EB_NOT_THERE) {
            *err = e;
            return false;
        }
    }
    return true;
}

static bool look_job(struct db *db, void *arg, struct eb_err *err)
{
    struct look_job *j = arg;
    const struct composite *c = j->op->composite;

    for (size_t i = 0; i < c->count; i++)
        if (!look_at(db, &c->steps[i], &j->told[i], err) || !look_for_secret(db, j, &c->steps[i], err))
            return false;
    return true;
}

static void take_looked(struct operation *op, struct look_job *j)
{
    struct composite *c = op->composite;

    for (size_t i = 0; i < c->count; i++) {
        struct operation *step = ops_find_id(op->ops, c->steps[i].id);

        if (c->steps[i].state != STEP_WAITS) {
            json_decref(j->told[i]);    /* it ended while we looked */
        } else if (j->told[i] != NULL) {
            step_end(op, &c->steps[i], j->told[i]);
        } else if (step != NULL) {
            c->steps[i].state = STEP_RUNS;
            c->under_way++;
        }
        j->told[i] = NULL;
    }
    c->sealed = j->sealed;
    if (c->sealed_by == NULL)
        c->sealed_by = j->sealed_by;
    else
        free(j->sealed_by);
    c->sealed_as = j->sealed_as;
    c->looked = true;
}

static void looked(void *arg, const struct eb_err *err)
{
    struct look_job *j = arg;
    struct operation *op = j->op;

    if (err == NULL)
        take_looked(op, j);
    else
        eb_error(op->id, "the journal cannot be read, trying again: %s", err->text);
    for (size_t i = 0; i < op->composite->count; i++)
        json_decref(j->told[i]);
    free(j->told);
    free(j);
    if (err == NULL)
        ops_ready_wake(op);
    else
        ops_retry_in(op, 1000);
}

void composite_look(struct operation *op)
{
    struct look_job *j = eb_alloc(sizeof *j);

    j->op = op;
    j->told = eb_alloc(op->composite->count * sizeof(json_t *));
    store_submit(op->ops->parts.store, look_job, j, looked);
}

/* One that a step of before a start has sealed. */
void composite_unseal(struct operation *op)
{
    const struct composite *c = op->composite;
    bool pass = eb_json_bool(op->fields.body, "accessPass", false);
    struct eb_err err = { 0 };

    if (op->secret != NULL || c->sealed == NULL || c->made_user == NULL || pass != eb_streq(c->sealed_as, OPS_SECRET_ACCESS_PASS))
        return;
    if (!ops_secret_unseal(op->ops->parts.keys, c->sealed_by, c->sealed_as, c->sealed, &op->secret, &err))
        eb_error(op->id, "the secret made for a step cannot be read: %s", err.text);
}
