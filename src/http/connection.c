/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "answer.h"
#include "connection.h"
#include "dispatch.h"
#include "exchange.h"
#include "http2.h"
#include "input.h"
#include "linger.h"
#include "metrics.h"
#include "mover.h"
#include "opening.h"
#include "reading.h"
#include "receive.h"
#include "server.h"
#include "shortage.h"
#include "upgraded.h"
#include "worker.h"

static void on_ready(struct hot__watch *watch, int events);

static void on_closed(struct hot__watch *watch)
{
        free((char *)watch - offsetof(struct hot__connection, watch));
}

struct hot__connection *hot__connection_of_deadline(struct hot__deadline *deadline)
{
        return (struct hot__connection *)((char *)deadline -
                                          offsetof(struct hot__connection, deadline));
}

void hot__connection_take(struct hot__worker *worker, const struct hot__accepted *accepted)
{
        struct hot__connection *connection = hot__roster_new(worker);
        enum hot__step step;

        if (!connection || hot__transport_open(&connection->transport, accepted->fd,
                                               accepted->tls ? &worker->server->tls : NULL) < 0) {
                hot__connection_drop(connection);
                hot__socket_close(accepted->fd);
                atomic_fetch_sub(&worker->server->connections, 1);
                return;
        }
        connection->refused = accepted->refused;
        connection->state = accepted->tls ? HOT__CONNECTION_HANDSHAKE : HOT__CONNECTION_FRESH;
        connection->peer = accepted->peer;
        if (worker->metrics)
                atomic_fetch_add_explicit(&worker->metrics->accepted, 1, memory_order_relaxed);
        hot__connection_set_deadline(connection, HOT__DEADLINE_FIRST,
                                     hot__connection_now(connection) +
                                             hot__connection_limits(connection)->head_ms);
        step = hot__opening_begin(connection);
        if (step == HOT__STEP_WAIT && accepted->eager && !accepted->tls) {
                if (hot__input_read(connection) == HOT__ARRIVED_GONE)
                        return;
                step = HOT__STEP_AGAIN;
        }
        hot__connection_advance(connection, step);
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

/* Out of the worker, and out of the poller: nothing is left but the memory, which may be needed for a turn. */
static void leave(struct hot__connection *connection)
{
        count(connection, 0);
        hot__mover_forget(connection);
        hot__deadline_clear(&connection->deadline);
        hot__roster_remove(connection);
        if (connection->watched)
                hot__watch_close(&connection->watch);
}

static void free_memory(struct hot__connection *connection)
{
        if (!connection->watched)
                free(connection);
}

void hot__connection_drop(struct hot__connection *connection)
{
        if (!connection)
                return;
        leave(connection);
        free_memory(connection);
}

void hot__connection_give(struct hot__connection *connection, int *ret_fd,
                          struct hot__buffer **ret_input)
{
        if (!hot__input_unread(connection)) {
                hot__buffer_free(&connection->worker->buffers, connection->in);
                connection->in = NULL;
        }
        leave(connection);
        *ret_input = connection->in;
        *ret_fd = hot__transport_let_go(&connection->transport);
        free_memory(connection);
}

void hot__connection_close(struct hot__connection *connection, int error)
{
        struct hot__worker *worker = connection->worker;

        hot__dispatch_end(connection->exchange, error);
        hot__http2_free(connection->http2, error);
        connection->http2 = NULL;
        hot__buffer_free(&worker->buffers, connection->in);
        leave(connection);
        /* As long as who gave it holds a copy a close(2) says nothing to the peer. */
        if (connection->adopted)
                hot__socket_shut(connection->transport.fd);
        hot__transport_close(&connection->transport);
        free_memory(connection);
        atomic_fetch_sub(&worker->server->connections, 1);
        hot__shortage_eased(worker);
        hot__worker_check_drained(worker);
}

void hot__connection_cut(struct hot__connection *connection)
{
        hot__connection_close(connection, -ECONNRESET);
}

/* Between two requests: nothing is kept but the descriptor. */
static enum hot__step be_idle(struct hot__connection *connection)
{
        struct hot__worker *worker = connection->worker;

        if (hot__input_unread(connection)) {
                connection->state = HOT__CONNECTION_HEAD;
                connection->began = hot__connection_now(connection);
                hot__deadline_clear(&connection->deadline);
                return hot__mover_take(connection) ? HOT__STEP_GONE : HOT__STEP_AGAIN;
        }
        hot__buffer_free(&worker->buffers, connection->in);
        connection->in = NULL;
        if (connection->input_ended)
                return connection->deaf ? HOT__STEP_LINGER : HOT__STEP_CUT;
        if (connection->state == HOT__CONNECTION_FRESH)
                return HOT__STEP_WAIT;
        if (worker->polite && !hot__mover_keeps(connection) &&
            !hot__transport_has_input(&connection->transport))
                return HOT__STEP_LINGER;
        hot__connection_set_deadline(connection, HOT__DEADLINE_IDLE,
                                     hot__connection_now(connection) +
                                             hot__connection_limits(connection)->idle_ms);
        return HOT__STEP_WAIT;
}

static enum hot__step next_step(struct hot__connection *connection)
{
        if (hot__receive_is_due(connection))
                return hot__receive(connection);
        if (connection->state == HOT__CONNECTION_TUNNEL)
                return hot__upgraded_tunnel(
                        connection); /* its two sides do not wait for each other */
        if (connection->blocked)
                return HOT__STEP_WAIT;
        switch (connection->state) {
        case HOT__CONNECTION_HANDSHAKE:
                return hot__opening_handshake(connection);
        case HOT__CONNECTION_FRESH:
        case HOT__CONNECTION_IDLE:
                return be_idle(connection);
        case HOT__CONNECTION_HEAD:
                return hot__reading_head(connection);
        case HOT__CONNECTION_CONTINUE:
                return hot__reading_continue(connection);
        case HOT__CONNECTION_BODY:
                return connection->exchange->request.stream.streamed
                               ? hot__receive_begin(connection)
                               : hot__reading_body(connection);
        case HOT__CONNECTION_SENDING:
                return hot__answer_send(connection);
        case HOT__CONNECTION_STREAMING:
                return hot__answer_stream(connection);
        case HOT__CONNECTION_HTTP2:
                return hot__http2_step(connection->http2);
        case HOT__CONNECTION_WEBSOCKET:
                return hot__upgraded_websocket(connection);
        case HOT__CONNECTION_TUNNEL:
        case HOT__CONNECTION_HANDLING:
        case HOT__CONNECTION_LINGER:
                break;
        }
        return HOT__STEP_WAIT;
}

/* Go on until there is nothing to do but wait. Returns false if the connection is gone. */
static bool step_on(struct hot__connection *connection, enum hot__step step)
{
        while (step == HOT__STEP_AGAIN)
                step = next_step(connection);
        if (step == HOT__STEP_CUT)
                hot__connection_cut(connection);
        if (step == HOT__STEP_CUT || step == HOT__STEP_GONE)
                return false;
        return step != HOT__STEP_LINGER || hot__linger_begin(connection);
}

/* Not before it has to wait: to begin and to end cost a system call each, and many connections never do. */
static int watch(struct hot__connection *connection, int events)
{
        if (!connection->watched) {
                hot__watch_init(&connection->watch, &connection->worker->loop,
                                connection->transport.fd);
                connection->watch.ready = on_ready;
                connection->watch.closed = on_closed;
                connection->watch.edge = hot__peer_is_tcp(&connection->peer);
                connection->watched = true;
        }
        return hot__watch_set(&connection->watch, events);
}

void hot__connection_advance(struct hot__connection *connection, enum hot__step step)
{
        int events;

        if (!step_on(connection, step))
                return;
        while (hot__transport_holds_input(&connection->transport) &&
               hot__input_is_read(connection)) {
                enum hot__arrived arrived = hot__input_read(connection);

                if (arrived == HOT__ARRIVED_GONE)
                        return;
                if (arrived == HOT__ARRIVED_NOTHING)
                        break;
                if (!step_on(connection, HOT__STEP_AGAIN))
                        return;
        }
        if (hot__mover_take(connection))
                return;
        hot__answer_await(connection);
        count(connection, 1 + (unsigned int)state_to_count(connection));
        connection->took_all = false;
        events = hot__input_is_wanted(connection) ? HOT__READABLE : 0;
        if (connection->blocked)
                events |= HOT__WRITABLE;
        if (watch(connection, events) < 0)
                hot__connection_cut(connection);
}

static void on_ready(struct hot__watch *watch, int events)
{
        struct hot__connection *connection =
                (struct hot__connection *)((char *)watch - offsetof(struct hot__connection, watch));

        if (connection->state == HOT__CONNECTION_LINGER) {
                hot__linger_ready(connection, events);
                return;
        }
        if (events & HOT__WRITABLE)
                connection->blocked = false;
        if (events & HOT__READABLE && hot__input_is_read(connection) &&
            hot__input_read(connection) == HOT__ARRIVED_GONE)
                return;
        hot__connection_advance(connection, HOT__STEP_AGAIN);
}

void hot__connection_posted(struct hot__connection *connection, struct hot__exchange *exchange)
{
        hot__connection_advance(connection, exchange->stream ? hot__http2_posted(exchange)
                                                             : hot__answer_posted(connection));
}
