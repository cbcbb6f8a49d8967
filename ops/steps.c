/* steps.c - the steps of a composite: how they are planned, begun, and told. */
#include "ops/composite.h"
#include "base/text.h"
#include "config/attribute.h"
#include "ops/undo.h"

#include <stdlib.h>
#include <string.h>

#define YOUNG_MS 90000                  /* so long a new user may not be found */

/* ---- kinds ---- */

const struct ops_kind *ops_kind_of_row(const struct journal_row *r)
{
    const struct ops_kind *k = ops_kind_find(r->kind);
    EB_AUTO(json_t, json_decref) body = r->request != NULL ? json_loads(r->request, 0, NULL) : NULL;
    bool undo = r->origin != NULL && strncmp(r->origin, UNDO_ORIGIN, strlen(UNDO_ORIGIN)) == 0;

    if (k == NULL)
        return NULL;
    /* Steps have one user and one group; what undoes a composite has neither. */
    if (undo && r->step_of == NULL && json_object_get(body, "user") == NULL && json_object_get(body, "group") == NULL) {
        const struct ops_kind *undoing = ops_kind_undoing(k->many != NULL ? k->many : k);

        if (undoing != NULL)
            return undoing;
    }
    return ops_kind_of(k, body);
}

/* ---- planned ---- */

static struct step read_step(const json_t *plan)
{
    return (struct step){
        .plan = plan, .kind = ops_kind_find(eb_json_str(plan, "kind")), .id = eb_json_str(plan, "id"),
        .stage = (int)eb_json_int(plan, "stage", 0), .needed = eb_json_bool(plan, "needed", false),
    };
}

struct composite *composite_new(json_t *list)
{
    struct composite *c = eb_alloc(sizeof *c);

    c->list = list;
    c->count = json_array_size(list);
    c->steps = eb_alloc(c->count * sizeof *c->steps);
    for (size_t i = 0; i < c->count; i++)
        c->steps[i] = read_step(json_array_get(list, i));
    return c;
}

void composite_free(struct composite *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->count; i++)
        json_decref(c->steps[i].told);
    free(c->steps);
    free(c->made_user);
    free(c->sealed);
    free(c->sealed_by);
    json_decref(c->list);
    json_decref(c->members);
    free(c);
}

/* ---- told ---- */

static json_t *picked(const json_t *answer, const char *outcome, const char *code, const char *message, bool changed)
{
    static const char *const members[] = { "operation", "name", "userId", "userPrincipalName", "displayName", "groupId", "groupName", "expiresAt", "shadow", "undoes" };
    json_t *told = json_object(), *v;

    for (size_t i = 0; i < EB_LEN(members); i++)
        if ((v = json_object_get(answer, members[i])) != NULL)
            json_object_set(told, members[i], v);
    json_object_set_new(told, "outcome", json_string(outcome));
    json_object_set_new(told, "changed", json_boolean(changed));
    if (code != NULL)
        json_object_set_new(told, "code", json_string(code));
    if (message != NULL)
        json_object_set_new(told, "message", json_string(message));
    return told;
}

/* Who was not found is named as they were asked for. */
static json_t *named(json_t *told, const char *user)
{
    if (user != NULL && json_object_get(told, "userPrincipalName") == NULL)
        json_object_set_new(told, "user", json_string(user));
    return told;
}

json_t *step_told_of_row(const struct journal_row *r)
{
    EB_AUTO(json_t, json_decref) answer = ops_row_answer(r);
    EB_AUTO(json_t, json_decref) request = r->request != NULL ? json_loads(r->request, 0, NULL) : NULL;

    return named(picked(answer, r->outcome, r->code, r->message, r->changed), eb_json_str(request, "user"));
}

json_t *step_told_of(const struct operation *op)
{
    EB_AUTO(json_t, json_decref) answer = ops_answer_make(op);

    return named(picked(answer, op->outcome, op->err.code != EB_OK ? eb_code_text(op->err.code) : NULL, op->message, op->changed), op->fields.user);
}

/* Whom it would have been about, as it was asked. */
static json_t *told_of_plan(const struct step *s)
{
    static const struct { const char *field, *member; } names[] = { { "user", "userId" }, { "group", "groupName" } };
    json_t *told = json_pack("{s:s}", "name", eb_json_str(s->plan, "kind"));
    const json_t *fields = json_object_get(s->plan, "fields");

    for (size_t i = 0; i < EB_LEN(names); i++)
        if (eb_json_str(fields, names[i].field) != NULL)
            json_object_set(told, eb_is_guid(eb_json_str(fields, names[i].field)) && i == 1 ? "groupId" : names[i].member, json_object_get(fields, names[i].field));
    return told;
}

bool step_succeeded(const struct step *s)
{
    return eb_streq(eb_json_str(s->told, "outcome"), "succeeded");
}

/* Somebody who was made in part is there for the steps that follow. */
static bool has_made(const struct step *s)
{
    const char *outcome = eb_json_str(s->told, "outcome");

    return s->kind != NULL && attribute_of_new_user(s->kind->name) && eb_json_str(s->told, "userId") != NULL &&
           (eb_streq(outcome, "succeeded") || eb_streq(outcome, "partial"));
}

