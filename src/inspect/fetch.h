/* SPDX-License-Identifier: MIT */
#ifndef HOT_INSPECT_FETCH_H
#define HOT_INSPECT_FETCH_H

/*
 * Asking one socket what it is, by a copy of its descriptor that is held for an instant.
 */

#include "socket.h"

/*
 * What the internet socket is that descriptor @fd of the process behind @pidfd refers to. Nothing is changed
 * in it. Returns 0, -EAFNOSUPPORT (it is no TCP or UDP socket, or one without any address: no dump would have
 * it), -EBADF (closed meanwhile), -EAGAIN (a dump tells it better), -ESTALE (it is another one than @inode by
 * now), -EPERM (not for us to fetch, ptrace(2)), -EXDEV (it is not of the network namespace whose cookie
 * @namespace is; 0: any), -ENOSYS or another negative errno; @ret is untouched on failure.
 */
int hot__fetch_socket(int pidfd, int fd, uint64_t inode, uint64_t namespace,
                      struct hot__socket *ret);

/* The cookie of the network namespace that a socket is of, or 0 if the kernel does not tell (before 5.14). */
uint64_t hot__fetch_namespace(int fd);

#endif
