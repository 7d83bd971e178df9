/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "answer.h"
#include "exchange.h"
#include "input.h"
#include "outcome.h"
#include "tunnel.h"
#include "upgraded.h"
#include "websocket.h"
#include "worker.h"

/* The request is over, and its memory is not kept for as long as this may live. */
enum hot__step hot__upgraded_begin(struct hot__connection *connection)
{
        struct hot__exchange *exchange = connection->exchange;

        hot__outcome_tell(exchange, 0);
        hot__exchange_forget_request(exchange, &connection->worker->buffers);
        connection->state =
                exchange->response.tunnel ? HOT__CONNECTION_TUNNEL : HOT__CONNECTION_WEBSOCKET;
        hot__deadline_clear(&connection->deadline);
        return HOT__STEP_AGAIN;
}

static void await_silence(struct hot__connection *connection, unsigned int ms)
{
        hot__connection_set_deadline(connection, HOT__DEADLINE_SILENCE,
                                     hot__connection_now(connection) + ms);
}

static enum hot__step end(struct hot__connection *connection)
{
        connection->closes = true;
        return hot__answer_done(connection);
}

static bool awaits_silence(const struct hot__connection *connection)
{
        return connection->deadline.next && connection->deadline.kind == HOT__DEADLINE_SILENCE;
}

enum hot__step hot__upgraded_websocket(struct hot__connection *connection)
{
        struct hot_websocket *socket = connection->exchange->response.websocket;
        struct hot__buffer *in = connection->in;
        size_t len = hot__input_unread(connection);
        enum hot__websocket_step step =
                hot__websocket_turn(socket, in ? in->data + in->start : NULL, len);

        hot__buffer_free(&connection->worker->buffers, in);
        connection->in = NULL;
        switch (step) {
        case HOT__WEBSOCKET_FULL:
                return hot__answer_wait_writable(connection);
        case HOT__WEBSOCKET_ENDED:
                return end(connection);
        case HOT__WEBSOCKET_BROKEN:
                return HOT__STEP_CUT;
        case HOT__WEBSOCKET_WAITS:
                break;
        }
        if (connection->input_ended)
                return connection->deaf ? hot__answer_done(connection) : HOT__STEP_CUT;
        if (len || !awaits_silence(connection))
                await_silence(connection, hot__websocket_patience(socket));
        return HOT__STEP_WAIT;
}

/* What was taken is gone, and memory with it. */
static void use_input(struct hot__connection *connection, size_t left)
{
        struct hot__buffer *in = connection->in;

        if (!in)
                return;
        in->start = in->end - left;
        if (left)
                return;
        hot__buffer_free(&connection->worker->buffers, in);
        connection->in = NULL;
}

enum hot__step hot__upgraded_tunnel(struct hot__connection *connection)
{
        struct hot_tunnel *tunnel = connection->exchange->response.tunnel;
        struct hot__buffer *in = connection->in;
        struct hot__tunnel_input input = {
                .bytes = in ? in->data + in->start : NULL,
                .len = hot__input_unread(connection),
                .ended = connection->input_ended,
        };
        unsigned int patience = hot__tunnel_patience(tunnel);
        bool moved;
        enum hot__tunnel_step step = hot__tunnel_turn(
                tunnel, &input, connection->blocked ? NULL : &connection->transport, &moved);

        use_input(connection, input.len);
        switch (step) {
        case HOT__TUNNEL_FULL:
                return connection->blocked ? HOT__STEP_WAIT : hot__answer_wait_writable(connection);
        case HOT__TUNNEL_ENDED:
                return end(connection);
        case HOT__TUNNEL_BROKEN:
                return HOT__STEP_CUT;
        case HOT__TUNNEL_WAITS:
                break;
        }
        if (!patience)
                hot__deadline_clear(&connection->deadline);
        else if (moved || !awaits_silence(connection))
                await_silence(connection, patience);
        return HOT__STEP_WAIT;
}

enum hot__step hot__upgraded_silence(struct hot__connection *connection)
{
        struct hot_websocket *socket = connection->exchange->response.websocket;

        if (!hot__websocket_silent(socket))
                return HOT__STEP_CUT;
        await_silence(connection, hot__websocket_patience(socket));
        return HOT__STEP_AGAIN;
}

void hot__upgraded_leave(struct hot__connection *connection)
{
        if (connection->state == HOT__CONNECTION_WEBSOCKET)
                hot__websocket_leave(connection->exchange->response.websocket);
        else if (connection->state == HOT__CONNECTION_TUNNEL)
                hot_tunnel_end(connection->exchange->response.tunnel);
}
