/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "connection.h"
#include "dispatch.h"
#include "exchange.h"
#include "field.h"
#include "outcome.h"
#include "server.h"
#include "worker.h"

/* @path: NULL for the server as a whole. */
static void add_allow(struct hot__exchange *exchange, const struct hot__routes *routes,
                      const char *path)
{
        struct hot__bytes allow = {0};

        hot__routes_allow(routes, path, &allow);
        hot__bytes_append(&allow, "", 1);
        if (!allow.failed)
                hot__field_append(&exchange->response.fields, "Allow", allow.data);
        hot__bytes_done(&allow);
}

static void answer_no_route(struct hot__exchange *exchange, const struct hot__routes *routes,
                            int status)
{
        if (!strcmp(exchange->request.target, "*")) { /* OPTIONS: no other method may have it */
                add_allow(exchange, routes, NULL);
                return;
        }
        hot__response_set_error(&exchange->response, status);
        if (status == 405)
                add_allow(exchange, routes, exchange->request.path.data);
}

/* The pool is full: whoever comes back in a second may find it otherwise. */
static void answer_busy(struct hot__exchange *exchange)
{
        hot__response_set_error(&exchange->response, 503);
        hot__field_append(&exchange->response.fields, "Retry-After", "1");
}

static enum hot__dispatched submit(struct hot__exchange *exchange)
{
        exchange->with_handler = true;
        if (hot__exchange_submit(exchange, exchange->worker->server->pool) == 0)
                return HOT__DISPATCHED_WAITS;
        exchange->with_handler = false;
        answer_busy(exchange);
        return HOT__DISPATCHED_ANSWERED;
}

/* The handler may have given the response to another thread, which may have completed it already. */
static enum hot__dispatched run_here(struct hot__exchange *exchange)
{
        const struct hot__route *route = exchange->route;

        exchange->with_handler = true;
        route->handler(&exchange->request, &exchange->response, route->data);
        if (!hot__exchange_leave(exchange))
                return HOT__DISPATCHED_WAITS;
        exchange->with_handler = false;
        return HOT__DISPATCHED_ANSWERED;
}

bool hot__dispatch_head(struct hot__exchange *exchange)
{
        const struct hot__routes *routes = &exchange->worker->server->routes;

        exchange->route = hot__routes_find(routes, exchange->request.method,
                                           exchange->request.path.data, &exchange->no_route);
        if (!exchange->route || exchange->route->kind != HOT__ROUTE_STREAMING)
                return false;
        hot__body_open(&exchange->request.stream);
        return true;
}

enum hot__dispatched hot__dispatch(struct hot__exchange *exchange,
                                   struct hot__connection *connection)
{
        const struct hot_http *server = exchange->worker->server;

        if (!exchange->route && !exchange->no_route)
                hot__dispatch_head(exchange);
        exchange->connection = connection;
        exchange->request.peer = connection->peer;
        if (server->limits.request_ids)
                hot__field_append(&exchange->response.fields, "X-Request-Id",
                                  hot_http_request_id(&exchange->request));
        if (!hot__hooks_before(&server->hooks, &exchange->request, &exchange->response))
                return HOT__DISPATCHED_ANSWERED;
        if (!exchange->route) {
                answer_no_route(exchange, &server->routes, exchange->no_route);
                return HOT__DISPATCHED_ANSWERED;
        }
        atomic_store(&exchange->busy, 1);
        exchange->response.blocking = exchange->route->kind != HOT__ROUTE_INLINE;
        return exchange->response.blocking ? submit(exchange) : run_here(exchange);
}

void hot__dispatch_end(struct hot__exchange *exchange, int error)
{
        if (!exchange)
                return;
        hot__outcome_tell(exchange, error);
        if (exchange->with_handler)
                hot__body_fail(&exchange->request.stream, error);
        if (exchange->with_handler)
                hot__exchange_cancel(exchange);
        hot__response_let_go(&exchange->response, error);
        if (!exchange->with_handler && !hot__exchange_is_posted(exchange)) {
                hot__worker_recycle(exchange->worker, exchange);
                return;
        }
        exchange->connection = NULL;
        exchange->stream = NULL;
        exchange->gone = error;
        exchange->worker->n_detached++;
        /* A piece that is still in the letter box is returned by whoever takes it from there. */
        if (exchange->has_piece)
                hot__stream_return(&exchange->response.stream, error);
        exchange->has_piece = false;
}
