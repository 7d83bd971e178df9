/* SPDX-License-Identifier: MIT */
/*
 * What concerns one descriptor: leaks, copies of listeners, stale epoll entries, descriptors in flight or
 * held by an io_uring.
 */
#include <errno.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "findings.h"

/* Of what is handed over nothing is a leak: that is the listeners. Standard descriptors are for everybody. */
static void check_cloexec(struct hot__check *check, const struct hot_inspect *inspect,
                          const struct hot_inspect_fd *row)
{
        char who[HOT__WHO_MAX];

        if (inspect->public.server == 0 || row->cloexec || row->fd <= STDERR_FILENO ||
            row->listening || !(row->details & HOT_INSPECT_STATUS) || row->error < 0)
                return;
        hot__check_add(check, HOT_FINDING_LEAK, HOT_FINDING_WARNING, inspect, row->fd,
                       "%s: descriptor %d (%s) is not close-on-exec and not handed over: every "
                       "program that it executes inherits it",
                       hot__check_who(inspect, who), row->fd, hot__check_name(row));
}

/* Does an epoll of this process wait on the listener under this very number? */
static bool is_watched(const struct hot_inspect *inspect, const struct hot_inspect_fd *row)
{
        for (size_t i = inspect->n_files; i < inspect->n_rows; i++) {
                const struct hot_inspect_fd *epoll = &inspect->rows[i].public;

                for (size_t k = 0; k < epoll->n_watches; k++)
                        if (epoll->watches[k].fd == row->fd &&
                            epoll->watches[k].inode == row->inode)
                                return true;
        }
        return false;
}

/*
 * A loop that closes what it is given waits on a copy of its own, and that is as it should be: a copy with a
 * higher number that nothing waits on is what a dup() for a child leaves behind.
 */
static void check_copy(struct hot__check *check, const struct hot_inspect *inspect, size_t at)
{
        const struct hot_inspect_fd *row = &inspect->rows[at].public, *first = NULL;
        char who[HOT__WHO_MAX];

        if (!row->listening)
                return;
        for (size_t i = inspect->n_files; i < at && !first; i++)
                if (inspect->rows[i].public.listening &&
                    inspect->rows[i].public.inode == row->inode)
                        first = &inspect->rows[i].public;
        if (!first || is_watched(inspect, row))
                return;
        hot__check_add(check, HOT_FINDING_LEAK, HOT_FINDING_WARNING, inspect, row->fd,
                       "%s: descriptor %d is a second copy of the listener %s (descriptor %d) that "
                       "no epoll waits on: the address stays taken when the first is closed",
                       hot__check_who(inspect, who), row->fd, row->local, first->fd);
}

static bool is_anonymous(int kind)
{
        return kind == HOT_INSPECT_EPOLL || kind == HOT_INSPECT_EVENTFD ||
               kind == HOT_INSPECT_TIMERFD || kind == HOT_INSPECT_SIGNALFD ||
               kind == HOT_INSPECT_INOTIFY || kind == HOT_INSPECT_IO_URING ||
               kind == HOT_INSPECT_ANONYMOUS;
}

/*
 * Two files that share the inode of all anonymous ones only the kernel can tell apart: is what the epoll has
 * at this watch the file that the number is now? A number may be in an epoll more than once, if it was added
 * again after its file went: the kernel counts them in the order of fdinfo. Where it cannot be known, it is.
 */
static bool is_slot_of(pid_t pid, const struct hot_inspect_fd *epoll, size_t at)
{
        unsigned int fd = (unsigned int)epoll->watches[at].fd;
        struct kcmp_epoll_slot slot = {.efd = (unsigned int)epoll->fd, .tfd = fd};

        for (size_t i = 0; i < at; i++)
                slot.toff += epoll->watches[i].fd == epoll->watches[at].fd;
        return syscall(SYS_kcmp, pid, pid, KCMP_EPOLL_TFD, (unsigned long)fd, &slot) <= 0;
}

static bool fits(const struct hot_inspect *inspect, const struct hot_inspect_fd *epoll, size_t at)
{
        const struct hot_inspect_watch *watch = &epoll->watches[at];
        const struct hot_inspect_fd *row = hot_inspect_find(inspect, watch->fd);

        if (!row || (watch->inode != 0 && row->inode != watch->inode))
                return false;
        return !is_anonymous(row->kind) || is_slot_of(inspect->public.pid, epoll, at);
}

/* Could it be one epoll, in two processes? Who is gone holds nothing; where we may not ask, it could. */
static bool may_be_same(const struct hot_inspect *a, const struct hot_inspect_fd *x,
                        const struct hot_inspect *b, const struct hot_inspect_fd *y)
{
        int r = hot_inspect_same(a->public.pid, x->fd, b->public.pid, y->fd);

        return r != 0 && r != -ESRCH && r != -EBADF;
}

