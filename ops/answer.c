/* answer.c - what rules and people read: the flat body of section 5, and the sentence in it. */
#include "ops/runner.h"
#include "base/text.h"
#include "ops/composite.h"
#include "ops/expiry.h"
#include "ops/wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void name_of(const char *best, const char *next, const char *last, char out[272])
{
    const char *name = best != NULL && best[0] != '\0' ? best : next != NULL && next[0] != '\0' ? next : last;

    eb_text_clean(name != NULL ? name : "?", out, 272);
}

/* "5 steps", "4 of 5 steps"; of lists "38 of 40 memberships", and "40 memberships" as long as nobody has looked at them. */
static void count_steps(const struct operation *op, char out[272])
{
    size_t all = op->composite != NULL ? op->composite->count : 0, changed = 0, told = 0, not_done = 0;
    bool list = strcmp(op->kind->change->steps_as, "results") == 0;

    for (size_t i = 0; i < all; i++) {
        const json_t *step = op->composite->steps[i].told;
        told += step != NULL;
        changed += eb_json_bool(step, "changed", false);
        not_done += eb_json_str(step, "code") != NULL;
    }
    if (list && told < all)
        snprintf(out, 272, "%zu membership%s", all, all == 1 ? "" : "s");
    else if (list)
        snprintf(out, 272, "%zu of %zu memberships", changed, all);
    else if (not_done > 0)
        snprintf(out, 272, "%zu of %zu steps", all - not_done, all);
    else
        snprintf(out, 272, "%zu step%s", all, all == 1 ? "" : "s");
}

/* Who has no account yet, by the attributes of the request. */
static void newcomer(const struct operation *op, char out[272])
{
    const json_t *attributes = json_object_get(op->fields.body, "attributes");
    const char *given = eb_json_str(attributes, "givenName"), *surname = eb_json_str(attributes, "surname");
    char both[260];

    snprintf(both, sizeof both, "%.120s%s%.120s", given != NULL ? given : "", given != NULL && surname != NULL ? " " : "", surname != NULL ? surname : "");
    name_of(eb_json_str(attributes, "displayName"), both[0] != '\0' ? both : NULL, "somebody", out);
}

/* What a {word} of a sentence stands for. */
static void word_of(const struct operation *op, const char *word, char out[272])
{
    const struct directory_facts *f = op->facts;

    if (strcmp(word, "user") == 0)
        name_of(f != NULL ? f->user.display_name : eb_json_str(op->result, "displayName"), f != NULL ? f->user.upn : NULL, op->fields.user, out);
    else if (strcmp(word, "group") == 0)
        name_of(f != NULL ? f->group.name : NULL, op->fields.group, NULL, out);
    else if (strcmp(word, "steps") == 0)
        count_steps(op, out);
    else if (strcmp(word, "newcomer") == 0)
        newcomer(op, out);
    else if (strcmp(word, "until") == 0)
        expiry_text(op, out);
    else if (strcmp(word, "other") == 0)
        name_of(f != NULL ? f->other.display_name : NULL, f != NULL ? f->other.upn : NULL, NULL, out);
    else
        name_of(eb_json_str(op->result, word), ops_field_text(&op->fields, word), eb_json_str(op->after, word), out);
}

/* Puts names into a sentence of the change's row. */
static void expand(const struct operation *op, const char *sentence, struct eb_buf *b)
{
    for (const char *p = sentence; *p != '\0'; p++) {
        const char *end = *p == '{' ? strchr(p, '}') : NULL;
        char word[32], value[272];

        if (end == NULL || end - p > (int)sizeof word) {
            eb_buf_add(b, p, 1);
            continue;
        }
        snprintf(word, sizeof word, "%.*s", (int)(end - p - 1), p + 1);
        word_of(op, word, value);
        eb_buf_str(b, value);
        p = end;
    }
}

static const char *sentence_of(const struct operation *op)
{
    const struct ops_change *c = op->kind->change;
    bool would = (op->fields.dry_run || op->explain || op->verdict.shadow) && op->would_change;

    if (c == NULL)
        return op->kind->did != NULL ? op->kind->did : op->kind->fields[0].form == OPS_FORM_GROUP ? "Read {group}." : "Read {user}.";
    return would ? c->would : op->changed ? c->did : c->was_so;
}

void ops_message_make(struct operation *op)
{
    struct eb_buf b = EB_BUF(sizeof op->message - 1);
    const struct wait_text late = wait_late(op);

    if (op->err.code != EB_OK) {
        snprintf(op->message, sizeof op->message, "%s%s", op->err.text, late.text);
        return;
    }
    if (op->verdict.shadow && op->kind->change != NULL)
        eb_buf_str(&b, "Shadow mode, nothing was changed: ");
    expand(op, sentence_of(op), &b);
    if (op->plan.note[0] != '\0')
        eb_buf_addf(&b, " %s", op->plan.note);
    eb_buf_str(&b, late.text);
    snprintf(op->message, sizeof op->message, "%s", b.data != NULL ? b.data : "");
    eb_buf_free(&b);
}

