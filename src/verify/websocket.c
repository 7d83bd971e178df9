/* SPDX-License-Identifier: MIT */
/*
 * A WebSocket (RFC 6455): a batch of requests is as many messages, each with its number, of which the server
 * is to send each back, in order. libwslay frames, and is loaded when the first connection speaks it.
 *
 * An echo whose number is beyond the one that is due tells that those between are lost; one that had come
 * before, that it came twice. A server that closes says so with a frame: that costs a reconnect, and the
 * messages that were on their way.
 */
#include "clock.h"
#include "exchange.h"
#include "lazy.h"
#include "message.h"
#include "speech.h"
#include "upgrade.h"

#include <stdlib.h>
#include <wslay/wslay.h>

/* What is used of libwslay: each member is named after its function, and set once. */
#define FUNCTIONS(X)                       \
        X(wslay_event_context_client_init) \
        X(wslay_event_context_free)        \
        X(wslay_event_get_close_received)  \
        X(wslay_event_queue_close)         \
        X(wslay_event_queue_msg)           \
        X(wslay_event_recv)                \
        X(wslay_event_send)                \
        X(wslay_event_set_error)           \
        X(wslay_event_want_write)

static struct {
        void *library;
        FUNCTIONS(HOT__LAZY_MEMBER)
} wslay;

#define FIND(name) HOT__LAZY_FIND(wslay, name)

static int load(void)
{
        if (wslay.library)
                return 0;
        wslay.library = hot__lazy_open("libwslay.so.1");
        if (!wslay.library)
                return -ELIBACC;
        FUNCTIONS(FIND)
        return 0;
}

struct session {
        wslay_event_context_ptr wslay;
        struct hot__upgrade upgrade;
        bool open;         /* the handshake is over */
        uint64_t first;    /* the number of the batch's first message */
        const char *bytes; /* lent: what wslay is to read now */
        size_t length;
        bool no_memory;
};

/* ---- what wslay asks for ---- */

static ssize_t on_recv(wslay_event_context_ptr context, uint8_t *buffer, size_t size, int flags,
                       void *data)
{
        struct hot__connection *connection = data;
        struct session *session = connection->session;
        size_t count = session->length < size ? session->length : size;

        (void)flags;
        if (count == 0) {
                wslay.wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
                return -1;
        }
        memcpy(buffer, session->bytes, count);
        session->bytes += count;
        session->length -= count;
        return (ssize_t)count;
}

static ssize_t on_send(wslay_event_context_ptr context, const uint8_t *bytes, size_t count,
                       int flags, void *data)
{
        struct hot__connection *connection = data;
        struct session *session = connection->session;

        (void)flags;
        if (hot__outbox_add(&connection->outbox, bytes, count) < 0) {
                session->no_memory = true;
                wslay.wslay_event_set_error(context, WSLAY_ERR_CALLBACK_FAILURE);
                return -1;
        }
        return (ssize_t)count;
}

/* The mask keeps proxies from being fooled; nothing here depends on its strength. */
static int on_mask(wslay_event_context_ptr context, uint8_t *buffer, size_t size, void *data)
{
        struct hot__connection *connection = data;

        (void)context;
        for (size_t i = 0; i < size; i++)
                buffer[i] = (uint8_t)nrand48(connection->traffic->random);
        return 0;
}

/* ---- echoes ---- */

static void settle(struct hot__connection *connection, uint64_t number, bool right)
{
        struct hot__request *request = &connection->batch[connection->n_ended];

        request->number = number;
        connection->response.status = 101;
        connection->response.begun = true;
        connection->check.wrong = !right;
        hot__exchange_settle(connection, HOT__ENDING_COMPLETE, 0);
        connection->answered = true;
}

static void on_echo(struct hot__connection *connection, const char *bytes, size_t length)
{
        const struct session *session = connection->session;
        const struct hot__message own = {.client = connection->client,
                                         .size = connection->profile->bytes};
        uint64_t due = session->first + connection->n_ended, number;
        bool right;

        number = hot__message_parse(&own, bytes, length, &right);
        if (number == 0 || number >= session->first + connection->n_batch)
                return;
        if (number < due) {
                hot__exchange_extra(connection, number, HOT__ENDING_TWICE);
                return;
        }
        if (connection->batch[connection->n_ended].first_byte == 0)
                connection->batch[connection->n_ended].first_byte = hot__clock_now();
        while (session->first + connection->n_ended < number)
                hot__exchange_settle(connection, HOT__ENDING_SKIPPED, 0);
        settle(connection, number, right);
}

