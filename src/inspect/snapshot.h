/* SPDX-License-Identifier: MIT */
#ifndef HOT_INSPECT_SNAPSHOT_H
#define HOT_INSPECT_SNAPSHOT_H

/*
 * A snapshot from inside: processes, their rows, and the memory that both point into.
 */

#include <stdbool.h>

#include <hotstart/inspect.h>

#include "ahead.h"
#include "arena.h"
#include "mapped.h"
#include "row.h"
#include "table.h"

struct hot_inspect {
        struct hot_inspect_process public;
        struct hot_snapshot *snapshot; /* borrowed: the one it belongs to */
        struct hot__row *rows;         /* owned; they do not move any more once they are all read */
        size_t n_rows, room;
        size_t n_files; /* how many of the rows, which come first, have no number */
        /* Where its stack begins: the same in a process that was forked from it and has not executed a
         * program since; 0 or 1 if that is not for us to see. */
        uint64_t stack;
        bool announced; /* its environment says that it was started to take listeners over */
};

struct hot_snapshot {
        struct hot__arena arena;
        struct hot_inspect **processes; /* owned, as each of them */
        size_t n_processes, room;
        struct hot_inspect_gap *gaps; /* owned */
        size_t n_gaps;
        struct hot__devices devices;
        struct hot__ahead ahead;
        struct hot__mapped mapped;
};

struct hot_snapshot *hot__snapshot_new(void);

/* A process without rows, at the end. Returns NULL if there is no memory. */
struct hot_inspect *hot__snapshot_add(struct hot_snapshot *snapshot, pid_t pid);

/* Take back the one that was added last. */
void hot__snapshot_drop_last(struct hot_snapshot *snapshot);

/* Make room for so many rows. Returns 0 or -ENOMEM. */
int hot__snapshot_reserve(struct hot_inspect *inspect, size_t n);

/* An empty row at the end of a process', or NULL. */
struct hot__row *hot__snapshot_add_row(struct hot_inspect *inspect);

/* Note that something could not be read. @step is a constant. Returns 0 or -ENOMEM. */
int hot__snapshot_add_gap(struct hot_snapshot *snapshot, pid_t pid, int fd, const char *step,
                          int error);

/* Into ascending order of pid, and each process' rows of number. */
void hot__snapshot_sort(struct hot_snapshot *snapshot);

#endif
