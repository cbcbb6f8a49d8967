/* queue.c - ranks, and callers that take turns within each.
 *
 * The choice between ranks is a small tree: desk or behind it; of the desk high or normal; behind it background (high or normal)
 * or low. At each fork the first side goes, but every QUEUE_SHARE-th time that both could go it is the other's turn.
 */
#include "outbound/queue.h"

#include "base/error.h"
#include "base/text.h"

#include <stdlib.h>

void queue_init(struct queue *q)
{
    *q = (struct queue){ .length = 0 };
    for (int rank = 0; rank < RANKS; rank++)
        for (int lane = 0; lane < LANES; lane++)
            TAILQ_INIT(&q->rings[rank][lane]);
}

static struct queue_caller *caller_of(struct queue_ring *ring, uint32_t caller)
{
    struct queue_caller *c;

    TAILQ_FOREACH(c, ring, link)
        if (c->caller == caller)
            return c;
    c = eb_alloc(sizeof(*c));
    c->caller = caller;
    TAILQ_INIT(&c->items);
    TAILQ_INSERT_TAIL(ring, c, link);
    return c;
}

void queue_put(struct queue *q, struct queue_item *i, bool first)
{
    i->of = caller_of(&q->rings[i->rank][i->lane], i->caller);
    i->serial = ++q->serial;
    if (first)
        TAILQ_INSERT_HEAD(&i->of->items, i, link);
    else
        TAILQ_INSERT_TAIL(&i->of->items, i, link);
    q->lengths[i->rank][i->lane]++;
    q->length++;
}

void queue_remove(struct queue *q, struct queue_item *i)
{
    TAILQ_REMOVE(&i->of->items, i, link);
    if (TAILQ_EMPTY(&i->of->items)) {
        TAILQ_REMOVE(&q->rings[i->rank][i->lane], i->of, link);
        free(i->of);
    }
    i->of = NULL;
    q->lengths[i->rank][i->lane]--;
    q->length--;
}

static bool could(const struct queue *q, int rank, unsigned may)
{
    for (int lane = 0; lane < LANES; lane++)
        if ((may & QUEUE_MAY(rank, lane)) != 0 && q->lengths[rank][lane] > 0)
            return true;
    return false;
}

static bool second_goes(unsigned *passed, bool first, bool second)
{
    if (!first || !second)
        return second;
    *passed = (*passed + 1) % QUEUE_SHARE;
    return *passed == 0;
}

/* RANKS: none. */
static int rank_next(struct queue *q, unsigned may)
{
    enum { DESK, OF_DESK, BEHIND, OF_BACKGROUND };
    bool can[RANKS], desk, background;

    for (int rank = 0; rank < RANKS; rank++)
        can[rank] = could(q, rank, may);
    desk = can[RANK_HIGH] || can[RANK_NORMAL];
    background = can[RANK_BACKGROUND_HIGH] || can[RANK_BACKGROUND];
    if (!desk && !background && !can[RANK_LOW])
        return RANKS;
    if (!second_goes(&q->passed[DESK], desk, background || can[RANK_LOW]))
        return second_goes(&q->passed[OF_DESK], can[RANK_HIGH], can[RANK_NORMAL]) ? RANK_NORMAL : RANK_HIGH;
    if (second_goes(&q->passed[BEHIND], background, can[RANK_LOW]))
        return RANK_LOW;
    return second_goes(&q->passed[OF_BACKGROUND], can[RANK_BACKGROUND_HIGH], can[RANK_BACKGROUND]) ? RANK_BACKGROUND : RANK_BACKGROUND_HIGH;
}

/* Where reads and writes share a rank: whose next item has waited longer. */
static int lane_next(const struct queue *q, int rank, unsigned may)
{
    int best = -1;
    uint64_t oldest = UINT64_MAX;

    for (int lane = 0; lane < LANES; lane++) {
        const struct queue_caller *c = TAILQ_FIRST(&q->rings[rank][lane]);
        if ((may & QUEUE_MAY(rank, lane)) == 0 || c == NULL || TAILQ_FIRST(&c->items)->serial >= oldest)
            continue;
        oldest = TAILQ_FIRST(&c->items)->serial;
        best = lane;
    }
    return best;
}

struct queue_item *queue_take(struct queue *q, unsigned may)
{
    int rank = rank_next(q, may);

    if (rank == RANKS)
        return NULL;
    struct queue_ring *ring = &q->rings[rank][lane_next(q, rank, may)];
    struct queue_caller *c = TAILQ_FIRST(ring);
    struct queue_item *i = TAILQ_FIRST(&c->items);
    TAILQ_REMOVE(ring, c, link);            /* the others' turns come before its next one */
    TAILQ_INSERT_TAIL(ring, c, link);
    queue_remove(q, i);
    return i;
}
