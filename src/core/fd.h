/* SPDX-License-Identifier: MIT */
#ifndef HOT_FD_H
#define HOT_FD_H

/*
 * Owning, closing and placing descriptors.
 *
 * The empty value is -EBADF, so that using it by mistake gives a telling error. A local that owns a
 * descriptor is declared `CLEANUP(hot__fd_closep) int fd = -EBADF;` and gives it away with
 * hot__fd_take(&fd). This is the only room of the parent side that calls close(2).
 */

#include <errno.h>
#include <stdbool.h>

#define CLEANUP(function) __attribute__((cleanup(function)))

/*
 * Close @fd and return the empty value. Negative numbers are let through. errno is kept. Never retried
 * on EINTR: Linux has freed the slot by then. Closing what is not open is a bug and asserts.
 */
int hot__fd_close(int fd);

static inline void hot__fd_closep(int *fd)
{
        *fd = hot__fd_close(*fd);
}

/* Move the descriptor out of *@fd, leaving the empty value. */
static inline int hot__fd_take(int *fd)
{
        int taken = *fd;

        *fd = -EBADF;
        return taken;
}

bool hot__fd_is_open(int fd);

/* Set or clear FD_CLOEXEC. Returns 0 or a negative errno. */
int hot__fd_set_cloexec(int fd, bool on);

/*
 * Move a new descriptor out of the way of 0, 1 and 2 (a program may have been started without them).
 * Ownership: takes @fd, always. Returns a descriptor >= 3 with FD_CLOEXEC, or a negative errno.
 */
int hot__fd_take_above_stdio(int fd);

#endif
