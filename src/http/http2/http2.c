/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "connection.h"
#include "exchange.h"
#include "http2.h"
#include "http2_session.h"
#include "server.h"
#include "worker.h"

/* Frames are gathered up to a TLS record's size before they are sent; so much in one turn of the loop. */
#define GATHER     16384
#define A_TURN     (256 << 10)
#define GATHER_MAX (2 * GATHER)

/* For a client to confirm that it was told to go, before it learns which stream is the last. */
#define LEAVE_MS 2000

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum hot__preface hot__http2_preface(const char *bytes, size_t len)
{
        size_t whole = sizeof(preface) - 1;

        if (memcmp(bytes, preface, len < whole ? len : whole) != 0)
                return HOT__PREFACE_NO;
        return len < whole ? HOT__PREFACE_PART : HOT__PREFACE_YES;
}

/* -- beginning and end -- */

static struct hot__worker *worker_of(const struct hot__http2 *http2)
{
        return http2->connection->worker;
}

struct hot__http2 *hot__http2_new(struct hot__connection *connection)
{
        struct hot__http2 *http2 = calloc(1, sizeof(*http2));

        if (!http2)
                return NULL;
        http2->connection = connection;
        hot__flood_init(&http2->flood, hot__http2_now(http2));
        if (hot__http2_session_open(http2) < 0) {
                hot__http2_free(http2, -ENOMEM);
                return NULL;
        }
        return http2;
}

void hot__http2_free(struct hot__http2 *http2, int error)
{
        if (!http2)
                return;
        while (http2->first)
                hot__http2_stream_end(http2->first, error);
        nghttp2_session_del(http2->session);
        hot__bytes_done(&http2->out);
        free(http2);
}

enum hot__step hot__http2_drain(struct hot__http2 *http2)
{
        return hot__http2_leave_soon(http2) < 0 ? HOT__STEP_CUT : HOT__STEP_AGAIN;
}

enum hot__step hot__http2_leave(struct hot__http2 *http2)
{
        return hot__http2_leave_now(http2) < 0 ? HOT__STEP_CUT : HOT__STEP_AGAIN;
}

/* -- bytes -- */

/* What nghttp2 wants to say. Returns false for want of memory. */
static bool gather(struct hot__http2 *http2)
{
        hot__bytes_clear(&http2->out, GATHER_MAX);
        http2->out_sent = 0;
        while (http2->out.len < GATHER) {
                const uint8_t *bytes;
                ssize_t n = nghttp2_session_mem_send(http2->session, &bytes);

                if (n < 0 || (n > 0 && hot__bytes_append(&http2->out, bytes, (size_t)n) < 0))
                        return false;
                if (n == 0)
                        break;
        }
        return true;
}

static enum hot__step flush(struct hot__http2 *http2)
{
        struct hot__connection *connection = http2->connection;

        while (http2->out_sent < http2->out.len) {
                ssize_t n = hot__transport_send(&connection->transport,
                                                http2->out.data + http2->out_sent,
                                                http2->out.len - http2->out_sent, false);

                if (n == -EAGAIN) {
                        connection->blocked = true;
                        return HOT__STEP_WAIT;
                }
                if (n < 0)
                        return HOT__STEP_CUT;
                http2->out_sent += (size_t)n;
                http2->stalled = 0;
        }
        return HOT__STEP_AGAIN;
}

static enum hot__step send_all(struct hot__http2 *http2)
{
        size_t sent = 0;

        for (;;) {
                enum hot__step step = flush(http2);

                if (step != HOT__STEP_AGAIN)
                        return step;
                if (sent >= A_TURN) {
                        http2->connection->blocked = true; /* asked for again when writable */
                        return HOT__STEP_WAIT;
                }
                if (!gather(http2))
                        return HOT__STEP_CUT;
                if (!http2->out.len)
                        return HOT__STEP_AGAIN;
                sent += http2->out.len;
        }
}

static enum hot__step receive(struct hot__http2 *http2)
{
        struct hot__buffer *in = http2->connection->in;
        ssize_t n;

        if (!in || in->start == in->end)
                return HOT__STEP_AGAIN;
        n = nghttp2_session_mem_recv(http2->session, (const uint8_t *)in->data + in->start,
                                     in->end - in->start);
        in->start = in->end = 0;
        if (n >= 0)
                return HOT__STEP_AGAIN;
        if (n == NGHTTP2_ERR_CALLBACK_FAILURE || n == NGHTTP2_ERR_NOMEM)
                return HOT__STEP_CUT;
        /* The rest is the peer's doing. */
        http2->left = true;
        if (nghttp2_session_terminate_session(http2->session, n == NGHTTP2_ERR_FLOODED
                                                                      ? NGHTTP2_ENHANCE_YOUR_CALM
                                                                      : NGHTTP2_PROTOCOL_ERROR))
                return HOT__STEP_CUT;
        return HOT__STEP_AGAIN;
}

/* -- deadlines -- */

/* Is there anything that we would send if the peer took it? */
static bool has_to_send(const struct hot__http2 *http2)
{
        const struct hot__http2_stream *stream = http2->first;

        while (stream && !(stream->answered && !stream->waits))
                stream = stream->next;
        return stream || http2->out_sent < http2->out.len;
}

/* When the rest of its request has to be here; UINT64_MAX if it is, or is not waited for. */
static uint64_t body_by(const struct hot__http2_stream *stream)
{
        const struct hot__exchange *exchange = stream->exchange;

        if (exchange->receiving)
                return stream->withheld ? UINT64_MAX : exchange->receive_by;
        if (stream->complete || stream->answered || exchange->with_handler)
                return UINT64_MAX;
        return stream->began + hot__http2_limits(stream->http2)->read_ms;
}

