/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "exchange.h"
#include "field.h"
#include "file.h"
#include "response.h"
#include "response_head.h"
#include "socket.h"
#include "status.h"
#include "tunnel.h"
#include "websocket.h"

#define FIELDS_KEEP 4096
#define BODY_KEEP   16384

/* Up to this size a body is copied behind its head, so that both leave in one system call. */
#define TOGETHER_MAX 16384

int hot__response_init(struct hot_http_response *response)
{
        response->status = 200;
        return hot__stream_init(&response->stream);
}

void hot__response_clear(struct hot_http_response *response)
{
        hot__bytes_clear(&response->fields, FIELDS_KEEP);
        hot__bytes_clear(&response->body, BODY_KEEP);
        hot__bytes_clear(&response->out, FIELDS_KEEP + TOGETHER_MAX);
        if (response->mode != HOT__RESPONSE_WHOLE || response->stream.trailers.data)
                hot__stream_clear(&response->stream);
        hot__response_let_go(response, -ECONNRESET);
        response->stream.sent = 0;
        response->deferred = false;
        response->on_cancel = NULL;
        response->status = 200;
        response->error = 0;
        response->has_type = false;
        response->blocking = false;
        response->begun = false;
        response->mode = HOT__RESPONSE_WHOLE;
        response->stream.muted = false;
}

void hot__response_done(struct hot_http_response *response)
{
        hot__response_let_go(response, -ECONNRESET);
        hot__bytes_done(&response->fields);
        hot__bytes_done(&response->body);
        hot__bytes_done(&response->out);
        hot__stream_done(&response->stream);
}

void hot__response_set_error(struct hot_http_response *response, int status)
{
        hot__response_clear(response);
        response->status = status;
        hot__bytes_append_number(&response->body, (unsigned int)status);
        hot__bytes_append_string(&response->body, " ");
        hot__bytes_append_string(&response->body, hot__status_reason(status));
        hot__bytes_append_string(&response->body, "\n");
}

void hot__response_upgrade(struct hot_http_response *response, const char *protocol)
{
        response->mode = HOT__RESPONSE_UPGRADE;
        response->status = protocol ? 101 : 200;
        if (!protocol)
                return;
        hot__bytes_append_string(&response->fields, "Connection: Upgrade\r\n");
        hot__field_append(&response->fields, "Upgrade", protocol);
}

void hot__response_let_go(struct hot_http_response *response, int error)
{
        if (response->websocket)
                hot__websocket_gone(response->websocket);
        if (response->tunnel)
                hot__tunnel_gone(response->tunnel, error);
        response->websocket = NULL;
        response->tunnel = NULL;
}

/* Set behind hot_http_response_produce(), after which a handler can set no more. */
void hot__response_event_stream(struct hot_http_response *response)
{
        response->has_type = true;
        hot__field_append(&response->fields, "Content-Type", "text/event-stream");
        hot__field_append(&response->fields, "Cache-Control", "no-store");
}

int hot__response_begin(struct hot_http_response *response, const struct hot__response_frame *frame,
                        bool *ret_keep_alive)
{
        bool keep_alive = frame->keep_alive, together;

        if (response->error || response->body.failed || response->fields.failed)
                hot__response_set_error(response, 500);
        together = response->mode == HOT__RESPONSE_WHOLE && response->body.len <= TOGETHER_MAX;
        if (hot__response_head_append(response, frame, together ? response->body.len : 0,
                                      &keep_alive) < 0)
                return -ENOMEM;
        if (response->mode == HOT__RESPONSE_WHOLE)
                response->stream.sent = response->body.len;
        if (together && response->body.len) {
                hot__bytes_put(&response->out, response->body.data, response->body.len);
                response->body.len = 0;
        }
        response->begun = true;
        response->sent_status = response->status;
        *ret_keep_alive = keep_alive;
        return 0;
}

/* Remember the first error: handlers of few lines do not look. */
static int failed(struct hot_http_response *response, int error)
{
        if (error < 0 && !response->error)
                response->error = error;
        return error;
}

/* The handler's side: has it begun to stream? Then the head may have left. */
static bool is_sent(const struct hot_http_response *response)
{
        return response->mode != HOT__RESPONSE_WHOLE;
}

int hot_http_response_status(struct hot_http_response *response, int status)
{
        if (is_sent(response))
                return failed(response, -EALREADY);
        if (status < 200 || status > 599)
                return failed(response, -EINVAL);
        response->status = status;
        return 0;
}

int hot_http_response_header(struct hot_http_response *response, const char *name,
                             const char *value)
{
        if (is_sent(response))
                return failed(response, -EALREADY);
        if (!hot__field_is_sendable(name, value))
                return failed(response, -EINVAL);
        if (!strcasecmp(name, "content-type"))
                response->has_type = true;
        return failed(response, hot__field_append(&response->fields, name, value));
}

/* Give the piece to the loop and wait until it was sent. */
static int flush(struct hot_http_response *response)
{
        struct hot__exchange *exchange = hot__exchange_of(response);
        int r;

        if (response->error)
                return response->error;
        hot__stream_give(&response->stream);
        if (!hot__exchange_post(exchange, HOT__LETTER_PIECE))
                hot__stream_return(&response->stream, -ECONNRESET);
        r = hot__stream_wait(&response->stream);
        return failed(response, r);
}

