/* SPDX-License-Identifier: MIT */
/*
 * Reading a snapshot: which processes, which of their descriptors, how much of each. What is not wanted is
 * left as early as possible: a process after its identity, a descriptor after its number, a row after its
 * kind. Sockets come last, all at once, since the kernel tells what they are in one dump.
 *
 * A process that ends meanwhile is left out; one whose descriptors are not for us to see stays, without
 * rows, and is a gap.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <hotstart/inspect.h>

#include "descriptions.h"
#include "generations.h"
#include "maps.h"
#include "proc.h"
#include "snapshot.h"
#include "sockets.h"
#include "table.h"

static int set_identity(struct hot_inspect *inspect, const struct hot__proc *process)
{
        struct hot_inspect_process *public = &inspect->public;

        public->name =
                hot__arena_copy(&inspect->snapshot->arena, process->name, strlen(process->name));
        if (!public->name)
                return -ENOMEM;
        public->parent = process->parent;
        public->group = process->group;
        public->session = process->session;
        public->uid = process->uid;
        public->state = process->state;
        public->n_threads = process->n_threads;
        public->start = process->start;
        inspect->stack = process->stack;
        return 0;
}

/* Complete one row, or drop it. Returns 0, what the query returned, or a negative errno. */
static int read_row(struct hot_inspect *inspect, const struct hot__table *table,
                    const struct hot_inspect_query *query, struct hot__row *row)
{
        unsigned int details = query->details;
        int r = hot__table_look(table, row);

        if (r == 0 && query->want_row) {
                r = query->want_row(&inspect->public, &row->public, &details, query->data);
                r = r == 0 ? -ESRCH : r < 0 ? r : 0;
        }
        if (r == 0)
                r = hot__table_read(table, row, details);
        if (r == 0 && row->public.error < 0)
                r = hot__snapshot_add_gap(inspect->snapshot, inspect->public.pid, row->public.fd,
                                          row->public.step, row->public.error);
        return r;
}

/* -ESRCH of a step means that the descriptor was closed meanwhile, or is not wanted: no row. */
static int add_row(struct hot_inspect *inspect, const struct hot__table *table,
                   const struct hot_inspect_query *query, int role, int fd)
{
        struct hot__row *row = hot__snapshot_add_row(inspect);
        int r;

        if (!row)
                return -ENOMEM;
        row->public.fd = fd;
        row->public.role = role;
        r = read_row(inspect, table, query, row);
        if (r == 0)
                return 0;
        hot__row_done(row);
        inspect->n_rows--;
        return r == -ESRCH ? 0 : r;
}

static bool is_read(const struct hot_inspect *inspect, const struct hot__map *map)
{
        for (size_t i = 0; i < inspect->n_rows; i++)
                if (inspect->rows[i].public.role >= HOT_INSPECT_PROGRAM &&
                    inspect->rows[i].public.inode == map->inode &&
                    inspect->rows[i].public.device == map->device)
                        return true;
        return false;
}

static void describe_map(const struct hot__mapped_file *file, struct hot__row *row)
{
        struct hot_inspect_fd *public = &row->public;

        public->mode = file->mode;
        public->links = file->links;
        public->size = file->size;
        public->raw_device = file->raw_device;
        public->deleted = file->mode == 0 && hot__maps_is_deleted(file->path);
}

static int add_map(struct hot_inspect *inspect, const struct hot_inspect_query *query,
                   const struct hot__map *map)
{
        struct hot_snapshot *snapshot = inspect->snapshot;
        const struct hot__mapped_file *file =
                hot__mapped_find(&snapshot->mapped, &snapshot->arena, map);
        struct hot__row *row = file ? hot__snapshot_add_row(inspect) : NULL;
        unsigned int details = query->details;
        int r = 1;

        if (!row)
                return -ENOMEM;
        row->public.role = HOT_INSPECT_MAPPED;
        row->public.kind = HOT_INSPECT_FILE;
        row->public.device = map->device;
        row->public.inode = map->inode;
        row->public.target = file->path;
        if (query->want_row)
                r = query->want_row(&inspect->public, &row->public, &details, query->data);
        if (r > 0) {
                describe_map(file, row);
                row->public.details = details;
                return 0;
        }
        inspect->n_rows--;
        return r;
}

