/* group_rule.c - which groups people get by their attributes. */
#include "policy/policy.h"

#include "base/text.h"

/* An attribute that is absent or null is "": it fits "*" and nothing else. */
bool policy_group_rule_fits(const struct config_group_map *m, const json_t *attributes)
{
    for (size_t i = 0; i < m->when.count; i++) {
        const char *value = eb_json_str(attributes, m->when.items[i].name);

        if (!eb_text_matches(m->when.items[i].value, value != NULL ? value : ""))
            return false;
    }
    return true;
}

json_t *policy_groups_of(const struct config_policy *p, const json_t *attributes)
{
    json_t *groups = json_array();

    for (size_t i = 0; i < p->group_rule_count; i++) {
        const struct config_list *more = &p->group_rules[i].groups;

        if (!policy_group_rule_fits(&p->group_rules[i], attributes))
            continue;
        for (size_t k = 0; k < more->count; k++)
            if (!eb_json_has_text(groups, more->items[k]))
                json_array_append_new(groups, json_string(more->items[k]));
    }
    return groups;
}

json_t *policy_groups_without(const json_t *groups, const json_t *others)
{
    json_t *left = json_array();
    const json_t *v;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)groups, i, v)
        if (!eb_json_has_text(others, json_string_value(v)))
            json_array_append(left, (json_t *)(uintptr_t)v);
    return left;
}
