/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "connection.h"
#include "dispatch.h"
#include "exchange.h"
#include "field.h"
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

static enum hot__dispatched submit(struct hot__exchange *exchange,
                                   struct hot__connection *connection)
{
        exchange->connection = connection;
        exchange->with_handler = true;
        if (hot__exchange_submit(exchange, exchange->worker->server->pool) == 0)
                return HOT__DISPATCHED_WAITS;
        exchange->with_handler = false;
        hot__response_set_error(&exchange->response, 503);
        return HOT__DISPATCHED_ANSWERED;
}

enum hot__dispatched hot__dispatch(struct hot__exchange *exchange,
                                   struct hot__connection *connection)
{
        const struct hot__routes *routes = &exchange->worker->server->routes;
        const struct hot__route *route;
        int status = 0;

        route = hot__routes_find(routes, exchange->request.method, exchange->request.path.data,
                                 &status);
        exchange->route = route;
        if (!route) {
                answer_no_route(exchange, routes, status);
                return HOT__DISPATCHED_ANSWERED;
        }
        if (route->blocking)
                return submit(exchange, connection);
        route->handler(&exchange->request, &exchange->response, route->data);
        return HOT__DISPATCHED_ANSWERED;
}

void hot__dispatch_end(struct hot__exchange *exchange, int error)
{
        if (!exchange)
                return;
        if (!exchange->with_handler) {
                hot__worker_recycle(exchange->worker, exchange);
                return;
        }
        exchange->connection = NULL;
        exchange->gone = error;
        exchange->worker->n_detached++;
        /* A piece that is still in the letter box is returned by whoever takes it from there. */
        if (exchange->has_piece)
                hot__stream_return(&exchange->response.stream, error);
        exchange->has_piece = false;
}
