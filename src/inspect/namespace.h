/* SPDX-License-Identifier: MIT */
#ifndef HOT_INSPECT_NAMESPACE_H
#define HOT_INSPECT_NAMESPACE_H

/*
 * Network namespaces: which one a process is in, and asking the kernel from within another one.
 */

#include <stdint.h>
#include <sys/types.h>

/* The inode of the calling thread's, or 0 if /proc does not tell. */
uint64_t hot__namespace_of_caller(void);

/* The inode of a process'. Returns 0, -ESRCH, -EACCES or another negative errno. */
int hot__namespace_of(pid_t pid, uint64_t *ret_netns);

/*
 * A netlink socket for sock_diag that belongs to the namespace @netns, which process @pid is in. Gives a
 * descriptor, or returns -EPERM (we may not enter it), -ESRCH (the process has ended or left it) or another
 * negative errno. The calling thread stays where it is.
 */
int hot__namespace_socket(pid_t pid, uint64_t netns);

#endif
