/* SPDX-License-Identifier: MIT */
/*
 * What a server in production is asked by machines: metrics, and whether it lives and wants requests.
 * Inline routes: they are answered even when every thread of the pool is busy.
 */
#include <errno.h>

#include "access.h"
#include "bytes.h"
#include "connection.h"
#include "metrics.h"
#include "pool.h"
#include "response.h"
#include "server.h"
#include "worker.h"

/* What a state of a connection is shown as: the index into hot__metrics_now.connections. */
static size_t shown_as(enum hot__connection_state state)
{
        switch (state) {
        case HOT__CONNECTION_FRESH:
        case HOT__CONNECTION_IDLE:
                return 0;
        case HOT__CONNECTION_HANDLING:
                return 2;
        case HOT__CONNECTION_TUNNEL:
                return 5;
        case HOT__CONNECTION_WEBSOCKET:
                return 4;
        case HOT__CONNECTION_SENDING:
        case HOT__CONNECTION_STREAMING:
        case HOT__CONNECTION_LINGER:
                return 3;
        default:
                return 1;
        }
}

static void count_connections(const struct hot_http *server, uint64_t counts[6])
{
        for (size_t i = 0; i < server->n_workers; i++)
                for (size_t state = 0; state < HOT__N_CONNECTION_STATES; state++)
                        counts[shown_as((enum hot__connection_state)state)] +=
                                atomic_load(&server->workers[i].by_state[state]);
}

static void on_metrics(const struct hot_http_request *request, struct hot_http_response *response,
                       void *data)
{
        struct hot_http *server = data;
        struct hot__metrics_now now = {
                .generation = server->generation,
                .serving = atomic_load(&server->accepting),
        };

        (void)request;
        count_connections(server, now.connections);
        for (size_t i = 0; i < HOT__N_PINS; i++)
                now.pinned[i] = (uint64_t)atomic_load(&server->giver.pinned[i]);
        hot__pool_count(server->pool, &now.handlers_running, &now.handlers_waiting);
        hot_http_response_header(response, "Content-Type",
                                 "text/plain; version=0.0.4; charset=utf-8");
        hot__metrics_print(&server->metrics, &now, &response->body);
}

int hot_http_handle_metrics(struct hot_http *server, const char *path)
{
        int r = hot_http_handle(server, "GET", path, on_metrics, server);

        if (r == 0)
                server->metrics.wanted = true;
        return r;
}

static void on_live(const struct hot_http_request *request, struct hot_http_response *response,
                    void *data)
{
        (void)request, (void)data;
        hot_http_response_header(response, "Cache-Control", "no-store");
        hot_http_response_printf(response, "live\n");
}

/* A restart is no reason to stay away: who asks an old generation will be answered by the new one next. */
static void on_ready(const struct hot_http_request *request, struct hot_http_response *response,
                     void *data)
{
        bool stopping = atomic_load(&((struct hot_http *)data)->stopping);

        (void)request;
        hot_http_response_header(response, "Cache-Control", "no-store");
        hot_http_response_status(response, stopping ? 503 : 200);
        hot_http_response_printf(response, stopping ? "stopping\n" : "ready\n");
}

int hot_http_handle_health(struct hot_http *server, const char *live_path, const char *ready_path)
{
        int r = live_path ? hot_http_handle(server, "GET", live_path, on_live, server) : 0;

        if (r == 0 && ready_path)
                r = hot_http_handle(server, "GET", ready_path, on_ready, server);
        return r;
}

int hot_http_log_access(struct hot_http *server, const char *path, int format)
{
        int r = path && *path && (format == HOT_HTTP_COMBINED || format == HOT_HTTP_JSON) ? 0
                                                                                          : -EINVAL;

        r = hot__server_setting(server, r);
        if (r < 0)
                return r;
        return hot__server_setting(server,
                                   hot__access_set(&server->access, path, format == HOT_HTTP_JSON));
}

int hot_http_reopen_logs(struct hot_http *server)
{
        if (!server)
                return -EINVAL;
        hot__access_reopen(&server->access);
        return 0;
}
