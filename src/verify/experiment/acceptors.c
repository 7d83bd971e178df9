/* SPDX-License-Identifier: MIT */
#include "acceptors.h"

#include <errno.h>
#include <stdlib.h>

#include "patience.h"

static const struct holding nothing = {.fd = -1};

void acceptors_init(struct acceptors *ret, uint64_t listener, pid_t old)
{
        *ret = (struct acceptors){
                .listener = listener,
                .old = old,
                .old_holding = nothing,
                .new_holding = nothing,
        };
}

/* Was the program of @pid executed for it? A child that has not executed yet has its parent's environment. */
static bool has_executed(pid_t pid)
{
        char value[16];

        return hot_inspect_environment(pid, "LISTEN_PID", value, sizeof(value)) == 0 &&
               strtol(value, NULL, 10) == pid;
}

/*
 * Between clone and exec a child has copies of all descriptors of its parent, epolls too: an epoll that is
 * the very same as one of @other is not its own. A container may forbid to ask that.
 */
static bool is_own(pid_t pid, int epoll, pid_t other)
{
        int r = other == 0 ? 0 : hot_inspect_same(pid, epoll, other, epoll);

        if (r >= 0)
                return r == 0;
        return r == -ESRCH || r == -EBADF || has_executed(pid);
}

static bool has_own_watch(const struct hot_inspect *process, uint64_t listener, pid_t other)
{
        int epoll = -1;

        while ((epoll = hot_inspect_watched(process, listener, epoll + 1)) >= 0)
                if (is_own(hot_inspect_pid(process), epoll, other))
                        return true;
        return false;
}

static struct holding read_holding(pid_t pid, uint64_t listener, pid_t other)
{
        struct holding holding = nothing;
        const struct hot_inspect_fd *fd;
        struct hot_inspect *process;

        if (pid == 0 || hot_inspect_read(pid, 0, &process) < 0)
                return holding;
        holding.watched = has_own_watch(process, listener, other);
        for (size_t i = 0; (fd = hot_inspect_at(process, i)); i++) {
                if (fd->inode != listener || fd->kind != HOT_INSPECT_SOCKET)
                        continue;
                if (holding.fd < 0)
                        holding.fd = fd->fd;
                holding.set |= fd->cloexec;
                holding.clear |= !fd->cloexec;
        }
        hot_inspect_free(process);
        return holding;
}

/*
 * A table is not read at one instant: while a child moves the listener from one number to another, both may
 * be missed; and a child may execute after its table was read and before is_own() asked. So what is not
 * found, or seems to accept, is looked at again: by then the one has moved and the other has executed.
 */
static struct holding look_at(pid_t pid, uint64_t listener, pid_t other)
{
        struct holding holding = read_holding(pid, listener, other);

        if (holding.fd < 0 || (other != 0 && holding.watched))
                return read_holding(pid, listener, other);
        return holding;
}

static void note_change(struct acceptors *acceptors, uint64_t when, pid_t pid,
                        const struct holding *now, struct holding *last)
{
        bool changed = now->fd != last->fd || now->set != last->set || now->clear != last->clear ||
                       now->watched != last->watched;

        if (changed && acceptors->n_changes < CHANGES_MAX)
                acceptors->changes[acceptors->n_changes++] = (struct change){when, pid, *now};
        *last = *now;
}

static void count(struct acceptors *acceptors, const struct holding *old, const struct holding *new)
{
        acceptors->n_old += old->watched && !new->watched;
        acceptors->n_new += new->watched && !old->watched;
        acceptors->n_none += !old->watched && !new->watched;
        acceptors->n_both += old->watched && new->watched;
        acceptors->old_set += old->set;
        acceptors->old_clear += old->clear;
        acceptors->new_set += new->set;
        acceptors->new_clear += new->clear;
}

/* The new one first: if it accepts, the old one must have stopped already when it is looked at next. */
void acceptors_look(struct acceptors *acceptors)
{
        uint64_t now = patience_now();
        struct holding new = look_at(acceptors->new, acceptors->listener, acceptors->old);
        struct holding old = look_at(acceptors->old, acceptors->listener, 0);

        count(acceptors, &old, &new);
        note_change(acceptors, now, acceptors->old, &old, &acceptors->old_holding);
        note_change(acceptors, now, acceptors->new, &new, &acceptors->new_holding);
        if (acceptors->last != 0 && acceptors->new_came == 0 &&
            now - acceptors->last > acceptors->resolution)
                acceptors->resolution = now - acceptors->last;
        if (acceptors->n_old > 0 && !old.watched && acceptors->old_left == 0)
                acceptors->old_left = now;
        if (new.watched && acceptors->new_came == 0)
                acceptors->new_came = now;
        acceptors->last = now;
}

void acceptors_tell(const struct acceptors *acceptors, struct timeline *timeline)
{
        for (size_t i = 0; i < acceptors->n_changes; i++) {
                const struct change *change = &acceptors->changes[i];
                const struct holding *holding = &change->holding;

                if (holding->fd < 0)
                        timeline_add(timeline, change->when,
                                     "%d does not have the listener any more", change->pid);
                else
                        timeline_add(timeline, change->when,
                                     "%d has the listener at %d, FD_CLOEXEC %s, in %s epoll",
                                     change->pid, holding->fd, holding->clear ? "clear" : "set",
                                     holding->watched ? "its" : "no");
        }
}
