/* SPDX-License-Identifier: MIT */
/*
 * What becomes of listeners: in the newest generation each listener of the older ones should be there, the
 * same socket. And nobody else should hold it.
 *
 * All rows that listen are sorted twice: by server and address, so that what stands together should be one
 * socket in every generation; and by socket, so that what stands together are its holders.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "findings.h"

struct listener {
        const struct hot_inspect *inspect;
        const struct hot_inspect_fd *row;
};

struct listeners {
        struct listener *items; /* owned */
        size_t n;
};

static int compare_numbers(uint64_t a, uint64_t b)
{
        return (a > b) - (a < b);
}

/* 0: they are in each other's way. */
static int compare_addresses(const struct hot_inspect_fd *x, const struct hot_inspect_fd *y)
{
        int r = x->kind - y->kind;

        if (r == 0)
                r = compare_numbers(x->netns, y->netns);
        return r != 0 ? r : strcmp(x->local, y->local);
}

static int compare_holders(const struct listener *x, const struct listener *y)
{
        if (x->inspect->public.pid != y->inspect->public.pid)
                return x->inspect->public.pid - y->inspect->public.pid;
        return x->row->fd - y->row->fd;
}

static int by_server(const void *a, const void *b)
{
        const struct listener *x = a, *y = b;
        int r = compare_numbers(x->inspect->public.server, y->inspect->public.server);

        if (r == 0)
                r = compare_addresses(x->row, y->row);
        return r != 0 ? r : compare_holders(x, y);
}

static int by_socket(const void *a, const void *b)
{
        const struct listener *x = a, *y = b;
        int r = compare_numbers(x->row->inode, y->row->inode);

        return r != 0 ? r : compare_holders(x, y);
}

static int collect(const struct hot_snapshot *snapshot, struct listeners *ret)
{
        size_t n = 0;

        for (size_t i = 0; i < snapshot->n_processes; i++)
                for (size_t k = 0; k < snapshot->processes[i]->n_rows; k++)
                        n += snapshot->processes[i]->rows[k].public.listening != 0;
        ret->items = calloc(n + 1, sizeof(struct listener));
        if (!ret->items)
                return -ENOMEM;
        ret->n = 0;
        for (size_t i = 0; i < snapshot->n_processes; i++) {
                const struct hot_inspect *inspect = snapshot->processes[i];

                for (size_t k = 0; k < inspect->n_rows; k++)
                        if (inspect->rows[k].public.listening)
                                ret->items[ret->n++] =
                                        (struct listener){inspect, &inspect->rows[k].public};
        }
        return 0;
}

/* ---- across generations ---- */

/* Listeners of one server at one address. */
struct group {
        const struct hot__check *check;
        const struct listener *items;
        size_t n;
        uint64_t newest;
};

/* A listener of the newest generation, the same socket or (0) any. */
static const struct listener *find_newest(const struct group *group, uint64_t inode)
{
        for (size_t i = 0; i < group->n; i++)
                if (group->items[i].inspect->public.generation == group->newest &&
                    (inode == 0 || group->items[i].row->inode == inode))
                        return &group->items[i];
        return NULL;
}

/* The first holder of a socket speaks for all of them. */
static bool is_first(const struct group *group, size_t at)
{
        for (size_t i = 0; i < at; i++)
                if (group->items[i].row->inode == group->items[at].row->inode)
                        return false;
        return true;
}

static const struct hot_inspect *find_generation(const struct hot_snapshot *snapshot,
                                                 unsigned int server, uint64_t generation)
{
        for (size_t i = 0; i < snapshot->n_processes; i++)
                if (snapshot->processes[i]->public.server == server &&
                    snapshot->processes[i]->public.generation == generation)
                        return snapshot->processes[i];
        return NULL;
}

static void report_not_handed_over(struct hot__check *check, const struct group *group,
                                   const struct listener *old)
{
        const struct listener *rebound = find_newest(group, 0);
        const struct hot_inspect *successor =
                find_generation(check->snapshot, old->inspect->public.server, group->newest);
        char who[HOT__WHO_MAX], other[HOT__WHO_MAX];

        hot__check_who(old->inspect, who);
        if (rebound && hot__check_wants(check, rebound->inspect))
                hot__check_add(check, HOT_FINDING_LISTENER_REBOUND, HOT_FINDING_ERROR,
                               rebound->inspect, rebound->row->fd,
                               "%s listens on %s with another socket (descriptor %d) than %s "
                               "(descriptor %d): what waits in the old one's queue is reset",
                               hot__check_who(rebound->inspect, other), old->row->local,
                               rebound->row->fd, who, old->row->fd);
        else if (!rebound && successor && hot__check_wants(check, successor))
                hot__check_add(check, HOT_FINDING_LISTENER_LOST, HOT_FINDING_ERROR, successor, -1,
                               "%s does not have the listener %s, which %s holds as descriptor %d",
                               hot__check_who(successor, other), old->row->local, who,
                               old->row->fd);
}