static int write_stream(struct hot_http_response *response, const char *data, size_t length)
{
        while (length) {
                size_t n = hot__stream_fill(&response->stream, data, length);
                int r = 0;

                data += n;
                length -= n;
                if (response->stream.filled == HOT__STREAM_PIECE)
                        r = flush(response);
                if (r < 0)
                        return r;
        }
        return response->error;
}

int hot_http_response_write(struct hot_http_response *response, const void *data, size_t length)
{
        switch (response->mode) {
        case HOT__RESPONSE_WRITER:
                return write_stream(response, data, length);
        case HOT__RESPONSE_WHOLE:
                return failed(response, hot__bytes_append(&response->body, data, length));
        default:
                return failed(response, -EALREADY);
        }
}

int hot_http_response_printf(struct hot_http_response *response, const char *format, ...)
{
        struct hot__bytes text = {0};
        va_list arguments;
        char line[512]; /* most are short: formatted once, and nothing allocated */
        int len, r;

        if (!strchr(format, '%'))
                return hot_http_response_write(response, format, strlen(format));
        va_start(arguments, format);
        len = vsnprintf(line, sizeof(line), format, arguments);
        va_end(arguments);
        if (len < 0)
                return failed(response, -EINVAL);
        if ((size_t)len < sizeof(line))
                return hot_http_response_write(response, line, (size_t)len);
        if (hot__bytes_reserve(&text, (size_t)len + 1) < 0)
                return failed(response, -ENOMEM);
        va_start(arguments, format);
        vsnprintf(text.data, (size_t)len + 1, format, arguments);
        va_end(arguments);
        r = hot_http_response_write(response, text.data, (size_t)len);
        hot__bytes_done(&text);
        return r;
}

int hot_http_response_stream(struct hot_http_response *response)
{
        int r;

        if (!response->blocking && !response->deferred)
                return failed(response, -EINVAL);
        if (response->mode != HOT__RESPONSE_WHOLE)
                return failed(response, -EALREADY);
        r = hot__stream_prepare(&response->stream);
        if (r < 0)
                return failed(response, r);
        response->mode = HOT__RESPONSE_WRITER;
        if (!response->body.len)
                return 0;
        r = write_stream(response, response->body.data, response->body.len);
        hot__bytes_done(&response->body);
        return r;
}

int hot_http_response_flush(struct hot_http_response *response)
{
        if (response->mode != HOT__RESPONSE_WRITER)
                return failed(response, -EINVAL);
        return flush(response);
}

int hot_http_response_trailer(struct hot_http_response *response, const char *name,
                              const char *value)
{
        if (response->mode == HOT__RESPONSE_WHOLE)
                return failed(response, -EINVAL);
        if (!hot__field_is_sendable(name, value) || !hot__field_is_trailer(name))
                return failed(response, -EINVAL);
        return failed(response, hot__field_append(&response->stream.trailers, name, value));
}

int hot_http_response_on_cancel(struct hot_http_response *response, void (*cancelled)(void *data),
                                void *data)
{
        response->on_cancel = cancelled;
        response->on_cancel_data = data;
        return 0;
}

int hot_http_response_save(struct hot_http_response *response, hot_http_saver *saver,
                           uint32_t version)
{
        if (response->mode != HOT__RESPONSE_PRODUCER || !saver)
                return failed(response, -EINVAL);
        response->stream.save = saver;
        response->stream.save_version = version;
        return 0;
}

int hot_http_response_resume(struct hot_http_response *response)
{
        hot__exchange_post(hot__exchange_of(response), HOT__LETTER_MORE);
        return 0;
}

static int take_file(struct hot_http_response *response, int fd, bool regular, off_t offset,
                     int64_t length)
{
        struct hot__file *file = hot__file_take(fd, regular, offset);
        int r;

        if (!file)
                return failed(response, -ENOMEM);
        file->exchange = hot__exchange_of(response);
        r = hot_http_response_produce(response, length, hot__file_produce, file, hot__file_done);
        if (r < 0)
                hot__file_done(file);
        else if (regular)
                response->stream.file = file;
        return r;
}

int hot_http_response_take_file(struct hot_http_response *response, int fd, int64_t offset,
                                int64_t length)
{
        struct stat st;
        int r = fd < 0 ? -EBADF : fstat(fd, &st) < 0 ? -errno : 0;

        if (r == 0 && (!S_ISREG(st.st_mode) || offset < 0 || offset > st.st_size || length < -1 ||
                       length > st.st_size - offset))
                r = -EINVAL;
        if (r < 0) {
                hot__socket_close(fd);
                return failed(response, r);
        }
        return take_file(response, fd, true, offset, length < 0 ? st.st_size - offset : length);
}

int hot_http_response_take_descriptor(struct hot_http_response *response, int fd, int64_t length)
{
        if (fd < 0)
                return failed(response, -EBADF);
        return take_file(response, fd, false, 0, length);
}

int hot_http_response_produce(struct hot_http_response *response, int64_t length,
                              hot_http_producer *producer, void *data, void (*done)(void *data))
{
        int r;

        if (response->mode != HOT__RESPONSE_WHOLE || response->body.len)
                return failed(response, -EALREADY);
        if (!producer || length < -1)
                return failed(response, -EINVAL);
        r = hot__stream_prepare(&response->stream);
        if (r < 0)
                return failed(response, r);
        response->mode = HOT__RESPONSE_PRODUCER;
        response->stream.remaining = length;
        response->stream.producer = producer;
        response->stream.data = data;
        response->stream.done = done;
        return 0;
}
