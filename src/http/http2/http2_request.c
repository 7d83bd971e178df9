/* SPDX-License-Identifier: MIT */
/*
 * A request from the fields of a stream. nghttp2 has checked what RFC 9113 section 8 says of their names,
 * values and order, and that Content-Length and the data agree; this room has what we are stricter about,
 * the same as head.c for HTTP/1.
 *
 * The strings lie in one buffer, as big as a head may be, which becomes the exchange's.
 */
#include <string.h>
#include <strings.h>

#include "exchange.h"
#include "http2_stream.h"
#include "server.h"
#include "token.h"

/* RFC 9113 section 6.5.2: every field counts as so much more than its bytes. */
#define FIELD_OVERHEAD 32

/* Fields beyond the limit are only counted; so many times the limit, and the connection ends. */
#define PATIENCE 4

static const struct hot__limits *limits_of(const struct hot__http2_stream *stream)
{
        return &stream->exchange->worker->server->limits;
}

static void refuse(struct hot__http2_stream *stream, int status)
{
        if (!stream->refused)
                stream->refused = status;
}

/* A zero-terminated copy in the exchange's buffer, or NULL and 431 if it is full. */
static char *keep(struct hot__http2_stream *stream, const char *bytes, size_t len)
{
        struct hot__buffer *buffer = stream->exchange->head;
        char *at = buffer->data + buffer->end;

        if (buffer->size - buffer->end < len + 1) {
                refuse(stream, 431);
                return NULL;
        }
        memcpy(at, bytes, len);
        at[len] = '\0';
        buffer->end += len + 1;
        return at;
}

static bool is(const char *name, size_t len, const char *what)
{
        return strlen(what) == len && !memcmp(name, what, len);
}

/* Returns its number, or -1 if there is no room. */
static ssize_t append_field(struct hot__http2_stream *stream, bool trailer, const char *name,
                            const char *value)
{
        struct hot_http_request *request = &stream->exchange->request;
        size_t n = request->n_fields + request->n_trailers;

        if (!name || !value)
                return -1;
        if (n == HOT__FIELDS_MAX) {
                refuse(stream, 431);
                return -1;
        }
        request->fields[n] = (struct hot__field){name, value};
        if (trailer)
                request->n_trailers++;
        else
                request->n_fields++;
        return (ssize_t)n;
}

static void take_host(struct hot__http2_stream *stream, const char *value, size_t len)
{
        struct hot_http_request *request = &stream->exchange->request;
        ssize_t n;

        if (!hot__token_is_authority(value, len))
                refuse(stream, 400);
        if (stream->host) { /* :authority, which it must not contradict (section 8.3.1) */
                if (!is(value, len, request->fields[stream->host - 1].value))
                        refuse(stream, 400);
                return;
        }
        n = append_field(stream, false, "host", keep(stream, value, len));
        if (n >= 0)
                stream->host = (size_t)n + 1;
}

static void take_pseudo(struct hot__http2_stream *stream, const char *name, size_t name_len,
                        const char *value, size_t value_len)
{
        struct hot_http_request *request = &stream->exchange->request;
        char *copy;

        if (is(name, name_len, ":authority")) {
                take_host(stream, value, value_len);
        } else if (is(name, name_len, ":method")) {
                copy = keep(stream, value, value_len);
                if (copy) {
                        request->method = copy;
                        request->method_len = value_len;
                }
        } else if (is(name, name_len, ":path")) {
                if (value_len > limits_of(stream)->head.target)
                        refuse(stream, 414);
                else if (!hot__token_is_target(value, value_len))
                        refuse(stream, 400);
                copy = keep(stream, value, value_len);
                if (copy)
                        request->target = copy;
        }
}

