/* metrics.c - the registry of metrics and their text form.
 *
 * One mutex guards the registry, every series and the rendering; it is held for a look-up and an
 * addition. Descriptors are static and belong to their files; the series are owned here.
 */
#include "base/metrics.h"

#include "base/text.h"
#include "base/hashtable.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define LABELS_MAX 3
#define SERIES_MAX 512
#define LABEL_LEN 64

static const struct { double limit; const char *text; } buckets[] = {
    { 0.001, "0.001" }, { 0.0025, "0.0025" }, { 0.005, "0.005" }, { 0.01, "0.01" }, { 0.025, "0.025" },
    { 0.05, "0.05" }, { 0.1, "0.1" }, { 0.25, "0.25" }, { 0.5, "0.5" }, { 1, "1" }, { 2.5, "2.5" },
    { 5, "5" }, { 10, "10" }, { 30, "30" },
};

struct eb_series {
    char key[LABELS_MAX][LABEL_LEN];    /* zero-filled: compared as bytes */
    double value;                       /* a histogram: the sum */
    uint64_t count;
    uint64_t in_bucket[EB_LEN(buckets)];    /* each alone; added up when rendered */
    UT_hash_handle hh;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct eb_metric *first_metric, **last_link = &first_metric;

static void join_registry(struct eb_metric *m)
{
    if (m->registered)
        return;
    m->registered = true;
    m->next = NULL;
    *last_link = m;
    last_link = &m->next;
}

/* Past the ceiling everything is counted under "other": totals stay right and memory stays bounded. */
static void key_other(const struct eb_metric *m, char key[LABELS_MAX][LABEL_LEN])
{
    memset(key, 0, LABELS_MAX * LABEL_LEN);
    for (size_t i = 0; i < LABELS_MAX && m->labels[i] != NULL; i++)
        memcpy(key[i], "other", sizeof("other"));
}

/* Most metrics have a handful of series: comparing them is cheaper than cleaning and hashing the labels. */
static struct eb_series *find_early(const struct eb_metric *m, const char *const values[LABELS_MAX])
{
    int left = 16;

    for (struct eb_series *s = m->series; s != NULL && left > 0; s = s->hh.next, left--) {
        size_t i = 0;
        while (i < LABELS_MAX && m->labels[i] != NULL && values[i] != NULL && strcmp(values[i], s->key[i]) == 0)
            i++;
        if (i == LABELS_MAX || m->labels[i] == NULL)
            return s;
    }
    return NULL;
}

static struct eb_series *find_or_make(struct eb_metric *m, const char *const values[LABELS_MAX])
{
    const size_t size = LABELS_MAX * LABEL_LEN;
    char key[LABELS_MAX][LABEL_LEN] = { { 0 } };
    struct eb_series *s = NULL;

