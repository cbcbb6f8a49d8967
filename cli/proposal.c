/* proposal.c - proposes a kind for each route and a field for each name.
 *
 * Invariant: what stands in force loads, and means what the endpoint makes of the name anyway; a guess never does.
 */
#include "cli/proposal.h"

#include "base/text.h"
#include "handlers/envelope.h"

#include <ctype.h>
#include <string.h>

/* ---- guesses ---- */

/* One word of the one and one of the other; the first row that fits. */
static const struct { const char *kind, *verbs, *things; } guesses[] = {
    { "group.remove_member", " remove delete revoke unassign drop leave ", " group member members membership " },
    { "group.add_member", " add assign join grant put ", " group member members membership " },
    { "user.reset_password", " reset change set new ", " password pwd " },
    { "user.disable", " disable deactivate block suspend lock ", " user account person employee " },
    { "user.enable", " enable activate reactivate unblock unlock ", " user account person employee " },
    { "user.update", " update edit modify change set patch ", " user account person employee attributes profile " },
    { "user.create", " create add new provision make ", " user account person employee " },
};

/* Is any word of the name ("deactivateAccount", "deactivate-account") in the list? */
static bool any_word(const char *name, const char *list)
{
    char word[64] = " ";

    while (*name != '\0') {
        size_t len = 1;
        while (*name != '\0' && !isalnum((unsigned char)*name))
            name++;
        for (const char *start = name; isalnum((unsigned char)*name) && (name == start || !isupper((unsigned char)*name)) && len + 2 < sizeof word; name++)
            word[len++] = (char)tolower((unsigned char)*name);
        word[len] = ' ';
        word[len + 1] = '\0';
        if (len > 1 && strstr(list, word) != NULL)
            return true;
    }
    return false;
}

static const char *guess(const char *route)
{
    for (size_t i = 0; i < EB_LEN(guesses); i++)
        if (any_word(route, guesses[i].verbs) && any_word(route, guesses[i].things))
            return guesses[i].kind;
    return NULL;
}

/* ---- proposals ---- */

/* What a row under compat.fields says for that name: without the prefix where the kind makes the same of it. NULL: nothing does. */
static const char *stands_for(const struct ops_kind *k, const char *name, char out[ENVELOPE_NAME_MAX])
{
    char again[ENVELOPE_NAME_MAX], one[ENVELOPE_NAME_MAX], other[ENVELOPE_NAME_MAX];
    const char *const *all = ops_config_names()->fields;

    if (k == NULL || !envelope_resolve(k, NULL, name, out))
        return NULL;
    const char *last = strncmp(out, ENVELOPE_ATTRIBUTES, strlen(ENVELOPE_ATTRIBUTES)) == 0 ? out + strlen(ENVELOPE_ATTRIBUTES) : out;
    if (last != out && envelope_resolve(k, NULL, last, again) && strcmp(again, out) == 0)
        memmove(out, last, strlen(last) + 1);
    return envelope_meaning(name, all, one) && envelope_meaning(out, all, other) && strcmp(one, other) == 0 ? out : NULL;
}

static json_t *fields_of(const struct ops_kind *k, const json_t *fields)
{
    json_t *list = json_array(), *f;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)fields, i, f) {
        char means[ENVELOPE_NAME_MAX];
        const char *name = eb_json_str(f, "name");
        json_array_append_new(list, json_pack("{s:s, s:s?, s:O, s:O}", "name", name, "field", stands_for(k, name, means),
                                              "required", json_object_get(f, "required"), "type", json_object_get(f, "type")));
    }
    return list;
}

json_t *proposal_make(const json_t *routes)
{
    json_t *list = json_array(), *r;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)routes, i, r) {
        const char *route = eb_json_str(r, "route");
        const struct ops_kind *known = envelope_kind(NULL, route), *k = known != NULL ? known : ops_kind_find(guess(route));
        json_array_append_new(list, json_pack("{s:s, s:O, s:s?, s:b, s:o}", "route", route, "where", json_object_get(r, "where"), "kind", k != NULL ? k->name : NULL,
                                              "known", known != NULL, "fields", fields_of(k, json_object_get(r, "fields"))));
    }
    return list;
}

/* ---- the section ---- */

static bool is_known(const json_t *route) { return eb_json_bool(route, "known", false); }

json_t *proposal_section(const json_t *proposal)
{
    json_t *routes = json_object(), *fields = json_object(), *r, *f;
    size_t i, j;

    json_array_foreach((json_t *)(uintptr_t)proposal, i, r) {
        if (is_known(r))
            json_object_set(routes, eb_json_str(r, "route"), json_object_get(r, "kind"));
        json_array_foreach(json_object_get(r, "fields"), j, f) {
            const char *name = eb_json_str(f, "name"), *said;
            json_t *there;
            bool twin = false;
            json_object_foreach(fields, said, there)
                twin = twin || envelope_same(said, name);
            if (!twin && eb_json_str(f, "field") != NULL)
                json_object_set(fields, name, json_object_get(f, "field"));
        }
    }
    return json_pack("{s:o, s:o}", "routes", routes, "fields", fields);
}

