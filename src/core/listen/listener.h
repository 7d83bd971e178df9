/* SPDX-License-Identifier: MIT */
#ifndef HOT_LISTENER_H
#define HOT_LISTENER_H

/*
 * Listeners: bind new ones, and ask the kernel what inherited ones are. Never trusts a number.
 */

#include <stdbool.h>
#include <stddef.h>

#include "address.h"

/*
 * Is @fd something a server can accept from: a listening stream or seqpacket socket, or a bound datagram
 * socket? Changes nothing. Returns 0, -EBADF (closed), -ENOTSOCK, -EDESTADDRREQ (a socket that does not
 * listen, a connected one included) or -EAFNOSUPPORT.
 */
int hot__listener_verify(int fd);

/*
 * Bind and listen with the address' settings; SO_REUSEADDR for TCP, the largest backlog that
 * net.core.somaxconn allows unless they name one, non-blocking, FD_CLOEXEC. ":PORT" binds IPv6 with IPV6_V6ONLY off, and IPv4 alone where the kernel has
 * no IPv6. A host name with several addresses gets the first that this machine has. A UNIX path is bound
 * under a temporary name and renamed over a stale one; one that somebody listens on is -EADDRINUSE.
 * Returns 0 and gives the descriptor, or a negative errno (-ENXIO: the host or the service does not
 * resolve, or an owner is not known; -ENOTSOCK: the UNIX path is a file that is no socket, and is left alone).
 */
int hot__listener_bind(const struct hot__address *address, int *ret_fd);

/*
 * Bind one more member of the SO_REUSEPORT group that begins with @first, where that one is. TCP: it does not
 * listen yet and gets nothing; listen(2) makes it a member. UDP: it is a member at once. Returns 0 and gives
 * the descriptor, or a negative errno.
 */
int hot__listener_bind_member(int first, const struct hot__address *address, int *ret_fd);

/* Does it have SO_REUSEPORT, and so may have others beside it? */
bool hot__listener_may_be_member(int fd);

/* Are two sockets bound to the same place, as members of a group are? */
bool hot__listener_is_beside(int fd, int other);

/* Does it wait for listen(2), as a member that does not listen yet? */
bool hot__listener_is_silent(int fd);

/*
 * Change a listener that serves to what @address asks for by now: hot__tuning_apply(), and mode and owner of
 * a UNIX path. Returns 0 or the first error.
 */
int hot__listener_apply(int fd, const struct hot__address *address, bool activated);

/*
 * Does the kernel say that @fd listens at @address? ":80" is also what listens at "[::]:80" or
 * "0.0.0.0:80"; a host name is every address it resolves to; port 0 is no port. For a UNIX path the
 * inode counts that the socket is bound to, not the name it was bound under.
 */
bool hot__listener_is_at(int fd, const struct hot__address *address);

/*
 * Where @fd listens, as text. See hot_listener_address(). A UNIX listener is given @path_hint when that
 * path names the inode it is bound to (may be NULL), else the path in its directory that does, else the
 * path that it was made for, else the name it was bound under. Returns 0 or a negative errno.
 */
int hot__listener_format(int fd, const char *path_hint, char *buffer, size_t size);

#endif
