/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "connection.h"
#include "dispatch.h"
#include "exchange.h"
#include "http2.h"
#include "metrics.h"
#include "opening.h"
#include "outcome.h"
#include "receive.h"
#include "server.h"
#include "websocket.h"
#include "worker.h"

#define LINGER_MS    2000
#define LINGER_BYTES (1 << 20)

/* What a connection gets that was accepted just before a stop and has not said anything. */
#define STOP_GRACE_MS 1000

static const char continue_line[] = "HTTP/1.1 100 Continue\r\n\r\n";

enum hot__arrived {
        HOT__ARRIVED_GONE, /* the connection is */
        HOT__ARRIVED_NOTHING,
        HOT__ARRIVED_SOMETHING, /* its end, perhaps */
};

static void on_ready(struct hot__watch *watch, int events);
static void advance(struct hot__connection *connection, enum hot__step step);
static enum hot__arrived read_input(struct hot__connection *connection);

static void on_closed(struct hot__watch *watch)
{
        free((char *)watch - offsetof(struct hot__connection, watch));
}

struct hot__connection *hot__connection_of_deadline(struct hot__deadline *deadline)
{
        return (struct hot__connection *)((char *)deadline -
                                          offsetof(struct hot__connection, deadline));
}

static void set_deadline(struct hot__connection *connection, enum hot__deadline_kind kind,
                         uint64_t at)
{
        hot__worker_set_deadline(connection->worker, &connection->deadline, kind, at);
}

static uint64_t now_of(const struct hot__connection *connection)
{
        return hot__loop_now(&connection->worker->loop);
}

static const struct hot__limits *limits_of(const struct hot__connection *connection)
{
        return &connection->worker->server->limits;
}

static size_t unread(const struct hot__connection *connection)
{
        return connection->in ? connection->in->end - connection->in->start : 0;
}

static void link_connection(struct hot__worker *worker, struct hot__connection *connection)
{
        connection->next = worker->connections;
        if (connection->next)
                connection->next->prev = connection;
        worker->connections = connection;
        worker->n_connections++;
}

static void unlink_connection(struct hot__worker *worker, struct hot__connection *connection)
{
        if (connection->prev)
                connection->prev->next = connection->next;
        else
                worker->connections = connection->next;
        if (connection->next)
                connection->next->prev = connection->prev;
        worker->n_connections--;
}

void hot__connection_take(struct hot__worker *worker, const struct hot__accepted *accepted)
{
        struct hot__connection *connection = calloc(1, sizeof(*connection));
        enum hot__step step;

        if (!connection || hot__transport_open(&connection->transport, accepted->fd,
                                               accepted->tls ? &worker->server->tls : NULL) < 0) {
                free(connection);
                hot__socket_close(accepted->fd);
                atomic_fetch_sub(&worker->server->connections, 1);
                return;
        }
        connection->worker = worker;
        connection->refused = accepted->refused;
        connection->state = accepted->tls ? HOT__CONNECTION_HANDSHAKE : HOT__CONNECTION_FRESH;
        connection->peer = accepted->peer;
        if (worker->metrics)
                atomic_fetch_add_explicit(&worker->metrics->accepted, 1, memory_order_relaxed);
        link_connection(worker, connection);
        set_deadline(connection, HOT__DEADLINE_FIRST,
                     now_of(connection) + limits_of(connection)->head_ms);
        step = hot__opening_begin(connection);
        if (step == HOT__STEP_WAIT && accepted->eager && !accepted->tls) {
                if (read_input(connection) == HOT__ARRIVED_GONE)
                        return;
                step = HOT__STEP_AGAIN;
        }
        advance(connection, step);
}

/* HTTP/2 is between requests, or handles some. */
static enum hot__connection_state state_to_count(const struct hot__connection *connection)
{
        if (connection->state != HOT__CONNECTION_HTTP2)
                return connection->state;
        return hot__http2_is_idle(connection->http2) ? HOT__CONNECTION_IDLE
                                                     : HOT__CONNECTION_HANDLING;
}

