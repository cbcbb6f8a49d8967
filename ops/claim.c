/* claim.c - writes on one object go one after another.
 *
 * Two orders on one membership, or on one account, must not cross on their way to Graph: the later one would record a before-state
 * that is no longer true. Who had to wait gathers its facts again.
 */
#include "ops/runner.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct waiting { uint64_t run; struct waiting *next; };
struct claim {
    char object[OPS_OBJECT_MAX];
    uint64_t holder;
    struct waiting *first, **last;
    UT_hash_handle hh;
};

bool ops_claim(struct operation *op)
{
    struct ops *o = op->ops;
    struct claim *c;

    HASH_FIND_STR(o->claims, op->object, c);
    if (c == NULL) {
        c = eb_alloc(sizeof *c);
        strcpy(c->object, op->object);
        c->holder = op->run;
        c->last = &c->first;
        HASH_ADD_STR(o->claims, object, c);
        op->claimed = true;
        return true;
    }
    struct waiting *w = eb_alloc(sizeof *w);
    w->run = op->run;
    *c->last = w;
    c->last = &w->next;
    return false;
}

static void drop_waiting(struct claim *c, uint64_t run)
{
    for (struct waiting **p = &c->first; *p != NULL; p = &(*p)->next)
        if ((*p)->run == run) {
            struct waiting *gone = *p;

            *p = gone->next;
            if (*p == NULL)
                c->last = p;
            free(gone);
            return;
        }
}

static void hand_over(struct ops *o, struct claim *c)
{
    struct waiting *w = c->first;

    if (w == NULL) {
        HASH_DEL(o->claims, c);
        free(c);
        return;
    }
    c->first = w->next;
    if (c->first == NULL)
        c->last = &c->first;
    c->holder = w->run;
    free(w);

    struct operation *next = ops_find(o, c->holder);
    next->claimed = true;               /* who waits here is alive: ops_release() takes it out before it is freed */
    ops_retry_in(next, 0);              /* on a turn of its own: we are inside another operation's end */
}

void ops_release(struct operation *op)
{
    struct claim *c = NULL;

    if (op->object[0] != '\0')
        HASH_FIND_STR(op->ops->claims, op->object, c);
    if (c == NULL)
        return;
    if (op->claimed && c->holder == op->run)
        hand_over(op->ops, c);
    else
        drop_waiting(c, op->run);
    op->claimed = false;
}
