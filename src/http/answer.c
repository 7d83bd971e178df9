/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "answer.h"
#include "dispatch.h"
#include "exchange.h"
#include "file.h"
#include "mover.h"
#include "outcome.h"
#include "server.h"
#include "shortage.h"
#include "upgraded.h"
#include "worker.h"

/* So many pieces of a stream in one turn of the loop, then others have theirs. */
#define PIECES_A_TURN 8

/* sendfile(2) takes what fits into the socket's buffer; this bounds one call all the same. */
#define FILE_PART (1 << 20)

static void set_out(struct hot__connection *connection, int index, const char *data, size_t len)
{
        connection->out[index].data = data;
        connection->out[index].len = len;
}

enum hot__step hot__answer_wait_writable(struct hot__connection *connection)
{
        struct hot__worker *worker = connection->worker;

        connection->blocked = true;
        hot__worker_set_deadline(worker, &connection->deadline, HOT__DEADLINE_WRITE,
                                 hot__loop_now(&worker->loop) + worker->server->limits.write_ms);
        return HOT__STEP_WAIT;
}

/* What ends the connection follows at once, and goes with the response's last bytes in one packet. */
static bool has_end_behind(const struct hot__connection *connection)
{
        return connection->closes && connection->state == HOT__CONNECTION_SENDING &&
               connection->exchange->response.mode == HOT__RESPONSE_WHOLE &&
               !connection->transport.tls;
}

enum hot__step hot__answer_flush(struct hot__connection *connection)
{
        for (int i = 0; i < 2; i++) {
                while (connection->out[i].len) {
                        bool more =
                                (i == 0 && connection->out[1].len) || has_end_behind(connection);
                        ssize_t n =
                                hot__transport_send(&connection->transport, connection->out[i].data,
                                                    connection->out[i].len, more);

                        if (n == -EAGAIN)
                                return hot__answer_wait_writable(connection);
                        if (n < 0)
                                return HOT__STEP_CUT;
                        connection->out[i].data += n;
                        connection->out[i].len -= (size_t)n;
                }
        }
        return HOT__STEP_AGAIN;
}

/*
 * While we drain a connection that can move goes on in the next generation. One that cannot ends here: a request
 * that has reached us is answered, a pipelined one too, so that the last response is the one behind which nothing
 * has come. Close to the deadline it is the next. While others wait for a descriptor every connection is like that.
 */
static bool is_last(const struct hot__connection *connection)
{
        const struct hot__worker *worker = connection->worker;
        const struct hot__buffer *in = connection->in;

        if (!hot__shortage_is_on(worker) &&
            (worker->now.drain == HOT__DRAIN_NO || hot__mover_keeps(connection)))
                return false;
        if (worker->now.drain == HOT__DRAIN_SUCCEEDED && worker->polite)
                return true;
        return !(in && in->end > in->start) && !hot__transport_has_input(&connection->transport);
}

/* The head goes out now: from here on the response is as it is. */
static enum hot__step begin(struct hot__connection *connection)
{
        struct hot__worker *worker = connection->worker;
        struct hot__exchange *exchange = connection->exchange;
        struct hot_http_response *response = &exchange->response;
        const struct hot_http_request *request = &exchange->request;
        struct hot__response_frame frame = {
                .date = hot__date_now(&worker->date),
                .fields = &worker->server->fields,
                .http_1_0 = request->http_1_0,
                .head_only = request->method && !strcmp(request->method, "HEAD"),
                .keep_alive = request->keep_alive && !connection->closes && !exchange->receiving &&
                              !is_last(connection),
        };
        bool keep_alive;

        if (hot__response_begin(response, &frame, &keep_alive) < 0)
                return HOT__STEP_CUT;
        if (!keep_alive)
                connection->closes = true;
        set_out(connection, 0, response->out.data, response->out.len);
        set_out(connection, 1, response->body.data, response->body.len);
        if (response->mode == HOT__RESPONSE_PRODUCER && response->stream.muted)
                response->stream.ended = true;
        connection->state =
                response->mode == HOT__RESPONSE_WHOLE || response->mode == HOT__RESPONSE_UPGRADE
                        ? HOT__CONNECTION_SENDING
                        : HOT__CONNECTION_STREAMING;
        return HOT__STEP_AGAIN;
}

/*
 * Has the client sent all it will? Who says "close" sends no further request (RFC 9112 section 9.6), and a
 * request without content has nothing behind its head. Only then closing at once is safe: with input that
 * nobody reads it would be a reset, and the response perhaps lost.
 */
