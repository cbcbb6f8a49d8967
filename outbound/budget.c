/* budget.c - the writes of the last period, and what is left. */
#include "outbound/budget.h"

#define KEPT (BUDGET_SLICES + 1)
#define RETRY_LEAST_MS 1000
#define RETRY_MOST_MS 300000

static int64_t slice_ms(const struct budget *b)
{
    return b->period_ms / BUDGET_SLICES > 0 ? b->period_ms / BUDGET_SLICES : 1;
}

void budget_init(struct budget *b, int64_t quota, int64_t period_ms, int64_t now_ms)
{
    *b = (struct budget){ .quota = quota, .period_ms = period_ms, .began_ms = now_ms };
    b->slice = now_ms / slice_ms(b);
}

static int64_t limit(const struct budget *b, bool background)
{
    int64_t most = background ? (int64_t)((double)b->quota * (1 - BUDGET_DESK)) : b->quota;

    return most > 0 ? most : 1;
}

/* Forgets the slices that lie wholly before the last period. */
static void forget_old(struct budget *b, int64_t now_ms)
{
    int64_t now = now_ms / slice_ms(b), first = now - b->slice > KEPT ? now - KEPT : b->slice;

    for (int64_t s = first + 1; s <= now; s++) {
        b->total -= b->sent[s % KEPT];
        b->sent[s % KEPT] = 0;
    }
    b->slice = now > b->slice ? now : b->slice;
}

/* Taken as sent evenly over the last period: at such a rate the quota comes back. Nothing of it in the oldest slice, which may end any moment. */
static void take_as_used(struct budget *b, int64_t used)
{
    for (int i = 1; i < KEPT && used > 0; i++) {
        int64_t part = used / (KEPT - i);
        b->sent[(b->slice + i + 1) % KEPT] += part;     /* the older first: what cannot be divided counts for longest */
        b->total += part;
        used -= part;
    }
}

static void turn(struct budget *b, int64_t now_ms)
{
    forget_old(b, now_ms);
    for (int background = 0; background < 2; background++)
        if (b->full_then[background] && now_ms >= b->shut_until_ms[background]) {
            b->full_then[background] = false;
            take_as_used(b, limit(b, background) - b->total);
        }
}

static int64_t later(int64_t until_ms, int64_t now_ms)
{
    return until_ms > now_ms ? until_ms - now_ms : 0;
}

int64_t budget_wait_ms(struct budget *b, int64_t now_ms, bool background)
{
    int64_t shut = later(b->shut_until_ms[false], now_ms), left;

    if (b->quota <= 0)
        return 0;
    if (background && later(b->shut_until_ms[true], now_ms) > shut)
        shut = later(b->shut_until_ms[true], now_ms);
    turn(b, now_ms);
    left = b->total;
    for (int64_t s = b->slice - KEPT + 1; left >= limit(b, background) && s <= b->slice; s++) {
        int64_t gone_ms;
        left -= b->sent[(s + KEPT) % KEPT];
        gone_ms = (s + KEPT) * slice_ms(b) - now_ms;        /* when that slice is forgotten */
        shut = left < limit(b, background) && gone_ms > shut ? gone_ms : shut;
    }
    return shut;
}

int budget_at_once(const struct budget *b, int64_t now_ms, bool background)
{
    bool young = now_ms - b->began_ms < b->period_ms;

    if (b->quota <= 0)
        return INT32_MAX;
    return background ? BUDGET_AT_ONCE : young ? BUDGET_AT_ONCE_YOUNG : INT32_MAX;
}

void budget_sent(struct budget *b, int64_t now_ms)
{
    if (b->quota <= 0)
        return;
    turn(b, now_ms);
    b->sent[b->slice % KEPT]++;
    b->total++;
}

void budget_refused(struct budget *b, int64_t now_ms, int64_t retry_after_ms, bool background)
{
    int64_t wait = retry_after_ms > RETRY_LEAST_MS ? retry_after_ms : RETRY_LEAST_MS;

    if (wait > RETRY_MOST_MS)
        wait = RETRY_MOST_MS;
    if (now_ms + wait > b->shut_until_ms[background])
        b->shut_until_ms[background] = now_ms + wait;
    b->full_then[background] = true;
}
