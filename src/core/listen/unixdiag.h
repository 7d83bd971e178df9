/* SPDX-License-Identifier: MIT */
#ifndef HOT_UNIXDIAG_H
#define HOT_UNIXDIAG_H

/*
 * Which file is a UNIX socket bound to? Asked of the kernel, since getsockname(2) only knows the name
 * that was bound, and that may have been renamed, removed or replaced since.
 */

#include <stdint.h>

/* The file as the kernel tells it: 32 bits of the inode, and the device of its superblock. */
struct hot__unixdiag {
        uint32_t inode;
        uint32_t device_major;
        uint32_t device_minor;
};

/*
 * The file that the UNIX socket @fd was bound to, whether it still has a name or not. Returns 0, -ENODATA
 * (bound to none: unnamed or abstract), or another negative errno where the kernel does not tell: -ENOENT
 * for a socket of another network namespace or a kernel without CONFIG_UNIX_DIAG.
 */
int hot__unixdiag_file(int fd, struct hot__unixdiag *ret);

#endif
