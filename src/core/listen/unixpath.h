/* SPDX-License-Identifier: MIT */
#ifndef HOT_UNIXPATH_H
#define HOT_UNIXPATH_H

/*
 * The path of a UNIX listener: take it, recognise it, give it up. Whose path it is says the inode that
 * the socket is bound to, never a name.
 */

#include <stdbool.h>
#include <stddef.h>

#include "access.h"

/*
 * Make @path (absolute, at most 107 bytes) the address of a new listening stream socket. A stale socket
 * there is replaced in one step; a connection attempt finds out whether it is stale. Nobody finds it before
 * its mode and owner are right.
 *
 * Returns 0 and gives the descriptor (non-blocking, FD_CLOEXEC), -EADDRINUSE (somebody lives there),
 * -ENOTSOCK (something that is no socket has the name, a symbolic link included; it is not touched), or
 * another negative errno.
 */
int hot__unixpath_listen(const char *path, const struct hot__access *access, int backlog,
                         int *ret_fd);

/* Is @path the socket file that @fd is bound to? */
bool hot__unixpath_is_of(const char *path, int fd);

/*
 * The path under which @fd can be reached now, looked for in the directory it was bound in. Returns 0,
 * -ENOENT (no name leads to it any more, or it was bound to a relative path), -ENOSPC or another negative
 * errno.
 */
int hot__unixpath_find(int fd, char *buffer, size_t size);

/*
 * The path that @fd was made for by hot__unixpath_listen(), whether it still leads there or not. Returns 0,
 * -ENOENT (bound by somebody else, or under a path too long to tell), -ENOSPC or another negative errno.
 */
int hot__unixpath_meant(int fd, char *buffer, size_t size);

/*
 * Move the listener @fd from @path to a name beside it where nobody looks, and back. What else is at either
 * name is not touched, and not replaced. Return 0, also when there was nothing to move, or a negative errno.
 */
int hot__unixpath_leave(const char *path, int fd);
int hot__unixpath_return(const char *path, int fd);

/* Unlink @path, or the name that it was left for, if it is still the inode that @fd is bound to. Return 0,
 * also when it is not, or a negative errno. */
int hot__unixpath_unlink(const char *path, int fd);
int hot__unixpath_unlink_left(const char *path, int fd);

#endif