static int read_maps(struct hot_inspect *inspect, const struct hot__proc *process,
                     const struct hot_inspect_query *query)
{
        struct hot__map map;
        char *text, *rest;
        size_t len;
        int r = hot__proc_read(process, "maps", &text, &len);

        if (r == -EACCES || r == -EPERM)
                return hot__snapshot_add_gap(inspect->snapshot, process->pid, -1, "maps", r);
        if (r < 0)
                return r;
        rest = text;
        while (r == 0 && hot__maps_next(&rest, &map) > 0)
                if (!is_read(inspect, &map))
                        r = add_map(inspect, query, &map);
        free(text);
        return r;
}

static int read_files(struct hot_inspect *inspect, const struct hot__table *table,
                      const struct hot_inspect_query *query)
{
        static const int roles[] = {HOT_INSPECT_CWD, HOT_INSPECT_ROOT, HOT_INSPECT_PROGRAM};
        int r = 0;

        for (size_t i = 0; r == 0 && i < sizeof(roles) / sizeof(*roles); i++)
                r = add_row(inspect, table, query, roles[i], -1);
        if (r == 0)
                r = read_maps(inspect, table->process, query);
        inspect->n_files = inspect->n_rows;
        return r;
}

static int read_numbers(struct hot_inspect *inspect, struct hot__table *table,
                        const struct hot_inspect_query *query)
{
        int fd, r, wanted;

        while ((r = hot__table_next(table, &fd)) > 0) {
                if (table->is_self && hot__ahead_is(&inspect->snapshot->ahead, fd))
                        continue;
                wanted = query->want_number ? query->want_number(&inspect->public, fd, query->data)
                                            : 1;
                if (wanted > 0)
                        wanted = add_row(inspect, table, query, HOT_INSPECT_DESCRIPTOR, fd);
                if (wanted < 0)
                        return wanted;
        }
        return r;
}

/* Once its memory is gone, a dying process is nobody's to read but root's: then it has no table, and is not
 * one that is hidden from us. */
static int forbidden(struct hot_inspect *inspect, const struct hot__proc *process, int error)
{
        int r = hot__proc_check(process);

        if (r < 0)
                return r;
        inspect->public.error = error;
        return hot__snapshot_add_gap(inspect->snapshot, process->pid, -1, "opendir", error);
}

static int read_table(struct hot_inspect *inspect, const struct hot__proc *process,
                      const struct hot_inspect_query *query)
{
        struct hot_snapshot *snapshot = inspect->snapshot;
        struct hot__table table;
        int r = hot__table_open(process, &snapshot->arena, &snapshot->devices, &table);
        int error = r;

        if (error == -EACCES || error == -EPERM)
                r = forbidden(inspect, process, error);
        if (r == 0 && (query->details & HOT_INSPECT_FILES))
                r = read_files(inspect, &table, query);
        if (r == 0 && error == 0)
                r = read_numbers(inspect, &table, query);
        hot__table_done(&table);
        /* Of a process that ends meanwhile only the rows so far are there, and nothing says so. */
        return r < 0 ? r : hot__proc_check(process);
}

/* How many descriptors there are anybody may ask: it is the size of their directory. */
static size_t count_open(const struct hot__proc *process)
{
        struct stat st;

        return fstatat(process->fd, "fd", &st, 0) == 0 ? (size_t)st.st_size : 0;
}

static int read_wanted(struct hot_inspect *inspect, const struct hot__proc *process,
                       const struct hot_inspect_query *query)
{
        int r = set_identity(inspect, process), wanted = 1;

        if (r == 0 && query->want_process)
                wanted = query->want_process(&inspect->public, query->data);
        if (r < 0 || wanted <= 0)
                return r < 0 ? r : wanted < 0 ? wanted : -ESRCH;
        if (process->error < 0) {
                inspect->public.error = process->error;
                return hot__snapshot_add_gap(inspect->snapshot, process->pid, -1, "open",
                                             process->error);
        }
        inspect->public.n_open = count_open(process);
        r = query->want_number || query->want_row
                    ? 0
                    : hot__snapshot_reserve(inspect, inspect->public.n_open);
        if (r == 0 && !query->want_number && (query->details & HOT_INSPECT_ADDRESSES))
                hot__ahead_expect(&inspect->snapshot->ahead, inspect->public.n_open);
        return r < 0 ? r : read_table(inspect, process, query);
}

