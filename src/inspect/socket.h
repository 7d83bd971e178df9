/* SPDX-License-Identifier: MIT */
#ifndef HOT_INSPECT_SOCKET_H
#define HOT_INSPECT_SOCKET_H

/*
 * The sockets of this network namespace, as the kernel's sock_diag lists them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "arena.h"
#include "row.h"

/* Room for an address in text, with the terminating zero: a UNIX name may be escaped byte by byte. */
#define HOT__SOCKET_TEXT_MAX 512

/* The states that count here, as the kernel numbers them for every protocol. */
enum {
        HOT__SOCKET_ESTABLISHED = 1,
        HOT__SOCKET_TIME_WAIT = 6,
        HOT__SOCKET_CLOSE = 7,
        HOT__SOCKET_LISTEN = 10,
        HOT__SOCKET_NEW = 12,   /* TCP, asked for and not established: no socket of a process yet */
        HOT__SOCKET_BOUND = 13, /* TCP, bound but not listening; Linux 6.8 and later tell it */
};

#define HOT__SOCKET_ANY_STATE (~0U)

/* All but listeners, and those that no descriptor can refer to: in TIME_WAIT, or not accepted yet. */
#define HOT__SOCKET_CONNECTIONS \
        (~(1U << HOT__SOCKET_LISTEN | 1U << HOT__SOCKET_TIME_WAIT | 1U << HOT__SOCKET_NEW))

struct hot__socket {
        int kind;             /* HOT_INSPECT_TCP, _UDP or _UNIX */
        int type;             /* SOCK_STREAM, … */
        int family, protocol; /* AF_INET, …; IPPROTO_TCP, … or 0 */
        int state;
        bool v6only;
        uint64_t inode, cookie;
        uint32_t drops;                     /* a listener's */
        uint32_t receive_queue, send_queue; /* bytes; a listener's: waiting connections, backlog */
        struct sockaddr_storage local, peer;
        socklen_t local_len, peer_len; /* 0: none. A UNIX peer is only known by its inode */
        uint64_t peer_inode;
        uint64_t
                pending_inode; /* UNIX, listening: of the client that waits longest; 0: none waits */
        uint64_t path_device, path_inode; /* UNIX, bound to a path: the file's; else 0 */
};

/* Lent one socket for the duration of the call. A negative return ends the dump with that, a
 * positive one with success. */
typedef int hot__socket_fn(const struct hot__socket *socket, void *data);

/*
 * Where dumps come from: a netlink socket belongs to the network namespace that it was made in. Gives a
 * descriptor, or a negative errno.
 */
int hot__socket_source(void);

/*
 * Call @fn for every socket of @kind that is in one of @states (a set of 1 << state), asking @source. What
 * the kernel was built without has no sockets. Returns 0, what @fn returned, or a negative errno.
 */
int hot__socket_dump_from(int source, int kind, uint32_t states, hot__socket_fn *fn, void *data);

/* What a dump said, to be read later. */
struct hot__datagrams {
        char *bytes; /* owned */
        size_t len, room;
};

/* Dump the TCP connections of both families, but for those that no descriptor can refer to. Returns 0, -E2BIG (it
 * is too much to be kept) or another negative errno. */
int hot__socket_keep_connections(int source, struct hot__datagrams *datagrams);

/* Call @fn for each of them. Returns 0 or what @fn returned. */
int hot__socket_tell_connections(const struct hot__datagrams *datagrams, hot__socket_fn *fn,
                                 void *data);

void hot__datagrams_done(struct hot__datagrams *datagrams);

/* As hot__socket_dump_from(), of this network namespace. */
int hot__socket_dump(int kind, uint32_t states, hot__socket_fn *fn, void *data);

/*
 * Print an address: "127.0.0.1:80", "[::]:80", "/path", "@abstract", with what is not printable as \xNN.
 * "" for no address.
 */
void hot__socket_format(const struct sockaddr_storage *address, socklen_t len,
                        char text[HOT__SOCKET_TEXT_MAX]);

/* Fill in what a row says of its socket. Returns 0 or -ENOMEM. */
int hot__socket_describe(const struct hot__socket *socket, struct hot__row *row,
                         struct hot__arena *arena);

#endif