static bool is_said_all(const struct hot__connection *connection)
{
        const struct hot__exchange *exchange = connection->exchange;
        const struct hot__buffer *in = connection->in;

        return exchange->request.method && exchange->parser.complete && !exchange->parser.content &&
               !exchange->request.keep_alive && !connection->transport.tls &&
               !(in && in->end > in->start) &&
               (connection->took_all || !hot__transport_has_input(&connection->transport));
}

enum hot__step hot__answer_done(struct hot__connection *connection)
{
        bool at_once = connection->closes && is_said_all(connection);

        hot__dispatch_end(connection->exchange, 0);
        connection->exchange = NULL;
        connection->head = (struct hot__head){0};
        connection->state = HOT__CONNECTION_IDLE;
        if (!connection->closes)
                return HOT__STEP_AGAIN;
        return at_once ? HOT__STEP_CUT : HOT__STEP_LINGER;
}

enum hot__step hot__answer_send(struct hot__connection *connection)
{
        enum hot__step step = hot__answer_flush(connection);

        if (step != HOT__STEP_AGAIN)
                return step;
        return connection->exchange->response.mode == HOT__RESPONSE_UPGRADE
                       ? hot__upgraded_begin(connection)
                       : hot__answer_done(connection);
}

/* A part of a file, from the page cache into the socket. Its length was promised. */
static enum hot__step send_file(struct hot__connection *connection)
{
        struct hot__stream *stream = &connection->exchange->response.stream;
        size_t part =
                (uint64_t)stream->remaining < FILE_PART ? (size_t)stream->remaining : FILE_PART;
        ssize_t n = part == 0 ? 0
                              : hot__transport_send_file(&connection->transport, stream->file->fd,
                                                         &stream->file->offset, part);

        if (n == -EAGAIN)
                return hot__answer_wait_writable(connection);
        if (n == -EOPNOTSUPP || n == -EINVAL) {
                stream->file = NULL; /* not here: by reading it */
                return HOT__STEP_AGAIN;
        }
        if (n < 0 || (n == 0 && part > 0))
                return HOT__STEP_CUT;
        stream->sent += (uint64_t)n;
        stream->remaining -= n;
        stream->ended = stream->remaining == 0;
        return HOT__STEP_AGAIN;
}

/* A producer that has nothing may have a heartbeat for that. */
static void await_beat(struct hot__connection *connection)
{
        struct hot__worker *worker = connection->worker;
        unsigned int ms = connection->exchange->response.stream.beat_ms;

        if (ms)
                hot__worker_set_deadline(worker, &connection->deadline, HOT__DEADLINE_SILENCE,
                                         hot__loop_now(&worker->loop) + ms);
        else
                hot__deadline_clear(&connection->deadline);
}

enum hot__step hot__answer_beat(struct hot__connection *connection)
{
        struct hot__stream *stream = &connection->exchange->response.stream;

        stream->beat(stream->data);
        return HOT__STEP_WAIT; /* it has told the loop */
}

/* One more piece from the producer, or the end. */
static enum hot__step produce(struct hot__connection *connection)
{
        struct hot__stream *stream = &connection->exchange->response.stream;
        const char *data;
        size_t len;
        int r;

        if (stream->file && !stream->muted)
                return send_file(connection);
        r = hot__stream_produce(stream);
        if (r == -EAGAIN) {
                await_beat(connection);
                return HOT__STEP_WAIT;
        }
        if (r < 0)
                return HOT__STEP_CUT;
        hot__stream_frame(stream, stream->filled == 0, &data, &len);
        set_out(connection, 1, data, len);
        return HOT__STEP_AGAIN;
}

enum hot__step hot__answer_stream(struct hot__connection *connection)
{
        struct hot_http_response *response = &connection->exchange->response;

        for (int i = 0; i < PIECES_A_TURN; i++) {
                enum hot__step step = hot__answer_flush(connection);

                if (step != HOT__STEP_AGAIN)
                        return step;
                if (response->stream.ended)
                        return hot__answer_done(connection);
                if (response->mode == HOT__RESPONSE_WRITER) {
                        hot__deadline_clear(&connection->deadline);
                        connection->state = HOT__CONNECTION_HANDLING;
                        connection->exchange->has_piece = false;
                        hot__stream_return(&response->stream, 0);
                        return HOT__STEP_WAIT;
                }
                if (response->stream.waits)
                        return HOT__STEP_WAIT;
                step = produce(connection);
                if (step != HOT__STEP_AGAIN)
                        return step;
        }
        return hot__answer_wait_writable(connection); /* no more now: others have their turn */
}

enum hot__step hot__answer_request(struct hot__connection *connection)
{
        const struct hot_http *server = connection->worker->server;

