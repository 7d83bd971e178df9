/* SPDX-License-Identifier: MIT */
#include "hot.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "control.h"
#include "fd.h"
#include "verdict.h"

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

static void take_hello(struct hot *hot, const struct hot__frame *frame)
{
        hot->protocol = hot__protocol_choose(frame->lowest, frame->highest);
        if (hot->protocol < 0)
                hot__roll_back(hot, HOT_REASON_VERSION, -hot->protocol, HOT__IN_PEER_BROKE);
        else
                hot__feed(hot, HOT__IN_HELLO);
}

static void take_refusal(struct hot *hot, const struct hot__frame *frame)
{
        bool version = frame->error == EPROTONOSUPPORT || frame->error == EOPNOTSUPP;
        bool first = !hot->rolling_back;

        hot__roll_back(hot, version ? HOT_REASON_VERSION : HOT_REASON_REFUSED, (int)frame->error,
                       HOT__IN_PEER_BROKE);
        if (first)
                snprintf(hot->rolled_back.words, sizeof(hot->rolled_back.words), "%.511s",
                         frame->text);
}

static void take_ready(struct hot *hot, const struct hot__frame *frame)
{
        hot__leftovers_note(hot, frame->text);
        hot__feed(hot, HOT__IN_PEER_READY);
}

static void break_off(struct hot *hot, enum hot_reason reason, int error)
{
        hot__unwatch(hot, hot->successor.fd);
        hot__channel_done(&hot->successor);
        hot__roll_back(hot, reason, error, HOT__IN_PEER_BROKE);
}

/*
 * Each frame has its one phase; everything else breaks the protocol. We listen no longer then, also after
 * the commit, when nothing can be rolled back: frames without end would keep us from every deadline.
 */
static void take_successor_frame(struct hot *hot, const struct hot__frame *frame)
{
        enum hot__phase phase = hot->life.phase;

        if (frame->type == HOT__HELLO && phase == HOT__PHASE_SPAWNED)
                take_hello(hot, frame);
        else if (frame->type == HOT__READY && phase == HOT__PHASE_OFFERED)
                take_ready(hot, frame);
        else if (frame->type == HOT__SERVING && phase == HOT__PHASE_COMMITTING)
                hot__feed(hot, HOT__IN_PEER_SERVING);
        else if (frame->type == HOT__REFUSE && hot__lifecycle_is_restarting(&hot->life))
                take_refusal(hot, frame);
        else if (frame->type == HOT__ASK_RETIRE && hot__lifecycle_has_successor(&hot->life))
                hot__feed(hot, HOT__IN_PEER_ASKS);
        else if (frame->type == HOT__END && hot__lifecycle_has_successor(&hot->life))
                hot__feed(hot, HOT__IN_PEER_ENDS_US);
        else if (frame->type == HOT__QUERY && hot__lifecycle_has_successor(&hot->life))
                hot__control_report(hot);
        else
                break_off(hot, HOT_REASON_PROTOCOL, EPROTO);
}

/* Every generation older than us passes on what it is asked for. */
static void take_older_frame(struct hot *hot, const struct hot__frame *frame)
{
        if (frame->type == HOT__TRIGGER)
                hot__trigger(hot);
        else if (frame->type == HOT__STOP)
                hot__feed(hot, HOT__IN_PREDECESSOR_STOP);
        else if (frame->type == HOT__REPORT)
                hot__control_take_report(hot, hot->message.pid, frame->text);
        else if (frame->type == HOT__CONTROL && hot->message.n_fds == 1)
                hot__control_take_connection_fd(hot, hot__message_steal_fd(&hot->message, 0),
                                                frame->text);
        else if (frame->type == HOT__LET_GO)
                hot__leftovers_release(hot, true);
}

/* It cannot be rolled back; what we do not understand changes nothing. */
static void take_predecessor_frame(struct hot *hot, const struct hot__frame *frame)
{
        if (frame->type == HOT__COMMIT) {
                if (!hot->refused)
                        hot__feed(hot, HOT__IN_COMMIT);
        } else if (frame->type == HOT__CHANGED) {
                hot__state_take_news(hot, frame);
        } else if (frame->type == HOT__RETIRED) {
                hot->predecessor_verdict = hot__fd_close(hot->predecessor_verdict);
                hot__chain_add_predecessor(hot);
                hot__feed(hot, HOT__IN_HANDED_ON);
                hot__watchdog_ping(hot);
                hot__leftovers_release(hot, false);
        } else if (frame->type == HOT__ANCESTOR && hot->message.n_fds == HOT__ANCESTOR_N_FDS) {
                hot__chain_take(hot, hot__message_steal_fd(&hot->message, HOT__ANCESTOR_CHANNEL),
                                hot__message_steal_fd(&hot->message, HOT__ANCESTOR_PIDFD),
                                (pid_t)frame->pid, frame->generation);
        } else {
                take_older_frame(hot, frame);
        }
}

