/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_PROC_H
#define HOT_VERIFY_PROC_H

/*
 * Processes as /proc tells of them, beyond their descriptors: state, parent, children, memory.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct proc_stat {
        char name[16];
        char state; /* 'R', 'S', 'Z' … */
        pid_t parent;
        unsigned long long
                stack; /* where it begins: another place after each exec; 0: not for us to see */
        unsigned long long start; /* clock ticks after boot: with the pid, one process for ever */
};

/* Returns 0, -ESRCH or another negative errno. */
int proc_read_stat(pid_t pid, struct proc_stat *ret);

/*
 * The children of a process, of all its threads. Ownership: gives an array for free(3). Returns 0, -ESRCH,
 * -ENOMEM or another negative errno.
 */
int proc_read_children(pid_t pid, pid_t **ret_pids, size_t *ret_n);

/* Proportional share of memory in KiB (a page of n processes counts 1/n), or 0 if it is not for us to see. */
uint64_t proc_read_memory(pid_t pid);

/* Who of all processes has a descriptor of this socket? The lowest pid, or 0. */
pid_t proc_find_socket(uint64_t inode);

/* Has this process a descriptor of this socket? */
int proc_has_socket(pid_t pid, uint64_t inode);

#endif
