/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_ACCEPTOR_H
#define HOT_HTTP_ACCEPTOR_H

/*
 * One listener in one loop. All loops poll the server's descriptor, or the members of its group that are
 * theirs, each in its own epoll and only while it accepts. A few connections a turn, so that loops share a burst.
 *
 * Out of descriptors (see shortage.h) or beyond the limit of connections it stops polling for a moment; the
 * kernel's queue keeps who comes meanwhile.
 */

#include <stdbool.h>

#include "loop.h"

struct hot__worker;

struct hot__acceptor {
        struct hot__watch watch;
        struct hot__worker *worker;
        const int *listener;   /* the server's, read when it begins to accept */
        unsigned int expected; /* so many connections in the next turn */
        unsigned int n_full;   /* turns in which they all came */
        bool tls;
        bool on;
        bool closing; /* the watch is not free yet */
        bool wanted;  /* accept, as soon as the watch is free */
};

void hot__acceptor_init(struct hot__acceptor *acceptor, struct hot__worker *worker,
                        const int *listener, bool tls);

/* Accept, or do not. When this returns no epoll of ours has the listener if @on is false. Returns 0 or a
 * negative errno. */
int hot__acceptor_set(struct hot__acceptor *acceptor, bool on);

/* Accept who is in the kernel's queue now: after a stop without a successor it is closed, and they would be
 * reset. */
void hot__acceptor_empty_queue(struct hot__acceptor *acceptor);

/* Poll again after a pause. */
void hot__acceptor_retry(struct hot__acceptor *acceptor);

#endif