        if (hot__dispatch(connection->exchange, connection) == HOT__DISPATCHED_ANSWERED)
                return begin(connection);
        connection->state = HOT__CONNECTION_HANDLING;
        hot__deadline_clear(&connection->deadline);
        if (server->limits.handler_ms)
                connection->exchange->answer_by =
                        hot__loop_now(&connection->worker->loop) + server->limits.handler_ms;
        return HOT__STEP_WAIT;
}

/* What a handler or its request's body is waited for: whichever comes first. */
void hot__answer_await(struct hot__connection *connection)
{
        struct hot__exchange *exchange = connection->exchange;
        enum hot__deadline_kind kind = HOT__DEADLINE_HANDLER;
        uint64_t by = UINT64_MAX;

        if (!exchange || connection->blocked || connection->state < HOT__CONNECTION_HANDLING)
                return;
        if (exchange->answer_by && !exchange->response.begun)
                by = exchange->answer_by;
        if (exchange->receiving && exchange->receive_by < by &&
            !hot__body_is_full(&exchange->request.stream)) {
                by = exchange->receive_by;
                kind = HOT__DEADLINE_BODY;
        }
        if (by != UINT64_MAX)
                hot__worker_set_deadline(connection->worker, &connection->deadline, kind, by);
        else if (connection->deadline.kind == HOT__DEADLINE_HANDLER ||
                 connection->deadline.kind == HOT__DEADLINE_BODY)
                hot__deadline_clear(&connection->deadline);
}

enum hot__step hot__answer_instead(struct hot__connection *connection, int status, int error)
{
        struct hot__exchange *exchange = connection->exchange;

        exchange->receiving = false;
        if (exchange->response.begun) {
                connection->closes = true;
                hot__body_fail(&exchange->request.stream, error);
                return HOT__STEP_AGAIN;
        }
        exchange->gone_status = status;
        hot__dispatch_end(exchange, error);
        connection->exchange = hot__worker_take_exchange(connection->worker);
        if (!connection->exchange)
                return HOT__STEP_CUT;
        connection->exchange->untold = true;
        return hot__answer_refuse(connection, status);
}

enum hot__step hot__answer_refuse(struct hot__connection *connection, int status)
{
        struct hot__worker *worker = connection->worker;

        if (!connection->exchange)
                connection->exchange = hot__worker_take_exchange(worker);
        if (!connection->exchange)
                return HOT__STEP_CUT;
        hot__buffer_free(&worker->buffers, connection->in);
        connection->in = NULL;
        connection->closes = true;
        connection->exchange->request.peer = connection->peer;
        if (!connection->exchange->number)
                hot__outcome_begin(connection->exchange);
        hot__response_set_error(&connection->exchange->response, status);
        return begin(connection);
}

/* The handler of a stream has returned. After an error the end must not look like one. */
static enum hot__step end_stream(struct hot__connection *connection)
{
        struct hot_http_response *response = &connection->exchange->response;
        const char *data;
        size_t len;

        if (response->error && response->begun)
                return HOT__STEP_CUT;
        if (!response->begun && begin(connection) == HOT__STEP_CUT)
                return HOT__STEP_CUT;
        if (response->mode != HOT__RESPONSE_WRITER)
                return HOT__STEP_AGAIN; /* it failed before anything was sent: 500 */
        hot__stream_frame(&response->stream, true, &data, &len);
        set_out(connection, 1, data, len);
        connection->state = HOT__CONNECTION_STREAMING;
        return HOT__STEP_AGAIN;
}

static enum hot__step send_piece(struct hot__connection *connection)
{
        struct hot_http_response *response = &connection->exchange->response;
        const char *data;
        size_t len;

        connection->exchange->has_piece = true;
        if (!response->begun && begin(connection) == HOT__STEP_CUT)
                return HOT__STEP_CUT;
        hot__stream_frame(&response->stream, false, &data, &len);
        set_out(connection, 1, data, len);
        connection->state = HOT__CONNECTION_STREAMING;
        return HOT__STEP_AGAIN;
}

enum hot__step hot__answer_posted(struct hot__connection *connection)
{
        struct hot__exchange *exchange = connection->exchange;
        unsigned int news = exchange->news;

        exchange->news = 0;
        if (news & HOT__LETTER_ROOM)
                exchange->receive_by = hot__loop_now(&connection->worker->loop) +
                                       connection->worker->server->limits.read_ms;
        if (news & HOT__LETTER_MORE)
                exchange->response.stream.waits = false;
        if (news & HOT__LETTER_PIECE)
                return send_piece(connection);
        if (!(news & HOT__LETTER_FINISHED))
                return HOT__STEP_AGAIN;
        exchange->with_handler = false;
        if (exchange->response.mode == HOT__RESPONSE_WRITER)
                return end_stream(connection);
        return begin(connection);
}
