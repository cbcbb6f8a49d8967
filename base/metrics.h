/* metrics.h - the registry behind /metrics (Prometheus text format 0.0.4).
 *
 * A metric is declared once, in the file that counts it, as a static descriptor, and joins the
 * registry at its first use. Loop thread and store thread may both count (atomics).
 * Label values come from fixed sets (kinds, clouds, codes): never from a request.
 */
#ifndef EB_METRICS_H
#define EB_METRICS_H

#include "base/buf.h"

#include <stdint.h>

enum eb_metric_type { EB_COUNTER, EB_GAUGE, EB_HISTOGRAM };

struct eb_metric {                 /* initialise the first four members only */
    const char *name;              /* entrabridge_operations_total */
    const char *help;
    enum eb_metric_type type;
    const char *labels[3];         /* label names, NULL-ended when fewer */
    struct eb_series *series;      /* private */
    struct eb_metric *next;        /* private */
    bool registered;               /* private */
};

/* l1..l3: values of the labels in order, NULL where the metric has fewer. Copied at first sight; at most 512 series a metric. */
void eb_metric_add(struct eb_metric *m, double value, const char *l1, const char *l2, const char *l3);
void eb_metric_set(struct eb_metric *m, double value, const char *l1, const char *l2, const char *l3);
/* Seconds; buckets 1 ms .. 30 s. */
void eb_metric_observe(struct eb_metric *m, double seconds, const char *l1, const char *l2, const char *l3);
bool eb_metrics_render(struct eb_buf *out);
void eb_metrics_free(void);        /* at the end of the program and of tests */

#endif
