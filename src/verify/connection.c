/* SPDX-License-Identifier: MIT */
#include "connection.h"

#include "clock.h"
#include "exchange.h"
#include "fd.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define MS UINT64_C(1000000)

/* After a failure, so that a server that is down is not flooded. */
static const uint64_t pause_after_failure = 10 * MS;

/* How soon a full backlog of a UNIX listener is tried again: connect(2) does not queue there. */
static const uint64_t backlog_pause = 1 * MS;

/* So small that a download's server has to wait for its client. */
static const int paced_buffer = 16384;

static void schedule(struct hot__connection *connection);

/* ---- losing the connection ---- */

static void drop(struct hot__connection *connection)
{
        connection->tls = hot__transport_close(connection->tls);
        connection->handshaking = false;
        connection->fd = hot__fd_close(connection->fd);
        connection->state = HOT__CONNECTION_CLOSED;
        connection->connected = connection->answered = false;
}

/* It cannot be kept, although the client would have liked to. */
static void lose(struct hot__connection *connection, enum hot__reconnect kind)
{
        const struct hot__observer *observer = &connection->traffic->observer;

        if (connection->profile->keep_alive && connection->connected) {
                hot__tally_reconnect(&connection->traffic->tally, connection->profile_index, kind);
                if (observer->reconnect)
                        observer->reconnect(observer->data, connection->profile_index, kind);
        }
        drop(connection);
}

/* Every request under way ends like this, and the connection with them. */
static void fail(struct hot__connection *connection, enum hot__ending ending, int error)
{
        while (connection->n_ended < connection->n_batch)
                hot__exchange_settle(connection, ending, error);
        lose(connection, HOT__RECONNECT_OTHER);
        schedule(connection);
}

/* Is there something to read between two requests? Then the connection is of no more use. */
static void look(struct hot__connection *connection)
{
        char byte;
        ssize_t n = hot__transport_read(connection->tls, connection->fd, &byte, 1);

        if (n > 0)
                lose(connection, HOT__RECONNECT_OTHER);
        else if (n == 0)
                lose(connection, HOT__RECONNECT_IDLE);
        else if (errno != EAGAIN && errno != EINTR)
                lose(connection, HOT__RECONNECT_RESET);
        else
                connection->readable = false;
}

/* ---- what comes next ---- */

static uint64_t think(const struct hot__connection *connection)
{
        const struct hot__profile *profile = connection->profile;
        double range = (double)(profile->think_highest - profile->think_lowest);

        return profile->think_lowest + (uint64_t)(erand48(connection->traffic->random) * range);
}

static void finish(struct hot__connection *connection)
{
        drop(connection);
        hot__timers_clear(&connection->traffic->timers, &connection->timer);
        connection->state = HOT__CONNECTION_FINISHED;
        connection->traffic->n_active--;
}

/*
 * From when a client thinks. One with think time wants its next request so long after it wanted the last
 * one, however long the answer took: a server that stands still for a second is told by every request that
 * was due in that second, not by one (coordinated omission). Where requests fail there is no answer to wait
 * for, and nothing piles up.
 */
static uint64_t thinks_from(const struct hot__connection *connection)
{
        if (connection->profile->think_highest == 0 || connection->suffered ||
            connection->n_begun == 0)
                return hot__clock_now();
        return connection->batch[0].due;
}

/* No request is under way: when is the next one due? */
static void schedule(struct hot__connection *connection)
{
        const struct hot__profile *profile = connection->profile;
        uint64_t pause = think(connection);

        if (connection->traffic->stopping ||
            (profile->requests > 0 && connection->n_begun >= profile->requests)) {
                finish(connection);
                return;
        }
        if (connection->suffered && pause < pause_after_failure)
                pause = pause_after_failure;
        hot__timers_set(&connection->traffic->timers, &connection->timer,
                        thinks_from(connection) + pause);
}

/* The answers of the batch are there, or the last of them says that there will be no more. */
static void batch_ended(struct hot__connection *connection, bool keep_alive)
{
        while (connection->n_ended < connection->n_batch)
                hot__exchange_settle(connection, HOT__ENDING_ANNOUNCED, 0);

        if (!keep_alive)
                lose(connection, HOT__RECONNECT_ANNOUNCED);
        else if (!hot__outgoing_is_done(&connection->outgoing))
                lose(connection, HOT__RECONNECT_OTHER);
        else
                connection->state = HOT__CONNECTION_IDLE;
        if (connection->state == HOT__CONNECTION_IDLE && !connection->profile->keep_alive)
                drop(connection);
        if (connection->state == HOT__CONNECTION_IDLE && connection->hung_up)
                look(connection);
        schedule(connection);
}