/* Nobody else writes to the counters: no need for more than that others read whole numbers. */
static void count(struct hot__connection *connection, unsigned int as)
{
        atomic_uint_least32_t *by_state = connection->worker->by_state;

        if (connection->counted == as)
                return;
        if (connection->counted)
                atomic_fetch_sub_explicit(&by_state[connection->counted - 1], 1,
                                          memory_order_relaxed);
        if (as)
                atomic_fetch_add_explicit(&by_state[as - 1], 1, memory_order_relaxed);
        connection->counted = (uint8_t)as;
}

static void close_connection(struct hot__connection *connection, int error)
{
        struct hot__worker *worker = connection->worker;
        bool watched = connection->watched;

        hot__dispatch_end(connection->exchange, error);
        count(connection, 0);
        hot__http2_free(connection->http2, error);
        connection->http2 = NULL;
        hot__deadline_clear(&connection->deadline);
        hot__buffer_free(&worker->buffers, connection->in);
        unlink_connection(worker, connection);
        if (watched)
                hot__watch_close(&connection->watch);
        hot__transport_close(&connection->transport);
        if (!watched)
                free(connection);
        atomic_fetch_sub(&worker->server->connections, 1);
        hot__worker_check_drained(worker);
}

void hot__connection_cut(struct hot__connection *connection)
{
        close_connection(connection, -ECONNRESET);
}

/* Say that nothing more comes and read to the peer's end. Returns false if it is closed now. */
static bool linger(struct hot__connection *connection)
{
        hot__buffer_free(&connection->worker->buffers, connection->in);
        connection->in = NULL;
        if (connection->input_ended) {
                close_connection(connection, -ECONNRESET);
                return false;
        }
        connection->state = HOT__CONNECTION_LINGER;
        connection->blocked = hot__transport_half_close(&connection->transport) == -EAGAIN;
        set_deadline(connection, HOT__DEADLINE_LINGER, now_of(connection) + LINGER_MS);
        return true;
}

/* Between two requests: nothing is kept but the descriptor. */
static enum hot__step be_idle(struct hot__connection *connection)
{
        struct hot__worker *worker = connection->worker;

        if (unread(connection)) {
                connection->state = HOT__CONNECTION_HEAD;
                connection->began = now_of(connection);
                hot__deadline_clear(&connection->deadline);
                return HOT__STEP_AGAIN;
        }
        hot__buffer_free(&worker->buffers, connection->in);
        connection->in = NULL;
        if (connection->input_ended)
                return HOT__STEP_CUT;
        if (connection->state == HOT__CONNECTION_FRESH)
                return HOT__STEP_WAIT;
        if (worker->polite && !hot__transport_has_input(&connection->transport))
                return HOT__STEP_LINGER;
        set_deadline(connection, HOT__DEADLINE_IDLE,
                     now_of(connection) + limits_of(connection)->idle_ms);
        return HOT__STEP_WAIT;
}

/* The head's strings stay where they are: its buffer becomes the exchange's, what follows moves. */
static bool take_head_buffer(struct hot__connection *connection, size_t len)
{
        struct hot__worker *worker = connection->worker;
        struct hot__buffer *in = connection->in;
        size_t rest = in->end - in->start - len;
        struct hot__buffer *next = NULL;

        if (rest) {
                next = hot__buffer_new(&worker->buffers, rest);
                if (!next)
                        return false;
                memcpy(next->data, in->data + in->start + len, rest);
                next->end = rest;
        }
        connection->exchange->head = in;
        connection->in = next;
        return true;
}

static enum hot__step expect_body(struct hot__connection *connection)
{
        const struct hot__limits *limits = limits_of(connection);

        set_deadline(connection, HOT__DEADLINE_BODY, connection->began + limits->read_ms);
        connection->state = HOT__CONNECTION_BODY;
        if (!connection->head.expects || connection->head.http_1_0 || unread(connection))
                return HOT__STEP_AGAIN;
        if (!connection->exchange->route) {
                connection->closes = true; /* the body, unasked for, may come or not */
                return hot__answer_request(connection);
        }
        connection->state = HOT__CONNECTION_CONTINUE;
        connection->out[0].data = continue_line;
        connection->out[0].len = sizeof(continue_line) - 1;
        return HOT__STEP_AGAIN;
}

