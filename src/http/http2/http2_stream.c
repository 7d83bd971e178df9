/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "connection.h"
#include "dispatch.h"
#include "exchange.h"
#include "http2.h"
#include "http2_session.h"
#include "outcome.h"
#include "server.h"
#include "worker.h"

/* Bodies that wait for their end, of all streams: so many times what one may have. */
#define BODIES_MAX 4

static struct hot__worker *worker_of(const struct hot__http2 *http2)
{
        return http2->connection->worker;
}

struct hot__http2_stream *hot__http2_stream_new(struct hot__http2 *http2, int32_t id)
{
        struct hot__http2_stream *stream = calloc(1, sizeof(*stream));
        struct hot__worker *worker = worker_of(http2);
        struct hot__exchange *exchange = stream ? hot__worker_take_exchange(worker) : NULL;

        if (exchange)
                exchange->head =
                        hot__buffer_new(&worker->buffers, hot__http2_limits(http2)->head.size);
        if (!exchange || !exchange->head) {
                if (exchange)
                        hot__worker_recycle(worker, exchange);
                free(stream);
                return NULL;
        }
        exchange->stream = stream;
        if (http2->connection->transport.tls)
                exchange->facts = hot__tls_facts_get(http2->connection->transport.tls->facts);
        *stream = (struct hot__http2_stream){
                .http2 = http2,
                .exchange = exchange,
                .id = id,
                .began = hot__http2_now(http2),
                .prev = http2->last,
        };
        *(http2->last ? &http2->last->next : &http2->first) = stream;
        http2->last = stream;
        http2->n_streams++;
        return stream;
}

void hot__http2_stream_end(struct hot__http2_stream *stream, int error)
{
        struct hot__http2 *http2 = stream->http2;

        http2->bodies -= stream->kept;
        stream->exchange->stream = NULL;
        hot__dispatch_end(stream->exchange, error);
        *(stream->prev ? &stream->prev->next : &http2->first) = stream->next;
        *(stream->next ? &stream->next->prev : &http2->last) = stream->prev;
        http2->n_streams--;
        free(stream);
}

int hot__http2_stream_body(struct hot__http2_stream *stream, const uint8_t *bytes, size_t len)
{
        struct hot__http2 *http2 = stream->http2;
        struct hot__body *body = &stream->exchange->request.stream;
        int status;

        if (!body->streamed && http2->bodies + len > BODIES_MAX * hot__http2_limits(http2)->body)
                return 503;
        status = hot__http2_request_body(stream, bytes, len);
        if (status || body->streamed)
                return status;
        stream->kept += len;
        http2->bodies += len;
        return 0;
}

/* -- from request to response -- */

int hot__http2_stream_reset(struct hot__http2_stream *stream, uint32_t error)
{
        return nghttp2_submit_rst_stream(stream->http2->session, NGHTTP2_FLAG_NONE, stream->id,
                                         error)
                       ? -ENOMEM
                       : 0;
}

static int begin(struct hot__http2_stream *stream)
{
        int r = hot__http2_response_begin(stream, stream->http2->session);

        return r == -E2BIG ? hot__http2_stream_reset(stream, NGHTTP2_INTERNAL_ERROR) : r;
}

static int answer(struct hot__http2_stream *stream)
{
        struct hot__http2 *http2 = stream->http2;
        unsigned int handler_ms = hot__http2_limits(http2)->handler_ms;

        if (hot__dispatch(stream->exchange, http2->connection) == HOT__DISPATCHED_ANSWERED)
                return begin(stream);
        if (handler_ms)
                stream->exchange->answer_by = hot__http2_now(http2) + handler_ms;
        return 0;
}

/* A handler has it, and goes on alone: the refusal takes a new exchange. */
static int answer_instead(struct hot__http2_stream *stream, int error)
{
        struct hot__worker *worker = worker_of(stream->http2);
        struct hot__exchange *before = stream->exchange;

        stream->exchange = hot__worker_take_exchange(worker);
        if (!stream->exchange) {
                stream->exchange = before;
                return hot__http2_stream_reset(stream, NGHTTP2_INTERNAL_ERROR);
        }
        before->gone_status = stream->refused;
        before->stream = NULL;
        hot__dispatch_end(before, error);
        stream->exchange->stream = stream;
        stream->exchange->untold = true;
        hot__response_set_error(&stream->exchange->response, stream->refused);
        return begin(stream);
}

