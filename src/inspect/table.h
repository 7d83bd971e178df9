/* SPDX-License-Identifier: MIT */
#ifndef HOT_INSPECT_TABLE_H
#define HOT_INSPECT_TABLE_H

/*
 * A process' descriptor table, one descriptor after the other, and one step after the other: its number, what
 * it is, and what else is asked for.
 */

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>

#include "arena.h"
#include "proc.h"
#include "row.h"

/* The file systems that sockets and pipes are on, once one was seen: the kernel's name for another can then
 * be told from its inode, without asking for it. 0: not known yet. */
struct hot__devices {
        uint64_t sockets, pipes;
};

#define HOT__TABLE_ENTRIES 16384 /* bytes of a directory that are read at a time */

struct hot__table {
        const struct hot__proc *process; /* borrowed */
        struct hot__arena *arena;        /* borrowed: for the texts of rows */
        struct hot__devices *devices;    /* borrowed */
        int directory;  /* owned: /proc/PID/fd; -EBADF if it is not for us to see */
        bool is_self;   /* of our own process */
        size_t at, len; /* in entries: the next one, and where they end */
        _Alignas(struct dirent64) char entries[HOT__TABLE_ENTRIES];
};

/*
 * Returns 0, -ESRCH, -EACCES or another negative errno. @process must outlive the table. On any error but
 * -ESRCH the table is there all the same, without descriptors: its files may be for us to see.
 */
int hot__table_open(const struct hot__proc *process, struct hot__arena *arena,
                    struct hot__devices *devices, struct hot__table *ret);

void hot__table_done(struct hot__table *table);

/* The next descriptor's number. Returns 1, 0 at the end, or a negative errno. */
int hot__table_next(struct hot__table *table, int *ret_fd);

/* The kernel's name for what a descriptor refers to. Returns 0, -ESRCH (closed meanwhile) or another
 * negative errno. */
int hot__table_target(const struct hot__table *table, int fd, char target[PATH_MAX]);

/*
 * What the row, of which role and number are set, refers to: kind, device, inode, mode, size. What could not
 * be read is in its error. Returns 0, -ESRCH (closed meanwhile) or -ENOMEM.
 */
int hot__table_look(const struct hot__table *table, struct hot__row *row);

/* After that, the rest: @details is a set of enum hot_inspect_detail. Returns as hot__table_look(). */
int hot__table_read(const struct hot__table *table, struct hot__row *row, unsigned int details);

#endif