/*
 * Only the process that we started speaks for the new generation, and no frame of it brings descriptors.
 * Once we have retired whoever serves may hold the other end.
 */
static bool is_from_successor(const struct hot *hot)
{
        if (hot__lifecycle_has_retired(&hot->life))
                return hot->message.uid == getuid();
        return hot->message.pid == hot->successor_process.pid;
}

static void take_successor_message(struct hot *hot)
{
        pid_t sender = hot->message.pid;
        bool ours = is_from_successor(hot);
        struct hot__frame frame;
        int r = hot->message.n_fds > 0
                        ? -EPROTO
                        : hot__frame_decode(hot->message.bytes, hot->message.len, &frame);

        hot__message_done(&hot->message);
        if (!ours) {
                hot->stranger = sender;
                break_off(hot, HOT_REASON_STRANGER, 0);
        } else if (r < 0) {
                break_off(hot, HOT_REASON_PROTOCOL, -r);
        } else {
                take_successor_frame(hot, &frame);
        }
        if (r == 0)
                hot__frame_done(&frame);
}

/* One message of the successor. Returns whether there was any. */
static bool read_successor(struct hot *hot)
{
        int r = hot__channel_receive(&hot->successor, &hot->message);

        if (r == HOT__RECEIVED_NOTHING)
                return false;
        if (r == HOT__RECEIVED_MESSAGE) {
                take_successor_message(hot);
        } else if (r == HOT__RECEIVED_EOF) {
                /* The seed closes what it does not know. Whether it has died, its pidfd tells. */
                hot__remove_heirs_pid(hot);
                hot__unwatch(hot, hot->successor.fd);
                hot__channel_done(&hot->successor);
        } else {
                break_off(hot, HOT_REASON_PROTOCOL, -r);
        }
        return true;
}

/* One frame of an older generation. Returns enum hot__received, or a negative errno. */
static int read_older(struct hot *hot, struct hot__channel *channel,
                      void (*take)(struct hot *hot, const struct hot__frame *frame))
{
        struct hot__frame frame;
        int r = hot__channel_receive(channel, &hot->message);

        if (r != HOT__RECEIVED_MESSAGE)
                return r;
        if (hot__frame_decode(hot->message.bytes, hot->message.len, &frame) == 0) {
                take(hot, &frame);
                hot__frame_done(&frame);
        }
        hot__message_done(&hot->message);
        return r;
}

static void lose_predecessor(struct hot *hot)
{
        pid_t pid = hot->predecessor_process.pid;

        hot__forget_predecessor(hot);
        hot__control_lost(hot, pid);
        hot__feed(hot, HOT__IN_PREDECESSOR_DIED);
        hot__leftovers_release(hot, true);
        hot__chain_count(hot);
}

static bool read_predecessor(struct hot *hot)
{
        int r = read_older(hot, &hot->predecessor, take_predecessor_frame);

        if (r == HOT__RECEIVED_NOTHING || r == HOT__RECEIVED_MESSAGE)
                return r == HOT__RECEIVED_MESSAGE;
        /* Descriptors that we have no room for: nobody accepts now, so it must not wait for a deadline. The
         * channel stays open, since the COMMIT behind them would fail with another reason. */
        if (r < 0 && hot->life.phase == HOT__PHASE_ANNOUNCED && !hot->refused) {
                hot_refuse(hot, -r, "what changed since the offer");
                return true;
        }
        /* Closed, or broken. It goes on as if silent, unless only the channel could tell of its death. */
        hot__unwatch(hot, hot->predecessor.fd);
        hot__channel_done(&hot->predecessor);
        if (hot->predecessor_process.pidfd < 0)
                lose_predecessor(hot);
        return true;
}

