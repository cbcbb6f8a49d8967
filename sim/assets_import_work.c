/* assets_import_work.c - works in the data of a run: first the objects with their own values, then references, then what is missing.
 *
 * A timer's turn takes a few milliseconds, so that the loop goes on; and no more records than the time since the start allows.
 * Invariant: a chunk is parsed while it is worked on only; otherwise its bytes are all that is held.
 */
#include "sim/assets_aql.h"
#include "sim/assets_import.h"

#include "base/clock.h"
#include "base/json_fast.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURN_US 4000
#define PAUSE_US 1000
#define MESSAGES_MAX 5
#define VALUES_MAX 2000             /* of one attribute in one record */
#define CHUNK_VALUES 500000
#define RUN_CHANGED 0x40000000u     /* in an object's run number: its own values were changed in this run */
#define RUN_LINKED 0x80000000u      /* its references have been seen to */

struct work { struct sim *s; struct assets *a; struct import_source *src; struct import_run *run; char **values /* VALUES_MAX of them */; };
static const struct timeval breath = { 0, PAUSE_US };
enum { PASS_OBJECTS, PASS_REFERENCES, PASS_MISSING };

static void complain(struct import_result *res, const char *text)
{
    if (res->messages == NULL)
        res->messages = json_array();
    if (json_array_size(res->messages) < MESSAGES_MAX)
        json_array_append_new(res->messages, json_string(text));
    res->errors++;
}

/* Every value of the attribute in the record. */
static size_t values_of(const struct work *x, const json_t *record, const struct import_attr *m)
{
    char **out = x->values;
    size_t n = 0;
    char buf[64];

    for (size_t l = 0; l < m->locator_count; l++)
        for (size_t i = 0; n < VALUES_MAX; i++) {
            const char *text = assets_import_text(record, m->locators[l], i, buf);
            if (text == NULL)
                break;
            if (*text != '\0')
                out[n++] = eb_strdup(text);
        }
    if (n > 1 && m->attr->most == 1 && m->locator_count > 1) {       /* several fields make one value */
        struct eb_buf all = EB_BUF(KiB(64));
        for (size_t i = 0; i < n; i++) {
            eb_buf_addf(&all, "%s%s", i > 0 ? "," : "", out[i]);
            free(out[i]);
        }
        out[0] = eb_need(eb_buf_take(&all));
        n = 1;
    }
    return n;
}

static void values_free(char **values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(values[i]);
}

static bool body_has(const struct assets *a, const struct assets_body *b, const struct assets_attr *at, const char *text)
{
    ASSETS_EACH_CELL(b, at, c)
        if (assets_fold_equal(assets_text(a->strings, c->value), text))
            return true;
    return false;
}

static bool identity_fits(const struct work *x, const struct import_type *m, const json_t *record, const struct assets_object *o)
{
    for (size_t i = 0; i < m->attr_count; i++) {
        char buf[64];
        const char *text = m->attrs[i].identity ? assets_import_text(record, m->attrs[i].locators[0], 0, buf) : NULL;
        if (text != NULL && !body_has(x->a, o->body, m->attrs[i].attr, text))
            return false;
    }
    return true;
}

/* The object that the record is about; *ret_empty: the record does not say. */
static struct assets_object *find(const struct work *x, const struct import_type *m, const json_t *record, bool *ret_empty)
{
    *ret_empty = true;
    for (size_t i = 0; i < m->attr_count; i++) {
        char buf[64];
        const char *text = m->attrs[i].identity ? assets_import_text(record, m->attrs[i].locators[0], 0, buf) : NULL;
        if (text == NULL || *text == '\0')
            continue;
        *ret_empty = false;
        struct assets_ids list = assets_posting(x->a->index, assets_key_text(m->attrs[i].attr->id, text));
        for (size_t k = 0; k < list.count; k++) {
            struct assets_object *o = x->a->objects[list.ids[k]];
            if (o->body != NULL && o->type == m->type->id && identity_fits(x, m, record, o))
                return o;
        }
        return NULL;
    }
    return NULL;
}

