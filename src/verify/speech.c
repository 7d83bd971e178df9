/* SPDX-License-Identifier: MIT */
#include "speech.h"

#include <errno.h>

bool hot__speech_flush(struct hot__connection *connection)
{
        const char *bytes;
        size_t count;
        ssize_t n;

        while (connection->writable &&
               (count = hot__outbox_next(&connection->outbox, &bytes)) > 0) {
                n = hot__transport_write(connection->tls, connection->fd, bytes, count);
                if (n >= 0) {
                        hot__outbox_advance(&connection->outbox, (size_t)n);
                        continue;
                }
                if (errno == EINTR)
                        continue;
                connection->writable = false;
                if (errno == EAGAIN)
                        break;
                if (errno != EPIPE && errno != ECONNRESET) {
                        hot__connection_fail(connection, HOT__ENDING_CLOSED, errno);
                        return false;
                }
                connection->readable = connection->hung_up = true;
        }
        return true;
}

ssize_t hot__speech_read(struct hot__connection *connection, int *ret_error)
{
        ssize_t n;

        do
                n = hot__transport_read(connection->tls, connection->fd,
                                        connection->traffic->scratch, HOT__SCRATCH_SIZE);
        while (n < 0 && errno == EINTR);
        if (n < 0 && errno == EAGAIN) {
                connection->readable = false;
                return -EAGAIN;
        }
        *ret_error = n < 0 ? errno : 0;
        return n < 0 ? 0 : n;
}
