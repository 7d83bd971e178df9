/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_TUNNEL_H
#define HOT_HTTP_TUNNEL_H

/*
 * Tunnels: a connection that has become two streams of bytes, which the host reads and writes. Either side may end
 * its own; when both have, it is over.
 *
 * What the host has not taken stays in the connection's buffer, and while there is some no more is read. What it
 * sends waits in a bounded queue behind the tunnel's lock, since any thread may send.
 *
 * A tunnel belongs to those who hold it: its connection does until the last callback has returned.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hotstart/http.h>

struct hot__exchange;
struct hot__transport;

/* What a path serves: the host's callbacks and its limits. */
struct hot__tunnel_service {
        struct hot__tunnel_service *next; /* the server's list, which owns it */
        struct hot_tunnel_handler handler;
        char *protocol; /* owned; NULL: CONNECT */
        void *data;     /* the host's */
};

void hot__tunnel_services_free(struct hot__tunnel_service *services);

/* The route's handler: answer the request for one. @data is the service. */
void hot__tunnel_handshake(const struct hot_http_request *request,
                           struct hot_http_response *response, void *data);

/* One that was opened at @path and has no connection yet. Returns NULL for want of memory. */
struct hot_tunnel *hot__tunnel_new(const struct hot__tunnel_service *service, const char *path);

/* The host knows of it, and what it knows. */
void hot__tunnel_set_open(struct hot_tunnel *tunnel, void *state);

/* It has a connection. */
void hot__tunnel_attach(struct hot_tunnel *tunnel, struct hot__exchange *exchange);

/* What the peer has sent. */
struct hot__tunnel_input {
        const char *bytes; /* what is taken of them is taken off here */
        size_t len;
        bool ended; /* nothing follows */
};

/* What a connection that has become a tunnel does next. */
enum hot__tunnel_step {
        HOT__TUNNEL_WAITS, /* for input that is wanted, or for something to send */
        HOT__TUNNEL_FULL,  /* its peer takes nothing now */
        HOT__TUNNEL_ENDED, /* both sides have said so */
        HOT__TUNNEL_BROKEN,
};

/* Pass on what has come, and send what can be sent by @transport, or nothing if that is NULL. *ret_moved: bytes have
 * gone, either way. */
enum hot__tunnel_step hot__tunnel_turn(struct hot_tunnel *tunnel, struct hot__tunnel_input *input,
                                       struct hot__transport *transport, bool *ret_moved);

/* How long it may be silent, ms; 0: for ever. */
unsigned int hot__tunnel_patience(const struct hot_tunnel *tunnel);

/* Its connection has ended; the last the connection says to it. */
void hot__tunnel_gone(struct hot_tunnel *tunnel, int error);

/* -- from one generation to another; on the loop's thread -- */

const struct hot__tunnel_service *hot__tunnel_service(const struct hot_tunnel *tunnel);
const char *hot__tunnel_path(const struct hot_tunnel *tunnel);

/* Take nothing more from other threads, or again. */
void hot__tunnel_seal(struct hot_tunnel *tunnel, bool sealed);

/* What waits to be sent, once it is sealed: lent, until its next turn. */
const char *hot__tunnel_output(const struct hot_tunnel *tunnel, size_t *ret_len);

/* What it has to send before anything else. Returns 0 or -ENOMEM. */
int hot__tunnel_set_output(struct hot_tunnel *tunnel, const void *bytes, size_t len);

/* Which sides have ended: the numbers travel. */
#define HOT__TUNNEL_ENDING 0x1 /* the host has said so */
#define HOT__TUNNEL_SHUT   0x2 /* and the peer was told */
#define HOT__TUNNEL_TOLD   0x4 /* the host was told that the peer has */

unsigned int hot__tunnel_ends(const struct hot_tunnel *tunnel);
void hot__tunnel_set_ends(struct hot_tunnel *tunnel, unsigned int ends);

#endif