static bool import_value(const struct work *x, const struct assets_attr *at, const char *text, uint32_t *ret, struct eb_err *err)
{
    if (at->kind != ASSETS_STATUS)
        return assets_value(x->s, at, text, ret, err);
    const struct assets_status *st = assets_status_named(x->a, x->src->schema, text);
    *ret = st != NULL ? st->id : 0;
    return st != NULL || eb_fail(err, EB_INVALID_REQUEST, "%s: there is no status %.40s", at->name, text);
}

static void take_values(const struct work *x, const struct import_attr *m, const json_t *record, struct assets_cells *cells, struct import_result *res)
{
    char **values = x->values;
    size_t n = values_of(x, record, m);
    struct eb_err err = { 0 };
    uint32_t value;

    if (n > 0 || x->s->assets_set.empty == ASSETS_EMPTY_REMOVE)
        assets_cells_drop(cells, m->attr->id);
    for (size_t i = 0; i < n; i++)
        if (import_value(x, m->attr, values[i], &value, &err))
            assets_cells_add(cells, m->attr->id, value);
        else
            complain(res, err.text);
    values_free(values, n);
}

static bool cells_good(const struct work *x, const struct import_type *m, const struct assets_cells *cells, const struct assets_object *o,
                       struct import_result *res)
{
    struct eb_err err = { 0 };

    for (size_t i = 0; i < m->attr_count; i++)
        if (m->attrs[i].attr->kind != ASSETS_REFERENCE && !assets_cells_check(x->s, m->attrs[i].attr, cells, o, &err)) {
            complain(res, err.text);
            return false;
        }
    return true;
}

static bool has_label(const struct import_type *m, const struct assets_cells *cells)
{
    for (uint32_t i = 0; i < cells->count; i++)
        if (m->type->label != NULL && cells->at[i].attr == m->type->label->id)
            return true;
    return false;
}

static void copy_cells(struct assets_cells *cells, const struct assets_object *o)
{
    for (uint32_t i = 0; o != NULL && i < o->body->count; i++)
        assets_cells_add(cells, o->body->cells[i].attr, o->body->cells[i].value);
}

static void put_object(const struct work *x, const struct import_type *m, struct assets_object *o, struct assets_cells *cells, struct import_result *res)
{
    bool fresh = o == NULL, changed = assets_object_put(x->a, &o, m->type, cells->at, cells->count);

    o->run = x->run->number | (changed ? RUN_CHANGED : 0);
    res->created += fresh;
    res->updated += !fresh && changed;
    res->identical += !changed;
    if (!changed)
        return;
    o->creates += fresh;
    o->updates += !fresh;
    sim_count(x->s->counters, fresh ? SIM_ASSETS_CREATES : SIM_ASSETS_UPDATES);
}

static void one_object(const struct work *x, const struct import_type *m, const json_t *record, struct import_result *res)
{
    struct assets_cells cells = { 0 };
    bool empty;
    struct assets_object *o = find(x, m, record, &empty);

    res->entries++;
    if (empty || (o != NULL && (o->run & ~RUN_CHANGED) == x->run->number)) {
        *(empty ? &res->empty_ids : &res->duplicates) += 1;
        return;
    }
    copy_cells(&cells, o);
    for (size_t i = 0; i < m->attr_count; i++)
        if (m->attrs[i].attr->kind != ASSETS_REFERENCE)
            take_values(x, &m->attrs[i], record, &cells, res);
    if (!has_label(m, &cells))
        res->empty_labels++;
    else if (cells_good(x, m, &cells, o, res))
        put_object(x, m, o, &cells, res);
    free(cells.at);
}

