/* SPDX-License-Identifier: MIT */
/*
 * The container: processes in ascending order of pid, their rows in ascending order of number, and what
 * could not be read.
 */
#include "snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct hot_snapshot *hot__snapshot_new(void)
{
        return calloc(1, sizeof(struct hot_snapshot));
}

static void free_process(struct hot_inspect *inspect)
{
        for (size_t i = 0; i < inspect->n_rows; i++)
                hot__row_done(&inspect->rows[i]);
        free(inspect->rows);
        free(inspect);
}

void hot_snapshot_free(struct hot_snapshot *snapshot)
{
        if (!snapshot)
                return;
        for (size_t i = 0; i < snapshot->n_processes; i++)
                free_process(snapshot->processes[i]);
        free(snapshot->processes);
        free(snapshot->gaps);
        hot__ahead_done(&snapshot->ahead);
        hot__mapped_done(&snapshot->mapped);
        hot__arena_done(&snapshot->arena);
        free(snapshot);
}

struct hot_inspect *hot__snapshot_add(struct hot_snapshot *snapshot, pid_t pid)
{
        struct hot_inspect **larger, *inspect;

        larger = hot__row_grow(snapshot->processes, snapshot->n_processes, sizeof(*larger));
        if (!larger)
                return NULL;
        snapshot->processes = larger;
        inspect = calloc(1, sizeof(*inspect));
        if (!inspect)
                return NULL;
        inspect->public.pid = pid;
        inspect->public.name = inspect->public.program = "";
        inspect->snapshot = snapshot;
        snapshot->processes[snapshot->n_processes++] = inspect;
        return inspect;
}

void hot__snapshot_drop_last(struct hot_snapshot *snapshot)
{
        free_process(snapshot->processes[--snapshot->n_processes]);
}

int hot__snapshot_reserve(struct hot_inspect *inspect, size_t n)
{
        struct hot__row *larger;

        if (n <= inspect->room)
                return 0;
        larger = reallocarray(inspect->rows, n, sizeof(*larger));
        if (!larger)
                return -ENOMEM;
        inspect->rows = larger;
        inspect->room = n;
        return 0;
}

struct hot__row *hot__snapshot_add_row(struct hot_inspect *inspect)
{
        if (inspect->n_rows == inspect->room &&
            hot__snapshot_reserve(inspect, inspect->room ? inspect->room * 2 : 32) < 0)
                return NULL;
        hot__row_init(&inspect->rows[inspect->n_rows], -1, "");
        return &inspect->rows[inspect->n_rows++];
}

int hot__snapshot_add_gap(struct hot_snapshot *snapshot, pid_t pid, int fd, const char *step,
                          int error)
{
        struct hot_inspect_gap *larger;

        larger = hot__row_grow(snapshot->gaps, snapshot->n_gaps, sizeof(*larger));
        if (!larger)
                return -ENOMEM;
        snapshot->gaps = larger;
        snapshot->gaps[snapshot->n_gaps++] = (struct hot_inspect_gap){pid, fd, step, error};
        return 0;
}

static int compare_rows(const void *a, const void *b)
{
        const struct hot__row *x = a, *y = b;

        return (x->public.fd > y->public.fd) - (x->public.fd < y->public.fd);
}

static int compare_processes(const void *a, const void *b)
{
        const struct hot_inspect *const *x = a, *const *y = b;

        return ((*x)->public.pid > (*y)->public.pid) - ((*x)->public.pid < (*y)->public.pid);
}

/* The rows without a number keep the order in which they were read. Most tables come sorted already. */
static void sort_rows(struct hot_inspect *inspect)
{
        struct hot__row *rows = inspect->rows + inspect->n_files;
        size_t n = inspect->n_rows - inspect->n_files;

        for (size_t i = 1; i < n; i++)
                if (compare_rows(&rows[i - 1], &rows[i]) > 0) {
                        qsort(rows, n, sizeof(*rows), compare_rows);
                        return;
                }
}

void hot__snapshot_sort(struct hot_snapshot *snapshot)
{
        if (snapshot->n_processes > 1)
                qsort(snapshot->processes, snapshot->n_processes, sizeof(struct hot_inspect *),
                      compare_processes);
        for (size_t i = 0; i < snapshot->n_processes; i++)
                if (snapshot->processes[i]->n_rows > 1)
                        sort_rows(snapshot->processes[i]);
}

size_t hot_snapshot_count(const struct hot_snapshot *snapshot)
{
        return snapshot->n_processes;
}

const struct hot_inspect *hot_snapshot_at(const struct hot_snapshot *snapshot, size_t index)
{
        return index < snapshot->n_processes ? snapshot->processes[index] : NULL;
}

const struct hot_inspect *hot_snapshot_find(const struct hot_snapshot *snapshot, pid_t pid)
{
        size_t low = 0, high = snapshot->n_processes, middle;

        while (low < high) {
                middle = low + (high - low) / 2;
                if (snapshot->processes[middle]->public.pid < pid)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low < snapshot->n_processes && snapshot->processes[low]->public.pid == pid
                       ? snapshot->processes[low]
                       : NULL;
}

static void filter_process(struct hot_inspect *inspect,
                           int (*keep)(const struct hot_inspect_process *,
                                       const struct hot_inspect_fd *, void *),
                           void *data)
{
        size_t kept = 0, files = 0;

        for (size_t i = 0; i < inspect->n_rows; i++) {
                if (!keep(&inspect->public, &inspect->rows[i].public, data)) {
                        hot__row_done(&inspect->rows[i]);
                        continue;
                }
                files += i < inspect->n_files;
                inspect->rows[kept++] = inspect->rows[i];
        }
        inspect->n_rows = kept;
        inspect->n_files = files;
}

void hot_snapshot_filter(struct hot_snapshot *snapshot,
                         int (*keep)(const struct hot_inspect_process *process,
                                     const struct hot_inspect_fd *row, void *data),
                         void *data)
{
        for (size_t i = 0; i < snapshot->n_processes; i++)
                filter_process(snapshot->processes[i], keep, data);
}

const struct hot_inspect_gap *hot_snapshot_gap(const struct hot_snapshot *snapshot, size_t index)
{
        return index < snapshot->n_gaps ? &snapshot->gaps[index] : NULL;
}
