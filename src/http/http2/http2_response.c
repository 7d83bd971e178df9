/* SPDX-License-Identifier: MIT */
/*
 * A response as fields and data of a stream. nghttp2 asks for data when the stream's window and its turn
 * allow it, which is the back-pressure that a handler or a producer feels.
 */
#include <errno.h>
#include <string.h>

#include "exchange.h"
#include "http2_session.h"
#include "server.h"

/* Date, type, length, status, and what the server and the handler have. */
#define FIELDS_MAX 128

struct fields {
        size_t n;
        bool too_many;
        nghttp2_nv nv[FIELDS_MAX];
};

/* All of it would be 5 KiB of zeroes for a handful of fields. */
static void fields_init(struct fields *fields)
{
        fields->n = 0;
        fields->too_many = false;
}

static void add(struct fields *fields, const char *name, size_t name_len, const char *value,
                size_t value_len)
{
        if (fields->n == FIELDS_MAX) {
                fields->too_many = true;
                return;
        }
        /* nghttp2 copies both, and lowers the name's letters */
        fields->nv[fields->n++] = (nghttp2_nv){
                .name = (uint8_t *)(uintptr_t)name,
                .value = (uint8_t *)(uintptr_t)value,
                .namelen = name_len,
                .valuelen = value_len,
        };
}

static void add_strings(struct fields *fields, const char *name, const char *value)
{
        add(fields, name, strlen(name), value, strlen(value));
}

/* Lines as field.c makes them: "Name: value\r\n". */
static void add_lines(struct fields *fields, const struct hot__bytes *lines)
{
        const char *at = lines->data;
        const char *end = lines->len ? at + lines->len : at;

        while (at < end) {
                const char *line_end = memchr(at, '\r', (size_t)(end - at));
                const char *colon = memchr(at, ':', (size_t)(line_end - at));

                add(fields, at, (size_t)(colon - at), colon + 2, (size_t)(line_end - colon - 2));
                at = line_end + 2;
        }
}

static bool has_content(int status)
{
        return status != 204 && status != 304;
}

bool hot__http2_response_is_muted(const struct hot__http2_stream *stream)
{
        const struct hot__exchange *exchange = stream->exchange;

        return !has_content(exchange->response.status) ||
               (exchange->request.method && !strcmp(exchange->request.method, "HEAD"));
}

/* Returns false when there is nothing left for now. */
static bool next_piece(struct hot__http2_stream *stream)
{
        struct hot__exchange *exchange = stream->exchange;
        struct hot_http_response *response = &exchange->response;

        if (stream->piece_len)
                return true;
        if (exchange->has_piece) { /* the handler may go on */
                exchange->has_piece = false;
                hot__stream_return(&response->stream, 0);
        }
        return false;
}

static ssize_t copy_piece(struct hot__http2_stream *stream, uint8_t *buffer, size_t size)
{
        size_t n = stream->piece_len < size ? stream->piece_len : size;

        memcpy(buffer, stream->piece, n);
        stream->piece += n;
        stream->piece_len -= n;
        return (ssize_t)n;
}

static ssize_t read_memory(struct hot__http2_stream *stream, uint8_t *buffer, size_t size,
                           uint32_t *flags)
{
        const struct hot__bytes *body = &stream->exchange->response.body;
        size_t n = body->len - stream->sent < size ? body->len - stream->sent : size;

        memcpy(buffer, body->data + stream->sent, n);
        stream->sent += n;
        if (stream->sent == body->len)
                *flags |= NGHTTP2_DATA_FLAG_EOF;
        return (ssize_t)n;
}

/* No data follows: trailers perhaps. */
static ssize_t end_data(struct hot__http2_stream *stream, uint32_t *flags)
{
        const struct hot__bytes *trailers = &stream->exchange->response.stream.trailers;
        struct fields fields;

        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (!trailers->len || trailers->failed)
                return 0;
        fields_init(&fields);
        add_lines(&fields, trailers);
        if (!fields.too_many &&
            !nghttp2_submit_trailer(stream->http2->session, stream->id, fields.nv, fields.n))
                *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        return 0;
}

