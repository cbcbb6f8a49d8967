/* assets_aql_post.c - POST object/aql and totalcount: pages in the order of ids, or in the order asked for.
 *
 * `total` is no promise (deprecated by Atlassian): it stops at TOTAL_MAX. isLast is right.
 */
#include "sim/assets.h"
#include "sim/assets_aql.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define TOTAL_MAX 1000
#define PAGE_USUAL 25

struct scan {
    struct aql_world w;
    struct aql *query;
    struct aql_candidates among;
    bool has_list;
    size_t at, end;                 /* in the list, or ids */
};

static void scan_begin(struct scan *x, struct sim *s, struct aql *query)
{
    *x = (struct scan){ .w = { .a = s->assets->store, .tracker = s->tracker }, .query = query };
    x->has_list = aql_candidates(&x->w, query->where, &x->among);
    x->end = x->has_list ? x->among.count : x->w.a->object_count;
    uint32_t least = aql_least_id(query->where);
    if (!x->has_list) {
        x->at = least > 0 ? least : 1;
        return;
    }
    for (size_t low = 0, high = x->end; low < high;) {
        size_t mid = low + (high - low) / 2;
        if (x->among.ids[mid] < least)
            low = x->at = mid + 1;
        else
            high = mid;
    }
}

/* The next object of which the query holds; NULL at the end. */
static const struct assets_object *scan_next(struct scan *x)
{
    while (x->at < x->end) {
        const struct assets_object *o = x->w.a->objects[x->has_list ? x->among.ids[x->at] : x->at];
        const struct assets_body *b = assets_seen(o);
        x->at++;
        if (b != NULL && aql_holds(&x->w, x->query->where, o, b))
            return o;
    }
    return NULL;
}

/* Is every entry of the list a result, so that places in it can be counted? */
static bool countable(const struct scan *x)
{
    return x->has_list && x->among.exact && x->query->where->kind == AQL_TERM;
}

static uint64_t query_hash(const char *text)
{
    return assets_fold_hash(1, text) ^ assets_fold_hash(strlen(text), text);
}

/* Goes to result number `start`, or as near as is known; returns which one comes next. */
static int64_t resume(struct scan *x, const char *text, int64_t start)
{
    const struct assets *a = x->w.a;
    int64_t passed = 0;

    if (countable(x)) {
        x->at = (size_t)start < x->end ? (size_t)start : x->end;
        return start;
    }
    for (size_t i = 0; i < ASSETS_RESUMES; i++)
        if (start > 0 && a->resumes[i].start == start && a->resumes[i].generation == a->generation && a->resumes[i].query == query_hash(text)) {
            x->at = a->resumes[i].at;
            return start;
        }
    while (passed < start && scan_next(x) != NULL)
        passed++;
    return passed;
}

struct found { const struct assets_object *object; char *texts[AQL_ORDERS_MAX]; const struct aql *query; };

static int by_order(const void *p, const void *q)
{
    const struct found *a = p, *b = q;

    for (size_t i = 0; i < a->query->order_count; i++) {
        int c = aql_compare(a->texts[i], b->texts[i]);
        if (c != 0)
            return a->query->orders[i].down ? -c : c;
    }
    return a->object->id < b->object->id ? -1 : 1;
}

/* The page out of all results, which must all be looked at. */
static int64_t ordered_page(struct scan *x, int64_t start, int64_t size, const struct assets_object **page, int64_t *ret_total)
{
    struct found *all = NULL;
    int64_t count = 0, n = 0;
    char buf[48];

    for (const struct assets_object *o; (o = scan_next(x)) != NULL;) {
        if ((count & (count - 1)) == 0)
            all = eb_need(realloc(all, (size_t)(count == 0 ? 1 : count * 2) * sizeof(*all)));
        all[count] = (struct found){ .object = o, .query = x->query };
        for (size_t i = 0; i < x->query->order_count; i++)
            all[count].texts[i] = eb_strdup(aql_sort_text(&x->w, &x->query->orders[i].path, o, assets_seen(o), buf));
        count++;
    }
    if (count > 1)
        qsort(all, (size_t)count, sizeof(*all), by_order);
    for (int64_t i = start; i < count && n < size; i++)
        page[n++] = all[i].object;
    for (int64_t i = 0; i < count; i++)
        for (size_t k = 0; k < x->query->order_count; k++)
            free(all[i].texts[k]);
    free(all);
    *ret_total = count;
    return n;
}

static int64_t plain_page(struct scan *x, const char *text, int64_t start, int64_t size, const struct assets_object **page, int64_t *ret_total)
{
    struct assets *a = x->w.a;
    int64_t total = resume(x, text, start), n = 0;
    const struct assets_object *o = NULL;

    if (total < start) {
        *ret_total = total;
        return 0;
    }
    while (n < size && (o = scan_next(x)) != NULL)
        page[n++] = o;
    a->resumes[a->resume_next++ % ASSETS_RESUMES] = (struct assets_resume){ query_hash(text), a->generation, start + n, x->at };
    total += n;
    if (countable(x))
        total = (int64_t)x->among.count;
    while (n == size && (total <= start + n || total < TOTAL_MAX) && !countable(x) && scan_next(x) != NULL)
        total++;
    *ret_total = total;
    return n;
}

