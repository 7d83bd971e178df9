/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "crate.h"
#include "move.h"
#include "server.h"
#include "taker.h"
#include "worker.h"

int hot__taker_init(struct hot__taker *taker, size_t loops)
{
        taker->crates = calloc(loops, sizeof(*taker->crates));
        return taker->crates ? 0 : -ENOMEM;
}

void hot__taker_done(struct hot__taker *taker, size_t loops)
{
        for (size_t i = 0; taker->crates && i < loops; i++)
                hot__crates_free(&taker->crates[i]);
        free(taker->crates);
        taker->crates = NULL;
}

/* A crate for the loop whose turn it is, with room for one more; or NULL. */
static struct hot__crate *crate_for_one(struct hot_http *server)
{
        struct hot__crates *crates = &server->taker.crates[server->taker.next];
        struct hot__crate *crate = crates->last;

        if (crate && crate->n < HOT__CRATE_SIZE)
                return crate;
        crate = hot__crate_new(server->hot);
        if (crate)
                hot__crates_add(crates, crate);
        return crate;
}

static void put(struct hot_http *server, struct hot__crate *crate,
                const struct hot__passage *passage)
{
        crate->passages[crate->n++] = *passage;
        server->taker.next = (server->taker.next + 1) % server->n_workers;
}

void hot__taker_return(struct hot_http *server, struct hot__passage *passage)
{
        struct hot__crate *crate = crate_for_one(server);

        if (crate)
                put(server, crate, passage);
        else
                hot__passage_done(passage);
}

/* What its host cannot go on with stays its giver's. */
static int read_passage(struct hot_http *server, struct hot__passage *ret,
                        const struct hot_connection *connection)
{
        struct hot__passage passage;
        int r = hot__passage_read(&passage, connection);

        if (r < 0)
                return r;
        if (passage.kind->admit)
                r = passage.kind->admit(server, &passage);
        if (r < 0)
                hot__passage_done(&passage);
        else
                *ret = passage;
        return r;
}

void hot__taker_take(struct hot_http *server, const struct hot_connection *connection)
{
        struct hot__crate *crate = crate_for_one(server);
        struct hot__passage passage;
        int r = crate ? read_passage(server, &passage, connection) : -ENOMEM;

        if (r < 0) {
                hot_refuse_connection(server->hot, -r);
                return;
        }
        passage.fd = hot_accept_connection(server->hot);
        passage.adopted = true;
        /* To the same generation only once. After a resume there is another. */
        passage.refused = connection->error != 0 && server->giver.on;
        if (passage.fd < 0) {
                hot__passage_done(&passage);
                return;
        }
        hot__metrics_moved(&server->metrics,
                           connection->error ? HOT__METRICS_RETURNED : HOT__METRICS_ADOPTED);
        put(server, crate, &passage);
}

void hot__taker_share_out(struct hot_http *server)
{
        for (size_t i = 0; i < server->n_workers; i++)
                if (server->taker.crates[i].first)
                        hot__worker_bring(&server->workers[i], &server->taker.crates[i]);
}
