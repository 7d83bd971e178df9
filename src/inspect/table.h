/* SPDX-License-Identifier: MIT */
#ifndef HOT_INSPECT_TABLE_H
#define HOT_INSPECT_TABLE_H

/*
 * A process' descriptor table, one descriptor after the other.
 */

#include <dirent.h>
#include <limits.h>

#include "proc.h"
#include "row.h"

struct hot__table {
        const struct hot__proc *process; /* borrowed */
        DIR *directory;                  /* owned: /proc/PID/fd */
};

/* Returns 0, -ESRCH, -EACCES or another negative errno. @process must outlive the table. */
int hot__table_open(const struct hot__proc *process, struct hot__table *ret);

void hot__table_done(struct hot__table *table);

/*
 * The next descriptor and the kernel's name for what it refers to. Returns 1, 0 at the end, or a negative
 * errno. A descriptor that was closed meanwhile is passed over.
 */
int hot__table_next(struct hot__table *table, int *ret_fd, char target[PATH_MAX]);

/*
 * Everything about one descriptor. Gives a row, for hot__row_done(). Returns 0, -ESRCH (closed meanwhile)
 * or another negative errno.
 */
int hot__table_read(const struct hot__table *table, int fd, const char *target,
                    struct hot__row *ret_row);

#endif
