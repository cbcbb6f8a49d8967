/* graph_methods.c - how a user signs in: authentication methods, and Temporary Access Passes.
 *
 * A concrete collection shows and deletes its own type only; there is no DELETE on the mixed list. The value of a pass is
 * in the 201 answer alone. Method ids of phones and e-mail are the same for every user, as in life.
 */
#include "sim/graph.h"

#include "base/clock.h"
#include "base/text.h"

#include <string.h>

#define TYPE(t) "#microsoft.graph." t "AuthenticationMethod"
#define PASSWORD_ID "28c10230-6103-485e-b985-444c60001490"
#define TAP TYPE("temporaryAccessPass")

static const struct { const char *collection, *type; } collections[] = {
    { "emailMethods", TYPE("email") }, { "fido2Methods", TYPE("fido2") },
    { "microsoftAuthenticatorMethods", TYPE("microsoftAuthenticator") }, { "passwordMethods", TYPE("password") },
    { "phoneMethods", TYPE("phone") }, { "softwareOathMethods", TYPE("softwareOath") }, { "temporaryAccessPassMethods", TAP },
    { "windowsHelloForBusinessMethods", TYPE("windowsHelloForBusiness") },
};

void odata_methods_error(const struct sim_call *c, struct sim_reply *r, int status, const char *code, const char *message)
{
    odata_error(c, r, status, code, "%s", message);
    json_object_set_new(json_object_get(json_object_get(r->body, "error"), "innerError"), "message", json_string(message));
}

bool graph_is_methods_path(const struct sim_call *c)
{
    return c->segment_count > 3 && strcmp(c->segments[3], "authentication") == 0;
}

/* segments: v1.0, users, {}, authentication, collection */
static const char *wanted_type(const struct sim_call *c)
{
    for (size_t i = 0; i < EB_LEN(collections); i++)
        if (strcmp(collections[i].collection, c->segments[4]) == 0)
            return collections[i].type;
    return NULL;
}

/* A pass that has run out is no method any more. */
static bool is_over(const json_t *method)
{
    struct eb_err ignored = { 0 };
    const char *start = eb_json_str(method, "startDateTime");
    int64_t ms;

    return eb_streq(eb_json_str(method, "@odata.type"), TAP) && start != NULL && eb_time_parse(start, &ms, &ignored) &&
           ms + eb_json_int(method, "lifetimeInMinutes", 0) * 60000 <= eb_now_ms();
}

static json_t *password_method(void)
{
    return json_pack("{s:s, s:s, s:n, s:s}", "@odata.type", TYPE("password"), "id", PASSWORD_ID, "password", "createdDateTime", "2025-03-01T09:00:00Z");
}

/* Copies of the user's methods of that type (NULL: all), without @odata.type where one type was asked for. */
static json_t *methods_of(const struct entra_object *o, const char *type)
{
    json_t *out = json_array();

    if (type == NULL || strcmp(type, TYPE("password")) == 0)
        json_array_append_new(out, password_method());
    for (size_t i = 0; i < json_array_size(o->methods); i++) {
        json_t *m = json_array_get(o->methods, i);
        if (!is_over(m) && (type == NULL || eb_streq(eb_json_str(m, "@odata.type"), type)))
            json_array_append_new(out, json_copy(m));
    }
    for (size_t i = 0; type != NULL && i < json_array_size(out); i++)
        json_object_del(json_array_get(out, i), "@odata.type");
    return out;
}

static void answer_list(struct sim *s, struct sim_call *c, const char *type, struct sim_reply *r)
{
    struct entra_object *o = graph_user_param(s, c, r);

    if (o == NULL)
        return;
    if (type == NULL && c->query_count > 0) {
        odata_methods_error(c, r, 400, "badRequest", "Query options are not supported.");
        return;
    }
    json_t *items = methods_of(o, type);
    odata_answer_json_list(c, items, "users/authentication/methods", s->opt.page_size, r);
    json_decref(items);
}

void graph_methods(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    answer_list(s, c, NULL, r);
}

void graph_methods_of_type(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    answer_list(s, c, wanted_type(c), r);
}

/* params[1] as a method of the path's type: its place in o->methods; -1: answered with 404. */
static int method_param(struct entra_object *o, struct sim_call *c, struct sim_reply *r)
{
    for (size_t i = 0; i < json_array_size(o->methods); i++) {
        const json_t *m = json_array_get(o->methods, i);
        if (eb_strieq(eb_json_str(m, "id"), c->params[1]) && eb_streq(eb_json_str(m, "@odata.type"), wanted_type(c)) && !is_over(m))
            return (int)i;
    }
    odata_methods_error(c, r, 404, "resourceNotFound", "The requested resource was not found.");
    return -1;
}

void graph_method_get(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *o = graph_user_param(s, c, r);
    int at = o != NULL ? method_param(o, c, r) : -1;

    if (at < 0)
        return;
    json_t *m = json_copy(json_array_get(o->methods, (size_t)at));
    json_object_del(m, "@odata.type");
    sim_reply_json(r, 200, m);
}

/* Is there another one, beside the password and a pass, that could be the default? */
static bool others_stand(const struct entra_object *o, size_t but)
{
    for (size_t i = 0; i < json_array_size(o->methods); i++)
        if (i != but && !eb_streq(eb_json_str(json_array_get(o->methods, i), "@odata.type"), TAP))
            return true;
    return false;
}

