/* example.c - a web request ready to be pasted into a rule, for people who have just made a token. */
#include "cli/example.h"

#include "handlers/handlers.h"
#include "policy/policy.h"

#include <stdio.h>

#define SHOWN_MAX 2

static json_t *example_of(const struct config *c, const struct ops_kind *k)
{
    json_t *example = handlers_example(k, c->public_url);

    json_object_set_new(example, "kind", json_string(k->name));
    return example;
}

json_t *example_list(const struct config *c, const struct auth_token *t, const char *kind)
{
    const struct ops_kind *kinds;
    size_t n = ops_kinds(&kinds);
    json_t *list = json_array();

    if (kind != NULL) {
        json_array_append_new(list, example_of(c, ops_kind_find(kind)));
        return list;
    }
    for (size_t i = 0; i < n && json_array_size(list) < SHOWN_MAX; i++)
        if (policy_listed((const char *const *)t->operations, kinds[i].name) && policy_operation(&c->policy, kinds[i].name) != NULL)
            json_array_append_new(list, example_of(c, &kinds[i]));
    return list;
}

static void show(const json_t *example)
{
    const char *name;
    json_t *value;

    fprintf(stderr, "\n%s, as the action \"Send web request\" of a rule:\n  Web request URL:  %s\n  HTTP method:      %s\n", eb_json_str(example, "kind"),
            eb_json_str(example, "url"), eb_json_str(example, "method"));
    json_object_foreach(json_object_get(example, "headers"), name, value)
        fprintf(stderr, "  Header:           %s: %s\n", name, json_string_value(value));
    fprintf(stderr, "  Web request body: Custom data\n%s\n", eb_json_str(example, "body"));
}

void example_show(const struct config *c, const struct auth_token *t, const char *kind)
{
    EB_AUTO(json_t, json_decref) list = example_list(c, t, kind);
    size_t i;
    json_t *example;

    json_array_foreach(list, i, example)
        show(example);
    if (json_array_size(list) == 0)
        fputs("\nThe policy lists none of this token's operations yet: nothing it asks for is allowed (policy.operations).\n", stderr);
    else
        fputs("\nTick \"Delay execution of subsequent rule actions until we've received a response\" and \"Continue on an unsuccessful response\"; the header with the token: Hidden.\n"
              "Replace the names of the fields by those of your request type. Other operations: --example KIND, or GET /v1/kinds with the token.\n", stderr);
}
