/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "duty.h"
#include "exchange.h"
#include "listening.h"
#include "server.h"
#include "socket.h"
#include "thread.h"
#include "worker.h"

/* -- opening -- */

static int call_hooks(struct hot_http *server)
{
        for (size_t i = 0; i < server->n_listeners && server->before_serving; i++) {
                char address[512];
                int r;

                if (server->listeners[i].member > 0)
                        continue; /* its group was told */
                r = hot_listener_address(server->listeners[i].lent, address, sizeof(address));
                if (r == 0)
                        r = server->before_serving(server, address, server->before_serving_data);
                if (r < 0) {
                        hot__log(&server->log, "cannot serve on %s: the host: %s", address,
                                 strerror(-r));
                        return r;
                }
        }
        return 0;
}

static void reopen_logs(void *data)
{
        hot_http_reopen_logs(data);
}

/* What is written down, and where it is counted. */
static int open_records(struct hot_http *server)
{
        int r = hot__access_open(&server->access);

        if (r < 0) {
                hot__log(&server->log, "cannot open %s: %s", server->access.path, strerror(-r));
                return r;
        }
        if (server->access.path)
                r = hot__hangup_open(&server->hangup, server->hot, reopen_logs, server);
        if (r == 0)
                r = hot__metrics_open(&server->metrics, server->hot);
        if (r < 0)
                hot__log(&server->log, "cannot keep records: %s", strerror(-r));
        return r;
}

/* An atomic_long is a long, read as such where C11's words for it are not spoken. */
static int open_figure(struct hot_http *server, const char *name, atomic_long *value)
{
        return hot_figure(server->hot, name, (const long *)(uintptr_t)value);
}

static int open_figures(struct hot_http *server)
{
        int r = open_figure(server, "connections", &server->connections);

        if (r == 0 && server->tls.on)
                r = hot_figure(server->hot, "kernel-tls", &server->tls.kernel);
        for (size_t i = HOT__PIN_NOT + 1; i < HOT__N_PINS && r == 0; i++) {
                char name[32];

                snprintf(name, sizeof(name), "pinned-%s", hot__pin_name((enum hot__pin)i));
                r = open_figure(server, name, &server->giver.pinned[i]);
        }
        return r;
}

static int open_hot(struct hot_http *server)
{
        int r = hot_open(&server->hot, &server->options);

        if (r < 0) {
                hot__listening_log_failure(server);
                return r;
        }
        server->generation = hot_generation(server->hot);
        hot__tls_restore(&server->tls, server->hot);
        r = open_figures(server);
        if (r == 0)
                r = hot_signals(server->hot);
        if (r < 0)
                return r;
        r = hot__listening_open(server);
        if (r == 0)
                r = hot__listening_copy(server);
        if (r == 0)
                r = open_records(server);
        return r;
}

/* -- running -- */

static void *worker_thread(void *argument)
{
        struct hot__worker *worker = argument;

        hot__loop_run(&worker->loop);
        return NULL;
}

static int init_workers(struct hot_http *server)
{
        server->workers = calloc(server->limits.loops, sizeof(*server->workers));
        if (!server->workers)
                return -ENOMEM;
        while (server->n_workers < server->limits.loops) {
                int r = hot__worker_init(&server->workers[server->n_workers], server);

                if (r < 0)
                        return r;
                server->n_workers++;
        }
        if (hot__taker_init(&server->taker, server->n_workers) < 0)
                return -ENOMEM;
        return hot__pool_new(&server->pool, server->limits.pool, server->limits.queue,
                             hot__server_retain, hot__server_release, server);
}

static void grant_wishes(struct hot_http *server)
{
        if (server->stop_wished)
                hot_stop(server->hot);
        else if (server->restart_wished)
                hot_restart(server->hot);
}

/* Loops 1 and up have threads, as far as they could be started: @n of them with loop 0. */
static void run(struct hot_http *server, size_t n)
{
        int r = n == server->n_workers ? hot_ready(server->hot) : -EAGAIN;

        if (r < 0) {
                hot__log(&server->log, "cannot serve: %zu of %zu loops have a thread", n,
                         server->n_workers);
                server->outcome = r;
                hot__duty_end(server);
        } else {
                grant_wishes(server);
                hot__duty_pump(server);
        }
        hot__loop_run(&server->workers[0].loop);
        for (size_t i = 1; i < n; i++)
                pthread_join(server->workers[i].thread, NULL);
}

/* Who has no descriptor left would serve nobody and look as if: what is opened from here on has to fail instead. */
static int keep_place(struct hot_http *server)
{
        server->place = hot__socket_dup(server->listeners[0].lent);
        if (server->place < 0)
                hot__log(&server->log, "cannot serve: no room for a connection: %s",
                         strerror(-server->place));
        return server->place < 0 ? server->place : 0;
}

static int serve(struct hot_http *server)
{
        size_t n = 1;
        int r = init_workers(server);

        if (r == 0)
                r = hot__duty_watch(server);
        if (r < 0) {
                hot__log(&server->log, "cannot serve: loop %zu of %u: %s", server->n_workers + 1,
                         server->limits.loops, strerror(-r));
                return r;
        }
        r = keep_place(server);
        if (r < 0)
                return r;
        while (n < server->n_workers) {
                struct hot__worker *worker = &server->workers[n];

                if (hot__thread_start(&worker->thread, worker_thread, worker) < 0)
                        break;
                n++;
        }
        run(server, n);
        return server->outcome;
}

static void close_pool(struct hot_http *server)
{
        struct hot__job *job = server->pool ? hot__pool_close(server->pool) : NULL;

        while (job) {
                struct hot__job *next = job->next;

                hot__exchange_free(hot__exchange_of_job(job));
                job = next;
        }
        hot__pool_free(server->pool);
        server->pool = NULL;
}

static void close_hot(struct hot_http *server)
{
        struct hot *hot;

        pthread_mutex_lock(&server->lock);
        hot = server->hot;
        server->hot = NULL;
        pthread_mutex_unlock(&server->lock);
        hot_free(hot);
}

int hot_http_listen_and_serve(struct hot_http *server)
{
        int r;

        if (!server)
                return -EINVAL;
        if (server->error)
                hot__log(&server->log, "cannot serve: it was not set up: %s",
                         strerror(-server->error));
        if (server->error || server->ran)
                return server->error ? server->error : -EALREADY;
        server->ran = true;
        hot__socket_spare_stdio();
        pthread_mutex_lock(&server->lock);
        r = server->tls.on ? hot__tls_open(&server->tls) : 0;
        if (r == 0)
                r = open_hot(server);
        pthread_mutex_unlock(&server->lock);
        if (r == 0) /* unlocked: a hook may stop the server */
                r = call_hooks(server);
        server->serving = true;
        if (r == 0)
                r = serve(server);
        close_pool(server);
        for (size_t i = 0; i < server->n_workers; i++)
                hot__worker_done(&server->workers[i]);
        hot__giver_done(&server->giver);
        hot__taker_done(&server->taker, server->n_workers);
        hot__listening_close_copies(server);
        server->place = hot__socket_close(server->place);
        hot__hangup_close(&server->hangup);
        close_hot(server);
        return r;
}