static enum hot__step take_head(struct hot__connection *connection, size_t len)
{
        const struct hot__limits *limits = limits_of(connection);
        struct hot__exchange *exchange = hot__worker_take_exchange(connection->worker);
        bool streamed;
        int r;

        connection->exchange = exchange;
        if (!exchange)
                return HOT__STEP_CUT;
        if (connection->transport.tls)
                exchange->facts = hot__tls_facts_get(connection->transport.tls->facts);
        if (!take_head_buffer(connection, len))
                return hot__answer_refuse(connection, 503);
        r = hot__parser_head(&exchange->parser, &exchange->request, SIZE_MAX,
                             exchange->head->data + exchange->head->start, len);
        if (r != HOT__PARSED_COMPLETE && r != HOT__PARSED_MORE)
                return hot__answer_refuse(connection, r);
        hot__outcome_begin(exchange);
        streamed = hot__dispatch_head(exchange);
        if (r == HOT__PARSED_COMPLETE) {
                hot__body_end(&exchange->request.stream);
                return hot__answer_request(connection);
        }
        if (hot__parser_limit(&exchange->parser, streamed ? limits->stream : limits->body))
                return hot__answer_refuse(connection, 413);
        return expect_body(connection);
}

static enum hot__step read_head(struct hot__connection *connection)
{
        const struct hot__limits *limits = limits_of(connection);
        uint64_t ms = limits->head_ms < limits->read_ms ? limits->head_ms : limits->read_ms;
        size_t len;
        int r;

        if (!connection->spoken && hot__opening_is_preface(connection))
                return hot__opening_preface(connection);
        r = hot__head_scan(&connection->head, &limits->head,
                           connection->in->data + connection->in->start, unread(connection), &len);

        if (r == HOT__HEAD_COMPLETE)
                return take_head(connection, len);
        if (r != HOT__HEAD_MORE)
                return hot__answer_refuse(connection, r);
        if (connection->input_ended)
                return hot__answer_refuse(connection, 400);
        if (!connection->deadline.next || connection->deadline.kind != HOT__DEADLINE_HEAD)
                set_deadline(connection, HOT__DEADLINE_HEAD, connection->began + ms);
        return HOT__STEP_WAIT;
}

static enum hot__step read_body(struct hot__connection *connection)
{
        struct hot__buffer *in = connection->in;
        size_t used;
        int r = HOT__PARSED_MORE;

        if (unread(connection)) {
                r = hot__parser_body(&connection->exchange->parser, in->data + in->start,
                                     unread(connection), &used);
                in->start += used;
                if (in->start == in->end)
                        in->start = in->end = 0;
        }
        if (r == HOT__PARSED_COMPLETE)
                return hot__answer_request(connection);
        if (r != HOT__PARSED_MORE)
                return hot__answer_refuse(connection, r);
        return connection->input_ended ? hot__answer_refuse(connection, 400) : HOT__STEP_WAIT;
}

static enum hot__step send_continue(struct hot__connection *connection)
{
        enum hot__step step = hot__answer_flush(connection);

        if (step != HOT__STEP_AGAIN)
                return step;
        connection->state = HOT__CONNECTION_BODY;
        set_deadline(connection, HOT__DEADLINE_BODY,
                     connection->began + limits_of(connection)->read_ms);
        return HOT__STEP_AGAIN;
}

static enum hot__step next_step(struct hot__connection *connection)
{
        if (hot__receive_is_due(connection))
                return hot__receive(connection);
        if (connection->blocked)
                return HOT__STEP_WAIT;
        switch (connection->state) {
        case HOT__CONNECTION_HANDSHAKE:
                return hot__opening_handshake(connection);
        case HOT__CONNECTION_FRESH:
        case HOT__CONNECTION_IDLE:
                return be_idle(connection);
        case HOT__CONNECTION_HEAD:
                return read_head(connection);
        case HOT__CONNECTION_CONTINUE:
                return send_continue(connection);
        case HOT__CONNECTION_BODY:
                return connection->exchange->request.stream.streamed
                               ? hot__receive_begin(connection)
                               : read_body(connection);
        case HOT__CONNECTION_SENDING:
                return hot__answer_send(connection);
        case HOT__CONNECTION_STREAMING:
                return hot__answer_stream(connection);
        case HOT__CONNECTION_HTTP2:
                return hot__http2_step(connection->http2);
        case HOT__CONNECTION_WEBSOCKET:
                return hot__answer_websocket(connection);
        case HOT__CONNECTION_HANDLING:
        case HOT__CONNECTION_LINGER:
                break;
        }
        return HOT__STEP_WAIT;
}

