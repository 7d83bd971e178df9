/* SPDX-License-Identifier: MIT */
#include "hot.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fd.h"

/*
 * What the service manager is told, and when; notify.c knows how. A manager that cannot be reached, or is
 * slow, changes nothing for those whom we serve.
 *
 * The main process speaks, and no other would be heard (NotifyAccess=main): the old generation until it
 * retires, the new one after that. So does the watchdog: whoever is the main process has to say that it
 * is alive, at half the interval, from the host's own loop, so that a loop that hangs is noticed.
 */

/* How long we wait for the service manager to have read that MAINPID changed. */
#define BARRIER_MS 5000

/* The same for one that does not even read: its queue is full. */
#define DEAF_MS 500

/* How soon what its queue had no room for is sent again. */
#define AGAIN_MS 20

void hot__tell_manager(struct hot *hot, const char *format, ...)
{
        char lines[1024];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(lines, sizeof(lines), format, arguments);
        va_end(arguments);
        if (hot__notify_send(&hot->notify, lines) == HOT__NOTIFY_LATER)
                hot__tell_again(hot);
}

void hot__tell_again(struct hot *hot)
{
        bool later = hot__notify_flush(&hot->notify) == HOT__NOTIFY_LATER;

        hot->notify_at = later ? hot__in(AGAIN_MS) : 0;
        hot__set_timer(hot);
}

void hot__await_manager(struct hot *hot)
{
        int r = hot__notify_barrier(&hot->notify, &hot->barrier_fd);

        if (r < 0 || hot->barrier_fd < 0 ||
            hot__watch(hot, hot->barrier_fd, HOT__SOURCE_BARRIER) < 0) {
                hot__barrier_done(hot);
                return;
        }
        if (r == HOT__NOTIFY_LATER)
                hot__tell_again(hot);
        hot->barrier_deadline = hot__in(r == HOT__NOTIFY_LATER ? DEAF_MS : BARRIER_MS);
        hot__set_timer(hot);
}

void hot__barrier_done(struct hot *hot)
{
        hot__unwatch(hot, hot->barrier_fd);
        hot->barrier_fd = hot__fd_close(hot->barrier_fd);
        hot->barrier_deadline = 0;
        hot__feed(hot, HOT__IN_RETIRED);
}

/* Half of WATCHDOG_USEC, if it is meant for us, as sd_watchdog_enabled(3) has it; else 0. */
static uint64_t watchdog_interval(const char *interval, const char *pid)
{
        char *end;
        unsigned long long usec;

        if (!interval || *interval < '0' || *interval > '9')
                return 0;
        if (pid && strtoull(pid, NULL, 10) != (unsigned long long)getpid())
                return 0;
        errno = 0;
        usec = strtoull(interval, &end, 10);
        if (errno != 0 || *end || usec > UINT64_MAX / 1000)
                return 0;
        return usec * 1000 / 2;
}

void hot__watchdog_init(struct hot *hot, const char *usec, const char *pid)
{
        hot->watchdog_interval = hot->notify.len > 0 ? watchdog_interval(usec, pid) : 0;
}

void hot__watchdog_ping(struct hot *hot)
{
        bool ours = hot->life.owner && !hot__lifecycle_has_retired(&hot->life);

        hot->watchdog_at = 0;
        if (hot->watchdog_interval > 0 && ours) {
                hot__tell_manager(hot, "WATCHDOG=1");
                hot->watchdog_at = hot__now() + hot->watchdog_interval;
        }
        hot__set_timer(hot);
}
