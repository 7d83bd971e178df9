/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1.1: a batch of requests is written, its answers come in the same order. Bodies are dribbled and read
 * slowly where the profile says so.
 */
#include "clock.h"
#include "exchange.h"
#include "speech.h"

#include <errno.h>

/* Is there something to read between two requests? Then the connection is of no more use. */
static void look(struct hot__connection *connection)
{
        char byte;
        ssize_t n = hot__transport_read(connection->tls, connection->fd, &byte, 1);

        if (n > 0)
                hot__connection_lose(connection, HOT__RECONNECT_OTHER);
        else if (n == 0)
                hot__connection_lose(connection, HOT__RECONNECT_IDLE);
        else if (errno != EAGAIN && errno != EINTR)
                hot__connection_lose(connection, HOT__RECONNECT_RESET);
        else
                connection->readable = false;
}

/* ---- reading ---- */

/* The answers of the batch are there, or the last of them says that there will be no more. */
static void batch_ended(struct hot__connection *connection, bool keep_alive)
{
        while (connection->n_ended < connection->n_batch)
                hot__exchange_settle(connection, HOT__ENDING_ANNOUNCED, 0);

        if (!keep_alive)
                hot__connection_lose(connection, HOT__RECONNECT_ANNOUNCED);
        else if (!hot__outgoing_is_done(&connection->outgoing))
                hot__connection_lose(connection, HOT__RECONNECT_OTHER);
        hot__connection_rest(connection);
}

static void absorb(struct hot__connection *connection, const char *bytes, size_t count)
{
        enum hot__response_state state;
        size_t used;
        bool is_last, keep_alive;

        while (count > 0) {
                struct hot__request *request = &connection->batch[connection->n_ended];

                if (request->first_byte == 0)
                        request->first_byte = hot__clock_now();
                state = hot__response_feed(&connection->response, bytes, count, &used);
                hot__exchange_identify(connection);
                bytes += used;
                count -= used;
                is_last = connection->n_ended + 1 == connection->n_batch;
                if (state == HOT__RESPONSE_GARBAGE ||
                    (state == HOT__RESPONSE_COMPLETE && is_last && count > 0)) {
                        hot__connection_fail(connection, HOT__ENDING_GARBAGE, 0);
                        return;
                }
                if (state == HOT__RESPONSE_MORE)
                        return;
                keep_alive = connection->response.keep_alive;
                hot__exchange_settle(connection, HOT__ENDING_COMPLETE, 0);
                connection->answered = true;
                if (is_last || !keep_alive) {
                        batch_ended(connection, keep_alive);
                        return;
                }
        }
}

static void absorb_end_of_file(struct hot__connection *connection)
{
        if (hot__response_finish(&connection->response) != HOT__RESPONSE_COMPLETE) {
                hot__connection_fail(connection, HOT__ENDING_CLOSED, 0);
                return;
        }
        hot__exchange_identify(connection);
        hot__exchange_settle(connection, HOT__ENDING_COMPLETE, 0);
        batch_ended(connection, false);
}

static size_t read_size(const struct hot__connection *connection)
{
        if (!hot__profile_reads_slowly(connection->profile) ||
            connection->piece_left > HOT__SCRATCH_SIZE)
                return HOT__SCRATCH_SIZE;
        return connection->piece_left;
}

static void account_read(struct hot__connection *connection, size_t count)
{
        if (!hot__profile_reads_slowly(connection->profile))
                return;
        connection->piece_left -= count;
        if (connection->piece_left > 0)
                return;
        connection->piece_left = connection->profile->piece;
        connection->read_at = hot__clock_now() + connection->profile->every;
}

static void receive(struct hot__connection *connection)
{
        char *bytes = connection->traffic->scratch;

        while (connection->state == HOT__CONNECTION_BUSY && connection->readable &&
               connection->read_at <= hot__clock_now()) {
                size_t wanted = read_size(connection);
                ssize_t n = hot__transport_read(connection->tls, connection->fd, bytes, wanted);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno == EAGAIN) {
                        connection->readable = false;
                } else if (n < 0) {
                        hot__connection_fail(connection, HOT__ENDING_CLOSED, errno);
                } else if (n == 0) {
                        absorb_end_of_file(connection);
                } else {
                        /* Of TLS a read gives a record at most: only EAGAIN says that it is all. */
                        if ((size_t)n < wanted && !connection->hung_up && !connection->tls)
                                connection->readable = false;
                        account_read(connection, (size_t)n);
                        absorb(connection, bytes, (size_t)n);
                }
        }
}

/* ---- writing ---- */

/*
 * The kernel takes no more bytes. If it has taken none of this batch on a connection that had
 * answered before, it had been closed while idle and nothing was sent: the batch begins again
 * elsewhere. Otherwise an answer may still be there to be read, and end of file or an error behind
 * it.
 */
static void write_failed(struct hot__connection *connection, int error)
{
        connection->writable = false;
        if (error != EPIPE && error != ECONNRESET) {
                hot__connection_fail(connection, HOT__ENDING_CLOSED, error);
        } else if (connection->answered && connection->outgoing.done == 0) {
                hot__connection_lose(connection, error == ECONNRESET ? HOT__RECONNECT_RESET
                                                                     : HOT__RECONNECT_IDLE);
                hot__connection_reopen(connection);
        } else {
                connection->readable = connection->hung_up = true;
        }
}

static void account_write(struct hot__connection *connection, size_t count)
{
        bool had_head = hot__outgoing_head_is_done(&connection->outgoing);

        if (hot__outgoing_advance(&connection->outgoing, count))
                connection->write_at = hot__clock_now() + connection->profile->every;
        if (!had_head && hot__outgoing_head_is_done(&connection->outgoing))
                hot__exchange_sent(connection);
}

static bool may_write(const struct hot__connection *connection)
{
        return connection->state == HOT__CONNECTION_BUSY && connection->writable &&
               !hot__outgoing_is_done(&connection->outgoing);
}

static void transmit(struct hot__connection *connection)
{
        const char *bytes;

        while (may_write(connection) && connection->write_at <= hot__clock_now()) {
                size_t count =
                        hot__outgoing_next(&connection->outgoing, connection->traffic->scratch,
                                           HOT__SCRATCH_SIZE, &bytes);
                ssize_t n = hot__transport_write(connection->tls, connection->fd, bytes, count);

                if (n >= 0)
                        account_write(connection, (size_t)n);
                else if (errno == EAGAIN)
                        connection->writable = false;
                else if (errno != EINTR)
                        write_failed(connection, errno);
        }
}

/* ---- in its turn ---- */

static void go_on(struct hot__connection *connection)
{
        transmit(connection);
        receive(connection);
}

static void begin(struct hot__connection *connection)
{
        connection->write_at = connection->read_at = 0;
        connection->piece_left = connection->profile->piece;
        transmit(connection);
}

static uint64_t wake(const struct hot__connection *connection)
{
        uint64_t at = UINT64_MAX;

        if (may_write(connection))
                at = connection->write_at;
        if (connection->readable && connection->read_at < at)
                at = connection->read_at;
        return at;
}

const struct hot__speech hot__speech_http1 = {
        .begin = begin,
        .go_on = go_on,
        .look = look,
        .wake = wake,
};
