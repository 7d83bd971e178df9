/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "connection.h"
#include "exchange.h"
#include "http2.h"
#include "http2_session.h"
#include "server.h"
#include "worker.h"

#define STREAMS_MAX       100
#define STREAM_WINDOW     (256 << 10)
#define CONNECTION_WINDOW (1 << 20)

static const uint8_t sign_of_life[8] = "hotstart";

static struct hot__worker *worker_of(const struct hot__http2 *http2)
{
        return http2->connection->worker;
}

const struct hot__limits *hot__http2_limits(const struct hot__http2 *http2)
{
        return &worker_of(http2)->server->limits;
}

uint64_t hot__http2_now(const struct hot__http2 *http2)
{
        return hot__loop_now(&worker_of(http2)->loop);
}

static struct hot__http2_stream *stream_of(struct hot__http2 *http2, int32_t id)
{
        return nghttp2_session_get_stream_user_data(http2->session, id);
}

int hot__http2_leave_soon(struct hot__http2 *http2)
{
        if (http2->leaving || http2->left)
                return 0;
        http2->leaving = true;
        return nghttp2_submit_shutdown_notice(http2->session) ||
                               nghttp2_submit_ping(http2->session, NGHTTP2_FLAG_NONE, sign_of_life)
                       ? -ENOMEM
                       : 0;
}

int hot__http2_leave_now(struct hot__http2 *http2)
{
        if (http2->left)
                return 0;
        http2->left = true;
        return nghttp2_submit_goaway(http2->session, NGHTTP2_FLAG_NONE,
                                     nghttp2_session_get_last_proc_stream_id(http2->session),
                                     NGHTTP2_NO_ERROR, NULL, 0)
                       ? -ENOMEM
                       : 0;
}

/* -- what nghttp2 tells us. CALLBACK_FAILURE ends the connection, for want of memory -- */

static int result(int r)
{
        return r < 0 ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int calm_down(struct hot__http2 *http2)
{
        http2->left = true;
        return result(nghttp2_session_terminate_session(http2->session, NGHTTP2_ENHANCE_YOUR_CALM));
}

static int take(struct hot__http2 *http2, enum hot__flood_kind kind)
{
        return http2->left || hot__flood_take(&http2->flood, kind, hot__http2_now(http2))
                       ? 0
                       : calm_down(http2);
}

/* HEADERS on a stream that is not there any more are ignored only if we have reset one: else nobody who
 * counts its streams upwards sends them (section 5.1.1), and nghttp2 would let it pass. */
static bool goes_back(struct hot__http2 *http2, const nghttp2_frame_hd *frame)
{
        return frame->type == NGHTTP2_HEADERS && frame->stream_id % 2 == 1 &&
               frame->stream_id <= http2->last_id && !http2->has_reset &&
               !nghttp2_session_find_stream(http2->session, frame->stream_id);
}

/* Of frames that it ignores nghttp2 says nothing more than this. */
static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *frame, void *data)
{
        struct hot__http2 *http2 = data;

        if (http2->left)
                return 0;
        if (goes_back(http2, frame) || (frame->type == NGHTTP2_PRIORITY && frame->stream_id == 0)) {
                http2->left = true;
                return result(nghttp2_session_terminate_session(session, NGHTTP2_PROTOCOL_ERROR));
        }
        if (frame->type == NGHTTP2_PRIORITY || frame->type > NGHTTP2_CONTINUATION)
                return take(http2, HOT__FLOOD_CONTROL);
        return 0;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *data)
{
        struct hot__http2 *http2 = data;
        struct hot__http2_stream *stream;

        if (frame->headers.cat != NGHTTP2_HCAT_REQUEST)
                return 0;
        http2->last_id = frame->hd.stream_id;
        stream = hot__http2_stream_new(http2, frame->hd.stream_id);
        if (!stream)
                return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream);
        return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *data)
{
        struct hot__http2 *http2 = data;
        struct hot__http2_stream *stream = stream_of(http2, frame->hd.stream_id);

        (void)session, (void)flags;
        if (!stream || stream->answered)
                return 0;
        if (hot__http2_request_field(stream, frame->headers.cat != NGHTTP2_HCAT_REQUEST,
                                     (const char *)name, name_len, (const char *)value,
                                     value_len) < 0)
                return calm_down(http2);
        return 0;
}

/* The window of a stream opens again as its bytes are taken; that of the connection at once, so that no
 * stream waits for another one's handler. */
