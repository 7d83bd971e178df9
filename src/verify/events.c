/* SPDX-License-Identifier: MIT */
/*
 * A stream of events (text/event-stream): one request that is not over when it is answered. Opening it is one
 * record, and each event is one more, whose latency is the time since the one before.
 *
 * Ids that are numbers must go up by one: one that is left out was lost, one that comes again came twice. A
 * client that comes back says which it had last, and goes on from there if the server is one that can.
 *
 * An orderly end between two events costs a reconnect; an end within one, or without the end that HTTP has
 * for a body, is a cut.
 */
#include "clock.h"
#include "exchange.h"
#include "feed.h"
#include "speech.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct session {
        struct hot__response
                response; /* the answer that goes on; what is settled is of one event */
        struct hot__payload_check check;
        struct hot__feed feed;
        bool open;   /* the head has come, and has been recorded */
        bool wrong;  /* it is not that of a stream */
        bool joined; /* an id has come on this connection: the next follows from it */
        bool enough; /* the client has had as much as it was to have */
};

/* ---- events ---- */

/* What is waited for from now on is the next event. */
static void await(struct hot__connection *connection)
{
        const struct hot__profile *profile = connection->profile;
        struct session *session = connection->session;
        uint64_t now = hot__clock_now();

        session->enough = profile->requests > 0 && connection->n_begun >= profile->requests;
        if (session->enough)
                return;
        connection->n_begun++;
        connection->state = HOT__CONNECTION_LISTENING;
        connection->deadline = profile->quiet ? UINT64_MAX : now + profile->timeout;
        connection->batch[0] = (struct hot__request){.due = now, .sent = now};
        connection->n_ended = 0;
        connection->n_batch = 1;
}

/* The head is there: the stream is open, or is none. */
static void open_stream(struct hot__connection *connection)
{
        const struct hot__profile *profile = connection->profile;
        struct session *session = connection->session;
        int status = session->response.status;

        session->open = true;
        session->wrong = status != 200 || (profile->status != 0 && status != profile->status);
        connection->response.status = status;
        connection->response.begun = connection->response.head_complete = true;
        connection->response.identity = session->response.identity;
        hot__exchange_identify(connection);
        hot__exchange_settle(connection, HOT__ENDING_COMPLETE, 0);
        connection->answered = true;
        if (!session->wrong)
                await(connection);
}

static void note_ids(struct hot__connection *connection, uint64_t id)
{
        struct session *session = connection->session;
        bool follows = session->joined || connection->profile->resumable;

        if (connection->has_last_id && follows && id <= connection->last_id) {
                hot__exchange_extra(connection, id, HOT__ENDING_TWICE);
                return;
        }
        if (connection->has_last_id && follows)
                for (uint64_t lost = connection->last_id + 1;
                     lost < id && lost - connection->last_id <= HOT__GAP_MAX; lost++)
                        hot__exchange_extra(connection, lost, HOT__ENDING_SKIPPED);
        session->joined = connection->has_last_id = true;
        connection->last_id = id;
}

static void on_event(void *data, bool has_id, uint64_t id)
{
        struct hot__connection *connection = data;
        struct session *session = connection->session;

        if (session->enough)
                return;
        if (has_id)
                note_ids(connection, id);
        connection->batch[0].first_byte = hot__clock_now();
        connection->batch[0].number = id;
        connection->response.status = 200;
        connection->response.begun = true;
        hot__exchange_settle(connection, HOT__ENDING_COMPLETE, 0);
        await(connection);
}

static void on_body(void *data, const char *bytes, size_t count)
{
        struct hot__connection *connection = data;
        struct session *session = connection->session;

        if (!session->open)
                open_stream(connection);
        if (!session->wrong)
                hot__feed_take(&session->feed, bytes, count);
}

/* ---- a session ---- */

