/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_EXCHANGE_H
#define HOT_HTTP_EXCHANGE_H

/*
 * A request and its response, from the complete head to the last byte. It belongs to its connection; while
 * a handler has it, to that handler's thread, which posts it back. If the connection dies meanwhile the
 * exchange goes on alone (.connection is NULL) until it comes back.
 *
 * A handler has it until it has returned and, if it deferred the response, that was completed: whoever
 * comes last posts.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "parser.h"
#include "pool.h"
#include "request.h"
#include "response.h"
#include "route.h"
#include "tls_session.h"

struct hot__connection;
struct hot__http2_stream;
struct hot__worker;

/* What a thread has to say to the loop about an exchange. */
enum hot__letter {
        HOT__LETTER_PIECE = 1,    /* a piece of a stream, whose writer waits until it is sent */
        HOT__LETTER_FINISHED = 2, /* the handler has done with it */
        HOT__LETTER_ROOM = 4,     /* there is room again for more of the request's body */
        HOT__LETTER_MORE = 8,     /* a producer that had nothing may have something now */
};

struct hot__exchange {
        struct hot_http_request request;
        struct hot_http_response response;
        struct hot__parser parser;
        struct hot__buffer *head; /* owned: the request's strings lie in it */
        const struct hot__route *route;
        struct hot__tls_facts *facts; /* a share; NULL: it came without TLS */
        struct hot__job job;
        _Atomic(struct hot__worker *) worker; /* NULL while it has none yet: nobody can post */
        struct hot__connection *connection;   /* the loop thread's to read */
        struct hot__http2_stream *stream;     /* NULL: HTTP/1 */
        struct hot__exchange *next;           /* spare list, or the worker's post */
        uint64_t began;                       /* its head was complete, CLOCK_MONOTONIC ns */
        uint64_t number;                      /* of the worker's requests */
        uint64_t receive_by;                  /* more of a body that is read as it arrives, ms */
        uint64_t answer_by;                   /* the beginning of the response, ms; 0: no limit */
        bool receiving;                       /* a handler has it while its body still arrives */
        bool untold;         /* what became of it was told already, or is told of another */
        int gone_status;     /* of a refusal that took its place */
        int no_route;        /* the status if .route is NULL */
        int gone;            /* why the connection is not there any more: negative errno */
        atomic_uint busy;    /* the handler that has not returned, the response not completed */
        unsigned int posted; /* letters in the worker's box: under its lock */
        unsigned int news;   /* letters that the loop has taken out */
        bool with_handler;   /* a handler has it, or a post of it is on its way */
        bool has_piece;      /* of a stream, from a handler that waits for it to be sent */
};

/* Returns NULL for want of memory. */
struct hot__exchange *hot__exchange_new(struct hot__worker *worker);

/* Empty it for the next request. Its head buffer goes to @spare (may be NULL). */
void hot__exchange_clear(struct hot__exchange *exchange, struct hot__buffers *spare);

/* Ownership: takes the exchange. Accepts NULL. */
void hot__exchange_free(struct hot__exchange *exchange);

/* Its request is over, the exchange is not: give back the memory of its head. */
void hot__exchange_forget_request(struct hot__exchange *exchange, struct hot__buffers *spare);

struct hot__exchange *hot__exchange_of(struct hot_http_response *response);
const struct hot__exchange *hot__exchange_of_request(const struct hot_http_request *request);
struct hot__exchange *hot__exchange_of_job(struct hot__job *job);

/* Give it to the pool, where its route's handler runs. Returns 0 or -EAGAIN. */
int hot__exchange_submit(struct hot__exchange *exchange, struct hot__pool *pool);

/* From any thread: to the loop. Returns false if the loop has ended. */
bool hot__exchange_post(struct hot__exchange *exchange, enum hot__letter letter);

/* A handler has returned, or a deferred response is complete. Returns whether it was the last of these. */
bool hot__exchange_leave(struct hot__exchange *exchange);

/* As hot__exchange_leave(), from any thread: the last one posts. */
void hot__exchange_finish(struct hot__exchange *exchange);

/* The client has gone or waits no more: tell the handler, which may go on or not. On the loop's thread. */
void hot__exchange_cancel(struct hot__exchange *exchange);

/* Is a letter about it in the box? Then its memory has to stay. */
bool hot__exchange_is_posted(struct hot__exchange *exchange);

#endif
