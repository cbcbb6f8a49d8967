/* pass.c - Temporary Access Pass. Its value is in the answer that makes it and never again: with a lost answer it is lost, and is replaced.
 *
 * Invariant: after a doubt a pass that is newer than what we sent is deleted before another is issued: its value may be in somebody's hands.
 */
#include "ops/user_write.h"
#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define READ_PERMISSION "UserAuthMethod-TAP.ReadWrite.All"
#define MINUTE_MS 60000

static bool check_guest(const struct ops_case *c, struct eb_err *err)
{
    const json_t *type = ops_user_told(c->facts, "userType", "User.Read.All", err);

    if (type == NULL)
        return false;
    if (!eb_strieq(json_string_value(type), "Guest") && strstr(c->facts->user.upn, "#EXT#") == NULL)
        return true;
    return eb_fail_field(err, EB_USER_NOT_MODIFIABLE, "user", "This user is a guest and signs in with an account of another organization: Entra issues no access "
                         "pass to guests. Their own organization can help them.");
}

static bool add_lifetime(const struct ops_case *c, json_t *body, struct eb_err *err)
{
    const char *text = ops_field_text(c->fields, "lifetime");
    int64_t ms;

    if (text == NULL)
        return true;
    if (!eb_duration_parse(text, &ms, err))
        return false;
    if (ms % MINUTE_MS != 0)
        return eb_fail_field(err, EB_INVALID_REQUEST, "lifetime", "`lifetime` must be whole minutes.");
    json_object_set_new(body, "lifetimeInMinutes", json_integer(ms / MINUTE_MS));
    return true;
}

static bool add_start(const struct ops_case *c, json_t *body, struct eb_err *err)
{
    const char *text = ops_field_text(c->fields, "startDateTime");
    char utc[EB_TIME_LEN];
    int64_t ms;

    if (text == NULL)
        return true;
    if (!eb_time_parse(text, &ms, err))
        return false;
    if (c->recorded == NULL && ms < c->now_ms - OPS_SKEW_MS)
        return eb_fail_field(err, EB_INVALID_REQUEST, "startDateTime", "`startDateTime` has passed.");
    json_object_set_new(body, "startDateTime", json_string(eb_time_format(ms, utc)));
    return true;
}

/* Each may be left out: then the tenant's policy says it. */
static bool make_body(const struct ops_case *c, json_t *body, struct eb_err *err)
{
    const json_t *once = json_object_get(c->fields->body, "isUsableOnce");

    if (once != NULL)
        json_object_set(body, "isUsableOnce", (json_t *)(uintptr_t)once);
    return add_lifetime(c, body, err) && add_start(c, body, err);
}

/* Made since we sent: by the request whose answer was lost, or by somebody else; either way a new pass would replace it. */
static void delete_lost(const struct ops_case *c, struct ops_plan *p)
{
    const json_t *pass;
    size_t i;

    json_array_foreach(c->facts->passes_json, i, pass) {
        const char *id = eb_json_str(pass, "id");
        bool old = id == NULL || eb_streq(id, eb_json_str(c->recorded, "accessPassId"));

        if (old || ops_time_of(pass, "createdDateTime") < c->sent_ms - OPS_SKEW_MS || p->count + 1 >= OPS_WRITES_MAX)
            continue;
        struct ops_write *w = ops_user_write(p, GRAPH_PASS_DELETE, c->facts);
        snprintf(w->method_id, sizeof w->method_id, "%s", id);
        p->lost = true;
    }
}

static bool plan_issue(const struct ops_case *c, struct ops_plan *p, struct eb_err *err)
{
    const json_t *there = json_array_get(c->facts->passes_json, 0);
    EB_AUTO(json_t, json_decref) body = json_object();

    if (!check_guest(c, err))
        return false;
    if (c->facts->passes_json == NULL)
        return ops_untold("whether the user has an access pass already", READ_PERMISSION, err);
    if (!make_body(c, body, err))
        return false;
    p->before = json_pack("{s:s?}", "accessPassId", eb_json_str(there, "id"));
    p->after = json_copy(body);
    if (c->doubt && c->recorded != NULL)
        delete_lost(c, p);
    ops_user_write(p, GRAPH_PASS_CREATE, c->facts)->body = json_incref(body);
    if (p->lost || c->lost)
        snprintf(p->note, sizeof p->note, "The answer with the first access pass was lost: that pass was deleted, and this is another one.");
    else if (there != NULL)
        snprintf(p->note, sizeof p->note, "It takes the place of an access pass that the user had.");
    return true;
}

static void took(const struct ops_write *w, const json_t *body, json_t *result)
{
    static const char *const members[] = { "lifetimeInMinutes", "isUsableOnce", "startDateTime" };

    for (size_t i = 0; w->kind == GRAPH_PASS_CREATE && i < EB_LEN(members); i++) {
        json_t *v = json_object_get(body, members[i]);
        if (v != NULL && !json_is_null(v))
            json_object_set(result, members[i], v);
    }
}

static const char *secret_of(const struct ops_write *w, const json_t *body)
{
    return w->kind == GRAPH_PASS_CREATE ? eb_json_str(body, "temporaryAccessPass") : NULL;
}

const struct ops_change ops_pass_issue = {
    .settle = OPS_SETTLE_LOOK, .plan = plan_issue, .took = took, .secret_of = secret_of,
    .did = "Issued an access pass for {user}.", .was_so = "No access pass was issued for {user}.", .would = "Would issue an access pass for {user}.",
};