/* The same watch of the same epoll, seen by another process that holds it. */
static bool fits_there(const struct hot_inspect *inspect, const struct hot_inspect_fd *epoll,
                       size_t at, const struct hot_inspect *other)
{
        for (size_t i = other->n_files; i < other->n_rows; i++) {
                const struct hot_inspect_fd *row = &other->rows[i].public;

                if (row->kind == HOT_INSPECT_EPOLL && row->n_watches > at &&
                    row->watches[at].fd == epoll->watches[at].fd &&
                    row->watches[at].inode == epoll->watches[at].inode &&
                    may_be_same(inspect, epoll, other, row) && fits(other, row, at))
                        return true;
        }
        return false;
}

/* An epoll that is shared knows the numbers of whoever added them. */
static bool fits_another(const struct hot__check *check, const struct hot_inspect *inspect,
                         const struct hot_inspect_fd *epoll, size_t at)
{
        for (size_t i = 0; i < check->snapshot->n_processes; i++)
                if (check->snapshot->processes[i] != inspect &&
                    fits_there(inspect, epoll, at, check->snapshot->processes[i]))
                        return true;
        return false;
}

static void check_watches(struct hot__check *check, const struct hot_inspect *inspect,
                          const struct hot_inspect_fd *epoll)
{
        char who[HOT__WHO_MAX];

        for (size_t i = 0; i < epoll->n_watches; i++) {
                const struct hot_inspect_watch *watch = &epoll->watches[i];
                const struct hot_inspect_fd *row = hot_inspect_find(inspect, watch->fd);

                if (fits(inspect, epoll, i) || fits_another(check, inspect, epoll, i))
                        continue;
                hot__check_add(check, HOT_FINDING_EPOLL_STALE, HOT_FINDING_WARNING, inspect,
                               epoll->fd,
                               "%s: its epoll %d still reports a file that was added as descriptor "
                               "%d, which is %s now: it can be removed no more",
                               hot__check_who(inspect, who), epoll->fd, watch->fd,
                               row ? hot__check_name(row) : "closed");
        }
}

static void check_in_flight(struct hot__check *check, const struct hot_inspect *inspect,
                            const struct hot_inspect_fd *row)
{
        char who[HOT__WHO_MAX];

        if (row->in_flight > 0)
                hot__check_add(check, HOT_FINDING_IN_FLIGHT, HOT_FINDING_WARNING, inspect, row->fd,
                               "%s: %u descriptor%s wait%s in the UNIX socket %d for somebody to "
                               "receive %s: open, and in no table",
                               hot__check_who(inspect, who), row->in_flight,
                               row->in_flight == 1 ? "" : "s", row->in_flight == 1 ? "s" : "",
                               row->fd, row->in_flight == 1 ? "it" : "them");
}

static bool has_inode(const struct hot_inspect *inspect, uint64_t inode)
{
        for (size_t i = inspect->n_files; i < inspect->n_rows; i++)
                if (inspect->rows[i].public.inode == inode)
                        return true;
        return false;
}

static void check_held(struct hot__check *check, const struct hot_inspect *inspect,
                       const struct hot_inspect_fd *ring)
{
        char who[HOT__WHO_MAX];

        for (size_t i = 0; i < ring->n_held; i++)
                if (ring->held[i].inode != 0 && !has_inode(inspect, ring->held[i].inode))
                        hot__check_add(check, HOT_FINDING_IO_URING, HOT_FINDING_WARNING, inspect,
                                       ring->fd,
                                       "%s: its io_uring %d holds %s in slot %d under no number: "
                                       "it stays open until the ring is closed",
                                       hot__check_who(inspect, who), ring->fd, ring->held[i].target,
                                       ring->held[i].slot);
}

static void check_process(struct hot__check *check, const struct hot_inspect *inspect)
{
        for (size_t i = inspect->n_files; i < inspect->n_rows; i++) {
                const struct hot_inspect_fd *row = &inspect->rows[i].public;

                check_cloexec(check, inspect, row);
                check_copy(check, inspect, i);
                check_watches(check, inspect, row);
                check_in_flight(check, inspect, row);
                check_held(check, inspect, row);
        }
}

void hot__check_descriptors(struct hot__check *check)
{
        for (size_t i = 0; i < check->snapshot->n_processes; i++)
                if (hot__check_wants(check, check->snapshot->processes[i]))
                        check_process(check, check->snapshot->processes[i]);
}
