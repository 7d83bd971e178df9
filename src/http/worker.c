/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "connection.h"
#include "duty.h"
#include "exchange.h"
#include "parting.h"
#include "request_id.h"
#include "server.h"
#include "shortage.h"
#include "timeout.h"
#include "worker.h"

#define SPARE_MAX 64

/* How long before the drain deadline idle connections are ended politely: a tenth of it, 2 s at most. */
#define POLITE_MS 2000

/* How often some of those that stay are ended in the second half of a drain. */
#define LEAVE_MS 25

static void on_alarm(struct hot__loop *loop);
static void on_wake(struct hot__loop *loop);

static struct hot__worker *worker_of(struct hot__loop *loop)
{
        return (struct hot__worker *)((char *)loop - offsetof(struct hot__worker, loop));
}

static void on_turn(struct hot__loop *loop)
{
        struct hot__worker *worker = worker_of(loop);

        if (worker->server->access.path)
                hot__access_write(&worker->server->access, &worker->access);
        hot__mover_turn(worker);
}

int hot__worker_init(struct hot__worker *worker, struct hot_http *server)
{
        int r;

        *worker = (struct hot__worker){.server = server};
        worker->posted_end = &worker->posted;
        worker->retry_at = worker->polite_at = worker->stop_at = worker->leave_at = UINT64_MAX;
        hot__mover_init(&worker->mover, server->limits.handover_pace, server->limits.loops);
        worker->seed = hot__request_id_seed();
        hot__deadlines_init(&worker->deadlines);
        worker->acceptors = calloc(server->n_listeners, sizeof(*worker->acceptors));
        if (!worker->acceptors)
                return -ENOMEM;
        r = hot__loop_init(&worker->loop, on_wake, on_alarm);
        if (r < 0) {
                free(worker->acceptors);
                return r;
        }
        worker->metrics = hot__metrics_part(&server->metrics, server->n_workers);
        hot__loop_on_turn(&worker->loop, on_turn);
        worker->n_acceptors = server->n_listeners;
        for (size_t i = 0; i < worker->n_acceptors; i++)
                hot__acceptor_init(&worker->acceptors[i], worker, &server->listeners[i].ours,
                                   server->listeners[i].tls);
        pthread_mutex_init(&worker->lock, NULL);
        return 0;
}

void hot__worker_done(struct hot__worker *worker)
{
        hot__loop_done(&worker->loop);
        hot__access_write(&worker->server->access, &worker->access);
        hot__bytes_done(&worker->access);
        while (worker->spare) {
                struct hot__exchange *exchange = worker->spare;

                worker->spare = exchange->next;
                hot__exchange_free(exchange);
        }
        hot__mover_done(&worker->mover);
        hot__crates_free(&worker->brought);
        hot__crates_free(&worker->given);
        hot__buffers_done(&worker->buffers);
        free(worker->acceptors);
        worker->acceptors = NULL;
}

void hot__worker_destroy(struct hot__worker *worker)
{
        pthread_mutex_destroy(&worker->lock);
}

void hot__worker_order(struct hot__worker *worker, const struct hot__order *order)
{
        pthread_mutex_lock(&worker->lock);
        worker->order = *order;
        if (!worker->closed)
                hot__loop_wake(&worker->loop);
        pthread_mutex_unlock(&worker->lock);
}

static void put_crates(struct hot__worker *worker, struct hot__crates *box,
                       struct hot__crates *crates)
{
        bool closed;

        pthread_mutex_lock(&worker->lock);
        closed = worker->closed;
        if (!closed) {
                hot__crates_move(box, crates);
                hot__loop_wake(&worker->loop);
        }
        pthread_mutex_unlock(&worker->lock);
        if (closed)
                hot__crates_free(crates);
}

void hot__worker_bring(struct hot__worker *worker, struct hot__crates *crates)
{
        put_crates(worker, &worker->brought, crates);
}

void hot__worker_give(struct hot__worker *worker, struct hot__crate *crate)
{
        struct hot__crates crates = {crate, crate};

        put_crates(worker, &worker->given, &crates);
}

void hot__worker_wake(struct hot__worker *worker)
{
        pthread_mutex_lock(&worker->lock);
        if (!worker->closed)
                hot__loop_wake(&worker->loop);
        pthread_mutex_unlock(&worker->lock);
}

void hot__worker_hold(struct hot__worker *worker)
{
        bool hold;

        pthread_mutex_lock(&worker->lock);
        hold = !worker->held;
        worker->held = true;
        pthread_mutex_unlock(&worker->lock);
        if (hold)
                hot_hold(worker->server->hot);
}

bool hot__worker_post(struct hot__worker *worker, struct hot__exchange *exchange,
                      unsigned int letter)
{
        bool open;

        pthread_mutex_lock(&worker->lock);
        open = !worker->closed;
        if (open && exchange->posted) {
                exchange->posted |= letter;
        } else if (open) {
                exchange->posted = letter;
                exchange->next = NULL;
                *worker->posted_end = exchange;
                worker->posted_end = &exchange->next;
                hot__loop_wake(&worker->loop);
        }
        pthread_mutex_unlock(&worker->lock);
        return open;
}

