/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "exchange.h"
#include "worker.h"

struct hot__exchange *hot__exchange_new(struct hot__worker *worker)
{
        struct hot__exchange *exchange = calloc(1, sizeof(*exchange));

        if (!exchange)
                return NULL;
        if (hot__response_init(&exchange->response) < 0) {
                free(exchange);
                return NULL;
        }
        hot__request_clear(&exchange->request);
        exchange->worker = worker;
        return exchange;
}

void hot__exchange_clear(struct hot__exchange *exchange, struct hot__buffers *spare)
{
        hot__buffer_free(spare, exchange->head);
        exchange->head = NULL;
        exchange->route = NULL;
        hot__tls_facts_put(exchange->facts);
        exchange->facts = NULL;
        exchange->connection = NULL;
        exchange->gone = 0;
        exchange->with_handler = false;
        exchange->posted_finished = false;
        exchange->has_piece = false;
        hot__request_clear(&exchange->request);
        hot__response_clear(&exchange->response);
}

void hot__exchange_free(struct hot__exchange *exchange)
{
        if (!exchange)
                return;
        hot__buffer_free(NULL, exchange->head);
        hot__tls_facts_put(exchange->facts);
        hot__request_done(&exchange->request);
        hot__response_done(&exchange->response);
        free(exchange);
}

struct hot__exchange *hot__exchange_of(struct hot_http_response *response)
{
        return (struct hot__exchange *)((char *)response -
                                        offsetof(struct hot__exchange, response));
}

const struct hot__exchange *hot__exchange_of_request(const struct hot_http_request *request)
{
        return (const struct hot__exchange *)((const char *)request -
                                              offsetof(struct hot__exchange, request));
}

struct hot__exchange *hot__exchange_of_job(struct hot__job *job)
{
        return (struct hot__exchange *)((char *)job - offsetof(struct hot__exchange, job));
}

static void run(struct hot__job *job)
{
        struct hot__exchange *exchange = hot__exchange_of_job(job);

        exchange->route->handler(&exchange->request, &exchange->response, exchange->route->data);
        if (!hot__exchange_post(exchange, true))
                hot__exchange_free(exchange);
}

int hot__exchange_submit(struct hot__exchange *exchange, struct hot__pool *pool)
{
        exchange->job.run = run;
        exchange->response.blocking = true;
        return hot__pool_submit(pool, &exchange->job);
}

bool hot__exchange_post(struct hot__exchange *exchange, bool finished)
{
        return hot__worker_post(exchange->worker, exchange, finished);
}
