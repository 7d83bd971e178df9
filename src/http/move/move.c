/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "move.h"
#include "roster.h"
#include "server.h"
#include "socket.h"
#include "worker.h"

static const struct hot__move_kind *const by_state[HOT__N_CONNECTION_STATES] = {
        [HOT__CONNECTION_FRESH] = &hot__move_http,
        [HOT__CONNECTION_IDLE] = &hot__move_http,
        [HOT__CONNECTION_HEAD] = &hot__move_http,
        [HOT__CONNECTION_STREAMING] = &hot__move_stream,
        [HOT__CONNECTION_WEBSOCKET] = &hot__move_websocket,
        [HOT__CONNECTION_TUNNEL] = &hot__move_tunnel,
};

/* What has no kind: why not. */
static enum hot__pin pin_of_state(enum hot__connection_state state)
{
        switch (state) {
        case HOT__CONNECTION_HANDSHAKE:
                return HOT__PIN_TLS_HANDSHAKE;
        case HOT__CONNECTION_HTTP2:
                return HOT__PIN_HTTP2;
        case HOT__CONNECTION_LINGER:
                return HOT__PIN_LEAVING;
        default:
                return HOT__PIN_REQUEST;
        }
}

const struct hot__move_kind *hot__move_find(const char *name)
{
        for (size_t i = 0; i < HOT__N_CONNECTION_STATES; i++)
                if (by_state[i] && !strcmp(by_state[i]->name, name))
                        return by_state[i];
        return NULL;
}

/* What is above the requests: nothing changes it but the connection's end. */
static enum hot__pin pin_for_good(const struct hot__connection *connection)
{
        if (connection->stuck)
                return (enum hot__pin)connection->stuck;
        if (connection->state == HOT__CONNECTION_HTTP2)
                return HOT__PIN_HTTP2;
        return hot__transport_pin(&connection->transport);
}

enum hot__pin hot__move_pin(const struct hot__connection *connection)
{
        const struct hot__move_kind *kind = by_state[connection->state];
        enum hot__pin pin = pin_for_good(connection);

        if (connection->state == HOT__CONNECTION_LINGER)
                return HOT__PIN_LEAVING;
        if (pin != HOT__PIN_NOT)
                return pin;
        if (connection->refused)
                return HOT__PIN_LEAVING;
        if (kind && kind != &hot__move_http)
                return kind->pin(connection); /* it may have long to go to its end */
        if (connection->closes || connection->input_ended)
                return HOT__PIN_LEAVING;
        return kind ? kind->pin(connection) : pin_of_state(connection->state);
}

bool hot__move_is_near(const struct hot__connection *connection)
{
        return pin_for_good(connection) == HOT__PIN_NOT && !connection->refused &&
               !connection->input_ended;
}

enum hot__pin hot__move_pack(struct hot__connection *connection, struct hot__passage *ret)
{
        struct hot__passage passage = {.fd = -EBADF, .kind = by_state[connection->state]};
        enum hot__pin pin = hot__move_pin(connection);

        if (pin != HOT__PIN_NOT)
                return pin;
        passage.bill.peer = connection->peer;
        passage.bill.flags = connection->spoken ? HOT__WAYBILL_SPOKEN : 0;
        pin = hot__transport_pack(&connection->transport, &passage.transport);
        if (pin == HOT__PIN_NOT)
                pin = passage.kind->pack(connection, &passage);
        if (pin != HOT__PIN_NOT) {
                hot__passage_done(&passage);
                return pin;
        }
        passage.adopted = connection->adopted;
        hot__connection_give(connection, &passage.fd, &passage.input);
        *ret = passage;
        return HOT__PIN_NOT;
}

/* One that never left was not asked for yet. */
static bool is_admitted(struct hot_http *server, struct hot__passage *passage)
{
        return passage->guest || !passage->kind->admit ||
               passage->kind->admit(server, passage) == 0;
}

struct hot__connection *hot__move_adopt(struct hot__worker *worker, struct hot__passage *passage,
                                        enum hot__step *ret_step)
{
        struct hot__connection *connection = hot__roster_new(worker);
        enum hot__step step;

        if (!connection ||
            hot__transport_adopt(&connection->transport, passage->fd, &passage->transport) < 0) {
                hot__connection_drop(connection);
                hot__passage_done(passage);
                return NULL;
        }
        passage->fd = -EBADF;
        connection->peer = passage->bill.peer;
        connection->spoken = passage->bill.flags & HOT__WAYBILL_SPOKEN;
        connection->adopted = passage->adopted;
        connection->stuck = passage->refused ? HOT__PIN_REFUSED : HOT__PIN_NOT;
        connection->in = passage->input;
        passage->input = NULL;
        step = is_admitted(worker->server, passage) ? passage->kind->adopt(connection, passage)
                                                    : HOT__STEP_CUT;
        hot__passage_done(passage);
        if (step == HOT__STEP_CUT) {
                hot__connection_cut(connection);
                return NULL;
        }
        *ret_step = step;
        return connection;
}
