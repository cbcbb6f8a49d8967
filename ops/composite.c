/* composite.c - the walk through a composite's steps: composed, put on disk, begun stage by stage, and summed up.
 *
 * Invariant: no step is begun before the list of all is on disk, with the id that its operation will have. After a crash that id tells what became of it:
 * ended, under way again, or never begun. A step is begun once.
 */
#include "ops/composite.h"
#include "base/text.h"
#include "config/attribute.h"
#include "store/approval.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- compose ---- */

static const struct config_group_rule *rule_of(const struct config_policy *p, const char *name)
{
    for (size_t i = 0; i < p->group_count; i++)
        if (eb_strieq(p->groups[i].group, name))
            return &p->groups[i];
    return NULL;
}

/* The groups that issues of this project may have changed: {"<id>": "<name>"}. */
static json_t *serviceable(struct operation *op)
{
    const struct directory_binding *all;
    size_t n = directory_bindings(op->ops->parts.directory, &all);
    json_t *groups = json_object();
    struct ops_policy_case pc;

    ops_case_fill(op, &pc);
    for (size_t i = 0; i < n; i++) {
        const struct config_group_rule *rule = strcmp(all[i].what, "serviceable group") == 0 && all[i].id != NULL ? rule_of(&op->config->policy, all[i].name) : NULL;

        if (rule != NULL && policy_group_serves(rule, pc.c.issue))
            json_object_set_new(groups, all[i].id, json_string(all[i].name));
    }
    return groups;
}

static bool compose(struct operation *op, struct ops_steps *s, struct eb_err *err)
{
    EB_AUTO(json_t, json_decref) groups = serviceable(op);
    const struct ops_case c = {
        .kind = op->kind, .fields = &op->fields, .rule = ops_rule(op), .facts = op->facts, .now_ms = eb_now_ms(), .latest = -1,
        .policy = &op->config->policy, .serviceable = groups, .undone = op->undone,
    };

    s->list = json_array();
    return op->kind->change->compose(&c, s, err);
}

enum ops_flow ops_step_compose(struct operation *op)
{
    struct ops_steps s = { 0 };
    struct eb_err err = { 0 };
    bool good = compose(op, &s, &err);

    if (!good)
        json_array_clear(s.list);
    composite_free(op->composite);
    op->composite = composite_new(s.list);
    op->composite->looked = true;
    op->composite->members = s.members;
    snprintf(op->plan.note, sizeof op->plan.note, "%.*s", (int)sizeof op->plan.note - 1, s.note);
    op->would_change = op->composite->count > 0;
    if (!good)
        return ops_end(op, "failed", &err);
    return op->explain || op->composite->count == 0 ? ops_end(op, "succeeded", NULL) : OPS_NEXT;
}

/* ---- note: the steps on disk ---- */

struct note_job {
    struct operation *op;
    struct journal_record record;
    char *wanted, object[OPS_OBJECT_MAX];
    struct approval_use approval;       /* approval NULL: none serves */
    bool refused;
};

static bool note_job(struct db *db, void *arg, struct eb_err *err)
{
    struct note_job *j = arg;

    j->refused = false;
    if (!journal_record(db, &j->record, err))
        return false;
    if (j->approval.approval == NULL || approval_take(db, &j->approval, err))
        return true;
    j->refused = err->code == EB_APPROVAL_MISSING;
    return false;
}

static void noted(void *arg, const struct eb_err *err)
{
    struct note_job *j = arg;
    struct operation *op = j->op;
    bool refused = j->refused;

    free(j->wanted);
    free(j);
    if (err != NULL && !refused) {
        eb_error(op->id, "the journal cannot be written, trying again: %s", err->text);
        ops_retry_in(op, 1000);
        return;
    }
    op->recorded = err == NULL;
    if (err != NULL)
        ops_end(op, "refused", err);
    ops_ready_wake(op);
}

/* All that a start must know of it. */
static char *composite_text(const struct operation *op)
{
    const struct policy_user *u = &op->facts->user;
    EB_AUTO(json_t, json_decref) all = json_pack("{s:O, s:s, s:O*, s:O*, s:{s:s*, s:s*, s:s*}}", "steps", op->composite->list, "note", op->plan.note,
                                                 "members", op->composite->members, "approvals", op->approvals, "user", "userId", u->id,
                                                 "userPrincipalName", u->upn, "displayName", u->display_name);

    return eb_need(eb_json_text(all));
}

