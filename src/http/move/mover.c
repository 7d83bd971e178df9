/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "connection.h"
#include "crate.h"
#include "giver.h"
#include "move.h"
#include "mover.h"
#include "parting.h"
#include "server.h"
#include "worker.h"

/* So many connections are looked at in one turn of the loop, whether they move or not. */
#define LOOKS_A_TURN 1024

void hot__mover_init(struct hot__mover *mover, unsigned int per_ms, unsigned int loops)
{
        *mover = (struct hot__mover){.at = UINT64_MAX};
        hot__pace_init(&mover->pace, per_ms, loops);
}

void hot__mover_done(struct hot__mover *mover)
{
        hot__crate_free(mover->out);
        mover->out = NULL;
}

/* -- what stays -- */

static void note(struct hot__connection *connection, enum hot__pin pin)
{
        atomic_long *pinned = connection->worker->server->giver.pinned;

        if (connection->pinned == pin)
                return;
        if (connection->pinned != HOT__PIN_NOT)
                atomic_fetch_sub_explicit(&pinned[connection->pinned], 1, memory_order_relaxed);
        if (pin != HOT__PIN_NOT)
                atomic_fetch_add_explicit(&pinned[pin], 1, memory_order_relaxed);
        connection->pinned = (uint8_t)pin;
}

void hot__mover_forget(struct hot__connection *connection)
{
        note(connection, HOT__PIN_NOT);
}

static bool takes(const struct hot__worker *worker)
{
        return worker->mover.on && atomic_load(&worker->server->giver.takes);
}

bool hot__mover_keeps(const struct hot__connection *connection)
{
        const struct hot__worker *worker = connection->worker;

        if (!takes(worker) || !hot__move_is_near(connection))
                return false;
        return !worker->polite || atomic_load(&worker->server->giver.credits) > 0;
}

/* -- one that leaves -- */

enum taken {
        STAYS,
        WAITS, /* for time or for a credit */
        TAKEN,
};

/* Time and a credit for one more. */
static bool is_allowed(struct hot__worker *worker)
{
        struct hot__mover *mover = &worker->mover;

        if (!hot__pace_take(&mover->pace, hot__loop_now(&worker->loop)))
                return false;
        if (hot__giver_spend(&worker->server->giver))
                return true;
        hot__pace_return(&mover->pace);
        return false;
}

static struct hot__passage *place(struct hot__worker *worker)
{
        struct hot__mover *mover = &worker->mover;

        if (mover->out && mover->out->n == HOT__CRATE_SIZE)
                hot__mover_turn(worker);
        if (!mover->out)
                mover->out = hot__crate_new(worker->server->hot);
        return mover->out ? &mover->out->passages[mover->out->n] : NULL;
}

static enum hot__pin pack(struct hot__connection *connection)
{
        struct hot__worker *worker = connection->worker;
        struct hot__passage *passage = place(worker);
        enum hot__pin pin = passage ? hot__move_pack(connection, passage) : HOT__PIN_MEMORY;

        if (pin == HOT__PIN_NOT) {
                worker->mover.out->n++;
                atomic_fetch_sub(&worker->server->connections, 1);
        } else {
                hot__giver_refund(&worker->server->giver);
        }
        return pin;
}

static enum taken take(struct hot__connection *connection)
{
        enum hot__pin pin = hot__move_pin(connection);

        if (pin == HOT__PIN_NOT && !takes(connection->worker))
                pin = HOT__PIN_SUCCESSOR;
        note(connection, pin);
        if (pin != HOT__PIN_NOT)
                return STAYS;
        if (!is_allowed(connection->worker))
                return WAITS;
        pin = pack(connection);
        if (pin == HOT__PIN_NOT)
                return TAKEN;
        if (!hot__pin_passes(pin))
                connection->stuck = (uint8_t)pin;
        note(connection, pin);
        return STAYS;
}

static void look_at(struct hot__worker *worker, uint64_t at)
{
        worker->mover.at = at;
        hot__loop_alarm(&worker->loop, at);
}

/* When there is time for the next one. Who has no credit is woken when there are some. */
static void look_when_allowed(struct hot__worker *worker)
{
        uint64_t now = hot__loop_now(&worker->loop);
        uint64_t at = hot__pace_next(&worker->mover.pace);

        if (atomic_load(&worker->server->giver.credits) > 0)
                look_at(worker, at > now ? at : now + 1);
}

bool hot__mover_take(struct hot__connection *connection)
{
        struct hot__worker *worker = connection->worker;
        struct hot__mover *mover = &worker->mover;
        enum taken taken;

        if (!mover->on)
                return false;
        taken = take(connection);
        if (taken == WAITS && !mover->missed) {
                mover->missed = true;
                if (!mover->looking)
                        look_when_allowed(worker);
        }
        return taken == TAKEN;
}

