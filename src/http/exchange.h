/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_EXCHANGE_H
#define HOT_HTTP_EXCHANGE_H

/*
 * A request and its response, from the complete head to the last byte. It belongs to its connection; while
 * a blocking handler runs, to that handler's thread, which posts it back. If the connection dies
 * meanwhile the exchange goes on alone (.connection is NULL) until it comes back.
 */

#include <stdbool.h>

#include "buffer.h"
#include "parser.h"
#include "pool.h"
#include "request.h"
#include "response.h"
#include "route.h"
#include "tls_session.h"

struct hot__connection;
struct hot__worker;

struct hot__exchange {
        struct hot_http_request request;
        struct hot_http_response response;
        struct hot__parser parser;
        struct hot__buffer *head; /* owned: the request's strings lie in it */
        const struct hot__route *route;
        struct hot__tls_facts *facts; /* a share; NULL: it came without TLS */
        struct hot__job job;
        struct hot__worker *worker;
        struct hot__connection *connection; /* the loop thread's to read */
        struct hot__exchange *next;         /* spare list, or the worker's post */
        int gone;             /* why the connection is not there any more: negative errno */
        bool with_handler;    /* a blocking one has it, or a post of it is on its way */
        bool posted_finished; /* the post says: the handler has returned */
        bool has_piece;       /* of a stream, from a handler that waits for it to be sent */
};

/* Returns NULL for want of memory. */
struct hot__exchange *hot__exchange_new(struct hot__worker *worker);

/* Empty it for the next request. Its head buffer goes to @spare (may be NULL). */
void hot__exchange_clear(struct hot__exchange *exchange, struct hot__buffers *spare);

/* Ownership: takes the exchange. Accepts NULL. */
void hot__exchange_free(struct hot__exchange *exchange);

struct hot__exchange *hot__exchange_of(struct hot_http_response *response);
const struct hot__exchange *hot__exchange_of_request(const struct hot_http_request *request);
struct hot__exchange *hot__exchange_of_job(struct hot__job *job);

/* Give it to the pool, where its route's handler runs. Returns 0 or -EAGAIN. */
int hot__exchange_submit(struct hot__exchange *exchange, struct hot__pool *pool);

/* From the handler's thread: to the loop. Returns false if the loop has ended. */
bool hot__exchange_post(struct hot__exchange *exchange, bool finished);

#endif
