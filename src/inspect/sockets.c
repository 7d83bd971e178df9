/* SPDX-License-Identifier: MIT */
/*
 * A table of the rows that are sockets, by inode, and the kernel's dumps looked up in it: one pass over each
 * dump, whatever the number of rows. Dumps are asked for in the order of their price, and only as long as a
 * row waits: a process with a listener and some UNIX sockets never makes the kernel walk its table of
 * established connections, which may have hundreds of thousands of buckets. And where only a few rows wait
 * they are asked one by one.
 *
 * A dump knows the sockets of one network namespace. Rows that are left after the dumps of ours are looked up
 * in the namespaces of their processes.
 */
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fd.h"
#include "fetch.h"
#include "namespace.h"
#include "socket.h"

/* The rows of one inode that wait. A dump has mostly sockets of others: what tells so fits a cache. */
struct slot {
        uint64_t inode; /* 0: nobody's */
        struct hot__row *waiting;
};

struct index {
        struct hot_snapshot *snapshot; /* borrowed */
        struct slot *slots;            /* owned; at least half of them are nobody's */
        size_t mask;                   /* how many there are, a power of two, less one */
        size_t n_waiting;
        uint64_t netns;  /* of the dump that is running */
        uint64_t cookie; /* of that namespace; 0: of none, what is fetched may be of any */
};

static bool is_waiting(const struct hot__row *row)
{
        return row->public.kind == HOT_INSPECT_SOCKET && row->public.inode != 0;
}

static bool wants(const struct hot__row *row, unsigned int details)
{
        return is_waiting(row) && (row->public.details & details);
}

/* That of an inode, or the one that it would have. */
static struct slot *slot_of(const struct index *index, uint64_t inode)
{
        /* Inodes of sockets are given out one after the other: their low bits spread well. */
        size_t at = inode & index->mask;

        while (index->slots[at].inode != 0 && index->slots[at].inode != inode)
                at = (at + 1) & index->mask;
        return &index->slots[at];
}

static size_t count_waiting(const struct hot_snapshot *snapshot, unsigned int details)
{
        size_t n = 0;

        for (size_t i = 0; i < snapshot->n_processes; i++)
                for (size_t k = 0; k < snapshot->processes[i]->n_rows; k++)
                        n += wants(&snapshot->processes[i]->rows[k], details);
        return n;
}

static void fill(struct index *index, struct hot_snapshot *snapshot, unsigned int details)
{
        struct hot__row *row;
        struct slot *slot;

        for (size_t i = 0; i < snapshot->n_processes; i++)
                for (size_t k = 0; k < snapshot->processes[i]->n_rows; k++) {
                        row = &snapshot->processes[i]->rows[k];
                        if (!wants(row, details))
                                continue;
                        slot = slot_of(index, row->public.inode);
                        slot->inode = row->public.inode;
                        row->next_socket = slot->waiting;
                        slot->waiting = row;
                }
}

static int note_socket(const struct hot__socket *socket, void *data)
{
        struct index *index = data;
        struct slot *slot = slot_of(index, socket->inode);
        struct hot__row *row;
        int r;

        while ((row = slot->waiting)) {
                r = hot__socket_describe(socket, row, &index->snapshot->arena);
                if (r < 0)
                        return r;
                row->public.netns = index->netns;
                slot->waiting = row->next_socket;
                index->n_waiting--;
        }
        return index->n_waiting == 0; /* then the rest of the dump is of no interest */
}

/* How many sockets are asked one by one, at 5 microseconds each: a walk over the kernel's tables takes 600 at
 * least, and some milliseconds when they are full. */
#define FEW 300

/* In the order of their price. Those of connections are for who asks for addresses; of the sets of states of one
 * kind only one fits a reading, or they are disjoint. */
static const struct {
        int kind;
        uint32_t states;
        unsigned int details; /* it is for any of these */
} dumps[] = {
        {HOT_INSPECT_UNIX, HOT__SOCKET_ANY_STATE, HOT_INSPECT_ADDRESSES},
        {HOT_INSPECT_UNIX, 1U << HOT__SOCKET_LISTEN, HOT_INSPECT_LISTENERS},
        {HOT_INSPECT_TCP, 1U << HOT__SOCKET_LISTEN, HOT_INSPECT_ADDRESSES | HOT_INSPECT_LISTENERS},
        {HOT_INSPECT_UDP, HOT__SOCKET_ANY_STATE, HOT_INSPECT_ADDRESSES},
        {HOT_INSPECT_TCP, HOT__SOCKET_CONNECTIONS, HOT_INSPECT_ADDRESSES},
};