/* A key of YAML: in quotes where it could be read as anything but this text. */
static void put_key(struct eb_buf *out, const char *name)
{
    static const char *const words[] = { "true", "false", "null", "yes", "no", "on", "off", "y", "n" };
    bool plain = isalpha((unsigned char)*name) && strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(name);

    for (size_t i = 0; i < EB_LEN(words); i++)
        plain = plain && !eb_strieq(words[i], name);
    if (plain)
        eb_buf_str(out, name);
    else
        (void)eb_json_quote(out, name);
}

static void put_row(struct eb_buf *out, const char *start, const char *name, const char *value, const char *note)
{
    eb_buf_addf(out, "    %s", start);
    put_key(out, name);
    eb_buf_addf(out, ":%s%s%s%s\n", *value != '\0' ? " " : "", value, *note != '\0' ? "     # " : "", note);
}

static void put_routes(struct eb_buf *out, const json_t *proposal)
{
    size_t i;
    json_t *r;

    eb_buf_str(out, "  routes:\n");
    json_array_foreach((json_t *)(uintptr_t)proposal, i, r) {
        const char *kind = eb_json_str(r, "kind"), *route = eb_json_str(r, "route");
        if (is_known(r))
            put_row(out, "", route, kind, "");
        else if (kind != NULL)
            put_row(out, "# ", route, kind, "guessed from its name: take the # away if it is right");
        else
            put_row(out, "# ", route, "", "not recognised: write the operation kind behind it (user.disable, ...), and take the # away");
    }
}

/* The routes that have a field of that name, for a comment: "createUser, updateUser". */
static char *routes_with(const json_t *proposal, const char *name)
{
    struct eb_buf b = EB_BUF(KiB(1));
    size_t i, j;
    json_t *r, *f;
    char clean[ENVELOPE_NAME_MAX];

    json_array_foreach((json_t *)(uintptr_t)proposal, i, r)
        json_array_foreach(json_object_get(r, "fields"), j, f)
            if (envelope_same(eb_json_str(f, "name"), name) && b.len < 200)
                eb_buf_addf(&b, "%s%s", b.len > 0 ? ", " : "", eb_text_clean(eb_json_str(r, "route"), clean, sizeof clean));
    return eb_need(eb_buf_take(&b));
}

static void put_fields(struct eb_buf *out, const json_t *proposal, const json_t *known)
{
    EB_AUTO(json_t, json_decref) seen = json_object();
    size_t i, j;
    json_t *r, *f, *value;
    const char *name;

    eb_buf_str(out, "  fields:\n");
    json_object_foreach((json_t *)(uintptr_t)known, name, value) {
        char *with = routes_with(proposal, name);
        put_row(out, "", name, json_string_value(value), with);
        free(with);
    }
    json_array_foreach((json_t *)(uintptr_t)proposal, i, r)
        json_array_foreach(json_object_get(r, "fields"), j, f) {
            char normal[ENVELOPE_NAME_MAX], note[400];
            name = eb_json_str(f, "name");
            if (eb_json_str(f, "field") != NULL || !envelope_normal(name, normal) || json_object_get(seen, normal) != NULL)
                continue;
            char *with = routes_with(proposal, name);
            json_object_set_new(seen, normal, json_true());
            snprintf(note, sizeof note, "%.220s: not recognised: write the field (user, group, jobTitle, ...) behind it, and take the # away", with);
            put_row(out, "# ", name, "", note);
            free(with);
        }
}

/* Does every route have a field for the issue? */
static bool sends_issue(const json_t *proposal)
{
    size_t i, j;
    json_t *r, *f;

    json_array_foreach((json_t *)(uintptr_t)proposal, i, r) {
        bool sends = false;
        json_array_foreach(json_object_get(r, "fields"), j, f)
            sends = sends || eb_streq(eb_json_str(f, "field"), "issue");
        if (!sends)
            return false;
    }
    return true;
}

bool proposal_yaml(const json_t *proposal, const char *const *files, struct eb_buf *out)
{
    EB_AUTO(json_t, json_decref) section = proposal_section(proposal);
    char clean[200];

    eb_buf_str(out, "# Names of POST /v1/service, made by `entrabridge compat import` from:\n");
    for (; *files != NULL; files++)
        eb_buf_addf(out, "#   %s\n", eb_text_clean(*files, clean, sizeof clean));
    eb_buf_str(out, "# Paste it into the configuration file (where that has no `compat` yet). Lines with # before them are not in force.\n");
    if (!sends_issue(proposal))
        eb_buf_str(out, "# Requests that do not name the issue that asks need the header x-issue-key with the value {{issue.key}}: add it to the rules.\n");
    eb_buf_str(out, "compat:\n");
    put_routes(out, proposal);
    put_fields(out, proposal, json_object_get(section, "fields"));
    return !out->failed;
}
