/* queue.h - who goes next among the calls that wait for a cloud. Pure: no clock, nothing is sent here.
 *
 * What people wait for goes before bulk and scheduled work, and in either writes go before reads; whoever goes first, the others get
 * one grant in QUEUE_SHARE. Among calls of one rank the callers take turns, and each caller's calls keep their order.
 */
#ifndef OUTBOUND_QUEUE_H
#define OUTBOUND_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

enum { LANE_READ, LANE_WRITE, LANES };
enum queue_rank {
    RANK_HIGH, RANK_NORMAL,                     /* of people at the desk */
    RANK_BACKGROUND_HIGH, RANK_BACKGROUND,      /* of bulk and scheduled operations */
    RANK_LOW,                                   /* of synchronizations */
    RANKS
};
#define QUEUE_SHARE 8           /* of so many grants one goes to those who would have had to wait */

/* Part of what waits; whoever owns it takes it out before it frees it. */
struct queue_item {
    TAILQ_ENTRY(queue_item) link;
    struct queue_caller *of;        /* NULL: it is in no queue */
    enum queue_rank rank;
    int lane;
    uint32_t caller;                /* whose it is: those with one number share a turn */
    uint64_t serial;                /* the queue's */
};

struct queue_caller {               /* one with calls of one rank and lane that wait; lives as long as it has any */
    TAILQ_ENTRY(queue_caller) link;
    TAILQ_HEAD(, queue_item) items;
    uint32_t caller;
};
TAILQ_HEAD(queue_ring, queue_caller);
struct queue {
    struct queue_ring rings[RANKS][LANES];      /* the first caller's turn is next */
    size_t lengths[RANKS][LANES];
    size_t length;
    uint64_t serial;
    unsigned passed[RANKS - 1];     /* how often a choice went against those behind while they could have gone: see queue.c */
};

void queue_init(struct queue *q);
/* first: before the other calls of its caller, for one that is tried again. */
void queue_put(struct queue *q, struct queue_item *i, bool first);
void queue_remove(struct queue *q, struct queue_item *i);
/* Takes out the one whose turn it is, of the ranks and lanes that may go; NULL: there is none. */
#define QUEUE_MAY(rank, lane) (1u << ((rank) * LANES + (lane)))
struct queue_item *queue_take(struct queue *q, unsigned may);

#endif
