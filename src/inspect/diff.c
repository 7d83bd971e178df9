/* SPDX-License-Identifier: MIT */
/*
 * Two snapshots side by side. A socket is recognised by its cookie, which is never given again; a file by
 * device, inode and kind, which says that it is the same file but not the same description. What shares its
 * inode with all of its kind is the same only under the same number of the same process.
 *
 * Rows of the later snapshot are looked up in a table of the earlier one's, so that two snapshots of many
 * descriptors take time in proportion to their number.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "findings.h"

struct entry {
        const struct hot_inspect *inspect;
        const struct hot_inspect_fd *row;
        bool kept; /* its process has it still, under its number */
        bool left; /* somebody has it still */
};

struct comparison {
        const struct hot_snapshot *before, *after; /* borrowed */
        struct entry *entries;                     /* owned: the rows of before, by identity */
        size_t n;
};

/* Kinds with an inode of their own. */
static bool has_identity(const struct hot_inspect_fd *row)
{
        switch (row->kind) {
        case HOT_INSPECT_EPOLL:
        case HOT_INSPECT_EVENTFD:
        case HOT_INSPECT_TIMERFD:
        case HOT_INSPECT_SIGNALFD:
        case HOT_INSPECT_INOTIFY:
        case HOT_INSPECT_IO_URING:
        case HOT_INSPECT_ANONYMOUS:
        case HOT_INSPECT_UNKNOWN:
                return false;
        }
        return true;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
        return (a > b) - (a < b);
}

/* 0: one file, as far as it can be recognised. */
static int compare_files(const struct hot_inspect_fd *x, const struct hot_inspect_fd *y)
{
        int r = compare_numbers(x->inode, y->inode);

        if (r == 0)
                r = compare_numbers(x->device, y->device);
        if (r == 0)
                r = x->kind - y->kind;
        if (r == 0)
                r = compare_numbers(x->cookie, y->cookie);
        return r != 0 ? r : x->access - y->access;
}

static int compare_entries(const void *a, const void *b)
{
        const struct entry *x = a, *y = b;
        int r = compare_files(x->row, y->row);

        if (r == 0)
                r = x->inspect->public.pid - y->inspect->public.pid;
        return r != 0 ? r : x->row->fd - y->row->fd;
}

static int collect(struct comparison *comparison)
{
        size_t n = 0;

        for (size_t i = 0; i < comparison->before->n_processes; i++)
                n += comparison->before->processes[i]->n_rows;
        comparison->entries = calloc(n + 1, sizeof(struct entry));
        if (!comparison->entries)
                return -ENOMEM;
        for (size_t i = 0; i < comparison->before->n_processes; i++) {
                const struct hot_inspect *inspect = comparison->before->processes[i];

                for (size_t k = inspect->n_files; k < inspect->n_rows; k++)
                        comparison->entries[comparison->n++] =
                                (struct entry){inspect, &inspect->rows[k].public, false, false};
        }
        if (comparison->n > 1)
                qsort(comparison->entries, comparison->n, sizeof(struct entry), compare_entries);
        return 0;
}

