/* throttle.c - the learned rate of a cloud, and its breaker.
 *
 * Invariant: rate is 0 (no limit) or at least RATE_LEAST; tokens never exceed a second's worth.
 */
#include "outbound/throttle.h"

#define RATE_LEAST 2.0
#define REMEMBER_MS 10000
#define CUT_LEAST_MS 1000
#define CUT_MOST_MS 10000
#define GROWTH 1.05
#define GROWTH_NEAR 1.002       /* who sends for long meets a lasting limit once in a few hundred calls, not in twenty */
#define NEAR 0.8

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
    return v < low ? low : v > high ? high : v;
}

static void count_second(struct throttle_lane *l, int64_t now_ms)
{
    int64_t second = now_ms / 1000;

    if (second == l->second)
        return;
    l->sent_before = second == l->second + 1 ? l->sent : 0;
    l->sent = 0;
    l->second = second;
}

static void refill(struct throttle_lane *l, int64_t now_ms)
{
    double most = l->rate > 1 ? l->rate : 1;

    l->tokens += l->rate * (double)(now_ms - l->refilled_ms) / 1000;
    if (l->tokens > most)
        l->tokens = most;
    l->refilled_ms = now_ms;
}

int64_t throttle_wait_ms(struct throttle_lane *l, int64_t now_ms)
{
    if (l->rate > 0 && now_ms >= l->forget_ms)
        l->rate = 0;
    if (l->rate <= 0)
        return 0;
    refill(l, now_ms);
    return l->tokens >= 1 ? 0 : (int64_t)((1 - l->tokens) * 1000 / l->rate) + 1;
}

void throttle_sent(struct throttle_lane *l, int64_t now_ms)
{
    count_second(l, now_ms);
    l->sent++;
    if (l->rate > 0)
        l->tokens -= 1;
}

void throttle_refused(struct throttle_lane *l, int64_t now_ms, int64_t retry_after_ms)
{
    int64_t told = retry_after_ms > 0 ? retry_after_ms : CUT_LEAST_MS;

    count_second(l, now_ms);
    l->forget_ms = now_ms + REMEMBER_MS + clamp(told, 0, BREAKER_LAST_MS);
    if (now_ms < l->cut_again_ms)
        return;
    l->cut_again_ms = now_ms + clamp(told, CUT_LEAST_MS, CUT_MOST_MS);

    int recent = l->sent > l->sent_before ? l->sent : l->sent_before;
    double present = l->rate > 0 && l->rate < recent ? l->rate : recent;
    if (l->rate <= 0) {
        l->tokens = 0;
        l->refilled_ms = now_ms;
    }
    l->goal = present * 2 > RATE_LEAST * 4 ? present * 2 : RATE_LEAST * 4;
    l->rate = present / 2 > RATE_LEAST ? present / 2 : RATE_LEAST;
    l->near = present * NEAR > RATE_LEAST * 4 ? present * NEAR : RATE_LEAST * 4;
}

void throttle_served(struct throttle_lane *l, int64_t now_ms)
{
    if (l->rate <= 0)
        return;
    refill(l, now_ms);
    l->rate *= l->rate < l->near ? GROWTH : GROWTH_NEAR;
    if (l->rate > l->goal)
        l->rate = 0;
}

bool breaker_lets(struct breaker *b, int64_t now_ms, bool *ret_probe)
{
    *ret_probe = false;
    if (!b->open)
        return true;
    if (b->probing || now_ms < b->until_ms)
        return false;
    b->probing = true;
    *ret_probe = true;
    return true;
}

bool breaker_result(struct breaker *b, int64_t now_ms, bool alive, bool probe)
{
    bool was_open = b->open;

    if (probe)
        b->probing = false;
    if (alive) {
        *b = (struct breaker){ 0 };
        return was_open;
    }
    b->failures++;
    if (was_open ? !probe : b->failures < BREAKER_FAILURES)
        return false;
    b->pause_ms = was_open ? clamp(b->pause_ms * 2, BREAKER_FIRST_MS, BREAKER_LAST_MS) : BREAKER_FIRST_MS;
    b->until_ms = now_ms + b->pause_ms;
    b->open = true;
    return !was_open;
}

void breaker_probe_dropped(struct breaker *b)
{
    b->probing = false;
}