static bool read_ancestor(struct hot *hot, size_t index)
{
        struct hot__ancestor *link = &hot->ancestors[index];
        int r = read_older(hot, &link->channel, take_older_frame);

        if (r == HOT__RECEIVED_NOTHING || r == HOT__RECEIVED_MESSAGE)
                return r == HOT__RECEIVED_MESSAGE;
        hot__unwatch(hot, link->channel.fd);
        hot__channel_done(&link->channel);
        if (link->process.pidfd < 0) {
                hot__chain_remove(hot, index);
                hot__leftovers_release(hot, true);
                hot__chain_count(hot);
        }
        return true;
}

static void take_verdict(struct hot *hot)
{
        enum hot__verdict verdict = hot__verdict_read(hot->elder_verdict);

        if (verdict == HOT__VERDICT_OPEN)
                return;
        hot__unwatch(hot, hot->elder_verdict);
        hot->elder_verdict = hot__fd_close(hot->elder_verdict);
        hot__feed(hot,
                  verdict == HOT__VERDICT_RESUMED ? HOT__IN_ELDER_RESUMED : HOT__IN_ELDER_RETIRED);
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

static void dispatch_ancestor(struct hot *hot, size_t index, bool process)
{
        struct hot__ancestor *link = &hot->ancestors[index];

        if (index >= hot->n_ancestors)
                return;
        if (link->channel.fd >= 0 && read_ancestor(hot, index))
                return;
        if (process) {
                hot__chain_remove(hot, index);
                hot__leftovers_release(hot, true);
                hot__chain_count(hot);
        } else {
                hot__watch_channel(hot, &link->channel,
                                   HOT__SOURCE_ANCESTOR + 2 * (unsigned int)index);
        }
}

static void bury_successor(struct hot *hot)
{
        int status;

        if (hot->life.phase == HOT__PHASE_CHECKING) {
                status = hot__process_reap(&hot->successor_process);
                hot__forget_successor(hot);
                if (status == 0) {
                        hot__feed(hot, HOT__IN_CHECKED);
                        return;
                }
                hot__note_failure(hot, HOT_STEP_CHECK, HOT_REASON_EXITED, 0, hot->successor_path);
                hot->rolled_back.detail.wait_status = status;
                hot__feed(hot, HOT__IN_SPAWN_FAILED);
        } else if (hot__lifecycle_is_restarting(&hot->life) ||
                   hot->life.phase == HOT__PHASE_PROBATION) {
                hot__roll_back(hot, HOT_REASON_EXITED, 0, HOT__IN_PEER_DIED);
        } else {
                hot__remove_heirs_pid(hot);
                hot__forget_successor_process(hot);
        }
}

static void dispatch_indexed(struct hot *hot, unsigned int source)
{
        if (source >= HOT__SOURCE_CONTROL) {
                hot__control_dispatch(hot, source - HOT__SOURCE_CONTROL);
                return;
        }
        source -= HOT__SOURCE_ANCESTOR;
        dispatch_ancestor(hot, source / 2, source % 2 == 1);
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
                if (!read_successor(hot))
                        hot__watch_channel(hot, &hot->successor, source);
                break;
        case HOT__SOURCE_SUCCESSOR_PROCESS:
                /* A seed's last word is a signal: from a process that we have forgotten it would be
                 * a stop. */
                if (!take_signal(hot) && (hot->successor.fd < 0 || !read_successor(hot)))
                        bury_successor(hot);
                break;
        case HOT__SOURCE_PREDECESSOR:
                if (!read_predecessor(hot))
                        hot__watch_channel(hot, &hot->predecessor, source);
                break;
        case HOT__SOURCE_PREDECESSOR_PROCESS:
                if (hot->predecessor.fd < 0 || !read_predecessor(hot))
                        lose_predecessor(hot);
                break;
        case HOT__SOURCE_BARRIER:
                hot__barrier_done(hot);
                break;
        case HOT__SOURCE_INIT:
                take_init(hot);
                break;
        case HOT__SOURCE_ELDER:
                take_verdict(hot);
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
            !hot__leftovers_are_there(hot)) {
                hot__feed(hot, HOT__IN_IDLE);
                return true;
        }
        if (take_due(hot))
                return true;
        pause_inputs(hot);
        return false;
}

const struct hot_event *hot_next(struct hot *hot)
{
        struct hot__event *slot;

        while (hot->n_events == 0)
                if (!take_one(hot))
                        return NULL;
        slot = &hot->events[hot->first_event];
        hot->first_event = (hot->first_event + 1) % HOT__N_EVENTS;
        hot->n_events--;
        return &slot->event;
}

int hot_fd(const struct hot *hot)
{
        return hot->epoll_fd;
}