/* Cookies may come in crumbs, and are put together again (section 8.2.3). */
static void take_cookie(struct hot__http2_stream *stream, const char *value, size_t len)
{
        struct hot_http_request *request = &stream->exchange->request;
        struct hot__buffer *buffer = stream->exchange->head;
        const char *before;
        size_t before_len;
        char *at;
        ssize_t n;

        if (!stream->cookie) {
                n = append_field(stream, false, "cookie", keep(stream, value, len));
                if (n >= 0)
                        stream->cookie = (size_t)n + 1;
                return;
        }
        before = request->fields[stream->cookie - 1].value;
        before_len = strlen(before);
        at = buffer->data + buffer->end;
        if (buffer->size - buffer->end < before_len + len + 3) {
                refuse(stream, 431);
                return;
        }
        if (before + before_len + 1 == at) { /* the last one kept: go on behind it */
                buffer->end--;
                at--;
        } else {
                memcpy(at, before, before_len);
                request->fields[stream->cookie - 1].value = at;
                at += before_len;
                buffer->end += before_len;
        }
        memcpy(at, "; ", 2);
        memcpy(at + 2, value, len);
        at[2 + len] = '\0';
        buffer->end += len + 3;
}

/* nghttp2 has seen that it is a number. */
static void take_length(struct hot__http2_stream *stream, const char *value, size_t len)
{
        stream->has_length = true;
        for (size_t i = 0; i < len && stream->length < UINT64_MAX / 16; i++)
                stream->length = stream->length * 10 + (uint64_t)(value[i] - '0');
}

int hot__http2_request_field(struct hot__http2_stream *stream, bool trailer, const char *name,
                             size_t name_len, const char *value, size_t value_len)
{
        size_t limit = limits_of(stream)->head.size;

        stream->head_size += name_len + value_len + FIELD_OVERHEAD;
        if (stream->head_size > PATIENCE * (limit + FIELD_OVERHEAD * HOT__FIELDS_MAX))
                return -1;
        if (stream->refused)
                return 0;
        if (name_len && name[0] == ':') {
                take_pseudo(stream, name, name_len, value, value_len);
                return 0;
        }
        if (!trailer && is(name, name_len, "host")) {
                take_host(stream, value, value_len);
                return 0;
        }
        if (!trailer && is(name, name_len, "cookie")) {
                take_cookie(stream, value, value_len);
                return 0;
        }
        if (!trailer && is(name, name_len, "content-length"))
                take_length(stream, value, value_len);
        if (!trailer && is(name, name_len, "expect")) {
                stream->expects = value_len == 12 && !strncasecmp(value, "100-continue", 12);
                if (!stream->expects)
                        refuse(stream, 417);
        }
        append_field(stream, trailer, keep(stream, name, name_len), keep(stream, value, value_len));
        return 0;
}

void hot__http2_request_head(struct hot__http2_stream *stream)
{
        struct hot_http_request *request = &stream->exchange->request;

        request->keep_alive = request->http_2 = true;
        if (stream->refused)
                return;
        if (!strcmp(request->method, "CONNECT"))
                refuse(stream, 501); /* this is no proxy */
        else if (!stream->host)
                refuse(stream, 400);
        else if (hot__request_set_path(request) < 0)
                refuse(stream, 503);
}

/* How much body is taken: more of one that is read as it arrives. */
static size_t body_limit(const struct hot__http2_stream *stream)
{
        return stream->exchange->request.stream.streamed ? limits_of(stream)->stream
                                                         : limits_of(stream)->body;
}

bool hot__http2_request_is_too_long(const struct hot__http2_stream *stream)
{
        return stream->has_length && stream->length > body_limit(stream);
}

/* A slow sender earns time by what it sends, never more than read_ms from now. */
static void allow_time(struct hot__http2_stream *stream, size_t len)
{
        const struct hot__limits *limits = limits_of(stream);
        uint64_t most = hot__loop_now(&stream->exchange->worker->loop) + limits->read_ms;
        uint64_t by = stream->exchange->receive_by + len * 1000 / limits->rate;

        stream->exchange->receive_by = by < most ? by : most;
}

int hot__http2_request_body(struct hot__http2_stream *stream, const void *data, size_t len)
{
        struct hot_http_request *request = &stream->exchange->request;
        int r;

        if (len > body_limit(stream) - stream->received)
                return 413;
        stream->received += len;
        if (request->stream.streamed) {
                allow_time(stream, len);
                r = hot__body_put(&request->stream, data, len);
        } else {
                r = hot__bytes_append(&request->body, data, len);
        }
        return r < 0 ? 503 : 0;
}
