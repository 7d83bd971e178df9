/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exchange.h"
#include "listening.h"
#include "server.h"
#include "socket.h"
#include "steps.h"
#include "thread.h"
#include "worker.h"

#define NS_PER_MS 1000000

static void pump(struct hot_http *server);

/* -- orders: what the core wants of all loops, and their word that it is so -- */

static void give_order(struct hot_http *server)
{
        server->order.number++;
        server->confirming = true;
        pthread_mutex_lock(&server->order_lock);
        server->confirmed_number = server->order.number;
        server->confirmed = 0;
        server->confirmed_error = 0;
        pthread_mutex_unlock(&server->order_lock);
        for (size_t i = 0; i < server->n_workers; i++)
                hot__worker_order(&server->workers[i], &server->order);
}

void hot__server_confirm(struct hot_http *server, uint64_t number, int error)
{
        pthread_mutex_lock(&server->order_lock);
        if (number == server->confirmed_number) {
                server->confirmed++;
                if (error < 0)
                        server->confirmed_error = error;
                if (server->confirmed == server->n_workers)
                        hot__loop_wake(&server->workers[0].loop);
        }
        pthread_mutex_unlock(&server->order_lock);
}

/* Not accepting is no state to report as serving: whoever waits for us learns it by our end. */
static void give_up(struct hot_http *server, int error)
{
        hot__log(&server->log, "cannot accept: %s", strerror(-error));
        server->outcome = error;
        hot_stop(server->hot);
}

static void confirm_serving(struct hot_http *server, int error)
{
        if (error < 0) {
                give_up(server, error);
                return;
        }
        hot_serving(server->hot);
        hot__metrics_serving(&server->metrics);
        atomic_store(&server->accepting, true);
        for (size_t i = 0; i < server->n_listeners; i++) {
                char address[512] = "?";

                if (server->listeners[i].member > 0)
                        continue; /* its group was told */
                hot_listener_address(server->listeners[i].lent, address, sizeof(address));
                hot__log(&server->log, "serving on %s (generation %llu)", address,
                         (unsigned long long)server->generation);
        }
}

static int tell_handover(struct hot_http *server, int moment)
{
        int r = server->on_handover ? server->on_handover(server, moment, server->on_handover_data)
                                    : 0;

        if (r < 0)
                hot__log(&server->log, "handing over state: %s", strerror(-r));
        return r < 0 ? r : 0;
}

/* Nobody accepts any more, but for leftovers while there are some. */
static void confirm_quiesced(struct hot_http *server, int error)
{
        if (server->order.drain == HOT__DRAIN_SUCCEEDED && !server->drain_told) {
                server->drain_told = true;
                hot__log(&server->log, "draining: pid %d (generation %llu) serves",
                         (int)server->heir, (unsigned long long)server->heir_generation);
        }
        if (error < 0)
                hot__log(&server->log, "cannot accept from what is left: %s", strerror(-error));
        if (server->quiescing) {
                atomic_store(&server->accepting, false);
                if (server->order.drain == HOT__DRAIN_NO) {
                        tell_handover(server, HOT_QUIESCE);
                        hot__metrics_quiesced(&server->metrics);
                }
                hot_quiesced(server->hot);
        }
        server->quiescing = false;
}

void hot__server_confirmed(struct hot_http *server)
{
        size_t confirmed;
        int error;

        pthread_mutex_lock(&server->order_lock);
        confirmed = server->confirmed;
        error = server->confirmed_error;
        pthread_mutex_unlock(&server->order_lock);
        if (!server->confirming || confirmed < server->n_workers)
                return;
        server->confirming = false;
        if (server->order.drain != HOT__DRAIN_NO)
                hot__listening_close_copies(server);
        if (server->order.accept)
                confirm_serving(server, error);
        else
                confirm_quiesced(server, error);
        pump(server);
}

/* -- events of the core -- */

static void hold_workers(struct hot_http *server)
{
        for (size_t i = 0; i < server->n_workers; i++) {
                struct hot__worker *worker = &server->workers[i];
                bool hold;

                pthread_mutex_lock(&worker->lock);
                hold = !worker->held;
                worker->held = true;
                pthread_mutex_unlock(&worker->lock);
                if (hold)
                        hot_hold(server->hot);
        }
}

static void accept_again(struct hot_http *server)
{
        int r = hot__listening_copy(server);

        if (r < 0) {
                give_up(server, r);
                return;
        }
        hold_workers(server);
        hot__listening_forget_leftovers(server);
        server->order.leftovers = server->quiescing = server->drain_told = false;
        server->order.accept = true;
        server->order.drain = HOT__DRAIN_NO;
        give_order(server);
}

static void stop_accepting(struct hot_http *server)
{
        hot__listening_forget_leftovers(server);
        server->order.accept = server->order.leftovers = false;
        server->quiescing = true;
        give_order(server);
}

static void drain(struct hot_http *server, const struct hot_event *event, enum hot__drain kind)
{
        if (!server->shutdown_told && server->on_shutdown)
                server->on_shutdown(server, server->on_shutdown_data);
        server->shutdown_told = true;
        server->drain_deadline = event->deadline;
        server->heir = event->pid;
        server->heir_generation = event->generation;
        server->order.accept = false;
        if (kind == HOT__DRAIN_SUCCEEDED)
                server->order.leftovers = hot__listening_find_leftovers(server);
        else
                server->quiescing = true;
        if (server->order.leftovers)
                hold_workers(server);
        server->order.drain = kind;
        server->order.drain_by = event->deadline / NS_PER_MS;
        give_order(server);
}

