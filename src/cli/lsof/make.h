/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_MAKE_H
#define HOT_LSOF_MAKE_H

/*
 * Making lsof's row of what the inspector read: type, device, size, node and name of each kind of file.
 */

#include <hotstart/inspect.h>

#include "locks.h"
#include "request.h"
#include "row.h"
#include "sockets.h"

struct lsof_maker {
        struct lsof_request *request;
        struct lsof_locks locks;
        struct lsof_sockets sockets;
        pid_t netns_pid; /* whose network namespace was looked at last */
        uint64_t netns;  /* what that is, if another one than ours; else 0 */
};

/* What must be read of a file beyond what it is. */
unsigned int lsof_make_details(struct lsof_maker *maker, const struct hot_inspect_fd *file);

/* Gives a row, for lsof_row_done(). */
void lsof_make_row(struct lsof_maker *maker, const struct hot_inspect_process *process,
                   const struct hot_inspect_fd *file, struct lsof_row *ret_row);

/* Of a process whose descriptors cannot be listed. */
void lsof_make_unlisted(const struct hot_inspect_process *process, struct lsof_row *ret_row);

/* The program of a process that has none: a kernel thread. */
void lsof_make_no_program(const struct hot_inspect_process *process, struct lsof_row *ret_row);

/* A socket's columns; @row has its access and number. */
void lsof_make_socket(struct lsof_maker *maker, const struct hot_inspect_process *process,
                      const struct hot_inspect_fd *file, struct lsof_row *row);

#endif
