/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_WEBSOCKET_H
#define HOT_HTTP_WEBSOCKET_H

/*
 * WebSockets: the only room that calls libwslay, which frames. A connection becomes one with the last byte of
 * its 101, and keeps its exchange, whose letters tell the loop that there is something to send.
 *
 * libwslay is not thread-safe and calls back while it works: its context is behind the socket's lock, what
 * it has received is put aside, and the host's callbacks are called without any lock.
 *
 * A socket belongs to those who hold it: its connection does until the last callback has returned.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hotstart/http.h>

struct hot__connection;
struct hot__exchange;

/* What a path serves: the host's callbacks and its limits. */
struct hot__websocket_service {
        struct hot__websocket_service *next; /* the server's list, which owns it */
        struct hot_websocket_handler handler;
        void *data; /* the host's */
};

/* What a connection that has become a WebSocket does next. */
enum hot__websocket_step {
        HOT__WEBSOCKET_WAITS, /* for input, or for something to send */
        HOT__WEBSOCKET_FULL,  /* its peer takes nothing now */
        HOT__WEBSOCKET_ENDED, /* both sides have said so */
        HOT__WEBSOCKET_BROKEN,
};

void hot__websocket_services_free(struct hot__websocket_service *services);

/* One that was opened at @path and has no connection yet. Returns NULL for want of memory. */
struct hot_websocket *hot__websocket_new(const struct hot__websocket_service *service,
                                         const char *path);

/* The host knows of it, and what it knows. */
void hot__websocket_set_open(struct hot_websocket *socket, void *state);

/* It has a connection. */
void hot__websocket_attach(struct hot_websocket *socket, struct hot__exchange *exchange);

/* The route's handler: answer the handshake. @data is the service. */
void hot__websocket_handshake(const struct hot_http_request *request,
                              struct hot_http_response *response, void *data);

/* Its connection has input for it (all of it is consumed) and sends what it can. */
enum hot__websocket_step hot__websocket_turn(struct hot_websocket *socket, const char *bytes,
                                             size_t len);

/* Does it take more input now? Not while its peer does not take what it is sent. */
bool hot__websocket_wants_input(struct hot_websocket *socket);

/* Nothing has come for a while: ask, or give up. Returns false to give up. */
bool hot__websocket_silent(struct hot_websocket *socket);

/* How long it may be silent, ms. */
unsigned int hot__websocket_patience(const struct hot_websocket *socket);

/* The server goes: say so. */
void hot__websocket_leave(struct hot_websocket *socket);

/* Its connection has ended; the last the connection says to it. */
void hot__websocket_gone(struct hot_websocket *socket);

/* -- from one generation to another; on the loop's thread -- */

/* What is in the middle of something: bytes that the next one has to get first, and to send first. */
struct hot__websocket_unfinished {
        const void *input, *output; /* lent by the socket, until its next turn */
        size_t input_len, output_len;
};

const struct hot__websocket_service *hot__websocket_service(const struct hot_websocket *socket);
const char *hot__websocket_path(const struct hot_websocket *socket);

/* Could it go on elsewhere now? It does not while it closes. */
bool hot__websocket_is_between(struct hot_websocket *socket);

/* Take nothing more from other threads, or again. */
void hot__websocket_seal(struct hot_websocket *socket, bool sealed);

/* What is unfinished, once it is sealed. Returns 0, or -ENOMEM: it can go on here. */
int hot__websocket_collect(struct hot_websocket *socket, struct hot__websocket_unfinished *ret);

/* What it has to send before anything else. Returns 0 or -ENOMEM. */
int hot__websocket_set_output(struct hot_websocket *socket, const void *bytes, size_t len);

/* As hot__websocket_gone(), but it goes on elsewhere. */
void hot__websocket_moved(struct hot_websocket *socket);

#endif
