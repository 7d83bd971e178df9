/* SPDX-License-Identifier: MIT */
#ifndef HOT_CLI_TARGET_H
#define HOT_CLI_TARGET_H

/*
 * TARGET: which server is meant. The pid of any of its generations, a PID file, or its control socket.
 *
 * A pid leads to a control socket by its name alone (control_path.h), as the process itself would see it:
 * through /proc/PID/root, under its number in its own PID namespace. A process without one is none of
 * ours. No signal is sent, to it or to anybody, so a pid that is somebody else's by now is in no danger:
 * the server that answers must say that the pid is one of its generations.
 */

#include "talk.h"

#include <limits.h>
#include <stddef.h>

struct target {
        char text[PATH_MAX]; /* as given, or how it was found */
        char path[PATH_MAX]; /* of the socket, for connect(2) */
        int directory;       /* owned: what path leads through; -1 if nothing */
        pid_t pid;           /* what was asked for, in its own namespace; 0: a socket */
        uid_t owner;
};

/*
 * Find the server that @text means and connect to it. Complains on stderr. Returns 0, EXIT_USAGE or
 * EXIT_SYSTEM. Ownership: target_close() and talk_close(), after 0 only.
 */
int target_open(const char *text, int patience_ms, struct target *ret_target,
                struct talk *ret_talk);

/*
 * The same for a process, which may be any generation of the server. Says nothing. Returns 0, or a negative
 * errno: -ESRCH if there is no such process, -ENOENT if it has no control socket.
 */
int target_find(pid_t pid, int patience_ms, struct target *ret_target, struct talk *ret_talk);

/* Connect once more. Says nothing. Returns 0 or a negative errno, as talk_open(). */
int target_open_again(const struct target *target, int patience_ms, struct talk *ret_talk);

void target_close(struct target *target);

#endif