/* The first entry that is this file, or where it would be. */
static size_t find_file(const struct comparison *comparison, const struct hot_inspect_fd *row)
{
        size_t low = 0, high = comparison->n, middle;

        while (low < high) {
                middle = low + (high - low) / 2;
                if (compare_files(comparison->entries[middle].row, row) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static bool is_same_process(const struct hot_inspect *a, const struct hot_inspect *b)
{
        return a->public.pid == b->public.pid && a->public.start == b->public.start;
}

/* The same number of the same process, if it is the same file; else any other holder of the file. */
static struct entry *find_entry(const struct comparison *comparison,
                                const struct hot_inspect *inspect, const struct hot_inspect_fd *row)
{
        struct entry *found = NULL;

        for (size_t i = find_file(comparison, row);
             i < comparison->n && compare_files(comparison->entries[i].row, row) == 0; i++) {
                struct entry *entry = &comparison->entries[i];

                if (is_same_process(entry->inspect, inspect) && entry->row->fd == row->fd)
                        return entry;
                if (has_identity(row) && !found)
                        found = entry;
        }
        return found;
}

/* A listener of @snapshot on the same address. */
static const struct hot_inspect_fd *find_address(const struct hot_snapshot *snapshot,
                                                 const struct hot_inspect_fd *row,
                                                 const struct hot_inspect **ret_inspect)
{
        for (size_t i = 0; row->listening && i < snapshot->n_processes; i++)
                for (size_t k = 0; k < snapshot->processes[i]->n_rows; k++) {
                        const struct hot_inspect_fd *other =
                                &snapshot->processes[i]->rows[k].public;

                        if (other->listening && other->kind == row->kind &&
                            other->netns == row->netns && strcmp(other->local, row->local) == 0) {
                                *ret_inspect = snapshot->processes[i];
                                return other;
                        }
                }
        return NULL;
}

static struct hot_difference compare_row(const struct comparison *comparison,
                                         const struct hot_inspect *inspect,
                                         const struct hot_inspect_fd *row)
{
        struct hot_difference difference = {
                .change = HOT_CHANGE_NEW, .process = &inspect->public, .after = row};
        struct entry *entry = find_entry(comparison, inspect, row);
        const struct hot_inspect *other;
        const struct hot_inspect_fd *rebound;

        if (entry) {
                bool kept = is_same_process(entry->inspect, inspect) && entry->row->fd == row->fd;

                entry->left = true;
                entry->kept |= kept;
                difference.change = kept ? HOT_CHANGE_NONE : HOT_CHANGE_INHERITED;
                difference.process_before = &entry->inspect->public;
                difference.before = entry->row;
                return difference;
        }
        rebound = find_address(comparison->before, row, &other);
        if (rebound) {
                difference.change = HOT_CHANGE_REBOUND;
                difference.process_before = &other->public;
                difference.before = rebound;
        }
        return difference;
}

/* Closed by a process that goes on; or open nowhere any more, if the process is gone. */
static bool is_gone(const struct comparison *comparison, const struct entry *entry)
{
        if (entry->kept)
                return false;
        if (hot__check_same_process(comparison->after, entry->inspect))
                return true;
        for (size_t i = find_file(comparison, entry->row);
             has_identity(entry->row) && i < comparison->n &&
             compare_files(comparison->entries[i].row, entry->row) == 0;
             i++)
                if (comparison->entries[i].left)
                        return false;
        return true;
}

static int report_gone(const struct comparison *comparison,
                       int (*fn)(const struct hot_difference *, void *), void *data)
{
        int r = 0;

        for (size_t i = 0; i < comparison->n && r >= 0; i++) {
                const struct entry *entry = &comparison->entries[i];

                if (is_gone(comparison, entry))
                        r = fn(&(struct hot_difference){.change = HOT_CHANGE_GONE,
                                                        .process_before = &entry->inspect->public,
                                                        .before = entry->row},
                               data);
        }
        return r < 0 ? r : 0;
}

static int report_rows(const struct comparison *comparison, const struct hot_inspect *inspect,
                       int (*fn)(const struct hot_difference *, void *), void *data)
{
        struct hot_difference difference;
        int r = 0;

        for (size_t i = inspect->n_files; i < inspect->n_rows && r >= 0; i++) {
                difference = compare_row(comparison, inspect, &inspect->rows[i].public);
                r = fn(&difference, data);
        }
        return r < 0 ? r : 0;
}

int hot_snapshot_diff(const struct hot_snapshot *before, const struct hot_snapshot *after,
                      int (*fn)(const struct hot_difference *difference, void *data), void *data)
{
        struct comparison comparison = {.before = before, .after = after};
        int r = collect(&comparison);

        if (r < 0)
                return r;
        for (size_t i = 0; i < after->n_processes && r == 0; i++)
                r = report_rows(&comparison, after->processes[i], fn, data);
        if (r == 0)
                r = report_gone(&comparison, fn, data);
        free(comparison.entries);
        return r;
}
