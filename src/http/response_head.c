/* SPDX-License-Identifier: MIT */
#include "response_head.h"

#include <string.h>

#include "date.h"
#include "status.h"

/* What is said here at most, beside the fields of the server and of the handler. */
#define HEAD_MAX 512

static bool has_content(int status)
{
        return status != 101 && status != 204 && status != 304;
}

static void put_status_line(struct hot__bytes *out, int status)
{
        size_t len;
        const char *line = hot__status_line(status, &len);

        if (line) {
                hot__bytes_put(out, line, len);
                return;
        }
        hot__bytes_put_literal(out, "HTTP/1.1 ");
        hot__bytes_put_number(out, (unsigned int)status);
        hot__bytes_put_literal(out, " Unknown\r\n");
}

/* How the client learns where the body ends. Returns whether the connection can go on after it. */
static bool put_framing(struct hot_http_response *response, const struct hot__response_frame *frame)
{
        struct hot__bytes *out = &response->out;
        struct hot__stream *stream = &response->stream;

        if (response->mode == HOT__RESPONSE_WHOLE || stream->remaining >= 0) {
                hot__bytes_put_literal(out, "Content-Length: ");
                hot__bytes_put_number(out, response->mode == HOT__RESPONSE_WHOLE
                                                   ? response->body.len
                                                   : (unsigned long long)stream->remaining);
                hot__bytes_put_literal(out, "\r\n");
                return true;
        }
        if (frame->http_1_0)
                return false;
        stream->chunked = true;
        hot__bytes_put_literal(out, "Transfer-Encoding: chunked\r\n");
        return true;
}

static void put_connection(struct hot__bytes *out, const struct hot__response_frame *frame,
                           bool keep_alive)
{
        if (!keep_alive)
                hot__bytes_put_literal(out, "Connection: close\r\n");
        else if (frame->http_1_0)
                hot__bytes_put_literal(out, "Connection: keep-alive\r\n");
}

static void put_fields(struct hot__bytes *out, const struct hot__bytes *fields)
{
        if (fields->len)
                hot__bytes_put(out, fields->data, fields->len);
}

int hot__response_head_append(struct hot_http_response *response,
                              const struct hot__response_frame *frame, size_t more,
                              bool *keep_alive)
{
        struct hot__bytes *out = &response->out;
        bool content = response->mode != HOT__RESPONSE_UPGRADE && has_content(response->status);
        int r = hot__bytes_reserve(out,
                                   HEAD_MAX + frame->fields->len + response->fields.len + more);

        if (r < 0)
                return r;
        put_status_line(out, response->status);
        hot__bytes_put_literal(out, "Date: ");
        hot__bytes_put(out, frame->date, HOT__DATE_LENGTH);
        hot__bytes_put_literal(out, "\r\n");
        put_fields(out, frame->fields);
        put_fields(out, &response->fields);
        if (content && !response->has_type)
                hot__bytes_put_literal(out, "Content-Type: text/plain; charset=utf-8\r\n");
        if (content && !put_framing(response, frame))
                *keep_alive = false;
        if (response->mode == HOT__RESPONSE_UPGRADE)
                *keep_alive = true; /* and its fields say what it goes on as */
        else
                put_connection(out, frame, *keep_alive);
        hot__bytes_put_literal(out, "\r\n");
        if (frame->head_only || !content) {
                response->stream.muted = true;
                response->body.len = 0;
        }
        return 0;
}