#define N_DUMPS (sizeof(dumps) / sizeof(*dumps))

static bool has_waiting(const struct hot_inspect *inspect, unsigned int details)
{
        for (size_t i = 0; i < inspect->n_rows; i++)
                if (wants(&inspect->rows[i], details))
                        return true;
        return false;
}

/* No dump that is still to come has it: its rows wait no more. */
static int give_up(struct index *index, uint64_t inode)
{
        struct slot *slot = slot_of(index, inode);

        for (; slot->waiting; slot->waiting = slot->waiting->next_socket)
                index->n_waiting--;
        return 0;
}

/* Returns 0, or -EPERM and the like: then nothing of this process can be fetched. */
static int fetch_rows(struct index *index, const struct hot_inspect *inspect)
{
        CLEANUP(hot__fd_closep)
        int pidfd = (int)syscall(SYS_pidfd_open, inspect->public.pid, 0);
        struct hot__socket socket;
        int r = pidfd < 0 ? -errno : 0;

        for (size_t i = inspect->n_files; i < inspect->n_rows && r == 0; i++) {
                const struct hot_inspect_fd *row = &inspect->rows[i].public;

                if (!wants(&inspect->rows[i], HOT_INSPECT_ADDRESSES))
                        continue;
                r = hot__fetch_socket(pidfd, row->fd, row->inode, index->cookie, &socket);
                if (r == 0)
                        r = note_socket(&socket, index);
                else if (r == -EAFNOSUPPORT || r == -EBADF || r == -ESTALE)
                        r = give_up(index, row->inode);
                else if (r == -EAGAIN || r == -EXDEV)
                        r = 0; /* it waits for a dump, which may be of its own namespace */
        }
        return r < 0 ? r : 0;
}

/* What cannot be fetched (ptrace(2), a seccomp filter, a process that ended) waits for a dump. */
static int fetch_few(struct index *index)
{
        for (size_t i = 0; i < index->snapshot->n_processes && index->n_waiting > 0; i++)
                if (has_waiting(index->snapshot->processes[i], HOT_INSPECT_ADDRESSES) &&
                    fetch_rows(index, index->snapshot->processes[i]) == -ENOMEM)
                        return -ENOMEM;
        return 0;
}

/* Who asks for addresses gets listeners with them. */
static bool is_asked_for(size_t dump, unsigned int details)
{
        if (details & HOT_INSPECT_ADDRESSES)
                details = HOT_INSPECT_ADDRESSES;
        return (dumps[dump].details & details) != 0;
}

/* Few rows are fetched before any dump, or as soon as dumps have left few. */
static int run_dumps(struct index *index, int source, unsigned int details)
{
        bool fetched = index->cookie == 0 || !(details & HOT_INSPECT_ADDRESSES);
        int r = 0;

        for (size_t i = 0; i < N_DUMPS && r == 0 && index->n_waiting > 0; i++) {
                if (!is_asked_for(i, details))
                        continue;
                if (!fetched && index->n_waiting <= FEW) {
                        r = fetch_few(index);
                        fetched = true;
                }
                if (r == 0 && index->n_waiting > 0)
                        r = hot__socket_dump_from(source, dumps[i].kind, dumps[i].states,
                                                  note_socket, index);
        }
        return r;
}

/* What cannot be asked leaves rows undescribed, which the reader must learn; only memory is fatal. */
static int gap(struct hot_snapshot *snapshot, pid_t pid, const char *step, int error)
{
        return error == -ENOMEM ? error : hot__snapshot_add_gap(snapshot, pid, -1, step, error);
}

