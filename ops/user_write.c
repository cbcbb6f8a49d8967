/* user_write.c - what the plans of several kinds have in common. */
#include "ops/user_write.h"
#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>

struct ops_write *ops_user_write(struct ops_plan *p, enum graph_write_kind kind, const struct directory_facts *f)
{
    char object[OPS_OBJECT_MAX];

    snprintf(object, sizeof object, "user:%s", f->user.id);
    struct ops_write *w = ops_plan_write(p, kind, object);
    snprintf(w->user_id, sizeof w->user_id, "%s", f->user.id);
    return w;
}

void ops_name_object(struct ops_plan *p, const char *prefix, const char *name)
{
    snprintf(p->object, sizeof p->object, "%s%s", prefix, name);
    for (char *s = p->object; *s != '\0'; s++)
        *s = *s >= 'A' && *s <= 'Z' ? (char)(*s + ('a' - 'A')) : *s;
}

bool ops_untold(const char *what, const char *permission, struct eb_err *err)
{
    return eb_fail(err, EB_ENTRA_PERMISSION_MISSING, "Graph did not tell %s, and without that nothing is changed. Grant the app registration %s.",
                   what, permission);
}

const json_t *ops_user_told(const struct directory_facts *f, const char *attribute, const char *permission, struct eb_err *err)
{
    const json_t *v = json_object_get(f->user_json, attribute);
    char what[160];

    if (v != NULL)
        return v;
    snprintf(what, sizeof what, "the user's `%s`", attribute);
    ops_untold(what, permission, err);
    return NULL;
}

const json_t *ops_list_find(const json_t *list, const char *member, const char *text)
{
    const json_t *item;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)list, i, item)
        if (text != NULL && eb_strieq(eb_json_str(item, member), text))
            return item;
    return NULL;
}

int64_t ops_time_of(const json_t *obj, const char *member)
{
    const char *s = eb_json_str(obj, member);
    int64_t ms;

    return s != NULL && eb_time_parse(s, &ms, NULL) ? ms : -1;
}
