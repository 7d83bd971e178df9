/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "giver.h"
#include "server.h"
#include "taker.h"
#include "worker.h"

void hot__giver_done(struct hot__giver *giver)
{
        while (giver->waiting.first && giver->at < giver->waiting.first->n)
                hot__passage_done(&giver->waiting.first->passages[giver->at++]);
        if (giver->waiting.first)
                hot__crate_free_empty(hot__crates_take(&giver->waiting));
        giver->at = 0;
        hot__crates_free(&giver->waiting);
        hot__bytes_done(&giver->scratch);
}

/* -- credits -- */

bool hot__giver_spend(struct hot__giver *giver)
{
        long credits = atomic_load_explicit(&giver->credits, memory_order_relaxed);

        while (credits > 0)
                if (atomic_compare_exchange_weak(&giver->credits, &credits, credits - 1))
                        return true;
        return false;
}

void hot__giver_refund(struct hot__giver *giver)
{
        atomic_fetch_add(&giver->credits, 1);
}

/* Nobody takes connections, or not from us. */
static void withdraw(struct hot__giver *giver)
{
        atomic_store(&giver->takes, false);
        giver->promised -= atomic_exchange(&giver->credits, 0);
}

static void wake_all(struct hot_http *server)
{
        for (size_t i = 0; i < server->n_workers; i++)
                hot__worker_wake(&server->workers[i]);
}

/* As many as there is room for, beyond those that are out. */
static void grant(struct hot_http *server)
{
        struct hot__giver *giver = &server->giver;
        int room = giver->on ? hot_give_room(server->hot) : -ENOTCONN;
        long more = room - giver->promised;

        if (room < 0) {
                withdraw(giver);
                return;
        }
        atomic_store(&giver->takes, true);
        if (more <= 0)
                return;
        giver->promised += more;
        atomic_fetch_add(&giver->credits, more);
        wake_all(server);
}

/* -- what waits -- */

static int give(struct hot_http *server, const struct hot__passage *passage)
{
        struct hot_connection connection;
        int r = hot__passage_describe(passage, &server->giver.scratch, &connection);

        if (r == 0)
                r = hot_give(server->hot, &connection);
        return r;
}

/* Returns false if it has to wait. */
static bool settle(struct hot_http *server, struct hot__passage *passage)
{
        int r = server->giver.on ? give(server, passage) : -ENOTCONN;

        if (r == -EAGAIN)
                return false;
        server->giver.promised--;
        if (r == 0) {
                passage->fd = -EBADF; /* the core's now */
                hot__metrics_moved(&server->metrics, HOT__METRICS_GIVEN);
                hot__passage_done(passage);
                return true;
        }
        /* What it cannot take is served here to its end. */
        passage->refused = r != -ENOTCONN;
        hot__taker_return(server, passage);
        return true;
}

static void settle_waiting(struct hot_http *server)
{
        struct hot__giver *giver = &server->giver;

        while (giver->waiting.first) {
                struct hot__crate *crate = giver->waiting.first;

                while (giver->at < crate->n) {
                        if (!settle(server, &crate->passages[giver->at]))
                                return;
                        giver->at++;
                }
                giver->at = 0;
                hot__crate_free_empty(hot__crates_take(&giver->waiting));
        }
}

void hot__giver_begin(struct hot_http *server)
{
        server->giver.on = true;
        settle_waiting(server);
        grant(server);
}

void hot__giver_end(struct hot_http *server)
{
        server->giver.on = false;
        withdraw(&server->giver);
        settle_waiting(server);
}

void hot__giver_take(struct hot_http *server, struct hot__crates *crates)
{
        hot__crates_move(&server->giver.waiting, crates);
        settle_waiting(server);
        if (server->giver.on)
                grant(server);
}
