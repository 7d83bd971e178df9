/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

#include "loop.h"
#include "socket.h"

/* So many descriptors in one turn: the rest is reported in the next, in the order in which it became ready. */
#define EVENTS_MAX 256

/* The end of the input, or of both directions, and an urgent byte: a read stops in front of these, whatever is behind,
 * and getting less than there was room for says nothing. */
#define NO_MEASURE (EPOLLRDHUP | EPOLLHUP | EPOLLPRI)

static void read_clock(struct hot__loop *loop)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        loop->now = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void free_closed(struct hot__loop *loop)
{
        while (loop->closed) {
                struct hot__watch *watch = loop->closed;

                loop->closed = watch->next;
                loop->n_watches--;
                watch->closed(watch);
        }
}

static int open_wake(struct hot__loop *loop)
{
        struct epoll_event event = {.events = EPOLLIN}; /* no watch: it is the wake-up */

        loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (loop->wake_fd < 0)
                return -errno;
        return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &event) < 0 ? -errno : 0;
}

int hot__loop_init(struct hot__loop *loop, void (*woken)(struct hot__loop *loop),
                   void (*alarmed)(struct hot__loop *loop))
{
        int r;

        *loop = (struct hot__loop){
                .wake_fd = -EBADF, .alarm_at = UINT64_MAX, .woken = woken, .alarmed = alarmed};
        loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        if (loop->epoll_fd < 0)
                return -errno;
        r = open_wake(loop);
        if (r < 0)
                hot__loop_done(loop);
        read_clock(loop);
        return r;
}

void hot__loop_done(struct hot__loop *loop)
{
        free_closed(loop);
        loop->wake_fd = hot__socket_close(loop->wake_fd);
        loop->epoll_fd = hot__socket_close(loop->epoll_fd);
}

void hot__loop_on_turn(struct hot__loop *loop, void (*turned)(struct hot__loop *loop))
{
        loop->turned = turned;
}

void hot__loop_close(struct hot__loop *loop)
{
        loop->ending = true;
        loop->alarm_at = UINT64_MAX;
}

/* Many letters make one wake-up: the flag is taken down before the letters are. */
void hot__loop_wake(struct hot__loop *loop)
{
        if (!atomic_exchange(&loop->waking, true))
                eventfd_write(loop->wake_fd, 1);
}

static void on_wake(struct hot__loop *loop)
{
        eventfd_t count;

        eventfd_read(loop->wake_fd, &count);
        atomic_store(&loop->waking, false);
        if (!loop->ending)
                loop->woken(loop);
}

uint64_t hot__loop_now(const struct hot__loop *loop)
{
        return loop->now;
}

void hot__loop_alarm(struct hot__loop *loop, uint64_t at)
{
        if (at < loop->alarm_at && !loop->ending)
                loop->alarm_at = at;
}

/* -- a turn -- */

/* An error, or an end of both directions, counts as whatever is waited for: the call that follows tells which. */
static int meaning_of(uint32_t reported)
{
        int events = 0;

        if (reported & (EPOLLIN | EPOLLHUP | EPOLLERR))
                events |= HOT__READABLE;
        if (reported & (EPOLLOUT | EPOLLHUP | EPOLLERR))
                events |= HOT__WRITABLE;
        return events;
}

static int control(struct hot__watch *watch, int operation, int events)
{
        struct epoll_event event = {.data.ptr = watch, .events = watch->edge ? EPOLLET : 0};

        if (events & HOT__READABLE)
                event.events |= EPOLLIN | (watch->edge ? NO_MEASURE : 0);
        if (events & HOT__WRITABLE)
                event.events |= EPOLLOUT;
        watch->owed = 0;
        return epoll_ctl(watch->loop->epoll_fd, operation, watch->fd, &event) < 0 ? -errno : 0;
}

static void tell(struct hot__watch *watch, uint32_t reported)
{
        int events = meaning_of(reported) & watch->events;

        watch->owed = (uint8_t)events;
        watch->ready(watch, events);
        if (!(reported & NO_MEASURE))
                events = watch->owed;
        if (watch->edge && events & watch->events)
                control(watch, EPOLL_CTL_MOD, watch->events);
}

static void on_event(struct hot__loop *loop, const struct epoll_event *event)
{
        struct hot__watch *watch = event->data.ptr;
        int events = meaning_of(event->events);

        if (!watch) {
                on_wake(loop);
                return;
        }
        if (event->events & EPOLLERR && watch->events) {
                /* It would be reported for as long as it is watched. Who goes on waiting has it watched again. */
                hot__watch_set(watch, 0);
                watch->ready(watch, events);
        } else if (events & watch->events) {
                tell(watch, event->events);
        }
}

static int time_to_wait(const struct hot__loop *loop)
{
        uint64_t ms;

        if (loop->closed || loop->alarm_at <= loop->now)
                return 0;
        if (loop->alarm_at == UINT64_MAX)
                return -1;
        ms = loop->alarm_at - loop->now;
        return ms > INT32_MAX ? INT32_MAX : (int)ms;
}

static void turn(struct hot__loop *loop, bool waits)
{
        struct epoll_event events[EVENTS_MAX];
        int n;

        if (loop->turned && !loop->ending)
                loop->turned(loop);
        n = epoll_wait(loop->epoll_fd, events, EVENTS_MAX, waits ? time_to_wait(loop) : 0);
        read_clock(loop);
        if (loop->alarm_at <= loop->now) {
                loop->alarm_at = UINT64_MAX;
                loop->alarmed(loop);
        }
        for (int i = 0; i < n; i++)
                on_event(loop, &events[i]);
        free_closed(loop);
}

void hot__loop_run(struct hot__loop *loop)
{
        read_clock(loop);
        while (!loop->ending || loop->n_watches)
                turn(loop, true);
}

void hot__loop_run_once(struct hot__loop *loop)
{
        turn(loop, false);
}

/* -- watches -- */

void hot__watch_init(struct hot__watch *watch, struct hot__loop *loop, int fd)
{
        watch->loop = loop;
        watch->fd = fd;
        watch->events = watch->owed = 0;
        watch->edge = false;
        loop->n_watches++;
}

/* Nothing to watch for means out: an epoll reports errors whether they were asked for or not. */
int hot__watch_set(struct hot__watch *watch, int events)
{
        int r = 0;

        if (events == watch->events)
                return 0;
        if (!events)
                r = control(watch, EPOLL_CTL_DEL, 0);
        else
                r = control(watch, watch->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, events);
        if (r == 0)
                watch->events = (uint8_t)events;
        return r;
}

void hot__watch_took_all(struct hot__watch *watch)
{
        watch->owed &= HOT__WRITABLE;
}

void hot__watch_close(struct hot__watch *watch)
{
        struct hot__loop *loop = watch->loop;

        hot__watch_set(watch, 0);
        watch->events = 0;
        watch->next = loop->closed;
        loop->closed = watch;
}
