/* calls.c - a ring of entries; an entry's number says where it lies.
 *
 * Owns the texts in the entries.
 */
#include "sim/calls.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    uint64_t n;
    int64_t at_ms, started_us, took_us;     /* took: -1 while there is no answer */
    enum sim_cloud cloud;
    char method[8], client_request_id[64];
    char *target;
    int status;
    bool in_batch;
    enum sim_priority priority;
    uint64_t rule;
    json_t *items;
};
struct sim_calls { struct entry *ring; size_t keep; uint64_t last, first, total; };

struct sim_calls *sim_calls_new(size_t keep)
{
    struct sim_calls *l = eb_alloc(sizeof(*l));

    l->keep = keep;
    l->first = 1;
    l->ring = eb_alloc((keep + 1) * sizeof(*l->ring));
    return l;
}

static void entry_clear(struct entry *e)
{
    free(e->target);
    json_decref(e->items);
    *e = (struct entry){ 0 };
}

void sim_calls_clear(struct sim_calls *l)
{
    for (uint64_t n = l->first; n <= l->last; n++)
        entry_clear(&l->ring[n % l->keep]);
    l->first = l->last + 1;         /* numbers go on, so that a late answer finds nothing */
    l->total = 0;
}

void sim_calls_free(struct sim_calls *l)
{
    if (l == NULL)
        return;
    sim_calls_clear(l);
    free(l->ring);
    free(l);
}

uint64_t sim_calls_add(struct sim_calls *l, const struct sim_call *c, uint64_t fault_rule)
{
    l->total++;
    if (l->keep == 0)
        return 0;
    struct entry *e = &l->ring[++l->last % l->keep];
    entry_clear(e);
    if (l->last - l->first >= l->keep)
        l->first = l->last - l->keep + 1;
    e->n = l->last;
    e->at_ms = eb_now_ms();
    e->started_us = eb_mono_us();
    e->took_us = -1;
    e->cloud = c->cloud;
    memcpy(e->method, c->method, sizeof(e->method));
    memcpy(e->client_request_id, c->client_request_id, sizeof(e->client_request_id));
    e->target = eb_strdup(c->target);
    e->in_batch = c->in_batch;
    e->priority = c->priority;
    e->rule = fault_rule;
    return e->n;
}

void sim_calls_answered(struct sim_calls *l, uint64_t n, int status, const json_t *items)
{
    if (n < l->first || n > l->last || n == 0)
        return;
    struct entry *e = &l->ring[n % l->keep];
    e->status = status;
    e->took_us = eb_mono_us() - e->started_us;
    json_decref(e->items);
    e->items = json_incref((json_t *)(uintptr_t)items);
}

static bool entry_fits(const struct entry *e, const struct sim_calls_query *q)
{
    return (q->path == NULL || strstr(e->target, q->path) != NULL) &&
           (q->method == NULL || strcmp(e->method, q->method) == 0) &&
           (q->cloud == NULL || strcmp(sim_cloud_name(e->cloud), q->cloud) == 0);
}

static json_t *text_or_null(const char *s)
{
    json_t *text = *s != '\0' ? json_string(s) : NULL;
    return text != NULL ? text : json_null();
}

static json_t *entry_json(const struct entry *e)
{
    char time[EB_TIME_LEN];
    json_t *j = json_pack("{s:I, s:s, s:s, s:s, s:o, s:i, s:o, s:b, s:f}", "n", (json_int_t)e->n,
        "time", eb_time_format(e->at_ms, time), "cloud", sim_cloud_name(e->cloud), "method", e->method,
        "path", text_or_null(e->target), "status", e->status, "clientRequestId", text_or_null(e->client_request_id),
        "inBatch", e->in_batch, "ms", e->took_us < 0 ? -1.0 : (double)e->took_us / 1000.0);

    json_object_set_new(j, "fault", e->rule != 0 ? json_integer((json_int_t)e->rule) : json_null());
    if (e->cloud == SIM_CLOUD_GRAPH)
        json_object_set_new(j, "priority", json_string(sim_priority_name(e->priority)));
    if (e->items != NULL)
        json_object_set(j, "items", e->items);
    return j;
}

json_t *sim_calls_list(const struct sim_calls *l, const struct sim_calls_query *q)
{
    json_t *list = json_array();
    uint64_t from = l->first;

    if (q->limit > 0) {             /* the last ones: go back until there are enough */
        int64_t left = q->limit;
        for (from = l->last + 1; from > l->first && left > 0; from--)
            left -= entry_fits(&l->ring[(from - 1) % l->keep], q) ? 1 : 0;
    }
    for (uint64_t n = from; n <= l->last; n++)
        if (entry_fits(&l->ring[n % l->keep], q))
            json_array_append_new(list, entry_json(&l->ring[n % l->keep]));
    return json_pack("{s:I, s:o}", "total", (json_int_t)l->total, "calls", list);
}

uint64_t sim_calls_count(const struct sim_calls *l, const struct sim_calls_query *q)
{
    uint64_t count = 0;

    for (uint64_t n = l->first; n <= l->last; n++)
        count += entry_fits(&l->ring[n % l->keep], q) ? 1 : 0;
    return count;
}