    join_registry(m);
    for (size_t i = 0; i < LABELS_MAX && m->labels[i] != NULL; i++)
        eb_text_clean(values[i] != NULL ? values[i] : "", key[i], LABEL_LEN);
    HASH_FIND(hh, m->series, key, size, s);
    if (s == NULL && HASH_COUNT(m->series) >= SERIES_MAX - 1) {
        key_other(m, key);
        HASH_FIND(hh, m->series, key, size, s);
    }
    if (s == NULL) {
        s = eb_alloc(sizeof(*s));
        memcpy(s->key, key, size);
        HASH_ADD(hh, m->series, key, size, s);
    }
    return s;
}

static struct eb_series *find(struct eb_metric *m, const char *const values[LABELS_MAX])
{
    struct eb_series *s = find_early(m, values);
    return s != NULL ? s : find_or_make(m, values);
}

void eb_metric_add(struct eb_metric *m, double value, const char *l1, const char *l2, const char *l3)
{
    assert(m->type != EB_HISTOGRAM);
    pthread_mutex_lock(&lock);
    find(m, (const char *const[]){ l1, l2, l3 })->value += value;
    pthread_mutex_unlock(&lock);
}

void eb_metric_set(struct eb_metric *m, double value, const char *l1, const char *l2, const char *l3)
{
    assert(m->type == EB_GAUGE);
    pthread_mutex_lock(&lock);
    find(m, (const char *const[]){ l1, l2, l3 })->value = value;
    pthread_mutex_unlock(&lock);
}

void eb_metric_observe(struct eb_metric *m, double seconds, const char *l1, const char *l2, const char *l3)
{
    size_t i = 0;

    assert(m->type == EB_HISTOGRAM);
    while (i < EB_LEN(buckets) && seconds > buckets[i].limit)
        i++;
    pthread_mutex_lock(&lock);
    struct eb_series *s = find(m, (const char *const[]){ l1, l2, l3 });
    s->value += seconds;
    s->count++;
    if (i < EB_LEN(buckets))
        s->in_bucket[i]++;
    pthread_mutex_unlock(&lock);
}

static void add_escaped(struct eb_buf *out, const char *s, bool quotes)
{
    for (; *s != '\0'; s++) {
        if (*s == '\n')
            eb_buf_str(out, "\\n");
        else if (*s == '\\' || (quotes && *s == '"'))
            eb_buf_addf(out, "\\%c", *s);
        else
            eb_buf_add(out, s, 1);
    }
}

/* The labels in braces; `le` is a histogram's own, or NULL. */
static void add_labels(struct eb_buf *out, const struct eb_metric *m, const struct eb_series *s, const char *le)
{
    const char *between = "{";

    for (size_t i = 0; i < LABELS_MAX && m->labels[i] != NULL; i++) {
        eb_buf_addf(out, "%s%s=\"", between, m->labels[i]);
        add_escaped(out, s->key[i], true);
        eb_buf_str(out, "\"");
        between = ",";
    }
    if (le != NULL) {
        eb_buf_addf(out, "%sle=\"%s\"", between, le);
        between = ",";
    }
    if (*between == ',')
        eb_buf_str(out, "}");
}

static void add_number(struct eb_buf *out, double v)
{
    if (isnan(v))
        eb_buf_str(out, " NaN\n");
    else if (isinf(v))
        eb_buf_str(out, v > 0 ? " +Inf\n" : " -Inf\n");
    else if (fabs(v) < 9e15 && v == (double)(int64_t)v)
        eb_buf_addf(out, " %.0f\n", v);
    else
        eb_buf_addf(out, " %.15g\n", v);
}

static void add_line(struct eb_buf *out, const struct eb_metric *m, const struct eb_series *s,
                     const char *suffix, const char *le, double v)
{
    eb_buf_addf(out, "%s%s", m->name, suffix);
    add_labels(out, m, s, le);
    add_number(out, v);
}

static void add_histogram(struct eb_buf *out, const struct eb_metric *m, const struct eb_series *s)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < EB_LEN(buckets); i++) {
        sum += s->in_bucket[i];
        add_line(out, m, s, "_bucket", buckets[i].text, (double)sum);
    }
    add_line(out, m, s, "_bucket", "+Inf", (double)s->count);
    add_line(out, m, s, "_sum", NULL, s->value);
    add_line(out, m, s, "_count", NULL, (double)s->count);
}

static void add_metric(struct eb_buf *out, const struct eb_metric *m)
{
    static const char *const types[] = {
        [EB_COUNTER] = "counter", [EB_GAUGE] = "gauge", [EB_HISTOGRAM] = "histogram"
    };

    eb_buf_addf(out, "# HELP %s ", m->name);
    add_escaped(out, m->help, false);
    eb_buf_addf(out, "\n# TYPE %s %s\n", m->name, types[m->type]);
    for (const struct eb_series *s = m->series; s != NULL; s = s->hh.next) {
        if (m->type == EB_HISTOGRAM)
            add_histogram(out, m, s);
        else
            add_line(out, m, s, "", NULL, s->value);
    }
}

bool eb_metrics_render(struct eb_buf *out)
{
    pthread_mutex_lock(&lock);
    for (const struct eb_metric *m = first_metric; m != NULL; m = m->next)
        add_metric(out, m);
    pthread_mutex_unlock(&lock);
    return !out->failed;
}

void eb_metrics_free(void)
{
    struct eb_series *s, *next_series;

    pthread_mutex_lock(&lock);
    for (struct eb_metric *m = first_metric, *next; m != NULL; m = next) {
        next = m->next;
        HASH_ITER(hh, m->series, s, next_series) {
            HASH_DEL(m->series, s);
            free(s);
        }
        m->series = NULL;
        m->next = NULL;
        m->registered = false;
    }
    first_metric = NULL;
    last_link = &first_metric;
    pthread_mutex_unlock(&lock);
}
