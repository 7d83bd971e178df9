/* SPDX-License-Identifier: MIT */
#include "hot.h"

#include <sys/timerfd.h>
#include <time.h>

/*
 * Times at which something is due. One timer descriptor serves them all, set to the next of them; who is
 * due is looked at when nothing else is left to do (events.c). CLOCK_MONOTONIC nanoseconds; 0 is never.
 */

uint64_t hot__now(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t hot__in(unsigned int milliseconds)
{
        return hot__now() + (uint64_t)milliseconds * 1000000;
}

/* A time in the past fires at once. */
void hot__set_timer(struct hot *hot)
{
        const uint64_t due[] = {hot->deadline,      hot->barrier_deadline, hot->notify_at,
                                hot->watchdog_at,   hot->leaving_look,     hot->accept_at,
                                hot->giving.look_at};
        struct itimerspec spec = {0};
        uint64_t next = 0;

        for (size_t i = 0; i < sizeof(due) / sizeof(due[0]); i++)
                if (due[i] && (!next || due[i] < next))
                        next = due[i];
        spec.it_value.tv_sec = (time_t)(next / 1000000000);
        spec.it_value.tv_nsec = (long)(next % 1000000000);
        timerfd_settime(hot->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

void hot__set_deadline_at(struct hot *hot, uint64_t deadline)
{
        hot->deadline = deadline;
        hot__set_timer(hot);
}

void hot__set_deadline(struct hot *hot, unsigned int milliseconds)
{
        hot__set_deadline_at(hot, hot__in(milliseconds));
}

void hot__clear_deadline(struct hot *hot)
{
        hot__set_deadline_at(hot, 0);
}