static ssize_t read_producer(struct hot__http2_stream *stream, uint8_t *buffer, size_t size,
                             uint32_t *flags)
{
        struct hot__stream *source = &stream->exchange->response.stream;
        ssize_t n;

        if (!stream->piece_len) {
                int r = hot__stream_produce(source);

                if (r == -EAGAIN) {
                        stream->waits = true;
                        return NGHTTP2_ERR_DEFERRED;
                }
                if (r < 0)
                        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
                hot__stream_frame(source, false, &stream->piece, &stream->piece_len);
                if (!stream->piece_len)
                        return end_data(stream, flags);
        }
        n = copy_piece(stream, buffer, size);
        if (!stream->piece_len && source->remaining == 0)
                end_data(stream, flags);
        return n;
}

static ssize_t read_writer(struct hot__http2_stream *stream, uint8_t *buffer, size_t size,
                           uint32_t *flags)
{
        ssize_t n;

        if (!next_piece(stream)) {
                if (!stream->finished) {
                        stream->waits = true;
                        return NGHTTP2_ERR_DEFERRED;
                }
                return end_data(stream, flags);
        }
        n = copy_piece(stream, buffer, size);
        if (!stream->piece_len && stream->finished)
                end_data(stream, flags);
        return n;
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *buffer, size_t size,
                         uint32_t *flags, nghttp2_data_source *source, void *data)
{
        struct hot__http2_stream *stream = source->ptr;

        (void)session, (void)id, (void)data;
        switch (stream->exchange->response.mode) {
        case HOT__RESPONSE_WHOLE:
                return read_memory(stream, buffer, size, flags);
        case HOT__RESPONSE_PRODUCER:
                return read_producer(stream, buffer, size, flags);
        default:
                return read_writer(stream, buffer, size, flags);
        }
}

/* @digits: what the value lies in. */
static void add_number(struct fields *fields, const char *name, unsigned long long number,
                       char digits[HOT__NUMBER_MAX])
{
        struct hot__bytes text = {.data = digits, .size = HOT__NUMBER_MAX};

        hot__bytes_put_number(&text, number);
        add(fields, name, strlen(name), text.data, text.len);
}

static void add_length(struct fields *fields, const struct hot_http_response *response,
                       char digits[HOT__NUMBER_MAX])
{
        unsigned long long len = response->body.len;

        if (response->mode != HOT__RESPONSE_WHOLE && response->stream.remaining < 0)
                return;
        if (response->mode != HOT__RESPONSE_WHOLE)
                len = (unsigned long long)response->stream.remaining;
        add_number(fields, "content-length", len, digits);
}

int hot__http2_response_begin(struct hot__http2_stream *stream, nghttp2_session *session)
{
        struct hot__exchange *exchange = stream->exchange;
        struct hot_http_response *response = &exchange->response;
        const nghttp2_data_provider source = {{.ptr = stream}, read_body};
        char status[HOT__NUMBER_MAX], length[HOT__NUMBER_MAX];
        struct fields fields;
        bool muted;

        if (response->error || response->body.failed || response->fields.failed)
                hot__response_set_error(response, 500);
        fields_init(&fields);
        add_number(&fields, ":status", (unsigned int)response->status, status);
        add(&fields, "date", strlen("date"), hot__date_now(&exchange->worker->date),
            HOT__DATE_LENGTH);
        add_lines(&fields, &exchange->worker->server->fields);
        add_lines(&fields, &response->fields);
        if (has_content(response->status)) {
                if (!response->has_type)
                        add_strings(&fields, "content-type", "text/plain; charset=utf-8");
                add_length(&fields, response, length);
        }
        if (fields.too_many)
                return -E2BIG;
        muted = hot__http2_response_is_muted(stream) ||
                (response->mode == HOT__RESPONSE_WHOLE && !response->body.len);
        if (response->mode == HOT__RESPONSE_WHOLE && !muted)
                response->stream.sent = response->body.len;
        response->begun = true;
        response->sent_status = response->status;
        stream->answered = true;
        return nghttp2_submit_response(session, stream->id, fields.nv, fields.n,
                                       muted ? NULL : &source)
                       ? -ENOMEM
                       : 0;
}