static void on_message(wslay_event_context_ptr context,
                       const struct wslay_event_on_msg_recv_arg *message, void *data)
{
        struct hot__connection *connection = data;

        (void)context;
        if (message->opcode == WSLAY_TEXT_FRAME || message->opcode == WSLAY_BINARY_FRAME)
                on_echo(connection, (const char *)message->msg, message->msg_length);
}

/* ---- a session ---- */

static int open_session(struct hot__connection *connection)
{
        const struct wslay_event_callbacks callbacks = {
                .recv_callback = on_recv,
                .send_callback = on_send,
                .genmask_callback = on_mask,
                .on_msg_recv_callback = on_message,
        };
        struct session *session;
        int r = load();

        if (r < 0)
                return r;
        session = calloc(1, sizeof(*session));
        if (!session)
                return -ENOMEM;
        if (wslay.wslay_event_context_client_init(&session->wslay, &callbacks, connection) != 0) {
                free(session);
                return -ENOMEM;
        }
        connection->session = session;
        return hot__upgrade_ask(&session->upgrade, connection->profile->path,
                                connection->traffic->target.host, connection->traffic->random,
                                &connection->outbox);
}

static void leave(struct hot__connection *connection)
{
        struct session *session = connection->session;
        const char *bytes;

        /* The connection is closed in the next moment: good-bye is sent if the kernel takes it at once. */
        if (session->open && hot__outbox_next(&connection->outbox, &bytes) == 0 &&
            wslay.wslay_event_queue_close(session->wslay, WSLAY_CODE_GOING_AWAY, NULL, 0) == 0 &&
            wslay.wslay_event_send(session->wslay) == 0) {
                size_t count = hot__outbox_next(&connection->outbox, &bytes);

                (void)hot__transport_write(connection->tls, connection->fd, bytes, count);
        }
        wslay.wslay_event_context_free(session->wslay);
        free(session);
        connection->session = NULL;
}

/* ---- its end ---- */

static bool is_closed(const struct hot__connection *connection)
{
        const struct session *session = connection->session;

        return wslay.wslay_event_get_close_received(session->wslay) != 0;
}

/* No more comes. What waits for its echo is lost; but for that, it is a reconnect. */
static void ended(struct hot__connection *connection, int error)
{
        bool busy = connection->state == HOT__CONNECTION_BUSY;
        enum hot__reconnect kind = error == 0 ? HOT__RECONNECT_IDLE : HOT__RECONNECT_RESET;

        if (busy && connection->n_ended < connection->n_batch)
                kind = HOT__RECONNECT_OTHER;
        if (is_closed(connection))
                kind = HOT__RECONNECT_CLOSE_FRAME;
        while (busy && connection->n_ended < connection->n_batch)
                hot__exchange_settle(connection, HOT__ENDING_CLOSED, error);
        hot__connection_lose(connection, kind);
        if (busy)
                hot__connection_rest(connection);
}

/* What came is no WebSocket. */
static void broken(struct hot__connection *connection)
{
        if (connection->state == HOT__CONNECTION_BUSY)
                hot__connection_fail(connection, HOT__ENDING_GARBAGE, 0);
        else
                hot__connection_lose(connection, HOT__RECONNECT_OTHER);
}

/* ---- moving bytes ---- */

static int queue_batch(struct hot__connection *connection)
{
        struct session *session = connection->session;
        char text[HOT__MESSAGE_MAX];

        session->first = connection->serial + 1;
        for (unsigned int i = 0; i < connection->n_batch; i++) {
                const struct hot__message message = {.client = connection->client,
                                                     .size = connection->profile->bytes};
                size_t length =
                        hot__message_print(&message, ++connection->serial, text, sizeof(text));
                const struct wslay_event_msg framed = {
                        .opcode = WSLAY_TEXT_FRAME,
                        .msg = (const uint8_t *)text,
                        .msg_length = length,
                };

                if (wslay.wslay_event_queue_msg(session->wslay, &framed) != 0)
                        return -ENOMEM;
                connection->batch[i].number = connection->serial;
        }
        hot__exchange_sent(connection);
        return 0;
}

