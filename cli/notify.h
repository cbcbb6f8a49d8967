/* notify.h - tells systemd how the service is doing. https://www.freedesktop.org/software/systemd/man/sd_notify.html */
#ifndef CLI_NOTIFY_H
#define CLI_NOTIFY_H

#include "base/loop.h"

/* One datagram to $NOTIFY_SOCKET, "READY=1" and the like; nothing where there is none. */
void notify_systemd(const char *state);
/* Sends WATCHDOG=1 twice in the time that $WATCHDOG_USEC asks for; NULL where it does not. Freed by the caller. */
struct eb_timer *notify_watchdog(struct eb_loop *loop);

#endif
