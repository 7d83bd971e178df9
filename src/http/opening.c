/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "connection.h"
#include "http2.h"
#include "opening.h"
#include "server.h"
#include "worker.h"

enum hot__step hot__opening_begin(struct hot__connection *connection)
{
        if (connection->state == HOT__CONNECTION_HANDSHAKE || !connection->refused)
                return HOT__STEP_WAIT;
        return hot__answer_refuse(connection, 503);
}

static enum hot__step begin_http2(struct hot__connection *connection)
{
        connection->http2 = hot__http2_new(connection);
        if (!connection->http2)
                return HOT__STEP_CUT;
        connection->state = HOT__CONNECTION_HTTP2;
        if (connection->worker->now.drain != HOT__DRAIN_NO)
                return hot__http2_drain(connection->http2);
        return HOT__STEP_AGAIN;
}

enum hot__step hot__opening_handshake(struct hot__connection *connection)
{
        int wants = HOT__READABLE;
        int r = hot__tls_session_handshake(connection->transport.tls, &wants);

        if (r == -EAGAIN) {
                connection->blocked = wants == HOT__WRITABLE;
                return HOT__STEP_WAIT;
        }
        if (r == -EPROTONOSUPPORT) {
                hot__transport_be_plain(&connection->transport);
                return hot__answer_refuse(connection, 400);
        }
        if (r < 0)
                return HOT__STEP_LINGER; /* the alert that says why is on its way */
        connection->state = HOT__CONNECTION_FRESH;
        connection->spoken = true;
        if (!connection->refused && hot__tls_session_is_http2(connection->transport.tls))
                return begin_http2(connection);
        return hot__opening_begin(connection);
}

bool hot__opening_is_preface(struct hot__connection *connection)
{
        const struct hot__buffer *in = connection->in;

        if (hot__http2_preface(in->data + in->start, in->end - in->start) != HOT__PREFACE_NO)
                return true;
        connection->spoken = true;
        return false;
}

enum hot__step hot__opening_preface(struct hot__connection *connection)
{
        struct hot__worker *worker = connection->worker;
        const struct hot__buffer *in = connection->in;

        if (hot__http2_preface(in->data + in->start, in->end - in->start) == HOT__PREFACE_YES)
                return begin_http2(connection);
        if (connection->input_ended)
                return hot__answer_refuse(connection, 400);
        hot__worker_set_deadline(worker, &connection->deadline, HOT__DEADLINE_HEAD,
                                 connection->began + worker->server->limits.head_ms);
        return HOT__STEP_WAIT;
}
