/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_HTTP2_STREAM_H
#define HOT_HTTP_HTTP2_STREAM_H

/*
 * One stream of an HTTP/2 connection: one exchange, from its first header field to the end of its response.
 * http2_request puts its request together, http2_response says what its response is on the wire.
 */

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hot__exchange;
struct hot__http2;

struct hot__http2_stream {
        struct hot__http2_stream *prev, *next; /* the connection's, in the order they were opened */
        struct hot__http2 *http2;
        struct hot__exchange *exchange;
        int32_t id;
        uint64_t began; /* ms */

        size_t head_size; /* of all fields, as RFC 9113 section 6.5.2 counts them */
        size_t host;   /* the number of the field "host" that :authority became, and one; 0: none */
        size_t cookie; /* the same of the cookie that later ones join */
        int refused;   /* a status, whatever the request turns out to be */
        bool expects;  /* 100-continue */
        bool has_length;   /* the request says how long its body is */
        uint64_t length;   /* so long */
        size_t received;   /* of it */
        size_t kept;       /* of that in memory until it is complete */
        bool complete;     /* the request is */
        size_t withheld;   /* bytes of the body whose window waits for the handler to read them */
        bool answered;     /* the response was begun */
        bool waits;        /* the response waits for more from the handler or producer */
        bool finished;     /* the handler has nothing more for it */
        size_t sent;       /* of a body in memory */
        const char *piece; /* of a stream: what is left of it */
        size_t piece_len;
};

/* Open one, the last of its connection. Returns NULL for want of memory. */
struct hot__http2_stream *hot__http2_stream_new(struct hot__http2 *http2, int32_t id);

void hot__http2_stream_end(struct hot__http2_stream *stream, int error);

/* The next ones return 0 or -ENOMEM, unless they say otherwise. */

/* Its head is complete, and it has no more if it is the @last frame. */
int hot__http2_stream_head(struct hot__http2_stream *stream, bool last);

/* More of its body. Returns 0, or the status to refuse it with. */
int hot__http2_stream_body(struct hot__http2_stream *stream, const uint8_t *bytes, size_t len);

/* The request is complete. */
int hot__http2_stream_complete(struct hot__http2_stream *stream);

/* Its handler has a piece of a stream, or has returned. */
int hot__http2_stream_posted(struct hot__http2_stream *stream);

/* Answer it with an error @status, complete or not; a handler that has it already learns of @error. */
int hot__http2_stream_refuse(struct hot__http2_stream *stream, int status, int error);

int hot__http2_stream_reset(struct hot__http2_stream *stream, uint32_t error);

/* -- http2_request.c -- */

/*
 * One more field of the head, or of the trailer section. Returns 0; or -1 if the sender has gone far beyond
 * what it may: what is merely refused is remembered in .refused.
 */
int hot__http2_request_field(struct hot__http2_stream *stream, bool trailer, const char *name,
                             size_t name_len, const char *value, size_t value_len);

/* The head is complete: is it a request that we take? If not .refused says so. */
void hot__http2_request_head(struct hot__http2_stream *stream);

/* Does it say that its body is longer than we take? To be asked when it is known who reads it. */
bool hot__http2_request_is_too_long(const struct hot__http2_stream *stream);

/* More of the body. Returns 0, or the status to refuse it with. */
int hot__http2_request_body(struct hot__http2_stream *stream, const void *data, size_t len);

/* -- http2_response.c -- */

/* Is the content not sent, because the request is HEAD or the status has none? */
bool hot__http2_response_is_muted(const struct hot__http2_stream *stream);

/* Hand the head over, and say where the body comes from. Returns 0 or a negative errno. */
int hot__http2_response_begin(struct hot__http2_stream *stream, nghttp2_session *session);

#endif
