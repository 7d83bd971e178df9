/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_HTTP2_SESSION_H
#define HOT_HTTP_HTTP2_SESSION_H

/*
 * What nghttp2 tells us of one connection, for its streams (http2_stream.h). http2.c moves the bytes.
 */

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"
#include "http2_flood.h"
#include "http2_stream.h"

struct hot__connection;
struct hot__limits;

struct hot__http2 {
        nghttp2_session *session;
        struct hot__connection *connection;
        struct hot__http2_stream *first, *last;
        size_t n_streams;
        size_t bodies; /* bytes of requests that are kept */
        struct hot__bytes out;
        size_t out_sent;
        struct hot__flood flood;
        uint64_t stalled; /* since when nothing could be sent that was there, ms; 0: not so */
        int32_t last_id;  /* that the client has opened */
        bool has_reset;   /* we have reset one */
        bool input_ended; /* the client sends no more, and we have drawn the consequences */
        bool leaving;     /* the first step */
        bool left;        /* the second: the last stream is known */
};

uint64_t hot__http2_now(const struct hot__http2 *http2);
const struct hot__limits *hot__http2_limits(const struct hot__http2 *http2);

/* Make the session, and have it say our settings. Returns 0 or -ENOMEM. */
int hot__http2_session_open(struct hot__http2 *http2);

/* The two steps of leaving. They return 0 or -ENOMEM. */
int hot__http2_leave_soon(struct hot__http2 *http2);
int hot__http2_leave_now(struct hot__http2 *http2);

#endif