/* The objects that the query finds for these values. */
static void resolve(const struct work *x, const struct import_attr *m, char **values, size_t n, struct assets_cells *cells, struct import_result *res)
{
    struct aql_world w = { x->a, x->s->tracker, (const char *const *)values, n };
    struct aql_candidates among;
    struct eb_err err = { 0 };
    struct aql *q;

    if (!aql_parse(m->query, &q, &err)) {
        complain(res, err.text);
        return;
    }
    bool listed = aql_candidates(&w, q->where, &among);
    size_t count = listed ? among.count : x->a->object_count - 1;
    for (size_t i = 0; i < count; i++) {
        const struct assets_object *o = x->a->objects[listed ? among.ids[i] : i + 1];
        if (o->body != NULL && o->type == m->attr->to_type && aql_holds(&w, q->where, o, o->body))
            assets_cells_add(cells, m->attr->id, o->id);
    }
    if (listed)
        free(among.owned);
    aql_free(q);
}

static void one_objects_references(const struct work *x, const struct import_type *m, const json_t *record, struct import_result *res)
{
    struct assets_cells cells = { 0 };
    bool empty;
    struct assets_object *o = find(x, m, record, &empty);

    if (o == NULL || (o->run & ~RUN_CHANGED) != x->run->number)      /* refused, or a duplicate whose first has been here */
        return;
    copy_cells(&cells, o);
    for (size_t i = 0; i < m->attr_count; i++) {
        char **values = x->values;
        size_t n = m->attrs[i].attr->kind == ASSETS_REFERENCE ? values_of(x, record, &m->attrs[i]) : 0;
        if (m->attrs[i].attr->kind == ASSETS_REFERENCE && (n > 0 || x->s->assets_set.empty == ASSETS_EMPTY_REMOVE))
            assets_cells_drop(&cells, m->attrs[i].attr->id);
        if (n > 0)
            resolve(x, &m->attrs[i], values, n, &cells, res);
        values_free(values, n);
    }
    if (assets_object_put(x->a, &o, m->type, cells.at, cells.count)) {
        bool counted = (o->run & RUN_CHANGED) != 0;
        res->references++;
        res->updated += !counted;
        res->identical -= !counted;
        o->updates += !counted;
        if (!counted)
            sim_count(x->s->counters, SIM_ASSETS_UPDATES);
    }
    o->run |= RUN_LINKED;
    free(cells.at);
}

static struct assets_attr *status_attr(const struct assets_type *t)
{
    for (size_t i = 0; i < t->attr_count; i++)
        if (t->attrs[i]->kind == ASSETS_STATUS)
            return t->attrs[i];
    return NULL;
}

static uint32_t inactive_status(const struct work *x)
{
    const struct assets_status *st = assets_status_named(x->a, x->src->schema, "Inactive");

    for (size_t i = 0; st == NULL && i < x->a->status_count; i++)
        st = x->a->statuses[i]->category == 0 ? x->a->statuses[i] : NULL;
    return st->id;
}

static void one_missing(const struct work *x, struct assets_object *o, struct import_result *res)
{
    const struct assets_attr *at = status_attr(x->a->types[o->type]);
    struct assets_cells cells = { 0 };

    if (x->s->assets_set.missing == ASSETS_MISSING_DELETE) {
        assets_object_remove(x->a, o);
        o->deletes++;
        res->missing_deleted++;
        sim_count(x->s->counters, SIM_ASSETS_DELETES);
    } else if (x->s->assets_set.missing == ASSETS_MISSING_INACTIVE && at != NULL) {
        copy_cells(&cells, o);
        assets_cells_drop(&cells, at->id);
        assets_cells_add(&cells, at->id, inactive_status(x));
        if (assets_object_put(x->a, &o, x->a->types[o->type], cells.at, cells.count)) {
            o->updates++;
            res->missing_updated++;
            sim_count(x->s->counters, SIM_ASSETS_UPDATES);
        }
        free(cells.at);
    }
}

/* False: there is no more. */
static bool step_missing(const struct work *x)
{
    struct import_run *run = x->run;
    struct assets_object *o;

    if (x->s->assets_set.missing == ASSETS_MISSING_NOTHING || ++run->record >= x->a->object_count)
        return false;
    o = x->a->objects[run->record];
    for (size_t i = 0; o->body != NULL && i < x->src->map.count; i++)
        if (x->src->map.types[i].type->id == o->type && (o->run & ~(RUN_CHANGED | RUN_LINKED)) != run->number) {
            one_missing(x, o, &run->results[i]);
            break;
        }
    return true;
}

