/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_MOUNTS_H
#define HOT_LSOF_MOUNTS_H

/*
 * The table of mounted file systems. It is read when something is asked of it for the first time, and each
 * file system is looked at only when it matters: one that hangs is nobody's business who asks for
 * something else.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

struct lsof_mount {
        char *directory;   /* owned, as what follows */
        char *source;      /* what is mounted: "/dev/vda", "server:/path", "tmpfs" */
        char *source_file; /* the same with links followed, if it is a path; else NULL */
        char *type;
        struct stat stat; /* of the directory, if known */
        bool is_looked_at, is_known;
};

struct lsof_mounts {
        struct lsof_mount *mounts; /* owned */
        size_t n;
        bool is_read;
        bool quiet; /* say nothing of file systems that cannot be looked at */
};

/* Look at all of them, and say which cannot be. */
void lsof_mounts_look(struct lsof_mounts *mounts);

/* The queue file system's device, if it is mounted. Returns 1, or 0. */
int lsof_mounts_queues(struct lsof_mounts *mounts, dev_t *ret_device);

/* The NFS file system that a file is on, or NULL. */
const struct lsof_mount *lsof_mounts_nfs(struct lsof_mounts *mounts, dev_t device,
                                         const char *path);

#endif