int hot__http2_stream_refuse(struct hot__http2_stream *stream, int status, int error)
{
        struct hot__exchange *exchange = stream->exchange;

        stream->refused = status;
        exchange->receiving = false;
        if (stream->answered) {
                hot__body_fail(&exchange->request.stream, error);
                return 0;
        }
        if (exchange->with_handler)
                return answer_instead(stream, error);
        hot__response_set_error(&exchange->response, status);
        return begin(stream);
}

static int say_continue(struct hot__http2_stream *stream)
{
        const nghttp2_nv status = {(uint8_t[]){":status"}, (uint8_t[]){"100"}, 7, 3, 0};

        return nghttp2_submit_headers(stream->http2->session, NGHTTP2_FLAG_NONE, stream->id, NULL,
                                      &status, 1, NULL)
                       ? -ENOMEM
                       : 0;
}

/* The body goes to its handler as it arrives: that begins now. */
static int begin_receiving(struct hot__http2_stream *stream, bool last)
{
        struct hot__exchange *exchange = stream->exchange;

        if (last)
                hot__body_end(&exchange->request.stream);
        exchange->receiving = !last;
        exchange->receive_by = stream->began + hot__http2_limits(stream->http2)->read_ms;
        return answer(stream);
}

int hot__http2_stream_head(struct hot__http2_stream *stream, bool last)
{
        bool streamed = false;
        int r = 0;

        stream->complete = last;
        hot__http2_request_head(stream);
        hot__outcome_begin(stream->exchange);
        if (!stream->refused)
                streamed = hot__dispatch_head(stream->exchange);
        if (!stream->refused && hot__http2_request_is_too_long(stream))
                stream->refused = 413;
        if (stream->refused)
                return hot__http2_stream_refuse(stream, stream->refused, -EPROTO);
        if (stream->expects && !last && stream->exchange->route)
                r = say_continue(stream);
        if (r == 0 && streamed)
                return begin_receiving(stream, last);
        return r == 0 && last ? answer(stream) : r;
}

int hot__http2_stream_complete(struct hot__http2_stream *stream)
{
        struct hot__exchange *exchange = stream->exchange;

        stream->complete = true;
        if (stream->refused)
                return 0;
        exchange->receiving = false;
        if (!exchange->request.stream.streamed)
                return answer(stream);
        hot__body_end(&exchange->request.stream);
        return 0;
}

/* The handler of a stream that is sent while it is made. */
static int posted_piece(struct hot__http2_stream *stream)
{
        struct hot__exchange *exchange = stream->exchange;
        struct hot__stream *source = &exchange->response.stream;

        exchange->has_piece = true;
        if (hot__http2_response_is_muted(stream)) { /* answered at its end */
                source->filled = 0;
                exchange->has_piece = false;
                hot__stream_return(source, 0);
                return 0;
        }
        hot__stream_frame(source, false, &stream->piece, &stream->piece_len);
        return stream->answered ? 0 : begin(stream);
}

static int posted_end(struct hot__http2_stream *stream)
{
        struct hot__exchange *exchange = stream->exchange;
        struct hot_http_response *response = &exchange->response;

        exchange->with_handler = false;
        stream->finished = true;
        if (response->error && response->begun)
                return hot__http2_stream_reset(stream, NGHTTP2_INTERNAL_ERROR);
        if (response->mode == HOT__RESPONSE_WRITER)
                hot__stream_frame(&response->stream, true, &stream->piece, &stream->piece_len);
        return stream->answered ? 0 : begin(stream);
}

/* The handler has read of the body: its sender may send on. */
static void posted_room(struct hot__http2_stream *stream)
{
        struct hot__http2 *http2 = stream->http2;

        stream->exchange->receive_by = hot__http2_now(http2) + hot__http2_limits(http2)->read_ms;
        nghttp2_session_consume_stream(http2->session, stream->id, stream->withheld);
        stream->withheld = 0;
}

int hot__http2_stream_posted(struct hot__http2_stream *stream)
{
        struct hot__exchange *exchange = stream->exchange;
        unsigned int news = exchange->news;
        int r = 0;

        exchange->news = 0;
        if (news & HOT__LETTER_ROOM)
                posted_room(stream);
        if (news & HOT__LETTER_MORE)
                exchange->response.stream.waits = false;
        if (news & HOT__LETTER_PIECE)
                r = posted_piece(stream);
        else if (news & HOT__LETTER_FINISHED)
                r = posted_end(stream);
        if (r == 0 && stream->waits && news & ~(unsigned int)HOT__LETTER_ROOM) {
                stream->waits = false;
                nghttp2_session_resume_data(stream->http2->session, stream->id);
        }
        return r;
}
