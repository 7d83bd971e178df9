/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_LOCKS_H
#define HOT_LSOF_LOCKS_H

/*
 * The file locks that the kernel lists in /proc/locks: by process and file. Who took a lock of an open file
 * description (OFD, flock(2), a lease) need not have it any more, and others may: there the descriptors' own
 * fdinfo must be asked.
 *
 * Reading that table makes the kernel wait until all its processors have passed a quiet state: some 10
 * milliseconds, longer than all the rest of a listing of one process. A descriptor's fdinfo, at 7 microseconds,
 * also tells the locks that were taken through it. Where few files are listed these are asked, and the table only
 * if one of them is locked.
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
        bool is_read;
        size_t n_asked; /* files that were asked instead */
};

/* Begin a new listing, of few files or of many. */
void lsof_locks_begin(struct lsof_locks *locks, bool few);

/* One more file is listed. Returns whether its fdinfo must be read, since it may have a lock. */
bool lsof_locks_ask(struct lsof_locks *locks, dev_t device, ino_t inode);

/* What was read instead of the table: if anything in it is locked, the table is read after all. */
void lsof_locks_settle(struct lsof_locks *locks, const struct hot_snapshot *snapshot);

/* The letter of the lock that a process has on a file, or ' '. */
char lsof_locks_letter(const struct lsof_locks *locks, pid_t pid, dev_t device, ino_t inode);

/* The letter of a description's lock, of those that its fdinfo lists; or ' '. */
char lsof_locks_letter_of(const struct hot_inspect_lock *locks, size_t n);

#endif