/* Returns false when the connection is gone. */
static bool send_all(struct hot__connection *connection)
{
        struct session *session = connection->session;

        if (session->open && wslay.wslay_event_want_write(session->wslay))
                (void)wslay.wslay_event_send(session->wslay);
        if (session->no_memory) {
                hot__connection_fail(connection, HOT__ENDING_CLOSED, ENOMEM);
                return false;
        }
        return hot__speech_flush(connection);
}

/* The answer to the handshake, or a part of it. Returns what is left of the bytes behind it, or a negative errno. */
static ssize_t take_handshake(struct hot__connection *connection, const char *bytes, size_t count)
{
        struct session *session = connection->session;
        ssize_t used = hot__upgrade_feed(&session->upgrade, bytes, count);

        if (used < 0)
                return used;
        if (!session->upgrade.complete)
                return 0;
        session->open = true;
        /* Who says this is known; who sends the echoes later is not. */
        connection->batch[0].first_byte = hot__clock_now();
        connection->response.identity = session->upgrade.identity;
        connection->response.head_complete = true;
        hot__exchange_identify(connection);
        connection->batch[0].first_byte = 0;
        return queue_batch(connection) < 0 ? -ENOMEM : (ssize_t)count - used;
}

/* Something else than 101 was the answer: that is what becomes of the batch. */
static void refused(struct hot__connection *connection, int status)
{
        while (connection->n_ended < connection->n_batch) {
                connection->response.status = status;
                connection->response.begun = true;
                hot__exchange_settle(connection, HOT__ENDING_COMPLETE, 0);
        }
        hot__connection_lose(connection, HOT__RECONNECT_OTHER);
        hot__connection_rest(connection);
}

/* Returns false when the connection is gone. */
static bool take(struct hot__connection *connection, const char *bytes, size_t count)
{
        struct session *session = connection->session;

        if (!session->open) {
                ssize_t left = take_handshake(connection, bytes, count);

                if (left == -EACCES) {
                        refused(connection, session->upgrade.status);
                        return false;
                }
                if (left < 0) {
                        hot__connection_fail(connection,
                                             left == -ENOMEM ? HOT__ENDING_CLOSED
                                                             : HOT__ENDING_GARBAGE,
                                             left == -ENOMEM ? ENOMEM : 0);
                        return false;
                }
                bytes += count - (size_t)left;
                count = (size_t)left;
        }
        session->bytes = bytes;
        session->length = count;
        while (session->length > 0 && !is_closed(connection)) {
                if (wslay.wslay_event_recv(session->wslay) == 0)
                        continue;
                broken(connection);
                return false;
        }
        return true;
}

/* Returns false when the connection is gone. */
static bool receive(struct hot__connection *connection)
{
        int error;

        while (connection->readable) {
                ssize_t n = hot__speech_read(connection, &error);

                if (n == -EAGAIN)
                        return true;
                if (n > 0 && !take(connection, connection->traffic->scratch, (size_t)n))
                        return false;
                if (n == 0 || is_closed(connection)) {
                        ended(connection, n == 0 ? error : 0);
                        return false;
                }
        }
        return true;
}

static void go_on(struct hot__connection *connection)
{
        if (!send_all(connection) || !receive(connection) || !send_all(connection))
                return;
        if (connection->n_ended == connection->n_batch)
                hot__connection_rest(connection);
}

static void look(struct hot__connection *connection)
{
        if (receive(connection))
                (void)send_all(connection);
}

static void begin(struct hot__connection *connection)
{
        int r = connection->session ? queue_batch(connection) : open_session(connection);

        if (r < 0)
                hot__connection_fail(connection, HOT__ENDING_CLOSED,
                                     r == -ENOMEM ? ENOMEM : EMFILE);
        else
                go_on(connection);
}

const struct hot__speech hot__speech_websocket = {
        .begin = begin,
        .go_on = go_on,
        .look = look,
        .leave = leave,
};