/* Of the socket's holders, of any server and none: is there one that will still be there? */
static bool has_other_holder(const struct hot_snapshot *snapshot, const struct listener *old,
                             uint64_t newest)
{
        for (size_t i = 0; i < snapshot->n_processes; i++) {
                const struct hot_inspect *inspect = snapshot->processes[i];

                if (inspect->public.server == old->inspect->public.server &&
                    inspect->public.generation < newest)
                        continue;
                for (size_t k = inspect->n_files; k < inspect->n_rows; k++)
                        if (inspect->rows[k].public.inode == old->row->inode &&
                            inspect->rows[k].public.listening)
                                return true;
        }
        return false;
}

static void check_queue(struct hot__check *check, const struct group *group,
                        const struct listener *old)
{
        uint32_t n = old->row->receive_queue;
        char who[HOT__WHO_MAX];

        if (n == 0 || !hot__check_wants(check, old->inspect) ||
            has_other_holder(check->snapshot, old, group->newest))
                return;
        hot__check_add(check, HOT_FINDING_QUEUE_AT_RISK, HOT_FINDING_ERROR, old->inspect,
                       old->row->fd,
                       "%u connection%s wait%s in the queue of %s (descriptor %d) that only %s can "
                       "accept, which is not the newest: reset when it exits",
                       n, n == 1 ? "" : "s", n == 1 ? "s" : "", old->row->local, old->row->fd,
                       hot__check_who(old->inspect, who));
}

static void check_group(struct hot__check *check, const struct group *group)
{
        for (size_t i = 0; i < group->n; i++) {
                const struct listener *old = &group->items[i];

                if (old->inspect->public.generation >= group->newest || !is_first(group, i) ||
                    find_newest(group, old->row->inode))
                        continue;
                report_not_handed_over(check, group, old);
                check_queue(check, group, old);
        }
}

static void check_generations(struct hot__check *check, struct listeners *all)
{
        size_t end;

        qsort(all->items, all->n, sizeof(struct listener), by_server);
        for (size_t at = 0; at < all->n; at = end) {
                const struct listener *first = &all->items[at];

                for (end = at + 1; end < all->n; end++)
                        if (all->items[end].inspect->public.server !=
                                    first->inspect->public.server ||
                            compare_addresses(all->items[end].row, first->row) != 0)
                                break;
                check_group(check,
                            &(struct group){check, first, end - at,
                                            hot__check_newest(check->snapshot,
                                                              first->inspect->public.server)});
        }
}

/* ---- outside ---- */

static bool is_ancestor(const struct hot_snapshot *snapshot, const struct hot_inspect *ancestor,
                        const struct hot_inspect *inspect)
{
        /* Not read at one moment, the parents of a snapshot could go round in a circle. */
        for (size_t i = 0; inspect && i < snapshot->n_processes; i++) {
                if (inspect->public.parent == ancestor->public.pid)
                        return true;
                inspect = hot_snapshot_find(snapshot, inspect->public.parent);
        }
        return false;
}

static bool waits_for(const struct listener *listener)
{
        return hot_inspect_watched(listener->inspect, listener->row->inode, 0) >= 0;
}

/*
 * Is @holder one that got the listener of @owner by mistake? Not if it was told of it, if it stands where
 * inetd(8) puts it, or if it is a supervisor, which is an ancestor. Of two that are not related it is the one
 * that does not wait for connections while the other does.
 */
static bool is_outside(const struct hot_snapshot *snapshot, const struct listener *holder,
                       const struct listener *owner)
{
        if (holder->inspect->public.server == owner->inspect->public.server ||
            holder->inspect->announced || holder->row->fd <= STDERR_FILENO)
                return false;
        if (is_ancestor(snapshot, holder->inspect, owner->inspect))
                return false;
        return is_ancestor(snapshot, owner->inspect, holder->inspect) ||
               (waits_for(owner) && !waits_for(holder));
}