static int ask(struct hot__connection *connection)
{
        char request[1024], last[64] = "";
        int length;

        if (connection->has_last_id)
                snprintf(last, sizeof(last), "Last-Event-ID: %" PRIu64 "\r\n", connection->last_id);
        length = snprintf(request, sizeof(request),
                          "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n%s\r\n",
                          connection->profile->path, connection->traffic->target.host, last);
        return hot__outbox_add(&connection->outbox, request, (size_t)length);
}

static int open_session(struct hot__connection *connection)
{
        struct session *session = calloc(1, sizeof(*session));

        if (!session)
                return -ENOMEM;
        hot__payload_expect_text(&session->check, NULL);
        hot__response_init(&session->response, &session->check);
        session->response.body = on_body;
        session->response.body_data = connection;
        session->feed.event = on_event;
        session->feed.data = connection;
        connection->session = session;
        return ask(connection);
}

static void leave(struct hot__connection *connection)
{
        free(connection->session);
        connection->session = NULL;
}

/* ---- its end ---- */

/* The stream is over, in an orderly way or not. */
static void ended(struct hot__connection *connection, bool orderly, int error)
{
        const struct session *session = connection->session;

        if (session->open && orderly && !hot__feed_is_inside(&session->feed)) {
                /* The event that was waited for was no request. */
                connection->n_begun -= connection->n_batch - connection->n_ended;
                connection->n_ended = connection->n_batch;
                hot__connection_lose(connection, HOT__RECONNECT_STREAM_END);
                hot__connection_rest(connection);
                return;
        }
        connection->cut = session->open;
        connection->response.begun = session->response.begun;
        hot__connection_fail(connection, HOT__ENDING_CLOSED, error);
}

/* There is no more to be had from this connection, although it is still there. */
static void close_stream(struct hot__connection *connection, bool wrong)
{
        connection->n_ended = connection->n_batch;
        if (wrong)
                hot__connection_lose(connection, HOT__RECONNECT_OTHER);
        hot__connection_rest(connection);
}

/* ---- moving bytes ---- */

/* Returns false when the connection is gone. */
static bool take(struct hot__connection *connection, const char *bytes, size_t count)
{
        struct session *session = connection->session;
        enum hot__response_state state;
        size_t used;

        if (!session->open && connection->batch[0].first_byte == 0)
                connection->batch[0].first_byte = hot__clock_now();
        state = hot__response_feed(&session->response, bytes, count, &used);
        if (state == HOT__RESPONSE_GARBAGE) {
                hot__connection_fail(connection, HOT__ENDING_GARBAGE, 0);
                return false;
        }
        if (!session->open && session->response.head_complete)
                open_stream(connection);
        if (session->wrong || session->enough) {
                close_stream(connection, session->wrong);
                return false;
        }
        if (state == HOT__RESPONSE_COMPLETE) {
                ended(connection, true, 0);
                return false;
        }
        return true;
}

static void go_on(struct hot__connection *connection)
{
        struct session *session = connection->session;
        int error;

        if (!hot__speech_flush(connection))
                return;
        while (connection->readable) {
                ssize_t n = hot__speech_read(connection, &error);

                if (n == -EAGAIN)
                        return;
                if (n == 0) {
                        ended(connection,
                              error == 0 && hot__response_finish(&session->response) ==
                                                    HOT__RESPONSE_COMPLETE,
                              error);
                        return;
                }
                if (!take(connection, connection->traffic->scratch, (size_t)n))
                        return;
        }
}

static void begin(struct hot__connection *connection)
{
        if (open_session(connection) < 0) {
                hot__connection_fail(connection, HOT__ENDING_CLOSED, ENOMEM);
                return;
        }
        hot__exchange_sent(connection);
        go_on(connection);
}

/* A stream is idle only in the moment in which its client has had enough, and closes it. */
static void look(struct hot__connection *connection)
{
        (void)connection;
}

const struct hot__speech hot__speech_events = {
        .begin = begin,
        .go_on = go_on,
        .look = look,
        .leave = leave,
};
