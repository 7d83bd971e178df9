/* SPDX-License-Identifier: MIT */
#include <errno.h>
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
        exchange->request.exchange = exchange;
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
        exchange->stream = NULL;
        exchange->gone = 0;
        exchange->with_handler = false;
        exchange->receiving = false;
        exchange->began = exchange->number = 0;
        exchange->untold = false;
        exchange->no_route = exchange->gone_status = 0;
        exchange->answer_by = 0;
        exchange->news = 0;
        exchange->has_piece = false;
        hot__request_clear(&exchange->request);
        hot__response_clear(&exchange->response);
}

void hot__exchange_forget_request(struct hot__exchange *exchange, struct hot__buffers *spare)
{
        hot__request_clear(&exchange->request);
        hot__buffer_free(spare, exchange->head);
        exchange->head = NULL;
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
        return request->exchange;
}

ssize_t hot_http_request_read(const struct hot_http_request *request, void *buffer, size_t size)
{
        struct hot__exchange *exchange = request->exchange;
        bool room;
        ssize_t n;

        if (!exchange->request.stream.streamed)
                return -EINVAL;
        n = hot__body_read(&exchange->request.stream, buffer, size, &room);
        if (room)
                hot__exchange_post(exchange, HOT__LETTER_ROOM);
        return n;
}

const char *hot_http_request_id(const struct hot_http_request *request)
{
        struct hot__exchange *exchange = request->exchange;
        char *id = exchange->request.id;

        if (!*id && !hot__request_id_take(hot_http_request_header(request, "x-request-id"), id))
                hot__request_id_make(exchange->worker->seed, exchange->number, id);
        return id;
}

const char *hot_http_request_peer(const struct hot_http_request *request, char *buffer, size_t size)
{
        return hot__peer_string(&request->peer, buffer, size);
}

int hot_http_response_defer(struct hot_http_response *response)
{
        struct hot__exchange *exchange = hot__exchange_of(response);

        if (response->deferred)
                return -EALREADY;
        response->deferred = true;
        atomic_fetch_add(&exchange->busy, 1);
        return 0;
}

int hot_http_response_complete(struct hot_http_response *response)
{
        if (!response || !response->deferred)
                return -EINVAL;
        hot__exchange_finish(hot__exchange_of(response));
        return 0;
}

struct hot__exchange *hot__exchange_of_job(struct hot__job *job)
{
        return (struct hot__exchange *)((char *)job - offsetof(struct hot__exchange, job));
}

bool hot__exchange_leave(struct hot__exchange *exchange)
{
        return atomic_fetch_sub(&exchange->busy, 1) == 1;
}

void hot__exchange_finish(struct hot__exchange *exchange)
{
        if (hot__exchange_leave(exchange) && !hot__exchange_post(exchange, HOT__LETTER_FINISHED))
                hot__exchange_free(exchange);
}

bool hot__exchange_is_posted(struct hot__exchange *exchange)
{
        /* Only producers are spoken for by threads that do not have the exchange. */
        return exchange->response.mode >= HOT__RESPONSE_PRODUCER &&
               hot__worker_is_posted(exchange->worker, exchange);
}

void hot__exchange_cancel(struct hot__exchange *exchange)
{
        struct hot_http_response *response = &exchange->response;

        if (atomic_exchange(&exchange->request.cancelled, true))
                return;
        if (response->on_cancel && exchange->with_handler)
                response->on_cancel(response->on_cancel_data);
}

static void run(struct hot__job *job)
{
        struct hot__exchange *exchange = hot__exchange_of_job(job);

        exchange->route->handler(&exchange->request, &exchange->response, exchange->route->data);
        hot__exchange_finish(exchange);
}

int hot__exchange_submit(struct hot__exchange *exchange, struct hot__pool *pool)
{
        exchange->job.run = run;
        return hot__pool_submit(pool, &exchange->job);
}

bool hot__exchange_post(struct hot__exchange *exchange, enum hot__letter letter)
{
        struct hot__worker *worker = exchange->worker;

        return worker && hot__worker_post(worker, exchange, letter);
}
