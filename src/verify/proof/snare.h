/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_SNARE_H
#define HOT_VERIFY_SNARE_H

/*
 * The snare: catches a process' children at the very moment at which they have executed a program, before its
 * first instruction, so that "before it is ready" does not hang on who is quicker. Made of ptrace(2).
 *
 * A child is caught after execve(2) and not before: whoever made it with vfork(2) stands still until then.
 * The kernel ties a tracee to the thread that seized it: all of this belongs to one thread, and whoever else
 * waits for children in this process must do so with __WNOTHREAD. What is seized is let go when that thread
 * ends.
 */

#include <sys/types.h>

/* Seize every thread of a process. Returns 0, -EPERM where that is not allowed, or another negative errno. */
int snare_set(pid_t pid);

/*
 * Let everything go on that has stopped, but for children of @owner that have just executed: those get @signal
 * (SIGKILL, SIGSTOP) and are let go. Never waits. Returns how many were caught.
 */
unsigned int snare_look(pid_t owner, int signal);

#endif