bool step_bars(const struct step *s)
{
    return s->needed && s->state == STEP_ENDED && !step_succeeded(s) && !has_made(s);
}

/* ---- ended ---- */

static void take_made(struct operation *op, const struct step *s)
{
    struct composite *c = op->composite;
    static const char *const members[] = { "userId", "userPrincipalName", "displayName" };

    if (!has_made(s) || c->made_user != NULL)
        return;
    c->made_user = eb_strdup(eb_json_str(s->told, "userId"));
    c->made_mono_ms = eb_mono_ms();
    if (op->result == NULL)
        op->result = json_object();
    for (size_t i = 0; i < EB_LEN(members); i++)
        if (json_object_get(s->told, members[i]) != NULL)
            json_object_set(op->result, members[i], json_object_get(s->told, members[i]));
}

void step_end(struct operation *op, struct step *s, json_t *told)
{
    struct composite *c = op->composite;

    if (s->state == STEP_RUNS)
        c->under_way--;
    s->state = STEP_ENDED;
    s->told = told;
    c->ended++;
    take_made(op, s);
}

void step_end_untold(struct operation *op, struct step *s, const char *outcome, const struct eb_err *err)
{
    json_t *told = told_of_plan(s);

    json_object_set_new(told, "outcome", json_string(outcome));
    json_object_set_new(told, "changed", json_false());
    if (err->code != EB_OK)
        json_object_set_new(told, "code", json_string(eb_code_text(err->code)));
    json_object_set_new(told, "message", json_string(err->text));
    step_end(op, s, told);
}

/* ---- begun ---- */

static void set_text(json_t *body, const char *name, const char *value)
{
    if (value != NULL)
        json_object_set_new(body, name, json_string(value));
}

static json_t *body_of(const struct operation *op, const struct step *s)
{
    json_t *body = json_copy(json_object_get(s->plan, "fields"));

    if (ops_kind_field(s->kind, "user") != NULL && json_object_get(body, "user") == NULL)
        set_text(body, "user", op->composite->made_user);
    set_text(body, "issue", op->fields.issue);
    set_text(body, "reason", op->fields.reason);
    if (op->fields.dry_run)
        json_object_set_new(body, "dryRun", json_true());
    return body;
}

void ops_make_step(struct operation *op, const struct operation *composite, size_t number)
{
    if (op->token_name == NULL) {
        op->token_id = eb_strdup(composite->token_id);
        op->token_name = eb_strdup(composite->token_name);
    }
    op->is_step = true;
    op->by_command = composite->by_command;
    op->passed = composite->released;
    op->waited = composite->waited;     /* so that the token of then counts for it as well */
    op->background = composite->background || composite->kind->change->background;
    op->step_of = eb_strdup(composite->id);
    op->parent = composite->run;
    op->step_number = number;
}

/* What was approved is the composite's request. */
static void judge_as(struct operation *step, const struct operation *op)
{
    step->judged_as = op->kind;
    step->judged_body = json_copy(step->fields.body);
    json_object_update(step->judged_body, op->fields.body);
}

void composite_find(struct operation *step, const char *composite, bool undo)
{
    struct operation *op = ops_find_id(step->ops, composite);
    size_t n = 0;

    step->is_step = true;
    step->step_of = eb_strdup(composite);
    if (op == NULL || op->composite == NULL)
        return;
    while (n < op->composite->count && !eb_streq(op->composite->steps[n].id, step->id))
        n++;
    step->step_number = n;
    step->parent = op->run;
    step->by_command = op->by_command;
    step->passed = step->passed || op->released;
    step->waited = op->waited;
    step->background = op->background || op->kind->change->background;
    if (!undo)
        judge_as(step, op);
    step->young_mono_ms = undo ? 0 : eb_mono_ms() + YOUNG_MS;
}

static void begin(struct operation *op, struct step *s, struct ops_fields *fields)
{
    const struct composite *c = op->composite;
    struct operation *step = ops_accept(op->ops, s->kind, fields, NULL, 0, s->id);

    ops_make_step(step, op, (size_t)(s - c->steps));
    judge_as(step, op);
    if (c->made_user != NULL && eb_streq(step->fields.user, c->made_user))
        step->young_mono_ms = c->made_mono_ms + YOUNG_MS;
    ops_begin(step, NULL);
}

void step_begin(struct operation *op, struct step *s)
{
    struct ops_fields fields = { 0 };
    struct eb_err err = { 0 };

    s->state = STEP_RUNS;
    op->composite->under_way++;
    if (eb_json_str(s->plan, "undo") != NULL) {
        undo_step(op, (size_t)(s - op->composite->steps), eb_json_str(s->plan, "undo"), s->id);
        return;
    }
    if (s->kind == NULL)
        eb_fail(&err, EB_INTERNAL, "This version does not know operations of this kind.");
    EB_AUTO(json_t, json_decref) body = s->kind != NULL ? body_of(op, s) : NULL;
    if (s->kind != NULL && ops_fields_read(s->kind, body, &fields, &err))
        begin(op, s, &fields);
    else
        step_end_untold(op, s, "failed", &err);
}