void hot__mover_turn(struct hot__worker *worker)
{
        struct hot__crate *crate = worker->mover.out;

        if (!crate)
                return;
        worker->mover.out = NULL;
        hot__worker_give(worker->server->workers, crate);
        hot__worker_check_drained(worker);
}

/* -- all that can leave -- */

/* A round over all of them begins if the last one left some that could have moved. */
static bool has_round(struct hot__worker *worker)
{
        struct hot__mover *mover = &worker->mover;

        if (!mover->looking && mover->missed) {
                mover->missed = false;
                mover->looking = true;
                hot__roster_rewind(&worker->roster);
        }
        return mover->looking;
}

void hot__mover_look(struct hot__worker *worker)
{
        struct hot__mover *mover = &worker->mover;

        if (!mover->on || !has_round(worker))
                return;
        mover->at = UINT64_MAX;
        for (int i = 0; i < LOOKS_A_TURN; i++) {
                struct hot__connection *connection = hot__roster_next(&worker->roster);

                if (!connection) {
                        mover->looking = false;
                        if (mover->missed)
                                look_when_allowed(worker);
                        return;
                }
                if (take(connection) == WAITS) {
                        worker->roster.cursor = connection; /* once more */
                        look_when_allowed(worker);
                        return;
                }
        }
        look_at(worker, hot__loop_now(&worker->loop)); /* the others have their turn first */
}

static void unstick(struct hot__connection *connection)
{
        if (connection->stuck == HOT__PIN_REFUSED)
                connection->stuck = HOT__PIN_NOT;
}

void hot__mover_begin(struct hot__worker *worker, bool again)
{
        if (again)
                hot__roster_each(&worker->roster, unstick);
        worker->mover.on = true;
        worker->mover.looking = false;
        worker->mover.missed = true;
        hot__mover_look(worker);
}

static void settle(struct hot__connection *connection)
{
        unstick(connection);
        hot__mover_forget(connection);
}

void hot__mover_end(struct hot__worker *worker)
{
        struct hot__mover *mover = &worker->mover;

        if (!mover->on)
                return;
        mover->on = mover->looking = mover->missed = false;
        mover->at = UINT64_MAX;
        hot__roster_each(&worker->roster, settle);
        hot__mover_turn(worker);
}

/* -- those that come -- */

struct arrival {
        uint64_t since;
        struct hot__passage *passage;
        struct hot__connection *connection;
        enum hot__step step;
};

static int compare(const void *a, const void *b)
{
        uint64_t one = ((const struct arrival *)a)->since,
                 other = ((const struct arrival *)b)->since;

        return one < other ? -1 : one > other;
}

/* One that comes back when the others have been told to go has to be told as well. */
static void begin(struct hot__worker *worker, struct hot__connection *connection,
                  enum hot__step step)
{
        if (worker->polite && connection->state == HOT__CONNECTION_IDLE) {
                hot__parting_idle(connection);
                return;
        }
        if (worker->polite)
                hot__parting_stop(connection);
        hot__connection_advance(connection, step);
}

/*
 * Their deadlines lie between those of the connections that are here. Each finds its place beside the one before it
 * if they come in order of age: a thousand of them cost one walk through the queue, not a thousand.
 */
static void adopt_crate(struct hot__worker *worker, struct hot__crate *crate)
{
        struct arrival arrivals[HOT__CRATE_SIZE];

        for (size_t i = 0; i < crate->n; i++) {
                arrivals[i].passage = &crate->passages[i];
                arrivals[i].since = crate->passages[i].bill.since;
        }
        qsort(arrivals, crate->n, sizeof(arrivals[0]), compare);
        atomic_fetch_add(&worker->server->connections, (long)crate->n);
        for (size_t i = 0; i < crate->n; i++) {
                struct arrival *arrival = &arrivals[i];

                arrival->connection = hot__move_adopt(worker, arrival->passage, &arrival->step);
                worker->beside = arrival->connection ? &arrival->connection->deadline : NULL;
        }
        worker->beside = NULL;
        for (size_t i = 0; i < crate->n; i++)
                if (arrivals[i].connection)
                        begin(worker, arrivals[i].connection, arrivals[i].step);
}

void hot__mover_adopt(struct hot__worker *worker, struct hot__crates *crates)
{
        struct hot__crate *crate;

        while ((crate = hot__crates_take(crates))) {
                hot__worker_hold(worker);
                adopt_crate(worker, crate);
                hot__crate_free_empty(crate);
                hot__worker_check_drained(worker);
        }
}
