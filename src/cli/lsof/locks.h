/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_LOCKS_H
#define HOT_LSOF_LOCKS_H

/*
 * The file locks that the kernel lists in /proc/locks: by process and file. Who took a lock of an open file
 * description (OFD, flock(2), a lease) need not have it any more, and others may: there the descriptors' own
 * fdinfo must be asked.
 */

#include <hotstart/inspect.h>

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct lsof_lock {
        pid_t pid; /* -1: of a description */
        dev_t device;
        ino_t inode;
        char letter; /* r, w: a part of the file; R, W: all of it */
};

struct lsof_locks {
        struct lsof_lock *locks; /* owned, in the kernel's order */
        size_t n;
};

/* Read them anew. What cannot be read is not locked. */
void lsof_locks_read(struct lsof_locks *locks);

/* The letter of the lock that a process has on a file, or ' '. */
char lsof_locks_letter(const struct lsof_locks *locks, pid_t pid, dev_t device, ino_t inode);

/* Does anybody have a lock on a file? It may be a description's, and so everybody's who has that. */
bool lsof_locks_has(const struct lsof_locks *locks, dev_t device, ino_t inode);

/* The letter of a description's lock, of those that its fdinfo lists; or ' '. */
char lsof_locks_letter_of(const struct hot_inspect_lock *locks, size_t n);

#endif