bool hot__worker_is_posted(struct hot__worker *worker, const struct hot__exchange *exchange)
{
        bool posted;

        pthread_mutex_lock(&worker->lock);
        posted = exchange->posted != 0;
        pthread_mutex_unlock(&worker->lock);
        return posted;
}

struct hot__exchange *hot__worker_take_exchange(struct hot__worker *worker)
{
        struct hot__exchange *exchange = worker->spare;

        if (!exchange)
                return hot__exchange_new(worker);
        worker->spare = exchange->next;
        worker->n_spare--;
        return exchange;
}

void hot__worker_recycle(struct hot__worker *worker, struct hot__exchange *exchange)
{
        hot__exchange_clear(exchange, &worker->buffers);
        if (worker->n_spare >= SPARE_MAX) {
                hot__exchange_free(exchange);
                return;
        }
        exchange->next = worker->spare;
        worker->spare = exchange;
        worker->n_spare++;
}

void hot__worker_set_deadline(struct hot__worker *worker, struct hot__deadline *deadline,
                              enum hot__deadline_kind kind, uint64_t at)
{
        hot__deadline_set_beside(&worker->deadlines, deadline, kind, at, worker->beside);
        hot__loop_alarm(&worker->loop, at);
}

void hot__worker_check_drained(struct hot__worker *worker)
{
        bool release;

        if (worker->now.drain == HOT__DRAIN_NO || worker->now.leftovers || worker->roster.n ||
            worker->n_detached)
                return;
        pthread_mutex_lock(&worker->lock);
        release = worker->held;
        worker->held = false;
        pthread_mutex_unlock(&worker->lock);
        if (release)
                hot_release(worker->server->hot);
}

/* Take one exchange and its letters out of the box, or NULL. */
static struct hot__exchange *take_posted(struct hot__worker *worker)
{
        struct hot__exchange *exchange;

        pthread_mutex_lock(&worker->lock);
        exchange = worker->posted;
        if (exchange) {
                worker->posted = exchange->next;
                if (!worker->posted)
                        worker->posted_end = &worker->posted;
                exchange->news = exchange->posted;
                exchange->posted = 0;
        }
        pthread_mutex_unlock(&worker->lock);
        return exchange;
}

/* The handler of a connection that died has come back, with a piece or for good. */
static void settle_detached(struct hot__worker *worker, struct hot__exchange *exchange)
{
        if (exchange->news & HOT__LETTER_PIECE)
                hot__stream_return(&exchange->response.stream, exchange->gone);
        if (exchange->with_handler && !(exchange->news & HOT__LETTER_FINISHED))
                return;
        worker->n_detached--;
        hot__worker_recycle(worker, exchange);
        hot__worker_check_drained(worker);
}

/* One of those that stay and have nothing to do: its next response would be its last, but there may be none. */
static bool is_waiting_to_leave(const struct hot__connection *connection)
{
        return connection->state == HOT__CONNECTION_IDLE && connection->pinned != HOT__PIN_NOT;
}

/*
 * They do not leave all at once, which would bring all of them back at once: in the second half of the drain, so
 * that most have been told before, an equal part at each look.
 */
static void leave_some(struct hot__worker *worker)
{
        uint64_t now = hot__loop_now(&worker->loop);
        uint64_t looks = worker->polite_at > now ? (worker->polite_at - now) / LEAVE_MS + 1 : 1;
        struct hot__connection *next;
        size_t n = 0;

        for (struct hot__connection *c = worker->roster.first; c; c = c->next)
                n += is_waiting_to_leave(c);
        n = (n + looks - 1) / looks;
        for (struct hot__connection *c = worker->roster.first; c && n > 0; c = next) {
                next = c->next;
                if (!is_waiting_to_leave(c))
                        continue;
                hot__parting_idle(c);
                n--;
        }
        worker->leave_at = worker->polite ? UINT64_MAX : now + LEAVE_MS;
}

static void begin_drain(struct hot__worker *worker)
{
        uint64_t now = hot__loop_now(&worker->loop);
        uint64_t by = worker->now.drain_by;
        uint64_t margin = by > now ? (by - now) / 10 : 0;

        if (margin > POLITE_MS)
                margin = POLITE_MS;
        worker->polite_at = by > margin ? by - margin : by;
        worker->polite = worker->now.drain == HOT__DRAIN_STOP;
        worker->leave_at = UINT64_MAX;
        if (!worker->polite && worker->polite_at > now)
                worker->leave_at = now + (worker->polite_at - now) / 2;
        hot__loop_alarm(&worker->loop, worker->leave_at);
        hot__loop_alarm(&worker->loop, worker->polite_at);
        if (worker->polite)
                hot__mover_end(worker);
        hot__roster_each(&worker->roster, worker->polite ? hot__parting_stop : hot__parting_begin);
        if (!worker->polite)
                hot__mover_begin(worker, false);
        hot__worker_check_drained(worker);
}

