/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "duty.h"
#include "listening.h"
#include "server.h"
#include "socket.h"
#include "steps.h"
#include "worker.h"

#define NS_PER_MS 1000000

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

void hot__duty_confirm(struct hot_http *server, uint64_t number, int error)
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
        hot__metrics_serving(&server->metrics); /* before the predecessor counts the restart */
        hot_serving(server->hot);
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

void hot__duty_confirmed(struct hot_http *server)
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
        hot__duty_pump(server);
}

/* -- events of the core -- */

static void hold_workers(struct hot_http *server)
{
        for (size_t i = 0; i < server->n_workers; i++)
                hot__worker_hold(&server->workers[i]);
}

static void accept_again(struct hot_http *server)
{
        int r = hot__listening_copy(server);

        if (r < 0) {
                give_up(server, r);
                return;
        }
        hold_workers(server);
        hot__giver_end(server);
        hot__listening_forget_leftovers(server);
        server->order.leftovers = server->quiescing = server->drain_told = false;
        server->order.accept = true;
        server->order.drain = HOT__DRAIN_NO;
        server->place = hot__socket_close(server->place);
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
        if (kind == HOT__DRAIN_SUCCEEDED) {
                server->order.leftovers = hot__listening_find_leftovers(server);
                hot__giver_begin(server);
        } else {
                server->quiescing = true;
                hot__giver_end(server);
        }
        if (server->order.leftovers)
                hold_workers(server);
        server->order.drain = kind;
        server->order.heir = event->generation;
        server->order.drain_by = event->deadline / NS_PER_MS;
        give_order(server);
}

/* The first time, or another successor; or there is room again for connections. */
static void succeeded(struct hot_http *server, const struct hot_event *event)
{
        if (server->order.drain == HOT__DRAIN_STOP)
                return;
        if (server->order.drain == HOT__DRAIN_SUCCEEDED && server->order.heir == event->generation)
                hot__giver_begin(server);
        else
                drain(server, event, HOT__DRAIN_SUCCEEDED);
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

void hot__duty_stop(struct hot_http *server)
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

void hot__duty_end(struct hot_http *server)
{
        hot__watch_close(&server->hot_watch);
        hot__hangup_unwatch(&server->hangup);
        server->order.end = true;
        give_order(server);
}

static void finish(struct hot_http *server, const struct hot_event *event)
{
        if (event->held)
                count_the_cut(server);
        hot__log(&server->log, "exit");
        hot__listening_forget_leftovers(server);
        server->order.accept = server->order.leftovers = false;
        hot__duty_end(server);
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
                succeeded(server, event);
                break;
        case HOT_CONNECTION:
                hot__taker_take(server, event->connection);
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

void hot__duty_pump(struct hot_http *server)
{
        const struct hot_event *event;

        while (!server->order.end && (event = hot_next(server->hot)))
                handle(server, event);
        if (!server->order.end)
                hot__taker_share_out(server);
}

void hot__duty_give(struct hot_http *server, struct hot__crates *crates)
{
        if (!crates->first)
                return;
        hot__giver_take(server, crates);
        hot__duty_pump(server); /* the last of them leave, and the first may have been answered */
}

static void on_hot(struct hot__watch *watch, int events)
{
        (void)events;
        hot__duty_pump((struct hot_http *)((char *)watch - offsetof(struct hot_http, hot_watch)));
}

static void on_hot_closed(struct hot__watch *watch)
{
        (void)watch;
}

int hot__duty_watch(struct hot_http *server)
{
        int r;

        hot__watch_init(&server->hot_watch, &server->workers[0].loop, hot_fd(server->hot));
        server->hot_watch.ready = on_hot;
        server->hot_watch.closed = on_hot_closed;
        r = hot__watch_set(&server->hot_watch, HOT__READABLE);
        return r < 0 ? r : hot__hangup_watch(&server->hangup, &server->workers[0].loop);
}
