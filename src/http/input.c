/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "exchange.h"
#include "input.h"
#include "server.h"
#include "websocket.h"
#include "worker.h"

/* While a response is made, requests behind it are read ahead until the buffer is full. */
bool hot__input_is_wanted(const struct hot__connection *connection)
{
        if (connection->input_ended)
                return false;
        if (connection->state == HOT__CONNECTION_HANDSHAKE ||
            connection->state == HOT__CONNECTION_HTTP2)
                return !connection->blocked;
        if (connection->state == HOT__CONNECTION_WEBSOCKET)
                return !connection->blocked &&
                       hot__websocket_wants_input(connection->exchange->response.websocket);
        if (connection->state == HOT__CONNECTION_TUNNEL)
                return !hot__input_unread(connection);
        if (connection->exchange && connection->exchange->receiving)
                return !hot__body_is_full(&connection->exchange->request.stream);
        if (connection->state < HOT__CONNECTION_HANDLING ||
            connection->state == HOT__CONNECTION_LINGER)
                return true;
        return hot__input_unread(connection) < HOT__BUFFER_SIZE;
}

bool hot__input_is_read(const struct hot__connection *connection)
{
        return connection->state != HOT__CONNECTION_HANDSHAKE &&
               connection->state != HOT__CONNECTION_LINGER && hot__input_is_wanted(connection);
}

int hot__input_prepend(struct hot__connection *connection, const void *bytes, size_t len)
{
        struct hot__buffers *spare = &connection->worker->buffers;
        struct hot__buffer *old = connection->in, *in;
        size_t unread = hot__input_unread(connection);

        if (!len)
                return 0;
        in = hot__buffer_new(spare, len + unread);
        if (!in)
                return -ENOMEM;
        memcpy(in->data, bytes, len);
        if (unread)
                memcpy(in->data + len, old->data + old->start, unread);
        in->end = len + unread;
        hot__buffer_free(spare, old);
        connection->in = in;
        return 0;
}

/*
 * The peer goes on with keys that the kernel, which has the records of a connection that has moved, does not know.
 * What it has asked is answered, and then it is told that this is the end.
 */
static void go_deaf(struct hot__connection *connection)
{
        connection->input_ended = connection->deaf = connection->closes = true;
        atomic_fetch_add_explicit(&connection->worker->server->giver.pinned[HOT__PIN_KEY_UPDATE], 1,
                                  memory_order_relaxed);
}

enum hot__arrived hot__input_read(struct hot__connection *connection)
{
        struct hot__worker *worker = connection->worker;
        size_t room;
        ssize_t n;

        if (!connection->in)
                connection->in = hot__buffer_new(&worker->buffers, 0);
        room = connection->in ? hot__buffer_room(&connection->in,
                                                 hot__connection_limits(connection)->head.size)
                              : 0;
        if (!room) {
                hot__connection_close(connection, -ENOMEM);
                return HOT__ARRIVED_GONE;
        }
        n = hot__transport_read(&connection->transport, connection->in->data + connection->in->end,
                                room);
        connection->took_all = hot__transport_took_all(&connection->transport, n, room) &&
                               hot__peer_is_tcp(&connection->peer);
        if (connection->took_all)
                hot__watch_took_all(&connection->watch);
        if (n == -EAGAIN)
                return HOT__ARRIVED_NOTHING;
        if (n == -EKEYEXPIRED) {
                go_deaf(connection);
                return HOT__ARRIVED_SOMETHING;
        }
        if (n < 0) {
                hot__connection_close(connection, (int)n);
                return HOT__ARRIVED_GONE;
        }
        connection->in->end += (size_t)n;
        if (n > 0)
                return HOT__ARRIVED_SOMETHING;
        connection->input_ended = true;
        if (connection->exchange && connection->exchange->with_handler)
                hot__exchange_cancel(connection->exchange);
        return HOT__ARRIVED_SOMETHING;
}
