/* SPDX-License-Identifier: MIT */
#ifndef HOT_CLI_PROCESS_H
#define HOT_CLI_PROCESS_H

/*
 * What /proc tells about a process that may be a server: whose it is, how it is called in its own PID
 * namespace, which root directory it sees.
 */

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct process {
        pid_t pid;       /* ours */
        pid_t inner_pid; /* in its own namespace */
        uid_t uid;       /* effective, as we see it */
        bool has_ended;  /* nobody has reaped it yet */
        int root; /* owned: its root directory, or AT_FDCWD if that is ours, or none of our business */
        char runtime[PATH_MAX]; /* its XDG_RUNTIME_DIR at the start; "" */
};

/* Returns 0, -ESRCH (there is none, or it has ended) or another negative errno. */
int process_read(pid_t pid, struct process *ret);

void process_done(struct process *process);

#endif
