/* orders.h - the command line's orders to the synchronization of a running service: {"what": "run"|"preview"|"init", "full", "acceptRemovals", "by"}. */
#ifndef SYNC_ORDERS_H
#define SYNC_ORDERS_H

#include "ops/ops.h"
#include "sync/sync.h"

#include <sys/queue.h>

struct sync_orders;
struct sync_orders *sync_orders_new(struct sync *s, struct ops *ops);
void sync_orders_free(struct sync_orders *o);       /* accepts NULL; before the two */

#endif