void graph_method_delete(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *o = graph_user_param(s, c, r);
    int at = o != NULL ? method_param(o, c, r) : -1;

    if (at < 0)
        return;
    bool is_default = eb_streq(eb_json_str(json_array_get(o->methods, (size_t)at), "id"), o->default_method);
    bool is_pass = eb_streq(wanted_type(c), TAP);
    if (is_default && others_stand(o, (size_t)at)) {
        odata_methods_error(c, r, 400, "badRequest", "The requested authentication method id matches the user's current default "
            "authentication method, and cannot be deleted until the default authentication method is changed");
        return;
    }
    if (is_default)
        o->default_method[0] = '\0';
    json_array_remove(o->methods, (size_t)at);
    sim_count_user(s->counters, o->id, is_pass ? SIM_PASSES_DELETED : SIM_METHODS_DELETED);
    graph_no_content(r);
}

/* What the body and the tenant's policy say about a new pass. */
struct pass { int64_t start_ms, minutes; bool once; };

static bool pass_members(const struct sim *s, const json_t *body, struct pass *p)
{
    struct eb_err ignored = { 0 };
    const char *name;
    json_t *value;

    *p = (struct pass){ eb_now_ms(), s->tap.default_minutes, s->tap.once };
    json_object_foreach((json_t *)(uintptr_t)body, name, value) {
        if (strcmp(name, "startDateTime") == 0 && json_is_string(value)) {
            if (!eb_time_parse(json_string_value(value), &p->start_ms, &ignored))
                return false;
        } else if (strcmp(name, "lifetimeInMinutes") == 0 && json_is_integer(value)) {
            p->minutes = json_integer_value(value);
        } else if (strcmp(name, "isUsableOnce") == 0 && json_is_boolean(value)) {
            p->once = json_is_true(value);
        } else if (!json_is_null(value) || (strcmp(name, "startDateTime") != 0 && strcmp(name, "lifetimeInMinutes") != 0 && strcmp(name, "isUsableOnce") != 0)) {
            return false;
        }
    }
    return p->minutes >= 10 && p->minutes <= 43200;
}

static bool pass_check(struct sim *s, struct sim_call *c, struct entra_object *o, const struct pass *p, struct sim_reply *r)
{
    const char *upn = eb_json_str(o->attrs, "userPrincipalName"), *why = NULL;

    if (upn != NULL && strstr(upn, "#EXT#") != NULL)
        why = "Temporary Access Pass cannot be added to an external guest user.";
    else if (!s->tap.enabled)
        why = "Temporary Access Pass is not enabled by the authentication methods policy.";
    else if (p->minutes < s->tap.least_minutes || p->minutes > s->tap.most_minutes)
        why = "The lifetime of the Temporary Access Pass is outside of what the authentication methods policy allows.";
    else if (s->tap.once && !p->once)
        why = "The authentication methods policy requires Temporary Access Passes for one-time use.";
    if (why != NULL)
        odata_methods_error(c, r, 400, "badRequest", why);
    return why == NULL;
}

/* Random; without characters that look alike, as Entra's are. */
static void pass_value(char out[16])
{
    static const char letters[] = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789!#&*+?";

    for (size_t i = 0; i < 8; i++)
        out[i] = letters[eb_random_below(sizeof(letters) - 1)];
    out[8] = '\0';
}

static void drop_passes(struct entra_object *o)
{
    for (size_t i = json_array_size(o->methods); i-- > 0;)
        if (eb_streq(eb_json_str(json_array_get(o->methods, i), "@odata.type"), TAP))
            json_array_remove(o->methods, i);
}

static json_t *pass_json(const struct pass *p, const char *id)
{
    char now[EB_TIME_LEN], start[EB_TIME_LEN];
    bool begun = p->start_ms <= eb_now_ms();

    return json_pack("{s:s, s:s, s:n, s:s, s:s, s:I, s:b, s:b, s:s}", "@odata.type", TAP, "id", id, "temporaryAccessPass",
        "createdDateTime", entra_time(eb_now_ms(), now), "startDateTime", entra_time(p->start_ms, start),
        "lifetimeInMinutes", (json_int_t)p->minutes, "isUsableOnce", p->once, "isUsable", begun,
        "methodUsabilityReason", begun ? "EnabledByPolicy" : "NotYetValid");
}

void graph_pass_create(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *o = graph_user_param(s, c, r);
    json_t *body = o != NULL ? graph_body(c, r) : NULL;
    char id[EB_ID_LEN], value[16];
    struct pass p;

    if (body == NULL)
        return;
    if (!pass_members(s, body, &p)) {
        odata_methods_error(c, r, 400, "badRequest", "The properties of the Temporary Access Pass are not valid.");
        return;
    }
    if (!pass_check(s, c, o, &p, r))
        return;
    eb_uuid4(id);
    pass_value(value);
    drop_passes(o);
    if (o->methods == NULL)
        o->methods = json_array();
    json_t *m = pass_json(&p, id);
    json_array_append(o->methods, m);
    eb_wipe_free(o->access_pass);
    o->access_pass = eb_strdup(value);
    sim_count_user(s->counters, o->id, SIM_PASSES);
    json_t *shown = json_copy(m);
    json_decref(m);
    json_object_set_new(shown, "temporaryAccessPass", json_string(value));
    json_object_del(shown, "@odata.type");
    sim_reply_json(r, 201, shown);
}