static void set_text(json_t *o, const char *key, const char *value)
{
    char clean[1100];

    if (value != NULL && value[0] != '\0')
        json_object_set_new(o, key, json_string(eb_text_clean(value, clean, sizeof clean)));
}

static void set_targets(json_t *o, const struct operation *op)
{
    const struct directory_facts *f = op->facts;

    if (f == NULL)
        return;
    if (f->has_user && f->user.found) {
        set_text(o, "userId", f->user.id);
        set_text(o, "userPrincipalName", f->user.upn);
        set_text(o, "displayName", f->user.display_name);
    }
    if (f->has_group && f->group.id != NULL) {
        set_text(o, "groupId", f->group.id);
        set_text(o, "groupName", f->group.name);
    }
}

static void set_members(json_t *o, const json_t *from)
{
    const char *name;
    json_t *v;

    json_object_foreach((json_t *)(uintptr_t)from, name, v)
        json_object_set(o, name, v);
}

/* A read gives the properties that were asked of Graph, under Graph's names; those above stand under ours already. */
static void set_read(json_t *o, const struct operation *op)
{
    if (op->kind->read != NULL) {
        const struct ops_case c = {
            .kind = op->kind, .fields = &op->fields, .rule = ops_rule(op), .facts = op->facts,
        };
        json_t *members = op->kind->read(&c);

        set_members(o, members);
        json_decref(members);
        return;
    }

    static const char *const ours[] = { "id", "displayName", "userPrincipalName" };
    json_t *from = op->facts->has_group ? op->facts->group_json : op->facts->user_json, *v;
    const char *name;

    json_object_foreach(from, name, v) {
        bool said = strncmp(name, "@odata", 6) == 0;

        for (size_t i = 0; i < EB_LEN(ours); i++)
            said |= strcmp(name, ours[i]) == 0;
        if (!said)
            json_object_set(o, name, v);
    }
}

static void set_before_after(json_t *o, const struct operation *op)
{
    if (op->before != NULL)
        json_object_set(o, "before", op->before);
    if (op->after != NULL && op->err.code == EB_OK)
        json_object_set(o, "after", op->after);
}

static void set_steps(json_t *o, const struct operation *op)
{
    json_t *told = composite_told(op);

    if (told == NULL)
        return;
    json_object_set_new(o, op->kind->change->steps_as, told);
    set_members(o, op->composite->members);
}

static json_t *heading(const struct operation *op, const char *outcome)
{
    json_t *o = json_pack("{s:s, s:s, s:s}", "operation", op->id, "name", op->kind->name, "outcome", outcome);

    set_text(o, "issue", op->issue.key != NULL ? op->issue.key : op->fields.issue);
    return o;
}

json_t *ops_answer_make(const struct operation *op)
{
    json_t *o = heading(op, op->outcome);

    set_targets(o, op);
    if (op->err.field[0] != '\0')
        json_object_set_new(o, "field", json_string(op->err.field));
    if (op->kind->change != NULL)
        set_before_after(o, op);
    if (op->origin != NULL && strncmp(op->origin, "undo:", 5) == 0)
        json_object_set_new(o, "undoes", json_string(op->origin + 5));
    set_steps(o, op);
    if (op->kind->change != NULL)
        set_members(o, op->result);
    if (op->err.code == EB_OK || op->err.code == EB_PARTLY_FAILED)
        json_object_set_new(o, "changed", json_boolean(op->changed));
    if (op->err.code != EB_OK)
        return o;
    json_object_set_new(o, "message", json_string(op->message));
    json_object_set_new(o, "dryRun", json_boolean(op->fields.dry_run));
    json_object_set_new(o, "replayed", json_false());
    if (op->verdict.shadow && op->kind->change != NULL)
        json_object_set_new(o, "shadow", json_true());
    expiry_answer(op, o);
    if (op->kind->change == NULL)
        set_read(o, op);
    set_members(o, op->result);
    return o;
}

/* What decided: a rule of the policy or the token, or else what Jira or Entra said ("facts"). */
static const char *deciding_rule(const struct operation *op)
{
    bool by_policy = op->verdict.code == op->err.code && op->verdict.rule[0] != '\0';

    return by_policy ? op->verdict.rule : "facts";
}

