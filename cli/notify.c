/* notify.c - the sd_notify protocol: a datagram to a socket that the environment names. Fifteen lines instead of a library in the process. */
#include "cli/notify.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void notify_systemd(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    int fd;

    if (path == NULL || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof to.sun_path)
        return;
    strcpy(to.sun_path, path);
    if (path[0] == '@')
        to.sun_path[0] = '\0';          /* the abstract name space */
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    (void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
    close(fd);
}

static struct eb_timer *watchdog;
static int64_t watchdog_ms;

static void alive(void *arg)
{
    notify_systemd("WATCHDOG=1");
    eb_timer_set(watchdog, watchdog_ms);
}

struct eb_timer *notify_watchdog(struct eb_loop *loop)
{
    const char *usec = getenv("WATCHDOG_USEC");

    watchdog_ms = usec != NULL ? strtoll(usec, NULL, 10) / 2000 : 0;
    if (watchdog_ms <= 0)
        return NULL;
    watchdog = eb_timer_new(loop, alive, NULL);
    eb_timer_set(watchdog, watchdog_ms);
    return watchdog;
}