static void submit_note(struct operation *op)
{
    struct note_job *j = eb_alloc(sizeof *j);
    const char *user = op->facts->user.id;

    j->op = op;
    j->wanted = composite_text(op);
    if (user != NULL)
        snprintf(j->object, sizeof j->object, "user:%s", user);
    j->record = (struct journal_record){
        .id = op->id, .issue_key = op->issue.key, .issue_id = op->issue.id, .user_id = user, .wanted = j->wanted,
        .object = user != NULL ? j->object : NULL, .now_ms = eb_now_ms(),
    };
    /* Of a list each step is its own target, and takes it. */
    if (!op->kind->change->background)
        j->approval = (struct approval_use){ op->issue.id, evidence_newest(op->evidence), op->kind->name, user, NULL, op->id };
    store_submit(op->ops->parts.store, note_job, j, noted);
}

enum ops_flow ops_step_note(struct operation *op)
{
    if (op->recorded || op->fields.dry_run)
        return OPS_NEXT;
    if (eb_mono_ms() - op->facts_mono_ms > OPS_VERDICT_MS)
        return OPS_AGAIN;               /* the disk kept us waiting */
    op->awaits_journal = !op->journaled;
    if (op->awaits_journal)
        store_hurry(op->ops->parts.store);
    else
        submit_note(op);
    return OPS_WAIT;
}

/* ---- walk ---- */

static void cancel_rest(struct operation *op, const struct step *why)
{
    struct composite *c = op->composite;

    for (size_t i = 0; i < c->count; i++) {
        struct eb_err e = { 0 };

        if (c->steps[i].state != STEP_WAITS)
            continue;
        snprintf(e.text, sizeof e.text, "Not begun, because %s did not succeed.", eb_json_str(why->plan, "kind"));
        step_end_untold(op, &c->steps[i], "cancelled", &e);
    }
}

/* A dry run makes nobody for whom the rest could be decided. */
static void tell_rest(struct operation *op)
{
    struct composite *c = op->composite;

    for (size_t i = 0; i < c->count; i++) {
        struct eb_err e = { 0 };

        if (c->steps[i].state != STEP_WAITS)
            continue;
        snprintf(e.text, sizeof e.text, "Would follow once the user is there.");
        step_end_untold(op, &c->steps[i], "succeeded", &e);
    }
}

static const struct step *barring(const struct composite *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (step_bars(&c->steps[i]))
            return &c->steps[i];
    return NULL;
}

/* Its turn has come: all of earlier stages have ended. */
static bool may_begin(const struct composite *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (c->steps[i].stage < c->steps[n].stage && c->steps[i].state != STEP_ENDED)
            return false;
    return true;
}

/* For somebody whom an earlier step was to make, and did not: a dry run, or a shadow. */
static bool lacks_user(const struct operation *op, const struct step *s)
{
    return op->undone == NULL && s->kind != NULL && attribute_of_new_user(op->kind->name) && s->stage > 0 && op->composite->made_user == NULL;
}

static void begin_some(struct operation *op)
{
    struct composite *c = op->composite;
    const int most = op->kind->change->at_once;

    for (size_t i = 0; i < c->count && (int)c->under_way < most; i++) {
        if (c->steps[i].state != STEP_WAITS)
            continue;
        if (!may_begin(c, i))
            return;
        const struct step *failed = barring(c);
        if (failed != NULL) {
            cancel_rest(op, failed);
            return;
        }
        if (lacks_user(op, &c->steps[i])) {
            tell_rest(op);
            return;
        }
        step_begin(op, &c->steps[i]);
    }
}

/* ---- summed up ---- */

struct sum { size_t done, partly, changed, unknown, refused, hopeless; const struct step *first; };

/* What nobody can undo is no failure of an undo. */
static bool is_hopeless(const struct operation *op, const struct step *s)
{
    return op->undone != NULL && s->kind != NULL && s->kind->undo == NULL;
}

static struct sum sum_up(const struct operation *op)
{
    const struct composite *c = op->composite;
    struct sum sum = { 0 };

    for (size_t i = 0; i < c->count; i++) {
        const struct step *s = &c->steps[i];
        const char *outcome = eb_json_str(s->told, "outcome");

        sum.changed += eb_json_bool(s->told, "changed", false);
        sum.partly += eb_streq(outcome, "partial");
        sum.unknown += eb_streq(outcome, "unknown");
        sum.refused += eb_streq(outcome, "refused");
        sum.hopeless += is_hopeless(op, s);
        sum.done += step_succeeded(s);
        if (!step_succeeded(s) && !is_hopeless(op, s) && sum.first == NULL)
            sum.first = s;
    }
    return sum;
}

