/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "answer.h"
#include "exchange.h"
#include "http2.h"
#include "parting.h"
#include "timeout.h"
#include "upgraded.h"

void hot__timeout_reached(struct hot__connection *connection)
{
        if (connection->state == HOT__CONNECTION_HTTP2) {
                hot__connection_advance(connection, hot__http2_timed_out(connection->http2));
                return;
        }
        switch (connection->deadline.kind) {
        case HOT__DEADLINE_FIRST:
        case HOT__DEADLINE_IDLE:
                if (connection->state == HOT__CONNECTION_HANDSHAKE)
                        hot__connection_close(connection, -ETIMEDOUT);
                else
                        hot__parting_idle(connection);
                return;
        case HOT__DEADLINE_HEAD:
        case HOT__DEADLINE_BODY:
                if (connection->exchange && connection->exchange->receiving)
                        hot__connection_advance(connection,
                                                hot__answer_instead(connection, 408, -ETIMEDOUT));
                else
                        hot__connection_advance(connection, hot__answer_refuse(connection, 408));
                return;
        case HOT__DEADLINE_SILENCE:
                if (connection->state == HOT__CONNECTION_STREAMING)
                        hot__connection_advance(connection, hot__answer_beat(connection));
                else if (connection->state == HOT__CONNECTION_WEBSOCKET)
                        hot__connection_advance(connection, hot__upgraded_silence(connection));
                else
                        hot__connection_close(connection, -ETIMEDOUT);
                return;
        case HOT__DEADLINE_HANDLER:
                hot__connection_advance(connection,
                                        hot__answer_instead(connection, 503, -ETIMEDOUT));
                return;
        default:
                hot__connection_close(connection, -ETIMEDOUT);
        }
}
