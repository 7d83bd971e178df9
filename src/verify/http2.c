/* SPDX-License-Identifier: MIT */
/*
 * HTTP/2: a batch of requests is as many streams at once, whose answers come in any order. nghttp2 does the
 * framing, and is loaded when the first connection speaks it.
 *
 * GOAWAY tells which streams the server has taken: one above the last is known not to be served (RFC 9113,
 * 6.8), one below was promised an answer, and is cut if it gets none.
 */
#include "clock.h"
#include "exchange.h"
#include "lazy.h"
#include "speech.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>

/* What is used of nghttp2: each member is named after its function, and set once. */
#define FUNCTIONS(X)                                                 \
        X(nghttp2_session_callbacks_del)                             \
        X(nghttp2_session_callbacks_new)                             \
        X(nghttp2_session_callbacks_set_on_data_chunk_recv_callback) \
        X(nghttp2_session_callbacks_set_on_frame_recv_callback)      \
        X(nghttp2_session_callbacks_set_on_header_callback)          \
        X(nghttp2_session_callbacks_set_on_stream_close_callback)    \
        X(nghttp2_session_client_new)                                \
        X(nghttp2_session_del)                                       \
        X(nghttp2_session_mem_recv)                                  \
        X(nghttp2_session_mem_send)                                  \
        X(nghttp2_session_terminate_session)                         \
        X(nghttp2_session_want_read)                                 \
        X(nghttp2_session_want_write)                                \
        X(nghttp2_submit_request)                                    \
        X(nghttp2_submit_settings)

static struct {
        void *library;
        FUNCTIONS(HOT__LAZY_MEMBER)
} nghttp2;

#define FIND(name) HOT__LAZY_FIND(nghttp2, name)

static int load(void)
{
        if (nghttp2.library)
                return 0;
        nghttp2.library = hot__lazy_open("libnghttp2.so.14");
        if (!nghttp2.library)
                return -ELIBACC;
        FUNCTIONS(FIND)
        return 0;
}

struct stream {
        int32_t id; /* 0: none, or over */
        struct hot__request request;
        struct hot__payload_check check;
        struct hot__identity identity;
        int status;
        bool head_complete, complete;
};

struct session {
        nghttp2_session *nghttp2;
        struct stream streams[HOT__DEPTH_MAX];
        bool going_away;
        int32_t last; /* going_away: the last stream that the server takes */
};

static struct stream *find(struct session *session, int32_t id)
{
        for (size_t i = 0; i < HOT__DEPTH_MAX; i++)
                if (session->streams[i].id == id)
                        return &session->streams[i];
        return NULL;
}

/* ---- what ends a stream ---- */

/* It takes the place of the next request of the batch: streams end in any order, records are written in one. */
static void settle(struct hot__connection *connection, struct stream *stream,
                   enum hot__ending ending, int error)
{
        const struct session *session = connection->session;
        struct hot__response *response = &connection->response;

        connection->batch[connection->n_ended] = stream->request;
        connection->check = stream->check;
        response->identity = stream->identity;
        response->identity.body_hash = stream->check.hash;
        response->status = stream->status;
        response->begun = stream->request.first_byte != 0;
        response->head_complete = stream->head_complete;
        response->complete = stream->complete;
        connection->cut = session->going_away && stream->id <= session->last;
        hot__exchange_identify(connection);
        hot__exchange_settle(connection, ending, error);
        connection->answered |= ending == HOT__ENDING_COMPLETE;
        stream->id = 0;
}

static void settle_closed(struct hot__connection *connection, struct stream *stream,
                          uint32_t error_code)
{
        const struct session *session = connection->session;

        if (stream->complete && error_code == NGHTTP2_NO_ERROR)
                settle(connection, stream, HOT__ENDING_COMPLETE, 0);
        else if (error_code == NGHTTP2_PROTOCOL_ERROR)
                settle(connection, stream, HOT__ENDING_GARBAGE, 0);
        else if (session->going_away && stream->id > session->last)
                settle(connection, stream, HOT__ENDING_ANNOUNCED, 0);
        else
                settle(connection, stream, HOT__ENDING_CLOSED, ECONNRESET);
}

static void fail(struct hot__connection *connection, enum hot__ending ending, int error)
{
        struct session *session = connection->session;
        bool away = session->going_away;

        for (size_t i = 0; i < HOT__DEPTH_MAX; i++) {
                struct stream *stream = &session->streams[i];

                if (stream->id == 0)
                        continue;
                if (away && stream->id > session->last)
                        settle(connection, stream, HOT__ENDING_ANNOUNCED, 0);
                else
                        settle(connection, stream, ending, error);
        }
        if (!away) {
                hot__connection_fail(connection, ending, error);
                return;
        }
        hot__connection_lose(connection, HOT__RECONNECT_GOAWAY);
        hot__connection_rest(connection);
}

