/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1.1 between two requests, or with a part of a head: {descriptor, unread input} and since when. It moves with
 * its age, so that no restart gives a slow client new time.
 */
#include <errno.h>

#include "move.h"
#include "server.h"
#include "worker.h"

enum phase {
        PHASE_FRESH = 1, /* nothing has ever come */
        PHASE_IDLE,
        PHASE_HEAD, /* the input is a part of a head, or requests behind one that was answered */
};

static const struct hot__limits *limits_of(const struct hot__connection *connection)
{
        return &connection->worker->server->limits;
}

static enum hot__pin pin(const struct hot__connection *connection)
{
        (void)connection;
        return HOT__PIN_NOT;
}

static enum hot__pin pack(struct hot__connection *connection, struct hot__passage *passage)
{
        switch (connection->state) {
        case HOT__CONNECTION_FRESH:
                passage->bill.phase = PHASE_FRESH;
                passage->bill.since = connection->deadline.at - limits_of(connection)->head_ms;
                break;
        case HOT__CONNECTION_IDLE:
                passage->bill.phase = PHASE_IDLE;
                passage->bill.since = connection->deadline.at - limits_of(connection)->idle_ms;
                break;
        default:
                passage->bill.phase = PHASE_HEAD;
                passage->bill.since = connection->began;
                break;
        }
        return HOT__PIN_NOT;
}

static int check(const struct hot__passage *passage)
{
        bool has_input = passage->input != NULL;

        if (passage->output.len || passage->state.len)
                return -EPROTO;
        switch (passage->bill.phase) {
        case PHASE_FRESH:
        case PHASE_IDLE:
                return has_input ? -EPROTO : 0;
        case PHASE_HEAD:
                return has_input ? 0 : -EPROTO;
        default:
                return -EPROTO;
        }
}

static enum hot__step adopt(struct hot__connection *connection, struct hot__passage *passage)
{
        struct hot__worker *worker = connection->worker;
        const struct hot__limits *limits = limits_of(connection);
        uint64_t now = hot__loop_now(&worker->loop);
        uint64_t since = passage->bill.since < now ? passage->bill.since : now;

        switch (passage->bill.phase) {
        case PHASE_FRESH:
                connection->state = HOT__CONNECTION_FRESH;
                hot__worker_set_deadline(worker, &connection->deadline, HOT__DEADLINE_FIRST,
                                         since + limits->head_ms);
                return HOT__STEP_WAIT;
        case PHASE_IDLE:
                connection->state = HOT__CONNECTION_IDLE;
                hot__worker_set_deadline(worker, &connection->deadline, HOT__DEADLINE_IDLE,
                                         since + limits->idle_ms);
                return HOT__STEP_WAIT;
        default:
                connection->state = HOT__CONNECTION_HEAD;
                connection->began = since;
                return HOT__STEP_AGAIN;
        }
}

const struct hot__move_kind hot__move_http = {
        .name = "http/1.1",
        .version = 1,
        .pin = pin,
        .pack = pack,
        .check = check,
        .adopt = adopt,
};