/* Whoever spreads the load is told first that this server goes, and is served until that has got around. */
static void stop(struct hot_http *server, const struct hot_event *event)
{
        struct hot__worker *first = &server->workers[0];
        uint64_t delay = server->limits.unready_ms;

        atomic_store(&server->stopping, true);
        if (delay == 0 || !server->order.accept) {
                drain(server, event, HOT__DRAIN_STOP);
                return;
        }
        server->drain_deadline = event->deadline;
        first->stop_at = hot__loop_now(&first->loop) + delay;
        hot__loop_alarm(&first->loop, first->stop_at);
}

void hot__server_stop_accepting(struct hot_http *server)
{
        const struct hot_event event = {.type = HOT_STOP, .deadline = server->drain_deadline};

        if (!server->order.end)
                drain(server, &event, HOT__DRAIN_STOP);
}

static uint64_t now_ns(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* What was held did not end by itself: say what that was. */
static void count_the_cut(struct hot_http *server)
{
        bool late = server->drain_deadline && now_ns() >= server->drain_deadline;
        long connections = atomic_load(&server->connections);
        size_t running = hot__pool_running(server->pool);

        hot__log(&server->log, "%s: cut off %ld connection%s, %zu request%s still in a handler",
                 late ? "drain deadline" : "stopped at once", connections,
                 connections == 1 ? "" : "s", running, running == 1 ? "" : "s");
        if (!server->outcome)
                server->outcome = late ? -ETIMEDOUT : -EINTR;
}

static void finish(struct hot_http *server, const struct hot_event *event)
{
        if (event->held)
                count_the_cut(server);
        hot__log(&server->log, "exit");
        hot__watch_close(&server->hot_watch);
        hot__hangup_unwatch(&server->hangup);
        hot__listening_forget_leftovers(server);
        server->order.accept = server->order.leftovers = false;
        server->order.end = true;
        give_order(server);
}

/* The predecessor goes on, and ends this process; without one nothing is left to do. */
static void begin(struct hot_http *server)
{
        int r = tell_handover(server, HOT_SERVE);

        if (r == 0)
                accept_again(server);
        else if (hot_refuse(server->hot, -r, strerror(-r)) < 0)
                give_up(server, r);
}

static void handle(struct hot_http *server, const struct hot_event *event)
{
        hot__log_event(&server->log, event);
        hot__metrics_event(&server->metrics, event);
        switch (event->type) {
        case HOT_SERVE:
                hot__tls_restore(&server->tls, server->hot);
                begin(server);
                break;
        case HOT_RESUME:
                accept_again(server);
                break;
        case HOT_SAVE:
                hot__tls_save(&server->tls, server->hot);
                tell_handover(server, HOT_SAVE);
                break;
        case HOT_QUIESCE:
                hot__tls_save(&server->tls, server->hot); /* they may have been replaced since */
                stop_accepting(server);
                break;
        case HOT_DRAIN:
                drain(server, event, HOT__DRAIN_SUCCEEDED);
                break;
        case HOT_STOP:
                stop(server, event);
                break;
        case HOT_EXIT:
                finish(server, event);
                break;
        default:
                break;
        }
}

static void pump(struct hot_http *server)
{
        const struct hot_event *event;

        while (!server->order.end && (event = hot_next(server->hot)))
                handle(server, event);
}

static void on_hot(struct hot__watch *watch, int events)
{
        (void)events;
        pump((struct hot_http *)((char *)watch - offsetof(struct hot_http, hot_watch)));
}

static void on_hot_closed(struct hot__watch *watch)
{
        (void)watch;
}

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
                if (r < 0)
                        return r;
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
                r = hot__hangup_open(&server->hangup, reopen_logs, server);
        return r < 0 ? r : hot__metrics_open(&server->metrics, server->hot);
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
        /* An atomic_long is a long, read as such where C11's words for it are not spoken. */
        r = hot_figure(server->hot, "connections", (const long *)(uintptr_t)&server->connections);
        if (r == 0 && server->tls.on)
                r = hot_figure(server->hot, "kernel-tls", &server->tls.kernel);
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
        return hot__pool_new(&server->pool, server->limits.pool, server->limits.queue,
                             hot__server_retain, hot__server_release, server);
}

static int watch_hot(struct hot_http *server)
{
        int r = hot__watch_init(&server->hot_watch, &server->workers[0].loop, hot_fd(server->hot));

        if (r < 0)
                return r;
        server->hot_watch.ready = on_hot;
        server->hot_watch.closed = on_hot_closed;
        r = hot__watch_set(&server->hot_watch, HOT__READABLE);
        return r < 0 ? r : hot__hangup_watch(&server->hangup, &server->workers[0].loop);
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
                hot__watch_close(&server->hot_watch);
                hot__hangup_unwatch(&server->hangup);
                server->order.end = true;
                give_order(server);
        } else {
                grant_wishes(server);
                pump(server);
        }
        hot__loop_run(&server->workers[0].loop);
        for (size_t i = 1; i < n; i++)
                pthread_join(server->workers[i].thread, NULL);
}

static int serve(struct hot_http *server)
{
        size_t n = 1;
        int r = init_workers(server);

        if (r == 0)
                r = watch_hot(server);
        if (r < 0) {
                hot__log(&server->log, "cannot serve: loop %zu of %u: %s", server->n_workers + 1,
                         server->limits.loops, strerror(-r));
                return r;
        }
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
        hot__listening_close_copies(server);
        hot__hangup_close(&server->hangup);
        close_hot(server);
        return r;
}
