/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "linger.h"
#include "worker.h"

#define LINGER_BYTES (1 << 20)

bool hot__linger_begin(struct hot__connection *connection)
{
        hot__buffer_free(&connection->worker->buffers, connection->in);
        connection->in = NULL;
        if (connection->input_ended && !connection->deaf) {
                hot__connection_close(connection, -ECONNRESET);
                return false;
        }
        connection->state = HOT__CONNECTION_LINGER;
        connection->blocked = hot__transport_half_close(&connection->transport) == -EAGAIN;
        hot__connection_set_deadline(connection, HOT__DEADLINE_LINGER,
                                     hot__connection_now(connection) + HOT__LINGER_MS);
        return true;
}

static void discard_input(struct hot__connection *connection)
{
        ssize_t n = hot__transport_discard(&connection->transport);

        if (n == -EAGAIN)
                return;
        if (n == -EKEYEXPIRED || n == -EPROTO) {
                /* Nobody can read what is there, and with it unread a close(2) would be a reset, which destroys what is
                 * on its way. The deadline is near. */
                hot__watch_set(&connection->watch, 0);
                return;
        }
        connection->discarded += n > 0 ? (size_t)n : 0;
        if (n <= 0 || connection->discarded >= LINGER_BYTES)
                hot__connection_cut(connection);
}

void hot__linger_ready(struct hot__connection *connection, int events)
{
        if (events & HOT__WRITABLE && connection->blocked) {
                connection->blocked = hot__transport_half_close(&connection->transport) == -EAGAIN;
                if (!connection->blocked)
                        hot__watch_set(&connection->watch, connection->deaf ? 0 : HOT__READABLE);
        }
        if (events & HOT__READABLE)
                discard_input(connection);
}