static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                   size_t len, void *data)
{
        struct hot__http2_stream *stream = stream_of(data, id);
        int status = 0;

        (void)flags;
        nghttp2_session_consume_connection(session, len);
        if (stream && !stream->refused)
                status = hot__http2_stream_body(stream, bytes, len);
        if (status)
                return result(hot__http2_stream_refuse(stream, status,
                                                       status == 413 ? -EMSGSIZE : -ENOMEM));
        if (stream && !stream->refused && hot__body_is_full(&stream->exchange->request.stream))
                stream->withheld += len;
        else
                nghttp2_session_consume_stream(session, id, len);
        return 0;
}

static int request_frame(struct hot__http2 *http2, const nghttp2_frame *frame)
{
        struct hot__http2_stream *stream = stream_of(http2, frame->hd.stream_id);
        bool last = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;

        if (!stream)
                return 0;
        if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
                return result(hot__http2_stream_head(stream, last));
        if (frame->hd.type == NGHTTP2_DATA && !last && frame->hd.length == 0)
                return take(http2, HOT__FLOOD_CONTROL);
        return last ? result(hot__http2_stream_complete(stream)) : 0;
}

static int ping_frame(struct hot__http2 *http2, const nghttp2_frame *frame)
{
        if (!(frame->hd.flags & NGHTTP2_FLAG_ACK))
                return take(http2, HOT__FLOOD_CONTROL);
        if (http2->leaving && !memcmp(frame->ping.opaque_data, sign_of_life, sizeof(sign_of_life)))
                return result(hot__http2_leave_now(http2));
        return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *data)
{
        struct hot__http2 *http2 = data;

        (void)session;
        switch (frame->hd.type) {
        case NGHTTP2_HEADERS:
        case NGHTTP2_DATA:
                return request_frame(http2, frame);
        case NGHTTP2_PING:
                return ping_frame(http2, frame);
        case NGHTTP2_SETTINGS:
                return frame->hd.flags & NGHTTP2_FLAG_ACK ? 0 : take(http2, HOT__FLOOD_CONTROL);
        case NGHTTP2_RST_STREAM:
                return take(http2, HOT__FLOOD_RESET);
        default:
                return 0;
        }
}

/* The response was complete before the request was: the rest of that is not wanted (section 8.1). */
static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *data)
{
        struct hot__http2 *http2 = data;
        struct hot__http2_stream *stream;

        (void)session;
        if (frame->hd.type == NGHTTP2_RST_STREAM)
                http2->has_reset = true;
        if (!(frame->hd.flags & NGHTTP2_FLAG_END_STREAM) ||
            (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
                return 0;
        stream = stream_of(http2, frame->hd.stream_id);
        return stream && !stream->complete
                       ? result(hot__http2_stream_reset(stream, NGHTTP2_NO_ERROR))
                       : 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *data)
{
        struct hot__http2_stream *stream = stream_of(data, id);

        (void)session;
        if (stream)
                hot__http2_stream_end(stream, error == NGHTTP2_NO_ERROR ? 0 : -ECONNRESET);
        return 0;
}

static int make_session(struct hot__http2 *http2)
{
        nghttp2_session_callbacks *callbacks;
        nghttp2_option *option = NULL;
        int r;

        if (nghttp2_session_callbacks_new(&callbacks))
                return -ENOMEM;
        nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
        r = nghttp2_option_new(&option);
        if (r == 0) {
                nghttp2_option_set_no_closed_streams(option, 1);
                nghttp2_option_set_no_auto_window_update(option, 1);
                r = nghttp2_session_server_new2(&http2->session, callbacks, http2, option);
                nghttp2_option_del(option);
        }
        nghttp2_session_callbacks_del(callbacks);
        return r ? -ENOMEM : 0;
}

static int say_settings(struct hot__http2 *http2)
{
        const nghttp2_settings_entry settings[] = {
                {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, STREAMS_MAX},
                {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
                {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
                 (uint32_t)hot__http2_limits(http2)->head.size},
                {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
        };

        if (nghttp2_submit_settings(http2->session, NGHTTP2_FLAG_NONE, settings,
                                    sizeof(settings) / sizeof(settings[0])) ||
            nghttp2_session_set_local_window_size(http2->session, NGHTTP2_FLAG_NONE, 0,
                                                  CONNECTION_WINDOW))
                return -ENOMEM;
        return 0;
}

int hot__http2_session_open(struct hot__http2 *http2)
{
        int r = make_session(http2);

        return r < 0 ? r : say_settings(http2);
}
