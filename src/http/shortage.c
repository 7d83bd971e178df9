/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "acceptor.h"
#include "connection.h"
#include "linger.h"
#include "server.h"
#include "shortage.h"
#include "timeout.h"
#include "worker.h"

/* Who waits makes itself heard again after a pause: a queue that is empty says nothing. */
#define LASTS_MS 200

/* So many end at one look at most: a short shortage should not cost everybody his connection. */
#define SOME 16

/* How long somebody is left alone: the next request may be on its way, and so may the peer's end. */
#define IDLE_AT_LEAST_MS   500
#define LINGER_AT_LEAST_MS 200

bool hot__shortage_is(int error)
{
        return error == -EMFILE || error == -ENFILE || error == -ENOBUFS || error == -ENOMEM;
}

void hot__shortage_begin(struct hot__worker *worker)
{
        worker->shortage_until = hot__loop_now(&worker->loop) + LASTS_MS;
}

void hot__shortage_end(struct hot__worker *worker)
{
        worker->shortage_until = 0;
}

bool hot__shortage_is_on(const struct hot__worker *worker)
{
        return worker->shortage_until && hot__loop_now(&worker->loop) < worker->shortage_until;
}

/* Of those that would end in @full_ms the ones that began @least_ms ago. */
static void end_some(struct hot__worker *worker, enum hot__deadline_kind kind, uint64_t full_ms,
                     uint64_t least_ms)
{
        uint64_t by = hot__loop_now(&worker->loop) + full_ms - least_ms;

        for (int i = 0; i < SOME; i++) {
                struct hot__deadline *early =
                        hot__deadlines_passed_of(&worker->deadlines, kind, by);

                if (!early)
                        return;
                hot__timeout_reached(hot__connection_of_deadline(early));
        }
}

static void accept_again(struct hot__worker *worker)
{
        worker->retry_at = UINT64_MAX;
        for (size_t i = 0; i < worker->n_acceptors; i++)
                hot__acceptor_retry(&worker->acceptors[i]);
}

void hot__shortage_look(struct hot__worker *worker)
{
        if (hot__shortage_is_on(worker)) {
                end_some(worker, HOT__DEADLINE_LINGER, HOT__LINGER_MS, LINGER_AT_LEAST_MS);
                end_some(worker, HOT__DEADLINE_IDLE, worker->server->limits.idle_ms,
                         IDLE_AT_LEAST_MS);
        }
        accept_again(worker);
}

void hot__shortage_eased(struct hot__worker *worker)
{
        if (worker->shortage_until && worker->retry_at != UINT64_MAX)
                accept_again(worker);
}