const char *composite_secret_of(const struct operation *op)
{
    return op->composite != NULL && op->secret != NULL ? op->composite->sealed_by : NULL;
}

static enum ops_flow finish(struct operation *op)
{
    const struct composite *c = op->composite;
    const struct sum sum = sum_up(op);
    struct eb_err e = { 0 };

    op->changed = sum.changed > 0 && !op->fields.dry_run;
    op->would_change = sum.changed > 0 || op->verdict.shadow;
    op->confirmed = sum.done + sum.partly;
    op->doubt = sum.unknown > 0;
    composite_unseal(op);
    if (sum.first == NULL)
        return ops_end(op, "succeeded", NULL);
    const char *code = eb_json_str(sum.first->told, "code"), *group = eb_json_str(sum.first->told, "groupName");
    const char *message = eb_json_str(sum.first->told, "message");
    bool some = sum.done + sum.partly > 0, partial = some || sum.unknown > 0;
    eb_fail(&e, partial || code == NULL ? EB_PARTLY_FAILED : eb_code_parse(code), "%zu of %zu steps were done. %s%s%s: %s", sum.done, c->count - sum.hopeless,
            eb_json_str(sum.first->plan, "kind"), group != NULL ? " of " : "", group != NULL ? group : "", message != NULL ? message : "failed");
    return ops_end(op, some ? "partial" : sum.unknown > 0 ? "unknown" : sum.refused == c->count ? "refused" : "failed", &e);
}

/* The rest stays in the journal for the next start. */
static void park(struct operation *op)
{
    op->parked = true;
    op->ops->parked++;
    ops_drain_check(op->ops);
}

enum ops_flow ops_step_walk(struct operation *op)
{
    struct composite *c = op->composite;

    if (!c->looked) {
        composite_look(op);
        return OPS_WAIT;
    }
    if (op->ops->draining && c->ended < c->count) {
        if (c->under_way == 0)
            park(op);
        return OPS_WAIT;
    }
    begin_some(op);
    return c->ended == c->count ? finish(op) : OPS_WAIT;
}

/* ---- a step has ended ---- */

static bool is_walking(const struct operation *op)
{
    return op != NULL && op->composite != NULL && op->outcome == NULL && op->step == composite_first_step();
}

bool composite_waits(const struct operation *op)
{
    return is_walking(op) && !op->running && op->composite->looked && op->composite->under_way > 0;
}

/* Not within the walk itself: it goes on there. */
static void go_on(struct operation *op)
{
    if (!op->running && !op->parked && op->composite->looked)
        ops_ready_wake(op);
}

/* The password of somebody made by a step is the composite's to tell. */
static void take_secret(struct operation *op, const struct operation *step)
{
    bool pass = eb_json_bool(op->fields.body, "accessPass", false);     /* refused, the password is left, which nobody is to see */
    bool made = step->err.code == EB_OK || (step->err.code == EB_PARTLY_FAILED && !pass);

    if (step->secret == NULL || !made || op->secret != NULL || op->kind->secret == NULL)
        return;
    op->secret = eb_strdup(step->secret);
    free(op->composite->sealed_by);
    op->composite->sealed_by = eb_strdup(step->id);
}

void composite_step_ended(struct operation *step)
{
    struct operation *op = ops_find(step->ops, step->parent);

    if (!is_walking(op) || step->step_number >= op->composite->count)
        return;
    take_secret(op, step);
    step_end(op, &op->composite->steps[step->step_number], step_told_of(step));
    go_on(op);
}

void composite_step_refused(struct ops *o, uint64_t parent, size_t number, const struct eb_err *err)
{
    struct operation *op = ops_find(o, parent);

    if (!is_walking(op) || number >= op->composite->count)
        return;
    if (err->code == EB_OVERLOADED) {   /* the journal could not be used, and nothing was begun */
        op->composite->steps[number].state = STEP_WAITS;
        op->composite->under_way--;
        ops_retry_in(op, 1000);
        return;
    }
    step_end_untold(op, &op->composite->steps[number], "refused", err);
    go_on(op);
}

json_t *composite_told(const struct operation *op)
{
    const struct composite *c = op->composite;
    json_t *told = c != NULL ? json_array() : NULL;

    for (size_t i = 0; c != NULL && i < c->count; i++)
        json_array_append_new(told, c->steps[i].told != NULL ? json_incref(c->steps[i].told)
                                                             : json_pack("{s:s, s:O?}", "name", eb_json_str(c->steps[i].plan, "kind"), "fields",
                                                                         json_object_get(c->steps[i].plan, "fields")));
    return told;
}
