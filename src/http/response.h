/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_RESPONSE_H
#define HOT_HTTP_RESPONSE_H

/*
 * A response as handlers make it, and its bytes. A handler fills in status, fields and body on whatever
 * thread it runs; the head is put together on the loop's thread when the first byte is to leave, since
 * only then is it known whether the connection goes on.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hotstart/http.h>

#include "bytes.h"
#include "stream.h"

enum hot__response_mode {
        HOT__RESPONSE_WHOLE,    /* a body in memory, with its length */
        HOT__RESPONSE_WRITER,   /* a blocking handler writes it piece by piece */
        HOT__RESPONSE_PRODUCER, /* a callback fills it */
        HOT__RESPONSE_UPGRADE,  /* none: the connection becomes something else */
};

struct hot_http_response {
        int status;
        int error;                /* the first that a call returned, negative errno */
        struct hot__bytes fields; /* "Name: value\r\n"… of the handler */
        bool has_type;            /* Content-Type among them */
        bool blocking;            /* the handler is */
        bool deferred;            /* it is complete when somebody says so */
        int sent_status;          /* once .begun */
        void (*on_cancel)(void *data);
        void *on_cancel_data;
        bool begun; /* the head was put together */
        enum hot__response_mode mode;
        struct hot__bytes body;
        struct hot_websocket *websocket; /* what it becomes: the exchange's share of it */
        struct hot_tunnel *tunnel;       /* or this one */
        struct hot__bytes out;           /* the head, and a small body behind it */
        struct hot__stream stream;
};

/* Returns 0 or a negative errno. Once for each struct; it is cleared for reuse. */
int hot__response_init(struct hot_http_response *response);
void hot__response_clear(struct hot_http_response *response);
void hot__response_done(struct hot_http_response *response);

/* Make it what we answer ourselves: the status in words. */
void hot__response_set_error(struct hot_http_response *response, int status);

/* Make it the one after which the connection is .websocket or .tunnel: 101 for a protocol, or with NULL the 200 to
 * CONNECT. */
void hot__response_upgrade(struct hot_http_response *response, const char *protocol);

/* What the connection has become has none any more. */
void hot__response_let_go(struct hot_http_response *response, int error);

/* The fields of a stream of events. */
void hot__response_event_stream(struct hot_http_response *response);

/* What the head depends on beside the response. */
struct hot__response_frame {
        const char *date;
        const struct hot__bytes *fields; /* the server's, for every response */
        bool http_1_0;
        bool head_only;  /* the request was HEAD */
        bool keep_alive; /* the connection would go on */
};

/*
 * Put the head together in .out. *ret_keep_alive: it goes on after this response. A response that has an
 * error becomes 500. Returns 0 or -ENOMEM.
 */
int hot__response_begin(struct hot_http_response *response, const struct hot__response_frame *frame,
                        bool *ret_keep_alive);

#endif