/* ---- what nghttp2 tells ---- */

static uint64_t number_of(const uint8_t *value, size_t length)
{
        uint64_t number = 0;

        for (size_t i = 0; i < length; i++) {
                if (value[i] < '0' || value[i] > '9' || number > UINT64_MAX / 10 - 1)
                        return 0;
                number = number * 10 + (uint64_t)(value[i] - '0');
        }
        return number;
}

static int on_header(nghttp2_session *handle, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags,
                     void *data)
{
        struct hot__connection *connection = data;
        struct stream *stream = find(connection->session, frame->hd.stream_id);

        (void)handle, (void)flags;
        if (!stream || frame->hd.type != NGHTTP2_HEADERS || stream->head_complete)
                return 0;
        if (stream->request.first_byte == 0)
                stream->request.first_byte = hot__clock_now();
        if (name_length == 7 && memcmp(name, ":status", 7) == 0)
                stream->status = (int)number_of(value, value_length);
        else if (name_length == 12 && memcmp(name, "x-generation", 12) == 0)
                stream->identity.number = number_of(value, value_length);
        else if (name_length == 5 && memcmp(name, "x-pid", 5) == 0)
                stream->identity.pid = (pid_t)number_of(value, value_length);
        return 0;
}

static int on_data(nghttp2_session *handle, uint8_t flags, int32_t id, const uint8_t *bytes,
                   size_t count, void *data)
{
        struct hot__connection *connection = data;
        struct stream *stream = find(connection->session, id);

        (void)handle, (void)flags;
        if (stream)
                hot__payload_see(&stream->check, (const char *)bytes, count);
        return 0;
}

static void take_goaway(struct session *session, int32_t last)
{
        /* A first one that takes all and a second that says which: the lowest counts. */
        if (!session->going_away || last < session->last)
                session->last = last;
        session->going_away = true;
}

