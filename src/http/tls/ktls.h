/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_KTLS_H
#define HOT_HTTP_KTLS_H

/*
 * TLS of the kernel (Documentation/networking/tls.rst): once a socket has the keys of both directions, what is
 * sent goes out as records, and what is received is what was in them. Keys and record numbers are the socket's,
 * not the process': whoever is passed the descriptor has the session. It cannot be taken back.
 *
 * Application data is read and written as on any socket. Records of other types come one at a time, their type
 * beside them, and a plain recv(2) fails on them (EIO). Keys that the client changes (KeyUpdate) are lost to the
 * kernels of today: what comes after cannot be read (EBADMSG, or EKEYEXPIRED).
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "tls_keys.h"

/* Types of records (RFC 8446 section 5.1). */
#define HOT__KTLS_ALERT     21
#define HOT__KTLS_HANDSHAKE 22
#define HOT__KTLS_DATA      23

/*
 * Give the keys to the socket: @out for what we send, @in for what we receive. There may be unread records in it,
 * whole or in part.
 *
 * Returns 0; -EPERM if @out could be given and @in could not, so that it can be sent to and not received from; or
 * another negative errno with nothing changed: -ENOTCONN (the peer has ended it), -ENOPROTOOPT (no TLS for this
 * socket), -ENOENT (not this cipher).
 */
int hot__ktls_attach(int fd, const struct hot__tls_keys *in, const struct hot__tls_keys *out);

/* Has this socket keys? */
bool hot__ktls_is_attached(int fd);

/* Data of one record or several, or of a part of one record of another type. */
struct hot__ktls_received {
        int type;  /* 0 at the peer's end */
        bool ends; /* for another type: its last part */
};

/* Returns the bytes read, 0 at the end or for an empty record, or a negative errno. */
ssize_t hot__ktls_receive(int fd, void *buffer, size_t size, struct hot__ktls_received *ret_what);

/* Has application data arrived that was not read? */
bool hot__ktls_has_input(int fd);

/*
 * Make sure that what waits above TCP (at most one record) fits below once poll(2) says that there is room, which it
 * does when a third of the socket's buffer is free.
 */
void hot__ktls_allow_room(int fd);

/* Send a record of another type than data. Returns 0 or a negative errno. */
int hot__ktls_send_record(int fd, int type, const void *bytes, size_t len);

#endif