static json_t *parse(const struct import_chunk *c)
{
    struct eb_span bytes = { c->bytes, c->len };
    json_t *j = eb_json_read_plain(bytes, CHUNK_VALUES);

    return j != NULL ? j : json_loadb(c->bytes, c->len, 0, NULL);
}

/* Goes to where the next record is: next type, next chunk, next pass. */
static void advance(const struct work *x)
{
    struct import_run *run = x->run;

    run->record = 0;
    if (++run->type < x->src->map.count)
        return;
    run->type = 0;
    json_decref(run->data);
    run->data = NULL;
    run->at = run->at->next;
    if (run->at == NULL && run->pass++ == PASS_OBJECTS)
        run->at = run->chunks;
}

/* One step of the work. False: it is done. */
static bool step(const struct work *x)
{
    struct import_run *run = x->run;

    if (run->at == NULL)
        return step_missing(x);
    if (run->data == NULL)
        run->data = parse(run->at);
    const struct import_type *m = &x->src->map.types[run->type];
    const json_t *records = assets_import_selected(json_object_get(run->data, "data"), m->selector);
    if (run->record >= json_array_size(records)) {
        advance(x);
        return true;
    }
    (run->pass == PASS_OBJECTS ? one_object : one_objects_references)(x, m, json_array_get(records, run->record++), &run->results[run->type]);
    run->worked++;
    return true;
}

static void forget_data(struct import_run *run)
{
    for (struct import_chunk *c = run->chunks, *next; c != NULL; c = next) {
        next = c->next;
        free(c->name);
        free(c->bytes);
        free(c);
    }
    run->chunks = run->at = NULL;
    run->tail = &run->chunks;
    json_decref(run->data);
    run->data = NULL;
}

void assets_import_run_free(struct import_run *run)
{
    while (run != NULL) {
        struct import_run *before = run->before;
        forget_data(run);
        for (struct import_result *res = run->results; res != NULL && res < run->results + run->result_count; res++)
            json_decref(res->messages);
        free(run->results);
        free(run->failure);
        free(run);
        run = before;
    }
}

void assets_import_end(struct import_run *run, enum import_state state)
{
    forget_data(run);
    run->state = state;
    run->ended_ms = eb_now_ms();
}

/* Half of an object's time goes to each pass. */
static int64_t allowed(const struct work *x)
{
    double each = x->s->assets_set.import_ms_per_object / 2;
    double passed = (double)(eb_mono_us() - x->run->processing_us) / 1000.0;

    return each > 0 ? (int64_t)(passed / each) : INT64_MAX;
}

static void turn(const struct work *x)
{
    int64_t until_us = eb_mono_us() + TURN_US, most = allowed(x);

    for (int i = 0; x->run->worked < most; i++) {
        if (!step(x)) {
            assets_import_end(x->run, IMPORT_DONE);
            return;
        }
        if (i % 8 == 7 && eb_mono_us() >= until_us)
            return;
    }
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct assets_imports *m = arg;
    bool more = false;
    char *values[VALUES_MAX];

    for (struct import_source *src = m->sources; src != NULL; src = src->next) {
        if (src->run == NULL || src->run->state != IMPORT_PROCESSING)
            continue;
        turn(&(struct work){ m->sim, m->sim->assets->store, src, src->run, values });
        more = more || src->run->state == IMPORT_PROCESSING;
    }
    if (more)
        evtimer_add(m->timer, &breath);
    sim_waits_check(m->sim);
}

void assets_import_work(struct sim *s, struct import_source *src)
{
    struct assets_imports *m = s->assets->imports;

    m->sim = s;
    src->run->state = IMPORT_PROCESSING;
    src->run->processing_us = eb_mono_us();
    src->run->at = src->run->chunks;
    src->run->result_count = src->map.count;
    src->run->results = eb_alloc((src->map.count + 1) * sizeof(*src->run->results));
    if (m->timer == NULL)
        m->timer = eb_need(evtimer_new(m->base, on_timer, m));
    evtimer_add(m->timer, &breath);
}