static int on_frame(nghttp2_session *handle, const nghttp2_frame *frame, void *data)
{
        struct hot__connection *connection = data;
        struct session *session = connection->session;
        struct stream *stream = find(session, frame->hd.stream_id);

        (void)handle;
        if (frame->hd.type == NGHTTP2_GOAWAY)
                take_goaway(session, frame->goaway.last_stream_id);
        if (!stream || frame->hd.stream_id == 0)
                return 0;
        if (frame->hd.type == NGHTTP2_HEADERS && stream->status / 100 != 1)
                stream->head_complete = true;
        if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
            (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
                stream->complete = true;
        return 0;
}

static int on_stream_close(nghttp2_session *handle, int32_t id, uint32_t error_code, void *data)
{
        struct hot__connection *connection = data;
        struct stream *stream = find(connection->session, id);

        (void)handle;
        if (stream && id != 0)
                settle_closed(connection, stream, error_code);
        return 0;
}

/* ---- a session ---- */

static int open_nghttp2(struct hot__connection *connection, nghttp2_session **ret)
{
        const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
        nghttp2_session_callbacks *callbacks;
        nghttp2_session *opened;
        int r = load();

        if (r < 0)
                return r;
        if (nghttp2.nghttp2_session_callbacks_new(&callbacks) != 0)
                return -ENOMEM;
        nghttp2.nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2.nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2.nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
        nghttp2.nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
        r = nghttp2.nghttp2_session_client_new(&opened, callbacks, connection);
        nghttp2.nghttp2_session_callbacks_del(callbacks);
        if (r != 0)
                return -ENOMEM;
        if (nghttp2.nghttp2_submit_settings(opened, NGHTTP2_FLAG_NONE, settings, 1) != 0) {
                nghttp2.nghttp2_session_del(opened);
                return -ENOMEM;
        }
        *ret = opened;
        return 0;
}

static int open_session(struct hot__connection *connection)
{
        struct session *session = calloc(1, sizeof(*session));
        int r;

        if (!session)
                return -ENOMEM;
        r = open_nghttp2(connection, &session->nghttp2);
        if (r < 0) {
                free(session);
                return r;
        }
        connection->session = session;
        return 0;
}

/* The connection is closed in the next moment: what is said now is sent if the kernel takes it at once. */
static void leave(struct hot__connection *connection)
{
        struct session *session = connection->session;
        const uint8_t *bytes;
        const char *waiting;
        ssize_t n;

        (void)nghttp2.nghttp2_session_terminate_session(session->nghttp2, NGHTTP2_NO_ERROR);
        while (hot__outbox_next(&connection->outbox, &waiting) == 0 &&
               (n = nghttp2.nghttp2_session_mem_send(session->nghttp2, &bytes)) > 0)
                if (hot__transport_write(connection->tls, connection->fd, (const char *)bytes,
                                         (size_t)n) != n)
                        break;
        nghttp2.nghttp2_session_del(session->nghttp2);
        free(session);
        connection->session = NULL;
}

/* ---- moving bytes ---- */

/* Returns false when the connection is gone. */
static bool send_all(struct hot__connection *connection)
{
        struct session *session = connection->session;
        const uint8_t *bytes;
        ssize_t n;

        while ((n = nghttp2.nghttp2_session_mem_send(session->nghttp2, &bytes)) > 0)
                if (hot__outbox_add(&connection->outbox, bytes, (size_t)n) < 0) {
                        hot__connection_fail(connection, HOT__ENDING_CLOSED, ENOMEM);
                        return false;
                }
        return hot__speech_flush(connection);
}

/* Nothing more comes. */
static void ended(struct hot__connection *connection, int error)
{
        const struct session *session = connection->session;
        enum hot__reconnect kind = error == 0 ? HOT__RECONNECT_IDLE : HOT__RECONNECT_RESET;
        bool busy = connection->state == HOT__CONNECTION_BUSY;

        if (busy && connection->n_ended < connection->n_batch) {
                fail(connection, HOT__ENDING_CLOSED, error);
                return;
        }
        hot__connection_lose(connection, session->going_away ? HOT__RECONNECT_GOAWAY : kind);
        if (busy)
                hot__connection_rest(connection);
}

/* What came is no HTTP/2. */
static void broken(struct hot__connection *connection)
{
        if (connection->state == HOT__CONNECTION_BUSY)
                fail(connection, HOT__ENDING_GARBAGE, 0);
        else
                hot__connection_lose(connection, HOT__RECONNECT_OTHER);
}

/* Take in what has come. Returns false when the connection is gone. */
static bool receive(struct hot__connection *connection)
{
        struct session *session = connection->session;
        ssize_t n;
        int error;

        while (connection->readable) {
                n = hot__speech_read(connection, &error);
                if (n == -EAGAIN)
                        return true;
                if (n == 0) {
                        ended(connection, error);
                        return false;
                }
                if (nghttp2.nghttp2_session_mem_recv(session->nghttp2,
                                                     (uint8_t *)connection->traffic->scratch,
                                                     (size_t)n) != n) {
                        broken(connection);
                        return false;
                }
                if (!nghttp2.nghttp2_session_want_read(session->nghttp2) &&
                    !nghttp2.nghttp2_session_want_write(session->nghttp2)) {
                        ended(connection, 0);
                        return false;
                }
        }
        return true;
}

static bool is_going_away(const struct hot__connection *connection)
{
        const struct session *session = connection->session;

        return session->going_away;
}

static void go_on(struct hot__connection *connection)
{
        if (!send_all(connection) || !receive(connection) || !send_all(connection))
                return;
        if (connection->n_ended < connection->n_batch)
                return;
        if (is_going_away(connection))
                hot__connection_lose(connection, HOT__RECONNECT_GOAWAY);
        hot__connection_rest(connection);
}

static void look(struct hot__connection *connection)
{
        if (!receive(connection) || !send_all(connection))
                return;
        if (is_going_away(connection))
                hot__connection_lose(connection, HOT__RECONNECT_GOAWAY);
}

/* ---- a batch ---- */

static nghttp2_nv field(const char *name, const char *value)
{
        return (nghttp2_nv){
                .name = (uint8_t *)(uintptr_t)name,
                .value = (uint8_t *)(uintptr_t)value,
                .namelen = strlen(name),
                .valuelen = strlen(value),
        };
}

static int submit(struct hot__connection *connection)
{
        struct session *session = connection->session;
        const nghttp2_nv fields[] = {
                field(":method", "GET"),
                field(":scheme", connection->tls ? "https" : "http"),
                field(":authority", connection->traffic->target.host),
                field(":path", connection->profile->path),
        };

        for (unsigned int i = 0; i < connection->n_batch; i++) {
                int32_t id = nghttp2.nghttp2_submit_request(session->nghttp2, NULL, fields, 4, NULL,
                                                            NULL);

                if (id < 0)
                        return -ENOMEM;
                session->streams[i] = (struct stream){
                        .id = id, .request = connection->batch[i], .check = connection->check};
        }
        return 0;
}

static void begin(struct hot__connection *connection)
{
        int r = connection->session ? 0 : open_session(connection);

        if (r == 0) {
                hot__exchange_sent(connection);
                r = submit(connection);
        }
        if (r < 0) {
                hot__connection_fail(connection, HOT__ENDING_CLOSED,
                                     r == -ENOMEM ? ENOMEM : EMFILE);
                return;
        }
        go_on(connection);
}

const struct hot__speech hot__speech_http2 = {
        .alpn = "h2",
        .begin = begin,
        .go_on = go_on,
        .look = look,
        .leave = leave,
};
