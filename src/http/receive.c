/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "exchange.h"
#include "receive.h"
#include "server.h"
#include "worker.h"

static size_t unread(const struct hot__connection *connection)
{
        return connection->in ? connection->in->end - connection->in->start : 0;
}

/* The handler reads the body as it arrives: it begins now. */
enum hot__step hot__receive_begin(struct hot__connection *connection)
{
        enum hot__step step;

        connection->exchange->receiving = true;
        connection->exchange->receive_by =
                connection->began + connection->worker->server->limits.read_ms;
        step = hot__answer_request(connection);
        return step == HOT__STEP_WAIT ? HOT__STEP_AGAIN : step; /* some of it may be here */
}

/* A slow sender earns time by what it sends, never more than read_ms from now. */
static void allow_time(struct hot__connection *connection, size_t content)
{
        const struct hot__limits *limits = &connection->worker->server->limits;
        struct hot__exchange *exchange = connection->exchange;
        uint64_t most = hot__loop_now(&connection->worker->loop) + limits->read_ms;

        exchange->receive_by += content * 1000 / limits->rate;
        if (exchange->receive_by > most)
                exchange->receive_by = most;
}

static int error_of(int status)
{
        return status == 413 ? -EMSGSIZE : status == 503 ? -ENOMEM : -EPROTO;
}

enum hot__step hot__receive(struct hot__connection *connection)
{
        struct hot__exchange *exchange = connection->exchange;
        struct hot__buffer *in = connection->in;
        size_t before = exchange->parser.content, used;
        int r = HOT__PARSED_MORE;

        if (unread(connection)) {
                r = hot__parser_body(&exchange->parser, in->data + in->start, unread(connection),
                                     &used);
                in->start += used;
                if (in->start == in->end)
                        in->start = in->end = 0;
                allow_time(connection, exchange->parser.content - before);
        }
        if (r == HOT__PARSED_COMPLETE) {
                exchange->receiving = false;
                hot__body_end(&exchange->request.stream);
        } else if (r != HOT__PARSED_MORE) {
                return hot__answer_instead(connection, r, error_of(r));
        } else if (connection->input_ended) {
                return hot__answer_instead(connection, 400, -ECONNRESET);
        }
        return HOT__STEP_AGAIN;
}

/* Is there something of a body for its handler, and room for it? */
bool hot__receive_is_due(const struct hot__connection *connection)
{
        return connection->exchange && connection->exchange->receiving &&
               (unread(connection) || connection->input_ended) &&
               !hot__body_is_full(&connection->exchange->request.stream);
}