/* ---- reading ---- */

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
                        fail(connection, HOT__ENDING_GARBAGE, 0);
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
                fail(connection, HOT__ENDING_CLOSED, 0);
                return;
        }
        hot__exchange_identify(connection);
        hot__exchange_settle(connection, HOT__ENDING_COMPLETE, 0);
        batch_ended(connection, false);
}

static bool is_paced_reader(const struct hot__connection *connection)
{
        return connection->profile->body == HOT__BODY_PATTERN && connection->profile->piece > 0;
}

static size_t read_size(const struct hot__connection *connection)
{
        if (!is_paced_reader(connection) || connection->piece_left > HOT__SCRATCH_SIZE)
                return HOT__SCRATCH_SIZE;
        return connection->piece_left;
}

static void account_read(struct hot__connection *connection, size_t count)
{
        if (!is_paced_reader(connection))
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
                        fail(connection, HOT__ENDING_CLOSED, errno);
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

static void open_socket(struct hot__connection *connection);

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
                fail(connection, HOT__ENDING_CLOSED, error);
        } else if (connection->answered && connection->outgoing.done == 0) {
                lose(connection, error == ECONNRESET ? HOT__RECONNECT_RESET : HOT__RECONNECT_IDLE);
                open_socket(connection);
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

/* ---- connecting ---- */

static void watch(struct hot__connection *connection)
{
        struct epoll_event event = {
                .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                .data.ptr = connection,
        };

        if (epoll_ctl(connection->traffic->epoll_fd, EPOLL_CTL_ADD, connection->fd, &event) < 0)
                fail(connection, HOT__ENDING_CLOSED, errno);
}

static uint64_t pacing_of(const struct hot__profile *profile)
{
        return profile->piece > 0 ? profile->bytes / profile->piece * profile->every : 0;
}

static void begin_exchange(struct hot__connection *connection)
{
        connection->state = HOT__CONNECTION_BUSY;
        connection->deadline =
                hot__clock_now() + connection->profile->timeout + pacing_of(connection->profile);
        connection->write_at = connection->read_at = 0;
        connection->piece_left = connection->profile->piece;
}

static void shake_hands(struct hot__connection *connection)
{
        int r = hot__transport_handshake(connection->tls);

        if (r == 0)
                return;
        if (r < 0) {
                fail(connection, HOT__ENDING_CLOSED, r == -EPIPE ? 0 : -r);
                return;
        }
        connection->handshaking = false;
        begin_exchange(connection);
        transmit(connection);
}

static void established(struct hot__connection *connection)
{
        connection->connected = true;
        connection->writable = true;
        if (!connection->traffic->tls) {
                begin_exchange(connection);
                transmit(connection);
                return;
        }
        connection->tls = hot__transport_open(connection->traffic->tls, connection->fd);
        if (!connection->tls) {
                fail(connection, HOT__ENDING_CLOSED, ENOMEM);
                return;
        }
        connection->handshaking = true;
        shake_hands(connection);
}

static void try_connect(struct hot__connection *connection)
{
        const struct hot__target *target = &connection->traffic->target;
        const struct sockaddr *address = (const struct sockaddr *)&target->address;
        int error = connect(connection->fd, address, target->address_len) < 0 ? errno : 0;

        connection->state = HOT__CONNECTION_CONNECTING;
        connection->backlog_full = error == EAGAIN && target->address.ss_family == AF_UNIX;
        if (connection->backlog_full)
                return;
        if (error != 0 && error != EINPROGRESS) {
                fail(connection, HOT__ENDING_CLOSED, error);
                return;
        }
        watch(connection);
        if (error == 0 && connection->state == HOT__CONNECTION_CONNECTING)
                established(connection);
}

static void tune(const struct hot__connection *connection)
{
        int on = 1;

        if (connection->traffic->target.address.ss_family != AF_UNIX)
                (void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        if (is_paced_reader(connection))
                (void)setsockopt(connection->fd, SOL_SOCKET, SO_RCVBUF, &paced_buffer,
                                 sizeof(paced_buffer));
}

static void open_socket(struct hot__connection *connection)
{
        struct hot__traffic *traffic = connection->traffic;
        const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

        connection->number = ++traffic->n_connections;
        connection->connect = hot__clock_now();
        connection->deadline = connection->connect + connection->profile->connect_timeout;
        connection->readable = connection->writable = connection->hung_up = false;
        connection->fd =
                hot__fd_take_above_stdio(socket(traffic->target.address.ss_family, type, 0));
        if (connection->fd < 0) {
                fail(connection, HOT__ENDING_CLOSED, errno);
                return;
        }
        tune(connection);
        try_connect(connection);
}

static void connect_ended(struct hot__connection *connection)
{
        int error = 0;
        socklen_t size = sizeof(error);

        if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
                error = errno;
        if (error != 0)
                fail(connection, HOT__ENDING_CLOSED, error);
        else
                established(connection);
}

/* ---- beginning ---- */

static void begin(struct hot__connection *connection, uint64_t due)
{
        if (hot__exchange_prepare(connection, due) < 0) {
                fail(connection, HOT__ENDING_CLOSED, ENOMEM);
                return;
        }
        /* One who has waited looks before he writes, as every careful client does. */
        if (connection->state == HOT__CONNECTION_IDLE && connection->profile->think_highest > 0)
                look(connection);
        if (connection->state == HOT__CONNECTION_CLOSED) {
                open_socket(connection);
                return;
        }
        begin_exchange(connection);
        transmit(connection);
}

/* ---- events ---- */

/*
 * The next moment at which a client that is under way must be looked at. Never within the turn: a
 * deadline that passed after the kernel was asked waits until it has been asked again.
 */
static void arm(struct hot__connection *connection)
{
        struct hot__traffic *traffic = connection->traffic;
        uint64_t at = connection->deadline;

        switch (connection->state) {
        case HOT__CONNECTION_CONNECTING:
                if (connection->backlog_full)
                        at = hot__clock_now() + backlog_pause;
                break;
        case HOT__CONNECTION_BUSY:
                if (may_write(connection) && connection->write_at < at)
                        at = connection->write_at;
                if (connection->readable && connection->read_at < at)
                        at = connection->read_at;
                break;
        default:
                return;
        }
        hot__timers_set(&traffic->timers, &connection->timer,
                        at > traffic->horizon ? at : traffic->horizon + 1);
}

static void go_on(struct hot__connection *connection)
{
        transmit(connection);
        receive(connection);
}

void hot__connection_start(struct hot__connection *connection, uint64_t now)
{
        connection->fd = -EBADF;
        connection->state = HOT__CONNECTION_CLOSED;
        hot__timers_set(&connection->traffic->timers, &connection->timer, now);
}

void hot__connection_event(struct hot__connection *connection, uint32_t events)
{
        const uint32_t gone = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

        connection->hung_up |= (events & gone) != 0;
        connection->readable |= (events & (gone | EPOLLIN)) != 0;
        if (connection->handshaking)
                shake_hands(connection);
        else if (connection->state == HOT__CONNECTION_CONNECTING)
                connect_ended(connection);
        else if (events & EPOLLOUT)
                connection->writable = true;

        if (connection->state == HOT__CONNECTION_BUSY)
                go_on(connection);
        else if (connection->state == HOT__CONNECTION_IDLE && connection->readable)
                look(connection);
        arm(connection);
}

void hot__connection_timer(struct hot__connection *connection, uint64_t asked)
{
        uint64_t at = connection->timer.at;

        hot__timers_clear(&connection->traffic->timers, &connection->timer);
        switch (connection->state) {
        case HOT__CONNECTION_CLOSED:
        case HOT__CONNECTION_IDLE:
                begin(connection, at);
                break;
        case HOT__CONNECTION_CONNECTING:
        case HOT__CONNECTION_BUSY:
                if (asked >= connection->deadline)
                        fail(connection, HOT__ENDING_DEADLINE, 0);
                else if (connection->state == HOT__CONNECTION_BUSY)
                        go_on(connection);
                else if (connection->backlog_full)
                        try_connect(connection);
                break;
        case HOT__CONNECTION_FINISHED:
        default:
                break;
        }
        arm(connection);
}

void hot__connection_stop(struct hot__connection *connection)
{
        if (connection->state == HOT__CONNECTION_CLOSED ||
            connection->state == HOT__CONNECTION_IDLE)
                finish(connection);
}

bool hot__connection_is_busy(const struct hot__connection *connection)
{
        return connection->state == HOT__CONNECTION_CONNECTING ||
               connection->state == HOT__CONNECTION_BUSY;
}

void hot__connection_done(struct hot__connection *connection)
{
        drop(connection);
}
