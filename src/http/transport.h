/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_TRANSPORT_H
#define HOT_HTTP_TRANSPORT_H

/*
 * The bytes of a connection, in and out. What is above it, requests and responses, does not know what is
 * below. Inline, so that the plain socket costs what its system calls cost.
 *
 * All calls are non-blocking, and -EAGAIN says so.
 */

#include "socket.h"

struct hot__transport {
        int fd; /* owned */
};

/* Returns the bytes read, 0 at the peer's end, or a negative errno. */
static inline ssize_t hot__transport_read(struct hot__transport *transport, void *buffer,
                                          size_t size)
{
        return hot__socket_read(transport->fd, buffer, size);
}

/* @more: other bytes follow at once. Returns the bytes taken or a negative errno. */
static inline ssize_t hot__transport_send(struct hot__transport *transport, const void *data,
                                          size_t len, bool more)
{
        return hot__socket_send(transport->fd, data, len, more);
}

/* Has more arrived than was read? The peer's end is none. */
static inline bool hot__transport_has_input(const struct hot__transport *transport)
{
        return hot__socket_has_input(transport->fd);
}

/* Say that nothing more will be sent. What the peer still sends may be read and thrown away. */
static inline void hot__transport_half_close(struct hot__transport *transport)
{
        hot__socket_half_close(transport->fd);
}

/* Returns the bytes thrown away, 0 at the peer's end, or a negative errno. After half_close(). */
static inline ssize_t hot__transport_discard(struct hot__transport *transport)
{
        char bytes[16384];

        return hot__socket_read(transport->fd, bytes, sizeof(bytes));
}

/* Close at once. */
static inline void hot__transport_close(struct hot__transport *transport)
{
        transport->fd = hot__socket_close(transport->fd);
}

#endif
