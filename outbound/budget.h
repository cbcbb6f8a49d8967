/* budget.h - how many writes an application may send in a period: kept here, so that the cloud need not refuse. Pure: the time is passed in.
 *
 * The last period is counted, in slices, which is right whether the cloud counts in fixed periods or in a bucket that fills. What was
 * sent before a restart nobody knows: for one period writes then go in small numbers at once, so that the first refusal comes while
 * few are under way. Background work leaves BUDGET_DESK of the writes to those whom people wait for.
 * https://learn.microsoft.com/graph/throttling-limits#identity-and-access-service-limits
 */
#ifndef OUTBOUND_BUDGET_H
#define OUTBOUND_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#define BUDGET_SLICES 50
#define BUDGET_DESK 0.2         /* Graph, too, refuses calls of low priority from 80 % of a limit on */
#define BUDGET_AT_ONCE 8        /* background writes under way */
#define BUDGET_AT_ONCE_YOUNG 16 /* all writes, while it is not known what was sent before */

struct budget {
    int64_t quota, period_ms;       /* quota 0: there is none */
    int64_t began_ms;               /* it knows what was sent from then on */
    int64_t slice;                  /* the newest; one more than BUDGET_SLICES are kept, since the oldest has passed in part only */
    int64_t sent[BUDGET_SLICES + 1], total;
    int64_t shut_until_ms[2];       /* the cloud said that the quota is used up until then; [1]: for background work */
    bool full_then[2];              /* and there is just room for one at that time */
};

void budget_init(struct budget *b, int64_t quota, int64_t period_ms, int64_t now_ms);
/* Milliseconds until a write may go; 0: now. */
int64_t budget_wait_ms(struct budget *b, int64_t now_ms, bool background);
/* So many may be under way at once; INT32_MAX: any number. background: of those of background work. */
int budget_at_once(const struct budget *b, int64_t now_ms, bool background);
void budget_sent(struct budget *b, int64_t now_ms);
/* The cloud refused a write because the quota (of a background write: its share) is used up. retry_after_ms: -1 where it did not say. */
void budget_refused(struct budget *b, int64_t now_ms, int64_t retry_after_ms, bool background);

#endif