static void attributes_of_page(struct sim *s, const struct sim_call *c, struct assets_render *x, const struct assets_object **page, int64_t count)
{
    const struct assets *a = s->assets->store;
    bool *seen = eb_alloc((a->attr_count + 1) * sizeof(*seen));
    bool first = true;
    uint32_t last = 0;

    for (int64_t i = 0; i < count; i++) {
        const struct assets_type *t = a->types[page[i]->type];
        for (size_t k = 0; t->id != last && k < t->attr_count; k++) {
            if (seen[t->attrs[k]->id])
                continue;
            seen[t->attrs[k]->id] = true;
            json_t *j = assets_attr_json(s, c, t, t->attrs[k], false);
            if (!first)
                eb_buf_add(&x->out, ",", 1);
            first = false;
            eb_json_to_buf(j, &x->out);
            json_decref(j);
        }
        last = t->id;
    }
    free(seen);
}

/* The order in which a scan finds things anyway. */
static bool in_order_of_ids(const struct aql *q)
{
    const struct aql_path *p = &q->orders[0].path;

    return q->order_count == 0 || (q->order_count == 1 && !q->orders[0].down && p->count == 1 && (p->field == AQL_KEY || p->field == AQL_OBJECT_ID));
}

struct page_want { int64_t start, size; bool attributes; };

static void answer(struct sim *s, const struct sim_call *c, struct sim_reply *r, const struct page_want *want,
                   const struct assets_object **page, int64_t n, int64_t total)
{
    struct assets_render x;
    const char *last = want->start + n >= total ? "true" : "false";

    assets_render_begin(&x, s, c);
    x.attributes = want->attributes;
    eb_buf_addf(&x.out, "{\"startAt\":%lld,\"maxResults\":%lld,\"total\":%lld,\"values\":[", (long long)want->start, (long long)want->size,
                (long long)(total < TOTAL_MAX ? total : TOTAL_MAX));
    for (int64_t i = 0; i < n; i++) {
        if (i > 0)
            eb_buf_add(&x.out, ",", 1);
        assets_render_object(&x, page[i], assets_seen(page[i]));
    }
    eb_buf_str(&x.out, "],\"objectTypeAttributes\":[");
    if (want->attributes)
        attributes_of_page(s, c, &x, page, n);
    eb_buf_addf(&x.out, "],\"last\":%s,\"isLast\":%s}", last, last);
    assets_render_end(&x, r, 200);
}

/* The query of the body; NULL: answered with 400. */
static struct aql *query_of(struct sim_call *c, struct sim_reply *r)
{
    json_t *body = assets_body(c, r, &assets_form_aql);
    struct eb_err err = { 0 };
    struct aql *q = NULL;

    if (body != NULL && !aql_parse(eb_json_str(body, "qlQuery"), &q, &err))
        atlassian_error(r, 400, NULL, "%s", err.text);
    return q;
}

void assets_aql_post(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct page_want want;
    struct scan x;
    int64_t total = 0, n = 0;

    if (!assets_query_number(c, r, "startAt", 0, 0, &want.start) || !assets_query_number(c, r, "maxResults", 1, PAGE_USUAL, &want.size) ||
        !assets_query_flag(c, r, "includeAttributes", true, &want.attributes))
        return;
    want.size = want.size > s->assets_set.aql_page_max ? s->assets_set.aql_page_max : want.size;
    struct aql *q = query_of(c, r);
    if (q == NULL)
        return;
    const struct assets_object **page = eb_alloc((size_t)want.size * sizeof(struct assets_object *));
    scan_begin(&x, s, q);
    if (s->assets_set.admin)
        n = !in_order_of_ids(q) ? ordered_page(&x, want.start, want.size, page, &total)
                               : plain_page(&x, eb_json_str(c->json, "qlQuery"), want.start, want.size, page, &total);
    answer(s, c, r, &want, page, n, total);
    if (x.has_list)
        free(x.among.owned);
    free(page);
    aql_free(q);
}

void assets_aql_count(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct aql *q = query_of(c, r);
    struct scan x;
    json_int_t n = 0;

    if (q == NULL)
        return;
    scan_begin(&x, s, q);
    if (countable(&x))
        n = (json_int_t)x.among.count;
    else
        while (scan_next(&x) != NULL)
            n++;
    if (x.has_list)
        free(x.among.owned);
    aql_free(q);
    sim_reply_json(r, 200, json_pack("{s:I}", "totalCount", s->assets_set.admin ? n : 0));
}
