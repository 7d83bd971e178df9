/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <string.h>

#include "answer.h"
#include "dispatch.h"
#include "exchange.h"
#include "head_parts.h"
#include "input.h"
#include "opening.h"
#include "outcome.h"
#include "reading.h"
#include "server.h"
#include "worker.h"

static const char continue_line[] = "HTTP/1.1 100 Continue\r\n\r\n";

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
        const struct hot__limits *limits = hot__connection_limits(connection);

        hot__connection_set_deadline(connection, HOT__DEADLINE_BODY,
                                     connection->began + limits->read_ms);
        connection->state = HOT__CONNECTION_BODY;
        if (!connection->head.expects || connection->head.http_1_0 || hot__input_unread(connection))
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

/* Returns enum hot__parsed, or the status to refuse it with. */
static int take_parts(struct hot__exchange *exchange, const struct hot__head *head, size_t len)
{
        char *bytes = exchange->head->data + exchange->head->start;
        struct hot_http_request *request = &exchange->request;
        int r;

        if (hot__head_parts_are_plain(head, bytes, len)) {
                hot__parser_none(&exchange->parser);
                return hot__head_parts_take(head, request, bytes, len) < 0 ? 503
                                                                           : HOT__PARSED_COMPLETE;
        }
        r = hot__parser_head(&exchange->parser, request, SIZE_MAX, bytes, len);
        request->keep_alive = hot__head_keeps_alive(head);
        return r;
}

static enum hot__step take_head(struct hot__connection *connection, size_t len)
{
        const struct hot__limits *limits = hot__connection_limits(connection);
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
        r = take_parts(exchange, &connection->head, len);
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

enum hot__step hot__reading_head(struct hot__connection *connection)
{
        const struct hot__limits *limits = hot__connection_limits(connection);
        uint64_t ms = limits->head_ms < limits->read_ms ? limits->head_ms : limits->read_ms;
        size_t len;
        int r;

        if (!connection->spoken && hot__opening_is_preface(connection))
                return hot__opening_preface(connection);
        r = hot__head_scan(&connection->head, &limits->head,
                           connection->in->data + connection->in->start,
                           hot__input_unread(connection), &len);

        if (r == HOT__HEAD_COMPLETE)
                return take_head(connection, len);
        if (r != HOT__HEAD_MORE)
                return hot__answer_refuse(connection, r);
        if (connection->input_ended)
                return hot__answer_refuse(connection, 400);
        if (!connection->deadline.next || connection->deadline.kind != HOT__DEADLINE_HEAD)
                hot__connection_set_deadline(connection, HOT__DEADLINE_HEAD,
                                             connection->began + ms);
        return HOT__STEP_WAIT;
}

enum hot__step hot__reading_body(struct hot__connection *connection)
{
        struct hot__buffer *in = connection->in;
        size_t used;
        int r = HOT__PARSED_MORE;

        if (hot__input_unread(connection)) {
                r = hot__parser_body(&connection->exchange->parser, in->data + in->start,
                                     hot__input_unread(connection), &used);
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

enum hot__step hot__reading_continue(struct hot__connection *connection)
{
        enum hot__step step = hot__answer_flush(connection);

        if (step != HOT__STEP_AGAIN)
                return step;
        connection->state = HOT__CONNECTION_BODY;
        hot__connection_set_deadline(connection, HOT__DEADLINE_BODY,
                                     connection->began +
                                             hot__connection_limits(connection)->read_ms);
        return HOT__STEP_AGAIN;
}
