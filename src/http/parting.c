/* SPDX-License-Identifier: MIT */
#include "parting.h"
#include "exchange.h"
#include "http2.h"
#include "input.h"
#include "upgraded.h"
#include "worker.h"

/* What a connection gets that was accepted just before a stop and has not said anything. */
#define STOP_GRACE_MS 1000

void hot__parting_begin(struct hot__connection *connection)
{
        if (connection->state == HOT__CONNECTION_HTTP2)
                hot__connection_advance(connection, hot__http2_drain(connection->http2));
}

/* One without an end of its own. */
static void end_stream(struct hot__stream *stream)
{
        if (stream->leave)
                stream->leave(stream->data);
}

void hot__parting_idle(struct hot__connection *connection)
{
        if (connection->state == HOT__CONNECTION_HTTP2) {
                hot__connection_advance(connection, hot__http2_leave(connection->http2));
                return;
        }
        hot__upgraded_leave(connection);
        if (connection->state == HOT__CONNECTION_STREAMING)
                end_stream(&connection->exchange->response.stream);
        if (connection->state != HOT__CONNECTION_FRESH && connection->state != HOT__CONNECTION_IDLE)
                return;
        if (hot__input_read(connection) == HOT__ARRIVED_GONE)
                return;
        if (hot__input_unread(connection))
                hot__connection_advance(connection, HOT__STEP_AGAIN); /* just in time */
        else
                hot__connection_advance(connection, HOT__STEP_LINGER);
}

void hot__parting_stop(struct hot__connection *connection)
{
        if (connection->state == HOT__CONNECTION_FRESH ||
            connection->state == HOT__CONNECTION_HANDSHAKE)
                hot__connection_set_deadline(connection, HOT__DEADLINE_FIRST,
                                             hot__connection_now(connection) + STOP_GRACE_MS);
        else if (connection->state == HOT__CONNECTION_HTTP2)
                hot__parting_begin(connection);
        else
                hot__parting_idle(connection);
}