/* When its handler has to have begun to answer. */
static uint64_t answer_by(const struct hot__http2_stream *stream)
{
        const struct hot__exchange *exchange = stream->exchange;

        return stream->answered || !exchange->answer_by ? UINT64_MAX : exchange->answer_by;
}

static uint64_t next_deadline(const struct hot__http2 *http2, enum hot__deadline_kind *kind)
{
        uint64_t at = UINT64_MAX;

        for (const struct hot__http2_stream *s = http2->first; s; s = s->next) {
                uint64_t body = body_by(s), handler = answer_by(s);
                uint64_t by = body < handler ? body : handler;

                if (by >= at)
                        continue;
                at = by;
                *kind = body < handler ? HOT__DEADLINE_BODY : HOT__DEADLINE_HANDLER;
        }
        if (http2->stalled && http2->stalled + hot__http2_limits(http2)->write_ms < at) {
                at = http2->stalled + hot__http2_limits(http2)->write_ms;
                *kind = HOT__DEADLINE_WRITE;
        }
        return at;
}

/* Until when it may have no stream. A client that was told to go and does not read that, because it asks for
 * nothing, must not keep its generation from retiring. */
static uint64_t idle_by(const struct hot__http2 *http2)
{
        return hot__http2_now(http2) +
               (http2->leaving ? LEAVE_MS : hot__http2_limits(http2)->idle_ms);
}

static bool is_idle_deadline(const struct hot__deadline *deadline)
{
        return deadline->next &&
               (deadline->kind == HOT__DEADLINE_IDLE || deadline->kind == HOT__DEADLINE_FIRST);
}

static void set_deadline(struct hot__http2 *http2)
{
        struct hot__deadline *deadline = &http2->connection->deadline;
        enum hot__deadline_kind kind = HOT__DEADLINE_IDLE;
        uint64_t at;

        if (!has_to_send(http2))
                http2->stalled = 0;
        else if (!http2->stalled)
                http2->stalled = hot__http2_now(http2);
        at = next_deadline(http2, &kind);
        if (!http2->n_streams && !http2->stalled) {
                at = idle_by(http2);
                if (is_idle_deadline(deadline) && (!http2->leaving || deadline->at <= at))
                        return;
        }
        if (at == UINT64_MAX)
                hot__deadline_clear(deadline);
        else if (!deadline->next || deadline->kind != kind || deadline->at != at)
                hot__worker_set_deadline(worker_of(http2), deadline, kind, at);
}

static enum hot__step refuse_late_ones(struct hot__http2 *http2)
{
        uint64_t now = hot__http2_now(http2);
        struct hot__http2_stream *next;

        for (struct hot__http2_stream *stream = http2->first; stream; stream = next) {
                int r = 0;

                next = stream->next;
                if (body_by(stream) <= now)
                        r = hot__http2_stream_refuse(stream, 408, -ETIMEDOUT);
                else if (answer_by(stream) <= now)
                        r = hot__http2_stream_refuse(stream, 503, -ETIMEDOUT);
                if (r < 0)
                        return HOT__STEP_CUT;
        }
        set_deadline(http2);
        return HOT__STEP_AGAIN;
}

enum hot__step hot__http2_timed_out(struct hot__http2 *http2)
{
        switch (http2->connection->deadline.kind) {
        case HOT__DEADLINE_BODY:
        case HOT__DEADLINE_HANDLER:
                return refuse_late_ones(http2);
        case HOT__DEADLINE_FIRST:
        case HOT__DEADLINE_IDLE:
                return hot__http2_leave(http2);
        default:
                return HOT__STEP_CUT;
        }
}

/* -- steps -- */

bool hot__http2_is_idle(const struct hot__http2 *http2)
{
        return !http2->n_streams;
}

/* When all was sent. */
static bool is_over(const struct hot__http2 *http2)
{
        if (!nghttp2_session_want_read(http2->session) &&
            !nghttp2_session_want_write(http2->session))
                return true;
        return (http2->left || http2->connection->input_ended) && !http2->n_streams;
}

/* No more comes: a request that is not complete never will be. */
static enum hot__step end_input(struct hot__http2 *http2)
{
        http2->input_ended = true;
        for (struct hot__http2_stream *stream = http2->first; stream; stream = stream->next)
                if (!stream->complete && hot__http2_stream_reset(stream, NGHTTP2_CANCEL) < 0)
                        return HOT__STEP_CUT;
        return HOT__STEP_AGAIN;
}

/* Responses that wait for a window, which nobody will open any more. */
static bool is_stuck(const struct hot__http2 *http2)
{
        const struct hot__http2_stream *stream = http2->first;

        while (stream && stream->answered && !stream->waits)
                stream = stream->next;
        return http2->input_ended && !stream;
}

enum hot__step hot__http2_step(struct hot__http2 *http2)
{
        struct hot__connection *connection = http2->connection;
        enum hot__step step = receive(http2);

        if (step == HOT__STEP_AGAIN && connection->input_ended && !http2->input_ended)
                step = end_input(http2);
        if (step == HOT__STEP_AGAIN)
                step = send_all(http2);
        if (step == HOT__STEP_CUT)
                return step;
        if (step == HOT__STEP_AGAIN && (is_over(http2) || is_stuck(http2)))
                return HOT__STEP_LINGER;
        if (connection->in) {
                hot__buffer_free(&worker_of(http2)->buffers, connection->in);
                connection->in = NULL;
        }
        if (!http2->n_streams && !http2->out.len)
                hot__bytes_done(&http2->out);
        set_deadline(http2);
        return HOT__STEP_WAIT;
}

enum hot__step hot__http2_posted(struct hot__exchange *exchange)
{
        return hot__http2_stream_posted(exchange->stream) < 0 ? HOT__STEP_CUT : HOT__STEP_AGAIN;
}
