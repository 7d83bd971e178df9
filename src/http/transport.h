/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_TRANSPORT_H
#define HOT_HTTP_TRANSPORT_H

/*
 * The bytes of a connection, in and out. What is above it, requests and responses, does not know what is
 * below. Inline, so that the plain socket costs what its system calls cost.
 *
 * All calls are non-blocking, and -EAGAIN says so.
 */

#include <errno.h>

#include "bytes.h"
#include "pin.h"
#include "socket.h"
#include "tls_move.h"

struct hot__transport {
        int fd;                       /* owned */
        struct hot__tls_session *tls; /* owned; NULL: plain */
        bool has_sent;
        bool no_delay;
};

/*
 * Responses leave as whole writes: waiting for more (Nagle) only delays them. The first one is not delayed anyway,
 * since there is nothing on its way that was not confirmed, and many connections never have a second.
 */
static inline void hot__transport_hurry(struct hot__transport *transport)
{
        if (transport->has_sent && !transport->no_delay) {
                hot__socket_no_delay(transport->fd);
                transport->no_delay = true;
        }
        transport->has_sent = true;
}

/* @tls: NULL for none. Returns 0 or a negative errno; @fd is taken if it is 0. */
static inline int hot__transport_open(struct hot__transport *transport, int fd,
                                      struct hot__tls *tls)
{
        *transport = (struct hot__transport){.fd = fd};
        if (!tls)
                return 0;
        transport->has_sent = true; /* what a handshake sends goes another way */
        hot__transport_hurry(transport);
        transport->tls = hot__tls_session_new(tls, fd);
        return transport->tls ? 0 : -ENOMEM;
}

/* Returns the bytes read, 0 at the peer's end, or a negative errno. */
static inline ssize_t hot__transport_read(struct hot__transport *transport, void *buffer,
                                          size_t size)
{
        if (transport->tls)
                return hot__tls_session_read(transport->tls, buffer, size);
        return hot__socket_read(transport->fd, buffer, size);
}

/* After a read for @size that returned @n: was that all that had come to the descriptor, if it is a TCP socket? */
static inline bool hot__transport_took_all(const struct hot__transport *transport, ssize_t n,
                                           size_t size)
{
        if (transport->tls)
                return hot__tls_session_took_all(transport->tls);
        return n == -EAGAIN || (n > 0 && (size_t)n < size);
}

/* @more: other bytes follow at once. Returns the bytes taken or a negative errno. */
static inline ssize_t hot__transport_send(struct hot__transport *transport, const void *data,
                                          size_t len, bool more)
{
        if (transport->tls)
                return hot__tls_session_send(transport->tls, data, len, more);
        hot__transport_hurry(transport);
        return hot__socket_send(transport->fd, data, len, more);
}

/* Are there bytes above the descriptor, of which no poll of it tells? */
static inline bool hot__transport_holds_input(const struct hot__transport *transport)
{
        return transport->tls && hot__tls_session_holds_input(transport->tls);
}

/* Send up to @len bytes of a regular file from *offset, which moves on, without copying them here. Returns the
 * bytes taken, 0 at the file's end, -EOPNOTSUPP (they have to be read and sent), or a negative errno. */
static inline ssize_t hot__transport_send_file(struct hot__transport *transport, int file,
                                               off_t *offset, size_t len)
{
        if (transport->tls)
                return hot__tls_session_send_file(transport->tls, file, offset, len);
        hot__transport_hurry(transport);
        return hot__socket_send_file(transport->fd, file, offset, len);
}

/* Has more arrived than was read? The peer's end is none. */
static inline bool hot__transport_has_input(const struct hot__transport *transport)
{
        if (transport->tls)
                return hot__tls_session_has_input(transport->tls);
        return hot__socket_has_input(transport->fd);
}

/* Say that nothing more will be sent. What the peer still sends may be read and thrown away. Returns 0, or
 * -EAGAIN: call it again when there is room. */
static inline int hot__transport_half_close(struct hot__transport *transport)
{
        if (transport->tls && hot__tls_session_finish(transport->tls) == -EAGAIN)
                return -EAGAIN;
        hot__socket_half_close(transport->fd);
        return 0;
}

/* Returns the bytes thrown away, 0 at the peer's end, or a negative errno. After half_close(). */
static inline ssize_t hot__transport_discard(struct hot__transport *transport)
{
        char bytes[16384];

        if (transport->tls)
                return hot__tls_session_discard(transport->tls, bytes, sizeof(bytes));
        return hot__socket_read(transport->fd, bytes, sizeof(bytes));
}

/* Drop the TLS, which has not begun: the peer knows of none. */
static inline void hot__transport_be_plain(struct hot__transport *transport)
{
        hot__tls_session_free(transport->tls);
        transport->tls = NULL;
}

/* What keeps it in this process for good, however its connection is. Asked often. */
static inline enum hot__pin hot__transport_pin(const struct hot__transport *transport)
{
        enum hot__pin pin = transport->tls ? hot__tls_session_pin(transport->tls) : HOT__PIN_NOT;

        return hot__pin_passes(pin) ? HOT__PIN_NOT : pin;
}

/* After a HOT__PIN_NOT of the above: what another process has to know of it beside the descriptor, appended to
 * @bytes. Returns HOT__PIN_NOT, or why it has to stay after all. */
static inline enum hot__pin hot__transport_pack(struct hot__transport *transport,
                                                struct hot__bytes *bytes)
{
        return transport->tls ? hot__tls_session_pack(transport->tls, bytes) : HOT__PIN_NOT;
}

/* Does what came from another process make sense? Returns 0 or a negative errno. */
static inline int hot__transport_check(const struct hot__bytes *bytes)
{
        return bytes->len ? hot__tls_session_check(bytes->data, bytes->len) : 0;
}

/* From what pack() has said. Returns 0 or a negative errno; @fd is taken if it is 0. */
static inline int hot__transport_adopt(struct hot__transport *transport, int fd,
                                       const struct hot__bytes *bytes)
{
        *transport =
                (struct hot__transport){.fd = fd, .has_sent = true}; /* by whoever had it before */
        if (bytes->len == 0)
                return 0;
        return hot__tls_session_adopt(fd, bytes->data, bytes->len, &transport->tls);
}

/* It goes on elsewhere. Returns the descriptor, given to the caller. */
static inline int hot__transport_let_go(struct hot__transport *transport)
{
        int fd = transport->fd;

        hot__tls_session_free(transport->tls);
        *transport = (struct hot__transport){.fd = -EBADF};
        return fd;
}

/* Close at once. */
static inline void hot__transport_close(struct hot__transport *transport)
{
        hot__tls_session_free(transport->tls);
        transport->tls = NULL;
        transport->fd = hot__socket_close(transport->fd);
}

#endif
