/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_DIAG_H
#define HOT_VERIFY_DIAG_H

/*
 * One TCP socket of this network namespace, as the kernel has it (sock_diag(7)), asked for by its addresses:
 * cheap however many sockets there are.
 *
 * A connection that nobody has accepted yet has no inode: that is how the queue can be told from a process.
 */

#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

struct diag_socket {
        uint64_t inode;     /* 0: not accepted */
        unsigned int state; /* TCP_LISTEN, TCP_ESTABLISHED … of netinet/tcp.h */
        uint32_t queued;    /* bytes unread; listening: connections that wait to be accepted */
        uint32_t room;      /* bytes not acknowledged; listening: how many may wait */
};

/* Gives a descriptor for diag_ask(), or a negative errno. */
int diag_open(int *ret_fd);

/*
 * The socket at @local whose peer is @peer (NULL: the one that listens). Returns 0, -ENOENT, -EAFNOSUPPORT
 * for what is not IP, or another negative errno.
 */
int diag_ask(int fd, const struct sockaddr *local, const struct sockaddr *peer,
             struct diag_socket *ret);

/*
 * The inodes of the TCP sockets that listen at a port (of any address). Costs what there are of listeners,
 * not of connections. Returns how many, at most @room, or a negative errno.
 */
ssize_t diag_listeners(int fd, const struct sockaddr *local, uint64_t *inodes, size_t room);

#endif
