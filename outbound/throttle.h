/* throttle.h - how fast a cloud may be asked now. Pure: the time is passed in, nothing is sent here.
 *
 * A lane is a token bucket that is off until the cloud says 429. Then it starts at half of what was being
 * sent, doubles its caution at most once in a while, and grows with every call that is served, slowly near
 * the rate that was refused, until it has forgotten the refusal. Reads and writes have a lane each, since Graph refuses writes while reads still pass.
 * It never stops a lane altogether: a 429 may be about one issue or one endpoint, which nobody tells us.
 */
#ifndef OUTBOUND_THROTTLE_H
#define OUTBOUND_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

struct throttle_lane {
    double rate;                /* calls a second; 0: no limit */
    double tokens;
    double goal;                /* the rate at which the limit is forgotten */
    double near;                /* from here on it grows slowly: where the last refusal came is not far */
    int64_t refilled_ms;        /* when tokens were last counted */
    int64_t cut_again_ms;       /* 429s before this belong to the refusal already known */
    int64_t forget_ms;          /* no refusal until then: no limit any more */
    int64_t second;             /* calls of this and of the last whole second, to know the present rate */
    int sent, sent_before;
};

/* 0: a call may go now; else milliseconds until one may. */
int64_t throttle_wait_ms(struct throttle_lane *l, int64_t now_ms);
void throttle_sent(struct throttle_lane *l, int64_t now_ms);
/* retry_after_ms: -1 where the 429 did not say. */
void throttle_refused(struct throttle_lane *l, int64_t now_ms, int64_t retry_after_ms);
void throttle_served(struct throttle_lane *l, int64_t now_ms);

/* The breaker opens after BREAKER_FAILURES calls in a row without one answer that shows life, for 5 s at first and
 * twice as long after each probe that fails, up to 60 s. One probe at a time; any success closes it. */
#define BREAKER_FAILURES 10
#define BREAKER_FIRST_MS 5000
#define BREAKER_LAST_MS 60000

struct breaker {
    int failures;
    bool open, probing;
    int64_t until_ms, pause_ms;
};

/* May a call go now? When the answer is yes and *ret_probe is true, it is the probe: report its end with `probe`. */
bool breaker_lets(struct breaker *b, int64_t now_ms, bool *ret_probe);
/* True: this result opened or closed the breaker. */
bool breaker_result(struct breaker *b, int64_t now_ms, bool alive, bool probe);
void breaker_probe_dropped(struct breaker *b);

#endif