static int read_process(struct hot_snapshot *snapshot, const struct hot_inspect_query *query,
                        pid_t pid)
{
        struct hot_inspect *inspect = hot__snapshot_add(snapshot, pid);
        struct hot__proc process;
        int r;

        if (!inspect)
                return -ENOMEM;
        r = hot__proc_open(pid, &process);
        if (r == 0) {
                r = read_wanted(inspect, &process, query);
                hot__proc_done(&process);
        }
        if (r < 0)
                hot__snapshot_drop_last(snapshot);
        return r;
}

/* /proc may be mounted so that the processes of others are not even there (hidepid=2): signals know better. */
static bool is_hidden(pid_t pid)
{
        char path[32];
        struct stat st;

        if (pid <= 0 || (kill(pid, 0) < 0 && errno != EPERM))
                return false;
        snprintf(path, sizeof(path), "/proc/%d", pid);
        return stat(path, &st) < 0 && errno == ENOENT;
}

/* A number that was asked for and is none is for the caller to notice. */
static int read_processes(struct hot_snapshot *snapshot, const struct hot_inspect_query *query,
                          const pid_t *pids, size_t n)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++) {
                r = read_process(snapshot, query, pids[i]);
                if (r == -ESRCH && query->n_pids > 0 && is_hidden(pids[i]))
                        r = -EACCES;
                if (r == -ESRCH)
                        r = 0;
                if (r == -EACCES || r == -EPERM)
                        r = hot__snapshot_add_gap(snapshot, pids[i], -1, "open", r);
        }
        return r;
}

static int read_all(struct hot_snapshot *snapshot, const struct hot_inspect_query *query)
{
        size_t n;
        pid_t *pids;
        int r;

        if (query->n_pids > 0)
                return read_processes(snapshot, query, query->pids, query->n_pids);
        r = hot_inspect_processes(&pids, &n);
        if (r < 0)
                return r;
        r = read_processes(snapshot, query, pids, n);
        free(pids);
        /* There is always a process 1: if it is hidden, so are others. */
        if (r == 0 && is_hidden(1))
                r = hot__snapshot_add_gap(snapshot, 0, -1, "hidepid", -EACCES);
        return r;
}

int hot_snapshot_read(const struct hot_inspect_query *query, struct hot_snapshot **ret_snapshot)
{
        struct hot_inspect_query all = {.size = sizeof(all)};
        struct hot_snapshot *snapshot;
        int r;

        if (!query || query->size < sizeof(query->size) || query->size > sizeof(all))
                return -EINVAL;
        memcpy(&all, query, query->size);
        if (all.details & HOT_INSPECT_GENERATIONS)
                all.details |= HOT_INSPECT_LISTENERS;
        snapshot = hot__snapshot_new();
        if (!snapshot)
                return -ENOMEM;
        r = read_all(snapshot, &all);
        hot__snapshot_sort(snapshot);
        if (r == 0)
                r = hot__sockets_describe(snapshot, all.details);
        hot__ahead_done(&snapshot->ahead);
        if (r == 0 && (all.details & HOT_INSPECT_GENERATIONS))
                r = hot__generations_find(snapshot);
        if (r == 0 && (all.details & HOT_INSPECT_DESCRIPTIONS))
                r = hot__descriptions_number(snapshot);
        if (r < 0) {
                hot_snapshot_free(snapshot);
                return r;
        }
        *ret_snapshot = snapshot;
        return 0;
}

int hot_snapshot_listeners(struct hot_snapshot **ret_snapshot)
{
        struct hot_snapshot *snapshot = hot__snapshot_new();
        struct hot_inspect *nobody = snapshot ? hot__snapshot_add(snapshot, 0) : NULL;
        int r = nobody ? hot__sockets_list(nobody) : -ENOMEM;

        if (r < 0) {
                hot_snapshot_free(snapshot);
                return r;
        }
        *ret_snapshot = snapshot;
        return 0;
}