static int describe_ours(struct hot_snapshot *snapshot, struct index *index, unsigned int details)
{
        CLEANUP(hot__fd_closep) int source = hot__socket_source();
        int r = source;

        index->netns = hot__namespace_of_caller();
        index->cookie = source < 0 ? 0 : hot__fetch_namespace(source);
        if (source >= 0)
                r = hot__ahead_take(&snapshot->ahead, note_socket, index);
        if (source >= 0 && r >= 0)
                r = run_dumps(index, source, details);
        return r < 0 ? gap(snapshot, 0, "sock_diag", r) : 0;
}

/* Was this namespace asked already, for a process before this one? */
static bool is_asked(const struct hot_snapshot *snapshot, size_t before, uint64_t netns)
{
        for (size_t i = 0; i < before; i++)
                if (snapshot->processes[i]->public.netns == netns)
                        return true;
        return false;
}

/* A namespace that we may not enter: its sockets may be fetched all the same, if their process is ours. Which
 * namespace they are of is not known then. What is left is a gap. */
static int describe_from_outside(struct index *index, unsigned int details,
                                 struct hot_inspect *inspect, int error)
{
        int r = 0;

        index->netns = index->cookie = 0;
        if (details & HOT_INSPECT_ADDRESSES)
                r = fetch_rows(index, inspect);
        if (r == -ENOMEM || !has_waiting(inspect, details))
                return r == -ENOMEM ? r : 0;
        return gap(index->snapshot, inspect->public.pid, "setns", error);
}

static int describe_foreign(struct hot_snapshot *snapshot, struct index *index,
                            unsigned int details, size_t at)
{
        struct hot_inspect_process *process = &snapshot->processes[at]->public;
        CLEANUP(hot__fd_closep) int source = -EBADF;
        uint64_t netns;
        int r = hot__namespace_of(process->pid, &netns);

        if (r < 0)
                return r == -ESRCH ? 0 : gap(snapshot, process->pid, "namespace", r);
        process->netns = netns;
        if (netns == hot__namespace_of_caller() || is_asked(snapshot, at, netns))
                return 0;
        source = hot__namespace_socket(process->pid, netns);
        if (source < 0)
                return source == -ESRCH ? 0
                                        : describe_from_outside(index, details,
                                                                snapshot->processes[at], source);
        index->netns = netns;
        index->cookie = hot__fetch_namespace(source);
        r = run_dumps(index, source, details);
        return r < 0 ? gap(snapshot, process->pid, "sock_diag", r) : 0;
}

int hot__sockets_describe(struct hot_snapshot *snapshot, unsigned int details)
{
        struct index index = {.snapshot = snapshot, .mask = 63};
        int r;

        details &= HOT_INSPECT_ADDRESSES | HOT_INSPECT_LISTENERS;
        index.n_waiting = count_waiting(snapshot, details);
        if (index.n_waiting == 0)
                return 0;
        while (index.mask < index.n_waiting * 2)
                index.mask = index.mask * 2 + 1;
        index.slots = calloc(index.mask + 1, sizeof(*index.slots));
        if (!index.slots)
                return -ENOMEM;
        fill(&index, snapshot, details);
        r = describe_ours(snapshot, &index, details);
        for (size_t i = 0; r == 0 && index.n_waiting > 0 && i < snapshot->n_processes; i++)
                if (has_waiting(snapshot->processes[i], details))
                        r = describe_foreign(snapshot, &index, details, i);
        free(index.slots);
        return r;
}

static int list_socket(const struct hot__socket *socket, void *data)
{
        struct hot_inspect *inspect = data;
        struct hot__row *row = hot__snapshot_add_row(inspect);

        if (!row)
                return -ENOMEM;
        row->public.inode = socket->inode;
        row->public.access = O_RDWR;
        row->public.details = HOT_INSPECT_LISTENERS;
        row->public.netns = inspect->public.netns;
        return hot__socket_describe(socket, row, &inspect->snapshot->arena);
}

int hot__sockets_list(struct hot_inspect *inspect)
{
        CLEANUP(hot__fd_closep) int source = hot__socket_source();
        int r = source < 0 ? source : 0;

        inspect->public.netns = hot__namespace_of_caller();
        for (size_t i = 0; i < N_DUMPS && r == 0; i++)
                if (is_asked_for(i, HOT_INSPECT_LISTENERS))
                        r = hot__socket_dump_from(source, dumps[i].kind, dumps[i].states,
                                                  list_socket, inspect);
        return r;
}