/* The rules of the policy that fit the person as they are, or as the request would have them. */
static void set_group_rules(json_t *o, const struct operation *op)
{
    const struct config_policy *p = &op->config->policy;
    EB_AUTO(json_t, json_decref) person = op->facts != NULL && op->facts->user_json != NULL ? json_copy(op->facts->user_json) : json_object();
    json_t *rules = json_array();

    set_members(person, json_object_get(op->fields.body, "attributes"));
    for (size_t i = 0; i < p->group_rule_count; i++) {
        const struct config_group_map *m = &p->group_rules[i];
        json_t *when = json_object(), *groups = json_array();

        for (size_t k = 0; k < m->when.count; k++)
            json_object_set_new(when, m->when.items[k].name, json_string(m->when.items[k].value));
        for (size_t k = 0; k < m->groups.count; k++)
            json_array_append_new(groups, json_string(m->groups.items[k]));
        json_array_append_new(rules, json_pack("{s:I, s:o, s:o, s:b}", "rule", (json_int_t)i, "when", when, "groups", groups,
                                               "fits", (int)policy_group_rule_fits(m, person)));
    }
    if (json_object_size(person) > 0 && p->group_rule_count > 0)
        json_object_set(o, "groupRules", rules);
    json_decref(rules);
}

json_t *ops_answer_explained(const struct operation *op)
{
    bool allowed = op->err.code == EB_OK;
    json_t *o = json_pack("{s:s, s:b, s:s, s:s}", "name", op->kind->name, "allowed", (int)allowed, "message", op->message,
                          "rule", deciding_rule(op));

    set_text(o, "issue", op->issue.key != NULL ? op->issue.key : op->fields.issue);
    set_targets(o, op);
    set_group_rules(o, op);
    set_steps(o, op);
    if (!allowed) {
        json_object_set_new(o, "code", json_string(eb_code_text(op->err.code)));
        set_text(o, "field", op->err.field);
    }
    json_object_set_new(o, "shadow", json_boolean(op->verdict.shadow));
    if (op->kind->change != NULL && allowed) {
        json_object_set_new(o, "wouldChange", json_boolean(op->would_change));
        set_before_after(o, op);
    }
    if (op->approvals != NULL)
        json_object_set(o, "approvals", op->approvals);
    return o;
}

json_t *ops_answer_202(const struct operation *op)
{
    json_t *o = heading(op, "accepted");

    bool comment = op->kind->change != NULL && op->fields.issue != NULL && !op->fields.dry_run;

    json_object_set_new(o, "message", json_string(comment ? "Accepted, and still under way. A comment on the issue will tell how it ended."
                                                          : "Accepted, and still under way. GET the operation to see how it ended."));
    json_object_set_new(o, "changed", json_false());
    json_object_set_new(o, "dryRun", json_boolean(op->fields.dry_run));
    json_object_set_new(o, "replayed", json_false());
    return o;
}

void ops_would_make(const struct operation *op, char *out, size_t size)
{
    static const char begins[] = "Would ";
    const char *would = op->kind->change->would != NULL ? op->kind->change->would : op->kind->summary;
    struct eb_buf b = EB_BUF(KiB(2));

    expand(op, strncmp(would, begins, strlen(begins)) == 0 ? would + strlen(begins) : would, &b);
    snprintf(out, size, "%s", b.data != NULL ? b.data : "");
    eb_buf_free(&b);
}

json_t *ops_answer_waiting(const struct operation *op, const char *outcome)
{
    json_t *o = heading(op, outcome);

    set_targets(o, op);
    json_object_set_new(o, "changed", json_false());
    json_object_set_new(o, "message", json_string(op->message));
    json_object_set_new(o, "dryRun", json_false());
    json_object_set_new(o, "replayed", json_false());
    wait_set_date(o, op->at_ms);
    return o;
}

/* Of one that waits. */
static void set_waits(json_t *o, const struct journal_row *r)
{
    json_object_set_new(o, "outcome", json_string(wait_outcome(r->waits)));
    json_object_set_new(o, "changed", json_false());
    json_object_set_new(o, "dryRun", json_false());
    json_object_set_new(o, "replayed", json_false());
    set_text(o, "message", r->waits_for);
    set_text(o, "userId", r->user_id);
    set_text(o, "groupId", r->group_id);
    wait_set_date(o, r->at_ms);
}

json_t *ops_row_answer(const struct journal_row *r)
{
    json_t *o = r->answer != NULL ? json_loads(r->answer, 0, NULL) : NULL;

    if (o == NULL)
        o = json_pack("{s:s, s:s, s:s}", "operation", r->id, "name", r->kind, "outcome", r->outcome != NULL ? r->outcome : "accepted");
    if (r->answer == NULL && r->issue != NULL)
        json_object_set_new(o, "issue", json_string(r->issue_key != NULL ? r->issue_key : r->issue));
    if (r->waits != NULL)
        set_waits(o, r);
    return o;
}
