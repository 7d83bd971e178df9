/* SPDX-License-Identifier: MIT */
#include "hot.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "control.h"
#include "fd.h"

/*
 * Waiting. One epoll descriptor covers everything that can happen; hot_next() takes one thing after the
 * other to the lifecycle, until that has something to tell the host.
 *
 * Order is what matters here. A peer's frames are read to their end before its death counts: it may have
 * said what we wait for with its last breath. And the clock is looked at only when nothing else is left:
 * a process that was stopped over a deadline (SIGSTOP, a paused VM) first hears what came in time. Unless there
 * is no end of it: what a new process writes to its standard error, and what clients of the control socket
 * ask for, must not keep the clock from being looked at, nor the host from its own work.
 */

/*
 * So many inputs in a row. What is ready takes turns (epoll(7) is fair), so everything that was there when
 * the first of them was taken has had its turn several times by then: there are fewer than a quarter as
 * many sources.
 */
#define BUSY_MAX 1024

static int give(int *ret_fd, int fd)
{
        if (fd < 0)
                return -errno;
        *ret_fd = hot__fd_take_above_stdio(fd);
        return *ret_fd < 0 ? *ret_fd : 0;
}

int hot__events_init(struct hot *hot)
{
        int r;

        r = give(&hot->epoll_fd, epoll_create1(EPOLL_CLOEXEC));
        if (r == 0)
                r = give(&hot->timer_fd,
                         timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
        if (r == 0)
                r = give(&hot->wake_fd, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
        if (r == 0)
                r = hot__watch(hot, hot->timer_fd, HOT__SOURCE_TIMER);
        if (r == 0)
                r = hot__watch(hot, hot->wake_fd, HOT__SOURCE_WAKE);
        if (r == 0)
                r = hot__watch(hot, hot->init.channel.fd, HOT__SOURCE_INIT);
        if (r == 0)
                r = hot__watch(hot, hot->predecessor.fd, HOT__SOURCE_PREDECESSOR);
        if (r == 0)
                r = hot__watch(hot, hot->predecessor_process.pidfd,
                               HOT__SOURCE_PREDECESSOR_PROCESS);
        if (r == 0)
                r = hot__watch(hot, hot->elder_verdict, HOT__SOURCE_ELDER);
        return r;
}

void hot__events_done(struct hot *hot)
{
        hot->epoll_fd = hot__fd_close(hot->epoll_fd);
        hot->timer_fd = hot__fd_close(hot->timer_fd);
        hot->wake_fd = hot__fd_close(hot->wake_fd);
        hot->signal_fd = hot__fd_close(hot->signal_fd);
}

int hot__watch(struct hot *hot, int fd, unsigned int source)
{
        struct epoll_event event = {.events = EPOLLIN, .data = {.u32 = source}};

        if (fd < 0)
                return 0;
        return epoll_ctl(hot->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

void hot__watch_channel(struct hot *hot, struct hot__channel *channel, unsigned int source)
{
        struct epoll_event event = {.events = EPOLLIN, .data = {.u32 = source}};

        if (channel->fd < 0 || hot->epoll_fd < 0)
                return;
        if (hot__channel_flush(channel) == 1)
                event.events |= EPOLLOUT;
        epoll_ctl(hot->epoll_fd, EPOLL_CTL_MOD, channel->fd, &event);
}

void hot__unwatch(struct hot *hot, int fd)
{
        if (fd >= 0 && hot->epoll_fd >= 0)
                epoll_ctl(hot->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

void hot__wake(struct hot *hot)
{
        uint64_t one = 1;
        ssize_t n = write(hot->wake_fd, &one, sizeof(one));

        (void)n; /* a full counter is readable too */
}

static void forget_reading(int fd)
{
        uint64_t count;
        ssize_t n = read(fd, &count, sizeof(count));

        (void)n;
}

/* What other threads and signal handlers asked for. */
static bool take_wishes(struct hot *hot)
{
        unsigned int stops = atomic_load(&hot->stops_wanted);

        if (atomic_exchange(&hot->restart_wanted, false)) {
                hot__trigger(hot);
                return true;
        }
        if (atomic_exchange(&hot->commit_wanted, false)) {
                hot__feed(hot, HOT__IN_GO);
                return true;
        }
        if (atomic_exchange(&hot->abort_wanted, false)) {
                hot__give_up(hot);
                return true;
        }
        if (stops > 0) {
                atomic_fetch_sub(&hot->stops_wanted, 1);
                hot__feed(hot, HOT__IN_STOP);
                return true;
        }
        return false;
}

/* A stop of a whole process group or control group reaches us twice where there is an init, which passes on
 * what it gets: that is one stop. */
static bool is_another_stop(struct hot *hot, pid_t sender)
{
        bool passed = hot->init.pid > 0 && sender == hot->init.pid;

        if (passed)
                return ++hot->stops_passed > hot->stops_heard;
        return ++hot->stops_heard > hot->stops_passed;
}

/*
 * A SIGTERM from the process that we have just started, which has not said hello, is the seed's way of
 * saying that it serves. Two SIGTERMs from two senders may arrive as one, so this can hide an operator's:
 * that one has to be repeated.
 */
static bool take_signal(struct hot *hot)
{
        struct signalfd_siginfo info;

        if (hot->signal_fd < 0 ||
            read(hot->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
                return false;
        if (info.ssi_signo == SIGUSR2)
                hot__trigger(hot);
        else if (info.ssi_signo == SIGTERM && hot->successor_process.pid > 0 &&
                 info.ssi_pid == (uint32_t)hot->successor_process.pid)
                hot__feed(hot, HOT__IN_PEER_SEED_READY);
        else if (is_another_stop(hot, (pid_t)info.ssi_pid))
                hot__feed(hot, HOT__IN_STOP);
        return true;
}

/* Who killed the init meant the service. */
static void take_init(struct hot *hot)
{
        hot__unwatch(hot, hot->init.channel.fd);
        if (hot__init_is_gone(&hot->init, &hot->message))
                hot__feed(hot, HOT__IN_STOP);
        else
                hot__watch(hot, hot->init.channel.fd, HOT__SOURCE_INIT);
}

static void dispatch_indexed(struct hot *hot, unsigned int source)
{
        if (source >= HOT__SOURCE_CONTROL) {
                hot__control_dispatch(hot, source - HOT__SOURCE_CONTROL);
                return;
        }
        source -= HOT__SOURCE_ANCESTOR;
        hot__peers_look_at_ancestor(hot, source / 2, source % 2 == 1);
}

static void dispatch(struct hot *hot, unsigned int source)
{
        switch (source) {
        case HOT__SOURCE_WAKE:
                /* Read before looking: a wish that comes in between wakes us again. */
                forget_reading(hot->wake_fd);
                if (take_wishes(hot))
                        hot__wake(hot);
                break;
        case HOT__SOURCE_TIMER:
                forget_reading(hot->timer_fd);
                break;
        case HOT__SOURCE_SIGNALS:
                take_signal(hot);
                break;
        case HOT__SOURCE_SUCCESSOR:
                if (!hot__peers_read_successor(hot))
                        hot__watch_channel(hot, &hot->successor, source);
                break;
        case HOT__SOURCE_SUCCESSOR_PROCESS:
                /* A seed's last word is a signal: from a process that we have forgotten it would be
                 * a stop. */
                if (!take_signal(hot) && (hot->successor.fd < 0 || !hot__peers_read_successor(hot)))
                        hot__peers_bury_successor(hot);
                break;
        case HOT__SOURCE_PREDECESSOR:
                if (!hot__peers_read_predecessor(hot))
                        hot__watch_channel(hot, &hot->predecessor, source);
                break;
        case HOT__SOURCE_PREDECESSOR_PROCESS:
                if (hot->predecessor.fd < 0 || !hot__peers_read_predecessor(hot))
                        hot__peers_lose_predecessor(hot);
                break;
        case HOT__SOURCE_BARRIER:
                hot__barrier_done(hot);
                break;
        case HOT__SOURCE_INIT:
                take_init(hot);
                break;
        case HOT__SOURCE_ELDER:
                hot__peers_read_verdict(hot);
                break;
        case HOT__SOURCE_STDERR:
                hot__capture_read(hot);
                break;
        default:
                dispatch_indexed(hot, source);
        }
}

static void take_deadline(struct hot *hot)
{
        hot->deadline = 0;
        hot__set_timer(hot);
        /* Whose standard error we are goes on writing; the host has cut off the rest. */
        if (hot->relaying && hot->life.phase == HOT__PHASE_DRAINING)
                return;
        if (hot__lifecycle_is_restarting(&hot->life))
                hot__roll_back(hot, HOT_REASON_TIMEOUT, 0, HOT__IN_DEADLINE);
        else
                hot__feed(hot, HOT__IN_DEADLINE);
}

/* Whatever is due. Returns whether there was anything. */
static bool take_due(struct hot *hot)
{
        uint64_t now = hot__now();

        if (hot->barrier_deadline && now >= hot->barrier_deadline)
                hot__barrier_done(hot);
        else if (hot->leaving_look && now >= hot->leaving_look)
                hot__leftovers_look(hot, now);
        else if (hot->notify_at && now >= hot->notify_at)
                hot__tell_again(hot);
        else if (hot->watchdog_at && now >= hot->watchdog_at)
                hot__watchdog_ping(hot);
        else if (hot->giving.look_at && now >= hot->giving.look_at)
                hot__giving_look(hot);
        else if (hot->accept_at && now >= hot->accept_at)
                hot__control_accept_again(hot);
        else if (hot->deadline && now >= hot->deadline)
                take_deadline(hot);
        else
                return false;
        return true;
}

/* There is more, but the host has its turn. */
static void pause_inputs(struct hot *hot)
{
        if (hot->busy >= BUSY_MAX)
                hot__wake(hot);
        hot->busy = 0;
}

/* Take one thing that has happened to the lifecycle. Returns whether there was any. */
static bool take_one(struct hot *hot)
{
        struct epoll_event event;

        if (hot->busy < BUSY_MAX && epoll_wait(hot->epoll_fd, &event, 1, 0) == 1) {
                hot->busy++;
                dispatch(hot, event.data.u32);
                return true;
        }
        if (hot__lifecycle_awaits_idle(&hot->life) && atomic_load(&hot->holds) == 0 &&
            !hot__leftovers_are_there(hot) && !hot__giving_is_pending(hot)) {
                hot__feed(hot, HOT__IN_IDLE);
                return true;
        }
        if (take_due(hot))
                return true;
        pause_inputs(hot);
        return false;
}

/* Until there is something for the host. Returns false if it has its turn. */
static bool take_all(struct hot *hot, const struct hot_event **ret_connection)
{
        while (hot->n_events == 0) {
                *ret_connection = hot__taking_next(hot);
                if (*ret_connection)
                        return true;
                if (hot__taking_has_answered(hot)) {
                        hot__wake(hot); /* batches without end must not keep it from serving */
                        return false;
                }
                if (!take_one(hot))
                        return false;
        }
        return true;
}

const struct hot_event *hot_next(struct hot *hot)
{
        const struct hot_event *connection = NULL;
        struct hot__event *slot;

        hot__taking_settle(hot);
        hot__giving_flush(hot);
        if (!take_all(hot, &connection))
                return NULL;
        if (connection)
                return connection;
        slot = &hot->events[hot->first_event];
        hot->first_event = (hot->first_event + 1) % HOT__N_EVENTS;
        hot->n_events--;
        return &slot->event;
}

int hot_fd(const struct hot *hot)
{
        return hot->epoll_fd;
}
