/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "dispatch.h"
#include "exchange.h"
#include "moving.h"
#include "server.h"
#include "worker.h"

#define PHASE_OPEN 1

int hot__moving_pack(const struct hot__moving *moving, struct hot__passage *passage)
{
        struct hot__bytes state = {0};
        struct hot__luggage luggage = {
                .head = moving->path,
                .head_len = strlen(moving->path),
                .id = moving->protocol,
                .id_len = moving->protocol ? strlen(moving->protocol) : 0,
                .version = moving->version,
                .flags = moving->flags,
                .remaining = -1,
        };
        int r = hot__luggage_save(moving->saver, moving->about, &state);

        luggage.state = state.data;
        luggage.state_len = state.len;
        if (r == 0)
                r = hot__luggage_pack(&luggage, &passage->state);
        hot__bytes_done(&state);
        return r;
}

void hot__moving_leave(struct hot__connection *connection, struct hot__passage *passage)
{
        passage->bill.phase = PHASE_OPEN;
        passage->bill.since = hot__connection_now(connection);
        hot__dispatch_end(connection->exchange, 0);
        connection->exchange = NULL;
}

int hot__moving_check(const struct hot__passage *passage)
{
        struct hot__luggage luggage;

        if (passage->bill.phase != PHASE_OPEN)
                return -EPROTO;
        return hot__luggage_unpack(&luggage, passage->state.data, passage->state.len);
}

int hot__moving_unpack(const struct hot__passage *passage, struct hot__luggage *ret,
                       struct hot__bytes *ret_path)
{
        struct hot__luggage luggage;
        struct hot__bytes path = {0};
        int r = hot__luggage_unpack(&luggage, passage->state.data, passage->state.len);

        if (r < 0)
                return r;
        if (!luggage.head_len || memchr(luggage.head, '\0', luggage.head_len))
                return -EPROTO;
        hot__bytes_append(&path, luggage.head, luggage.head_len);
        hot__bytes_append(&path, "", 1);
        if (path.failed) {
                hot__bytes_done(&path);
                return -ENOMEM;
        }
        *ret = luggage;
        *ret_path = path;
        return 0;
}

void *hot__moving_find(const struct hot_http *server, const char *method, const char *path,
                       hot_http_handler *handler)
{
        int status;
        const struct hot__route *route = hot__routes_find(&server->routes, method, path, &status);

        return route && route->handler == handler ? route->data : NULL;
}

struct hot__exchange *hot__moving_arrive(struct hot__connection *connection)
{
        struct hot__exchange *exchange = hot__worker_take_exchange(connection->worker);

        if (!exchange)
                return NULL;
        exchange->untold = true; /* the request, which another generation has answered */
        exchange->response.mode = HOT__RESPONSE_UPGRADE;
        exchange->connection = connection;
        connection->exchange = exchange;
        return exchange;
}