/* While a response is made, requests behind it are read ahead until the buffer is full. */
static bool wants_input(const struct hot__connection *connection)
{
        if (connection->input_ended)
                return false;
        if (connection->state == HOT__CONNECTION_HANDSHAKE ||
            connection->state == HOT__CONNECTION_HTTP2)
                return !connection->blocked;
        if (connection->state == HOT__CONNECTION_WEBSOCKET)
                return !connection->blocked &&
                       hot__websocket_wants_input(connection->exchange->response.websocket);
        if (connection->exchange && connection->exchange->receiving)
                return !hot__body_is_full(&connection->exchange->request.stream);
        if (connection->state < HOT__CONNECTION_HANDLING ||
            connection->state == HOT__CONNECTION_LINGER)
                return true;
        return unread(connection) < HOT__BUFFER_SIZE;
}

/* Returns false if the connection is gone. */
static bool discard_input(struct hot__connection *connection)
{
        ssize_t n = hot__transport_discard(&connection->transport);

        if (n == -EAGAIN)
                return true;
        connection->discarded += n > 0 ? (size_t)n : 0;
        if (n > 0 && connection->discarded < LINGER_BYTES)
                return true;
        hot__connection_cut(connection);
        return false;
}

/* A handshake reads for itself, and who leaves only throws away. */
static bool reads_input(const struct hot__connection *connection)
{
        return connection->state != HOT__CONNECTION_HANDSHAKE &&
               connection->state != HOT__CONNECTION_LINGER && wants_input(connection);
}

static enum hot__arrived read_input(struct hot__connection *connection)
{
        struct hot__worker *worker = connection->worker;
        size_t room;
        ssize_t n;

        if (!connection->in)
                connection->in = hot__buffer_new(&worker->buffers, 0);
        room = connection->in ? hot__buffer_room(&connection->in, limits_of(connection)->head.size)
                              : 0;
        if (!room) {
                close_connection(connection, -ENOMEM);
                return HOT__ARRIVED_GONE;
        }
        n = hot__transport_read(&connection->transport, connection->in->data + connection->in->end,
                                room);
        if (n == -EAGAIN)
                return HOT__ARRIVED_NOTHING;
        if (n < 0) {
                close_connection(connection, (int)n);
                return HOT__ARRIVED_GONE;
        }
        connection->in->end += (size_t)n;
        if (n > 0)
                return HOT__ARRIVED_SOMETHING;
        connection->input_ended = true;
        if (connection->exchange && connection->exchange->with_handler)
                hot__exchange_cancel(connection->exchange);
        return HOT__ARRIVED_SOMETHING;
}

/* Go on until there is nothing to do but wait. Returns false if the connection is gone. */
static bool step_on(struct hot__connection *connection, enum hot__step step)
{
        while (step == HOT__STEP_AGAIN)
                step = next_step(connection);
        if (step == HOT__STEP_CUT) {
                hot__connection_cut(connection);
                return false;
        }
        return step != HOT__STEP_LINGER || linger(connection);
}

/* Not before it has to wait: to begin costs five system calls, and many connections never do. */
static int watch(struct hot__connection *connection, int events)
{
        if (!connection->watched) {
                int r = hot__watch_init(&connection->watch, &connection->worker->loop,
                                        connection->transport.fd);

                if (r < 0)
                        return r;
                connection->watch.ready = on_ready;
                connection->watch.closed = on_closed;
                connection->watched = true;
        }
        return hot__watch_set(&connection->watch, events);
}

