/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_SOCKET_H
#define HOT_HTTP_SOCKET_H

/*
 * The system calls on sockets, and the only room of the server that makes and closes descriptors. All
 * are non-blocking. Writing raises no SIGPIPE, whatever its disposition: that one is the host's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

/*
 * Occupy 0, 1 and 2 with /dev/null as far as a program was started without them: else connections get
 * these numbers, and what somebody prints goes to a client.
 */
void hot__socket_spare_stdio(void);

/*
 * Can the kernel encrypt (the tls module, tcp_ulp of tls.rst)? Asked of a socket that is not connected,
 * which changes nothing: ENOTCONN if it could, ENOENT if it cannot.
 */
bool hot__socket_has_kernel_tls(void);

/* Duplicate a descriptor. Returns the copy (given, FD_CLOEXEC) or a negative errno. */
int hot__socket_dup(int fd);

/* Can it be accepted from? Not so a datagram socket. */
bool hot__socket_is_stream(int fd);

/* Accept one connection. Returns it (given, non-blocking, FD_CLOEXEC) or a negative errno. @ret_peer is its
 * other end, of family AF_UNSPEC if that is not known; written to in any case. */
int hot__socket_accept(int listener, struct sockaddr_storage *ret_peer);

/*
 * The first request of a connection is confirmed by its answer, not by a packet of its own that comes before: TCP
 * connections inherit it from their listener (tcp(7), TCP_QUICKACK; the heritage is in no page, and has a test). A peer with more to send hears of
 * every second full segment as ever, and of anything else after 40 ms.
 */
void hot__socket_ack_with_answer(int listener);

/* TCP_NODELAY. Not TCP: no matter. */
void hot__socket_no_delay(int fd);

/* Returns the bytes read, 0 at the end, or a negative errno. */
ssize_t hot__socket_read(int fd, void *buffer, size_t size);

/* Has more arrived than was read? The peer's end is none. */
bool hot__socket_has_input(int fd);

/* Would poll(2) say that it can be written to? */
bool hot__socket_is_writable(int fd);

/* @more: other bytes follow at once, send both in one packet if they fit. Returns the bytes sent or a
 * negative errno. */
ssize_t hot__socket_send(int fd, const void *data, size_t len, bool more);

/*
 * Read from what need be no socket, at *offset, which moves on, or where its description stands (NULL).
 * Returns the bytes read, 0 at the end, or a negative errno.
 */
ssize_t hot__socket_read_file(int fd, void *buffer, size_t size, off_t *offset);

/* Send up to @len bytes of a regular file from *offset, which moves on. Returns the bytes sent, 0 at the
 * file's end, or a negative errno. */
ssize_t hot__socket_send_file(int fd, int file, off_t *offset, size_t len);

/* Write all of it to a file, without SIGPIPE. What it does not take is lost. */
void hot__socket_write_file(int fd, const void *data, size_t len);

/* Seal a memfd's size. Returns 0 or a negative errno. */
int hot__socket_seal(int fd);

/* Set O_NONBLOCK, for all who share the description. */
void hot__socket_unblock(int fd);

/* Say that nothing more will be sent. The peer reads what was sent, then the end. */
void hot__socket_half_close(int fd);

/* The end of it, for all who hold it: the peer reads what was sent, then the end. */
void hot__socket_shut(int fd);

/* Close and return the empty value, -EBADF, which is let through. */
int hot__socket_close(int fd);

#endif
