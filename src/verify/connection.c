/* SPDX-License-Identifier: MIT */
#include "connection.h"

#include "clock.h"
#include "exchange.h"
#include "fd.h"
#include "speech.h"

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
        if (connection->session && connection->speech->leave)
                connection->speech->leave(connection);
        connection->tls = hot__transport_close(connection->tls);
        connection->handshaking = false;
        connection->fd = hot__fd_close(connection->fd);
        connection->state = HOT__CONNECTION_CLOSED;
        connection->connected = connection->answered = false;
        hot__outbox_clear(&connection->outbox);
}

void hot__connection_lose(struct hot__connection *connection, enum hot__reconnect kind)
{
        const struct hot__observer *observer = &connection->traffic->observer;

        if (connection->profile->keep_alive && connection->connected) {
                hot__tally_reconnect(&connection->traffic->tally, connection->profile_index, kind);
                if (observer->reconnect)
                        observer->reconnect(observer->data, connection->profile_index, kind);
        }
        drop(connection);
}

void hot__connection_fail(struct hot__connection *connection, enum hot__ending ending, int error)
{
        while (connection->n_ended < connection->n_batch)
                hot__exchange_settle(connection, ending, error);
        hot__connection_lose(connection, HOT__RECONNECT_OTHER);
        schedule(connection);
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

void hot__connection_rest(struct hot__connection *connection)
{
        if (connection->state != HOT__CONNECTION_CLOSED)
                connection->state = HOT__CONNECTION_IDLE;
        if (connection->state == HOT__CONNECTION_IDLE && !connection->profile->keep_alive)
                drop(connection);
        if (connection->state == HOT__CONNECTION_IDLE && connection->hung_up)
                connection->speech->look(connection);
        schedule(connection);
}

/* ---- connecting ---- */

static void watch(struct hot__connection *connection)
{
        struct epoll_event event = {
                .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                .data.ptr = connection,
        };

        if (epoll_ctl(connection->traffic->epoll_fd, EPOLL_CTL_ADD, connection->fd, &event) < 0)
                hot__connection_fail(connection, HOT__ENDING_CLOSED, errno);
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
        connection->speech->begin(connection);
}

static void shake_hands(struct hot__connection *connection)
{
        int r = hot__transport_handshake(connection->tls);

        if (r == 0)
                return;
        if (r < 0) {
                hot__connection_fail(connection, HOT__ENDING_CLOSED, r == -EPIPE ? 0 : -r);
                return;
        }
        connection->handshaking = false;
        if (!hot__transport_agreed(connection->tls, connection->speech->alpn)) {
                hot__connection_fail(connection, HOT__ENDING_GARBAGE, 0);
                return;
        }
        begin_exchange(connection);
}

static void established(struct hot__connection *connection)
{
        connection->connected = true;
        connection->writable = true;
        if (!connection->traffic->tls) {
                begin_exchange(connection);
                return;
        }
        connection->tls = hot__transport_open(connection->traffic->tls, connection->fd,
                                              connection->speech->alpn);
        if (!connection->tls) {
                hot__connection_fail(connection, HOT__ENDING_CLOSED, ENOMEM);
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
                hot__connection_fail(connection, HOT__ENDING_CLOSED, error);
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
        if (hot__profile_reads_slowly(connection->profile))
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
                hot__connection_fail(connection, HOT__ENDING_CLOSED, errno);
                return;
        }
        tune(connection);
        try_connect(connection);
}

void hot__connection_reopen(struct hot__connection *connection)
{
        open_socket(connection);
}

static void connect_ended(struct hot__connection *connection)
{
        int error = 0;
        socklen_t size = sizeof(error);

        if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
                error = errno;
        if (error != 0)
                hot__connection_fail(connection, HOT__ENDING_CLOSED, error);
        else
                established(connection);
}

/* ---- beginning ---- */

static void begin(struct hot__connection *connection, uint64_t due)
{
        if (hot__exchange_prepare(connection, due) < 0) {
                hot__connection_fail(connection, HOT__ENDING_CLOSED, ENOMEM);
                return;
        }
        /* One who has waited looks before he writes, as every careful client does. */
        if (connection->state == HOT__CONNECTION_IDLE && connection->profile->think_highest > 0)
                connection->speech->look(connection);
        if (connection->n_ended == connection->n_batch)
                return; /* it was lost for want of memory, and has been told */
        if (connection->state == HOT__CONNECTION_CLOSED) {
                open_socket(connection);
                return;
        }
        begin_exchange(connection);
}

/* ---- events ---- */

/*
 * The next moment at which a client that is under way must be looked at. Never within the turn: a
 * deadline that passed after the kernel was asked waits until it has been asked again.
 */
static void arm(struct hot__connection *connection)
{
        struct hot__traffic *traffic = connection->traffic;
        uint64_t at = connection->deadline, wake = UINT64_MAX;

        switch (connection->state) {
        case HOT__CONNECTION_CONNECTING:
                if (connection->backlog_full)
                        wake = hot__clock_now() + backlog_pause;
                break;
        case HOT__CONNECTION_BUSY:
        case HOT__CONNECTION_LISTENING:
                if (connection->speech->wake)
                        wake = connection->speech->wake(connection);
                break;
        default:
                return;
        }
        if (wake < at)
                at = wake;
        hot__timers_set(&traffic->timers, &connection->timer,
                        at > traffic->horizon ? at : traffic->horizon + 1);
}

static bool is_under_way(const struct hot__connection *connection)
{
        return connection->state == HOT__CONNECTION_BUSY ||
               connection->state == HOT__CONNECTION_LISTENING;
}

static const struct hot__speech *speech_of(const struct hot__profile *profile)
{
        switch (profile->protocol) {
        case HOT__PROTOCOL_HTTP2:
                return &hot__speech_http2;
        case HOT__PROTOCOL_WEBSOCKET:
                return &hot__speech_websocket;
        case HOT__PROTOCOL_EVENTS:
                return &hot__speech_events;
        case HOT__PROTOCOL_HTTP1:
        default:
                return &hot__speech_http1;
        }
}

void hot__connection_start(struct hot__connection *connection, uint64_t now)
{
        connection->speech = speech_of(connection->profile);
        connection->has_last_id = connection->profile->has_last_id;
        connection->last_id = connection->profile->last_id;
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

        if (is_under_way(connection))
                connection->speech->go_on(connection);
        else if (connection->state == HOT__CONNECTION_IDLE && connection->readable)
                connection->speech->look(connection);
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
        case HOT__CONNECTION_LISTENING:
                if (asked >= connection->deadline)
                        hot__connection_fail(connection, HOT__ENDING_DEADLINE, 0);
                else if (is_under_way(connection))
                        connection->speech->go_on(connection);
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
            connection->state == HOT__CONNECTION_IDLE ||
            connection->state == HOT__CONNECTION_LISTENING)
                finish(connection);
}

void hot__connection_give_up(struct hot__connection *connection, uint64_t since)
{
        if (hot__connection_is_busy(connection) && connection->batch[0].due < since)
                hot__connection_fail(connection, HOT__ENDING_DEADLINE, 0);
}

bool hot__connection_is_busy(const struct hot__connection *connection)
{
        return connection->state == HOT__CONNECTION_CONNECTING ||
               connection->state == HOT__CONNECTION_BUSY;
}

void hot__connection_done(struct hot__connection *connection)
{
        drop(connection);
        hot__outbox_done(&connection->outbox);
}
