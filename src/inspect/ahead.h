/* SPDX-License-Identifier: MIT */
#ifndef HOT_INSPECT_AHEAD_H
#define HOT_INSPECT_AHEAD_H

/*
 * The dump of connections, asked for while descriptors are still being read: of a process with tens of thousands
 * of sockets both take as long, and neither needs the other before the end.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "socket.h"

struct hot__ahead {
        size_t expected; /* descriptors */
        bool started;
        int source; /* owned, once started: a netlink socket, which is in our own table until the end */
        pthread_t thread;
        int result;
        struct hot__datagrams kept; /* the thread's until it has ended */
};

/* So many descriptors more are about to be read: if they are many by now, begin. All zeroes is one that has not. */
void hot__ahead_expect(struct hot__ahead *ahead, size_t n);

/*
 * Wait for the end of what was begun and call @fn for every connection, as hot__socket_dump_from() does. Nothing
 * begun, or failed: none is told. Returns 0 or what @fn returned.
 */
int hot__ahead_take(struct hot__ahead *ahead, hot__socket_fn *fn, void *data);

/* Is that descriptor of ours the one that it asks through? */
bool hot__ahead_is(const struct hot__ahead *ahead, int fd);

/* May be called again. */
void hot__ahead_done(struct hot__ahead *ahead);

#endif