/* The same, and say what it waits for. The connection may be gone after it. */
static void advance(struct hot__connection *connection, enum hot__step step)
{
        int events;

        if (!step_on(connection, step))
                return;
        while (hot__transport_holds_input(&connection->transport) && reads_input(connection)) {
                enum hot__arrived arrived = read_input(connection);

                if (arrived == HOT__ARRIVED_GONE)
                        return;
                if (arrived == HOT__ARRIVED_NOTHING)
                        break;
                if (!step_on(connection, HOT__STEP_AGAIN))
                        return;
        }
        hot__answer_await(connection);
        count(connection, 1 + (unsigned int)state_to_count(connection));
        events = wants_input(connection) ? HOT__READABLE : 0;
        if (connection->blocked)
                events |= HOT__WRITABLE;
        if (watch(connection, events) < 0)
                hot__connection_cut(connection);
}

static void on_ready_to_leave(struct hot__connection *connection, int events)
{
        if (events & HOT__WRITABLE && connection->blocked) {
                connection->blocked = hot__transport_half_close(&connection->transport) == -EAGAIN;
                if (!connection->blocked)
                        hot__watch_set(&connection->watch, HOT__READABLE);
        }
        if (events & HOT__READABLE)
                discard_input(connection);
}

static void on_ready(struct hot__watch *watch, int events)
{
        struct hot__connection *connection =
                (struct hot__connection *)((char *)watch - offsetof(struct hot__connection, watch));

        if (connection->state == HOT__CONNECTION_LINGER) {
                on_ready_to_leave(connection, events);
                return;
        }
        if (events & HOT__WRITABLE)
                connection->blocked = false;
        if (events & HOT__READABLE && reads_input(connection) &&
            read_input(connection) == HOT__ARRIVED_GONE)
                return;
        advance(connection, HOT__STEP_AGAIN);
}

void hot__connection_posted(struct hot__connection *connection, struct hot__exchange *exchange)
{
        advance(connection,
                exchange->stream ? hot__http2_posted(exchange) : hot__answer_posted(connection));
}

void hot__connection_timed_out(struct hot__connection *connection)
{
        if (connection->state == HOT__CONNECTION_HTTP2) {
                advance(connection, hot__http2_timed_out(connection->http2));
                return;
        }
        switch (connection->deadline.kind) {
        case HOT__DEADLINE_FIRST:
        case HOT__DEADLINE_IDLE:
                if (connection->state == HOT__CONNECTION_HANDSHAKE)
                        close_connection(connection, -ETIMEDOUT);
                else
                        hot__connection_end_politely(connection);
                return;
        case HOT__DEADLINE_HEAD:
        case HOT__DEADLINE_BODY:
                if (connection->exchange && connection->exchange->receiving)
                        advance(connection, hot__answer_instead(connection, 408, -ETIMEDOUT));
                else
                        advance(connection, hot__answer_refuse(connection, 408));
                return;
        case HOT__DEADLINE_SILENCE:
                advance(connection, hot__answer_silence(connection));
                return;
        case HOT__DEADLINE_HANDLER:
                advance(connection, hot__answer_instead(connection, 503, -ETIMEDOUT));
                return;
        default:
                close_connection(connection, -ETIMEDOUT);
        }
}

void hot__connection_drain(struct hot__connection *connection)
{
        if (connection->state == HOT__CONNECTION_HTTP2)
                advance(connection, hot__http2_drain(connection->http2));
}

void hot__connection_end_politely(struct hot__connection *connection)
{
        if (connection->state == HOT__CONNECTION_HTTP2) {
                advance(connection, hot__http2_leave(connection->http2));
                return;
        }
        if (connection->state == HOT__CONNECTION_WEBSOCKET)
                hot__websocket_leave(connection->exchange->response.websocket);
        if (connection->state != HOT__CONNECTION_FRESH && connection->state != HOT__CONNECTION_IDLE)
                return;
        if (read_input(connection) == HOT__ARRIVED_GONE)
                return;
        if (unread(connection))
                advance(connection, HOT__STEP_AGAIN); /* just in time */
        else
                advance(connection, HOT__STEP_LINGER);
}

void hot__connection_stop(struct hot__connection *connection)
{
        if (connection->state == HOT__CONNECTION_FRESH ||
            connection->state == HOT__CONNECTION_HANDSHAKE)
                set_deadline(connection, HOT__DEADLINE_FIRST, now_of(connection) + STOP_GRACE_MS);
        else if (connection->state == HOT__CONNECTION_HTTP2)
                hot__connection_drain(connection);
        else
                hot__connection_end_politely(connection);
}
