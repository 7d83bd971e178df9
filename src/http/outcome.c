/* SPDX-License-Identifier: MIT */
#include <time.h>

#include "access.h"
#include "exchange.h"
#include "hooks.h"
#include "metrics.h"
#include "outcome.h"
#include "server.h"
#include "worker.h"

/* The client went away before there was a status: what nginx made the custom for logs. */
#define STATUS_GONE 499

static uint64_t now_ns(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* The clock is asked for those who want to know. */
static bool is_awaited(const struct hot__worker *worker)
{
        const struct hot_http *server = worker->server;

        return worker->metrics || server->access.path || server->hooks.n > 0;
}

void hot__outcome_begin(struct hot__exchange *exchange)
{
        if (is_awaited(exchange->worker))
                exchange->began = now_ns();
        exchange->number = ++exchange->worker->n_requests;
}

static int status_of(const struct hot__exchange *exchange)
{
        if (exchange->response.begun)
                return exchange->response.sent_status;
        return exchange->gone_status ? exchange->gone_status : STATUS_GONE;
}

static void write_down(struct hot__exchange *exchange, const struct hot_http_outcome *outcome)
{
        const struct hot_http *server = exchange->worker->server;
        const struct hot__access_entry entry = {
                .request = &exchange->request,
                .outcome = outcome,
                .peer = &exchange->request.peer,
                .id = hot_http_request_id(&exchange->request),
                .generation = server->generation,
        };

        hot__access_format(&server->access, &entry, &exchange->worker->access);
}

void hot__outcome_tell(struct hot__exchange *exchange, int error)
{
        struct hot__worker *worker = exchange->worker;
        const struct hot_http *server = worker->server;
        struct hot_http_outcome outcome;

        if (exchange->untold)
                return;
        exchange->untold = true;
        if (!is_awaited(worker))
                return;
        outcome = (struct hot_http_outcome){
                .size = sizeof(outcome),
                .status = status_of(exchange),
                .error = error,
                .sent = exchange->response.stream.sent,
        };
        if (exchange->began)
                outcome.duration_ns = now_ns() - exchange->began;
        if (worker->metrics)
                hot__metrics_count(worker->metrics, &outcome);
        if (server->access.path)
                write_down(exchange, &outcome);
        hot__hooks_after(&server->hooks, &exchange->request, &outcome);
}