static void check_holder(struct hot__check *check, const struct listener *holders, size_t n,
                         size_t at)
{
        const struct listener *holder = &holders[at];
        char who[HOT__WHO_MAX];

        for (size_t i = 0; i < n; i++) {
                const struct listener *owner = &holders[i];

                if (i == at || !is_outside(check->snapshot, holder, owner))
                        continue;
                if (hot__check_wants(check, holder->inspect) ||
                    hot__check_wants(check, owner->inspect))
                        hot__check_add(
                                check, HOT_FINDING_LEAK_OUTSIDE, HOT_FINDING_ERROR, holder->inspect,
                                holder->row->fd,
                                "pid %d (%s) is no generation of the server and holds the "
                                "listener %s of %s as descriptor %d: the address stays taken "
                                "when the server is gone",
                                holder->inspect->public.pid, holder->inspect->public.name,
                                holder->row->local, hot__check_who(owner->inspect, who),
                                holder->row->fd);
                return;
        }
}

static void check_outside(struct hot__check *check, struct listeners *all)
{
        size_t end;

        qsort(all->items, all->n, sizeof(struct listener), by_socket);
        for (size_t at = 0; at < all->n; at = end) {
                for (end = at + 1; end < all->n; end++)
                        if (all->items[end].row->inode != all->items[at].row->inode)
                                break;
                for (size_t i = 0; i < end - at; i++)
                        check_holder(check, &all->items[at], end - at, i);
        }
}

/* ---- since before ---- */

static bool is_same_socket(const struct hot_inspect_fd *a, const struct hot_inspect_fd *b)
{
        if (a->cookie != 0 && b->cookie != 0)
                return a->cookie == b->cookie && a->netns == b->netns;
        return a->inode == b->inode;
}

/* The listener that took the place of an earlier one: the same socket, or else one on its address. */
static const struct listener *find_now(const struct listeners *now,
                                       const struct hot_inspect_fd *earlier)
{
        const struct listener *found = NULL;

        for (size_t i = 0; i < now->n; i++) {
                if (is_same_socket(now->items[i].row, earlier))
                        return &now->items[i];
                if (compare_addresses(now->items[i].row, earlier) == 0)
                        found = &now->items[i];
        }
        return found;
}

static void compare_with(struct hot__check *check, const struct listeners *now,
                         const struct listener *then)
{
        const struct listener *found = find_now(now, then->row);
        const struct hot_inspect *still = hot__check_same_process(check->snapshot, then->inspect);
        char who[HOT__WHO_MAX], other[HOT__WHO_MAX];

        hot__check_who(then->inspect, who);
        if (!found)
                hot__check_add(check, HOT_FINDING_LISTENER_LOST, HOT_FINDING_ERROR,
                               still ? still : then->inspect, -1,
                               "nobody listens on %s any more, where %s did", then->row->local,
                               who);
        else if (!is_same_socket(found->row, then->row) && !still &&
                 hot__check_wants(check, found->inspect))
                hot__check_add(
                        check, HOT_FINDING_LISTENER_REBOUND, HOT_FINDING_ERROR, found->inspect,
                        found->row->fd,
                        "%s listens on %s with another socket (descriptor %d) than %s, which "
                        "is gone: what waited in the old one's queue was reset",
                        hot__check_who(found->inspect, other), then->row->local, found->row->fd,
                        who);
}

static void check_earlier(struct hot__check *check, const struct listeners *now)
{
        struct listeners then = {0};
        uint64_t last = 0;

        if (collect(check->before, &then) < 0) {
                check->error = -ENOMEM;
                return;
        }
        qsort(then.items, then.n, sizeof(struct listener), by_socket);
        for (size_t i = 0; i < then.n; i++) {
                if (then.items[i].row->inode != last &&
                    hot__check_wants(check, then.items[i].inspect))
                        compare_with(check, now, &then.items[i]);
                last = then.items[i].row->inode;
        }
        free(then.items);
}

void hot__check_listeners(struct hot__check *check)
{
        struct listeners all = {0};

        check->error = collect(check->snapshot, &all);
        if (check->error < 0)
                return;
        if (all.n > 1) {
                check_generations(check, &all);
                check_outside(check, &all);
        }
        if (check->before)
                check_earlier(check, &all);
        free(all.items);
}
