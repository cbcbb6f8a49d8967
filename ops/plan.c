/* plan.c - building a plan, or the list of a composite's steps, and the comparison that settles a doubt about absolute values. */
#include "ops/plan.h"

#include "base/random.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

struct ops_write *ops_plan_write(struct ops_plan *p, enum graph_write_kind kind, const char *object)
{
    struct ops_write *w = &p->writes[p->count];

    assert(p->count < OPS_WRITES_MAX && strlen(object) < sizeof w->object);
    p->count++;
    *w = (struct ops_write){ .kind = kind };
    strcpy(w->object, object);
    return w;
}

void ops_plan_clear(struct ops_plan *p)
{
    for (size_t i = 0; i < p->count; i++)
        json_decref(p->writes[i].body);
    json_decref(p->before);
    json_decref(p->after);
    *p = (struct ops_plan){ 0 };
}

bool ops_same(const json_t *a, const json_t *b, const char *member)
{
    const json_t *x = json_object_get(a, member), *y = json_object_get(b, member);

    if (json_is_null(x))
        x = NULL;
    if (json_is_null(y))
        y = NULL;
    return (x == NULL && y == NULL) || (x != NULL && y != NULL && json_equal(x, y) == 1);
}

/* Who else may have changed it in between cannot be told from us, so nothing is written over it. */
bool ops_plan_compare(const struct ops_case *c, struct ops_plan *p)
{
    const char *member;
    json_t *v;

    if (!c->doubt || c->recorded == NULL)
        return false;
    json_object_foreach((json_t *)(uintptr_t)c->wanted, member, v)
        if (!ops_same(p->before, c->wanted, member) && !ops_same(p->before, c->recorded, member))
            p->unknown = true;
    return p->unknown;
}

void ops_step_add(struct ops_steps *s, const char *kind, json_t *fields, int stage, enum ops_need need)
{
    char id[EB_ID_LEN];

    eb_id_new(id);
    json_array_append_new(s->list, json_pack("{s:s, s:s, s:i, s:b, s:o}", "id", id, "kind", kind, "stage", stage, "needed", (int)(need == OPS_NEEDED),
                                             "fields", fields));
}