static void end_drain(struct hot__worker *worker)
{
        worker->polite_at = worker->leave_at = UINT64_MAX;
        worker->polite = false;
        hot__mover_end(worker);
}

static void end(struct hot__worker *worker)
{
        struct hot__exchange *posted;

        hot__roster_each(&worker->roster, hot__connection_cut);
        pthread_mutex_lock(&worker->lock);
        worker->closed = true;
        pthread_mutex_unlock(&worker->lock);
        while ((posted = take_posted(worker)))
                settle_detached(worker, posted);
        hot__loop_close(&worker->loop);
}

/* The members of a group are shared out among the loops; fewer members than loops are shared by some. */
static bool is_ours(const struct hot__worker *worker, const struct hot__listener_pair *listener)
{
        const struct hot_http *server = worker->server;
        unsigned int self = (unsigned int)(worker - server->workers);

        if (listener->n_members > server->limits.loops)
                return listener->member % server->limits.loops == self;
        return self % listener->n_members == listener->member;
}

static bool accepts_from(const struct hot__worker *worker, size_t index)
{
        const struct hot__listener_pair *listener = &worker->server->listeners[index];

        if (worker->now.leftovers && atomic_load(&listener->leftover))
                return is_ours(worker, listener);
        return worker->now.accept && is_ours(worker, listener);
}

static void obey(struct hot__worker *worker, const struct hot__order *order)
{
        enum hot__drain before = worker->now.drain;
        uint64_t heir = worker->now.heir;
        int r = 0;

        if (order->number == worker->now.number)
                return;
        worker->now = *order;
        for (size_t i = 0; i < worker->n_acceptors; i++) {
                int one;

                if (order->drain == HOT__DRAIN_STOP && !order->end)
                        hot__acceptor_empty_queue(&worker->acceptors[i]);
                one = hot__acceptor_set(&worker->acceptors[i], accepts_from(worker, i));
                r = one < 0 ? one : r;
        }
        if (order->drain == HOT__DRAIN_NO)
                end_drain(worker);
        else if (order->drain != before)
                begin_drain(worker);
        else if (order->drain == HOT__DRAIN_SUCCEEDED && order->heir != heir)
                hot__mover_begin(worker, true);
        hot__worker_check_drained(worker);
        if (order->end) {
                end(worker);
                return;
        }
        hot__duty_confirm(worker->server, order->number, r);
}

static void on_wake(struct hot__loop *loop)
{
        struct hot__worker *worker = worker_of(loop);
        struct hot__exchange *posted, *last;
        struct hot__crates brought, given;
        struct hot__order order;

        pthread_mutex_lock(&worker->lock);
        order = worker->order;
        brought = worker->brought;
        given = worker->given;
        worker->brought = worker->given = (struct hot__crates){0};
        last = worker->posted ? (struct hot__exchange *)((char *)worker->posted_end -
                                                         offsetof(struct hot__exchange, next))
                              : NULL;
        pthread_mutex_unlock(&worker->lock);
        while (last && (posted = take_posted(worker))) {
                bool was_last = posted == last; /* what comes meanwhile has its own wake-up */

                if (posted->connection)
                        hot__connection_posted(posted->connection, posted);
                else
                        settle_detached(worker, posted);
                if (was_last)
                        break;
        }
        obey(worker, &order);
        if (worker->now.end) {
                hot__crates_free(&brought);
                hot__crates_free(&given);
                return;
        }
        hot__mover_adopt(worker, &brought);
        hot__mover_look(worker);
        if (worker == worker->server->workers) {
                hot__duty_give(worker->server, &given);
                hot__duty_confirmed(worker->server);
        }
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
        return a < b ? a : b;
}

static void on_alarm(struct hot__loop *loop)
{
        struct hot__worker *worker = worker_of(loop);
        uint64_t now = hot__loop_now(loop);
        struct hot__deadline *passed;
        uint64_t next;

        while ((passed = hot__deadlines_passed(&worker->deadlines, now)))
                hot__timeout_reached(hot__connection_of_deadline(passed));
        if (worker->retry_at <= now)
                hot__shortage_look(worker);
        if (worker->polite_at <= now) {
                worker->polite_at = UINT64_MAX;
                worker->polite = true;
                hot__roster_each(&worker->roster, hot__parting_idle);
        }
        if (worker->leave_at <= now)
                leave_some(worker);
        if (worker->mover.at <= now)
                hot__mover_look(worker);
        if (worker->stop_at <= now) {
                worker->stop_at = UINT64_MAX;
                hot__duty_stop(worker->server);
        }
        next = hot__deadlines_next(&worker->deadlines);
        next = earlier(next, worker->retry_at);
        next = earlier(next, worker->polite_at);
        next = earlier(next, worker->stop_at);
        next = earlier(next, worker->leave_at);
        next = earlier(next, worker->mover.at);
        if (next != UINT64_MAX)
                hot__loop_alarm(loop, next);
}
