/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <wslay/wslay.h>

#include "connection.h"
#include "exchange.h"
#include "websocket.h"
#include "websocket_tail.h"

#define CLOSE_MS 5000 /* for the peer's half of a close */

/* What the frames of a message may add to it, before it does not move until it is whole. */
#define FRAMES_MAX 16384

/* A message that was received and that the host was not told of. */
struct message {
        struct message *next;
        uint8_t opcode;
        size_t len;
        char bytes[];
};

struct hot_websocket {
        atomic_uint shares;
        const struct hot__websocket_service *service;
        void *state;                     /* the host's */
        char *path;                      /* owned: what it was opened at */
        struct hot__websocket_tail tail; /* the loop's */
        pthread_mutex_t lock;            /* of all that follows, but what is the loop's */
        wslay_event_context_ptr wslay;
        struct hot__exchange *exchange; /* NULL: it has no connection yet, or no more */
        struct message *first, **last;  /* the loop's */
        const char *input;              /* the loop's: what libwslay reads next */
        size_t input_len;
        struct hot__bytes
                rest; /* of before a move: goes before what libwslay has; .at of it is sent */
        size_t at;
        unsigned int code; /* of the close; 1006: there was none */
        bool full;         /* the transport took nothing the last time */
        bool asked;        /* a ping is on its way, and nothing has come since */
        bool closing;      /* we have said that we close */
        bool opened;       /* the host knows of it */
        bool gone;         /* the connection has ended */
        bool moving;       /* what is sent here is not taken any more */
        bool collecting;   /* what libwslay sends goes to .rest */
};

static void destroy(struct hot_websocket *socket)
{
        wslay_event_context_free(socket->wslay);
        hot__websocket_tail_done(&socket->tail);
        hot__bytes_done(&socket->rest);
        free(socket->path);
        while (socket->first) {
                struct message *message = socket->first;

                socket->first = message->next;
                free(message);
        }
        pthread_mutex_destroy(&socket->lock);
        free(socket);
}

void hot_websocket_hold(struct hot_websocket *socket)
{
        atomic_fetch_add(&socket->shares, 1);
}

void hot_websocket_release(struct hot_websocket *socket)
{
        if (socket && atomic_fetch_sub(&socket->shares, 1) == 1)
                destroy(socket);
}

/* -- libwslay's callbacks; with the lock held -- */

static ssize_t on_recv(wslay_event_context_ptr wslay, uint8_t *buffer, size_t size, int flags,
                       void *data)
{
        struct hot_websocket *socket = data;
        size_t n = socket->input_len < size ? socket->input_len : size;

        (void)flags;
        if (n == 0) {
                wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
                return -1;
        }
        memcpy(buffer, socket->input, n);
        socket->input += n;
        socket->input_len -= n;
        return (ssize_t)n;
}

static ssize_t put(struct hot_websocket *socket, const void *bytes, size_t len, bool more)
{
        if (socket->collecting)
                return hot__bytes_append(&socket->rest, bytes, len) < 0 ? -EAGAIN : (ssize_t)len;
        return hot__transport_send(&socket->exchange->connection->transport, bytes, len, more);
}

static ssize_t on_send(wslay_event_context_ptr wslay, const uint8_t *bytes, size_t len, int flags,
                       void *data)
{
        struct hot_websocket *socket = data;
        ssize_t n = put(socket, bytes, len, (flags & WSLAY_MSG_MORE) != 0);

        if (n >= 0)
                return n;
        socket->full = n == -EAGAIN;
        wslay_event_set_error(wslay,
                              n == -EAGAIN ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
}

/* A message without memory for it is a message too large. */
static void on_message(wslay_event_context_ptr wslay, const struct wslay_event_on_msg_recv_arg *arg,
                       void *data)
{
        struct hot_websocket *socket = data;
        struct message *message;

        if (arg->opcode == WSLAY_CONNECTION_CLOSE)
                socket->code = arg->status_code ? arg->status_code : 1005;
        if (wslay_is_ctrl_frame(arg->opcode))
                return;
        message = malloc(sizeof(*message) + arg->msg_length);
        if (!message) {
                wslay_event_queue_close(wslay, WSLAY_CODE_MESSAGE_TOO_BIG, NULL, 0);
                return;
        }
        message->next = NULL;
        message->opcode = arg->opcode;
        message->len = arg->msg_length;
        if (message->len)
                memcpy(message->bytes, arg->msg, message->len);
        *socket->last = message;
        socket->last = &message->next;
}

/* -- its beginning and its end -- */

struct hot_websocket *hot__websocket_new(const struct hot__websocket_service *service,
                                         const char *path)
{
        static const struct wslay_event_callbacks callbacks = {
                .recv_callback = on_recv,
                .send_callback = on_send,
                .on_msg_recv_callback = on_message,
        };
        struct hot_websocket *socket = calloc(1, sizeof(*socket));

        if (socket)
                socket->path = strdup(path);
        if (!socket || !socket->path ||
            wslay_event_context_server_init(&socket->wslay, &callbacks, socket) != 0) {
                free(socket ? socket->path : NULL);
                free(socket);
                return NULL;
        }
        wslay_event_config_set_max_recv_msg_length(socket->wslay, service->handler.message_size);
        pthread_mutex_init(&socket->lock, NULL);
        atomic_store(&socket->shares, 1);
        socket->last = &socket->first;
        socket->service = service;
        socket->code = 1006;
        socket->tail.limit = service->handler.message_size + FRAMES_MAX;
        return socket;
}

void hot__websocket_set_open(struct hot_websocket *socket, void *state)
{
        pthread_mutex_lock(&socket->lock);
        socket->state = state;
        socket->opened = true;
        pthread_mutex_unlock(&socket->lock);
}

void hot__websocket_attach(struct hot_websocket *socket, struct hot__exchange *exchange)
{
        pthread_mutex_lock(&socket->lock);
        socket->exchange = exchange;
        pthread_mutex_unlock(&socket->lock);
}

/* -- the loop's side -- */

static void tell_messages(struct hot_websocket *socket)
{
        const struct hot_websocket_handler *handler = &socket->service->handler;

        while (socket->first) {
                struct message *message = socket->first;

                socket->first = message->next;
                if (!socket->first)
                        socket->last = &socket->first;
                if (handler->message)
                        handler->message(socket, message->opcode, message->bytes, message->len,
                                         socket->state);
                free(message);
        }
}

static int receive(struct hot_websocket *socket, const char *bytes, size_t len)
{
        int r = 0;

        if (socket->service->handler.save)
                hot__websocket_tail_add(&socket->tail, bytes, len);
        pthread_mutex_lock(&socket->lock);
        socket->input = bytes;
        socket->input_len = len;
        socket->asked = false;
        if (wslay_event_get_read_enabled(socket->wslay))
                r = wslay_event_recv(socket->wslay);
        socket->input_len = 0;
        pthread_mutex_unlock(&socket->lock);
        return r;
}

/* Bytes that wait. With the lock held. */
static size_t queued(const struct hot_websocket *socket)
{
        return wslay_event_get_queued_msg_length(socket->wslay) + socket->rest.len - socket->at;
}

/* Returns 0 when all of it was sent, -EAGAIN, or another negative errno. With the lock held. */
static int send_rest(struct hot_websocket *socket)
{
        while (socket->at < socket->rest.len) {
                ssize_t n = hot__transport_send(&socket->exchange->connection->transport,
                                                socket->rest.data + socket->at,
                                                socket->rest.len - socket->at, false);

                if (n < 0)
                        return (int)n;
                socket->at += (size_t)n;
        }
        hot__bytes_done(&socket->rest);
        socket->at = 0;
        return 0;
}

/* *ret_room: the queue has become short again. */
static enum hot__websocket_step flush(struct hot_websocket *socket, bool *ret_room)
{
        enum hot__websocket_step step = HOT__WEBSOCKET_WAITS;
        size_t before;
        int r;

        pthread_mutex_lock(&socket->lock);
        before = queued(socket);
        r = send_rest(socket);
        socket->full = r == -EAGAIN;
        if ((r < 0 && r != -EAGAIN) || (r == 0 && wslay_event_send(socket->wslay) != 0))
                step = HOT__WEBSOCKET_BROKEN;
        else if (socket->full)
                step = HOT__WEBSOCKET_FULL;
        else if (!wslay_event_want_read(socket->wslay) && !wslay_event_want_write(socket->wslay))
                step = HOT__WEBSOCKET_ENDED;
        *ret_room = before > 0 && queued(socket) == 0;
        pthread_mutex_unlock(&socket->lock);
        return step;
}

/* libwslay finds a frame that cannot be, and would close without saying why. What still waits is given up; in the
 * middle of a frame of ours nothing can be said any more. */
static enum hot__websocket_step refuse_frame(struct hot_websocket *socket)
{
        static const unsigned char close_1002[] = {0x88, 2, 1002 >> 8, 1002 & 0xff};
        struct hot__connection *connection = socket->exchange->connection;

        if (socket->full)
                return HOT__WEBSOCKET_BROKEN;
        hot__transport_send(&connection->transport, close_1002, sizeof(close_1002), false);
        return HOT__WEBSOCKET_ENDED;
}

enum hot__websocket_step hot__websocket_turn(struct hot_websocket *socket, const char *bytes,
                                             size_t len)
{
        const struct hot_websocket_handler *handler = &socket->service->handler;
        enum hot__websocket_step step;
        bool room;

        if (len && receive(socket, bytes, len) != 0)
                return refuse_frame(socket);
        tell_messages(socket);
        step = flush(socket, &room);
        if (room && step == HOT__WEBSOCKET_WAITS && handler->room) {
                handler->room(socket, socket->state);
                step = flush(socket, &room);
        }
        return step;
}

bool hot__websocket_wants_input(struct hot_websocket *socket)
{
        bool wants;

        pthread_mutex_lock(&socket->lock);
        wants = queued(socket) < socket->service->handler.queue_size / 2;
        pthread_mutex_unlock(&socket->lock);
        return wants;
}

bool hot__websocket_silent(struct hot_websocket *socket)
{
        const struct wslay_event_msg ping = {.opcode = WSLAY_PING};
        bool waits;

        pthread_mutex_lock(&socket->lock);
        waits = !socket->asked && !socket->closing;
        socket->asked = true;
        if (waits)
                wslay_event_queue_msg(socket->wslay, &ping);
        pthread_mutex_unlock(&socket->lock);
        return waits;
}

unsigned int hot__websocket_patience(const struct hot_websocket *socket)
{
        return socket->closing ? CLOSE_MS : socket->service->handler.ping_ms;
}

void hot__websocket_gone(struct hot_websocket *socket)
{
        const struct hot_websocket_handler *handler = &socket->service->handler;

        pthread_mutex_lock(&socket->lock);
        socket->exchange = NULL;
        socket->gone = true;
        pthread_mutex_unlock(&socket->lock);
        if (socket->opened && handler->closed)
                handler->closed(socket, (int)socket->code, socket->state);
        hot_websocket_release(socket);
}

/* -- anybody's side -- */

/* Have the loop send what is queued. With the lock held. Before the handshake is over it will anyway, or never. */
static void wake(struct hot_websocket *socket)
{
        if (socket->opened && socket->exchange)
                hot__exchange_post(socket->exchange, HOT__LETTER_MORE);
}

int hot_websocket_send(struct hot_websocket *socket, int type, const void *data, size_t length)
{
        const struct wslay_event_msg message = {
                .opcode = (uint8_t)type, .msg = data, .msg_length = length};
        int r = 0;

        if (type != HOT_WEBSOCKET_TEXT && type != HOT_WEBSOCKET_BINARY)
                return -EINVAL;
        pthread_mutex_lock(&socket->lock);
        if (socket->moving)
                r = -ESTALE;
        else if (socket->gone || socket->closing)
                r = -EPIPE;
        else if (queued(socket) >= socket->service->handler.queue_size)
                r = -EAGAIN;
        else if (wslay_event_queue_msg(socket->wslay, &message) != 0)
                r = wslay_event_get_write_enabled(socket->wslay) ? -ENOMEM : -EPIPE;
        else
                wake(socket);
        pthread_mutex_unlock(&socket->lock);
        return r;
}

static int close_with(struct hot_websocket *socket, int code, const char *reason)
{
        size_t len = reason ? strlen(reason) : 0;
        int r = 0;

        pthread_mutex_lock(&socket->lock);
        if (socket->moving)
                r = -ESTALE;
        else if (socket->gone || socket->closing)
                r = -EPIPE;
        else if (wslay_event_queue_close(socket->wslay, (uint16_t)code, (const uint8_t *)reason,
                                         len) != 0)
                r = -EPIPE;
        else
                wake(socket);
        if (r != -ESTALE)
                socket->closing = true;
        pthread_mutex_unlock(&socket->lock);
        return r;
}

int hot_websocket_close(struct hot_websocket *socket, int code, const char *reason)
{
        if (code < 1000 || code > 4999 || (code >= 1004 && code <= 1006) || code == 1015 ||
            (reason && strlen(reason) > 123))
                return -EINVAL;
        return close_with(socket, code, reason);
}

void hot__websocket_leave(struct hot_websocket *socket)
{
        close_with(socket, WSLAY_CODE_GOING_AWAY, NULL);
}

void *hot_websocket_state(const struct hot_websocket *socket)
{
        return socket->state;
}

/* -- from and to other generations; on the loop's thread -- */

const struct hot__websocket_service *hot__websocket_service(const struct hot_websocket *socket)
{
        return socket->service;
}

const char *hot__websocket_path(const struct hot_websocket *socket)
{
        return socket->path;
}

bool hot__websocket_is_between(struct hot_websocket *socket)
{
        bool is;

        pthread_mutex_lock(&socket->lock);
        is = socket->opened && !socket->closing && !socket->tail.lost &&
             wslay_event_get_read_enabled(socket->wslay) &&
             wslay_event_get_write_enabled(socket->wslay);
        pthread_mutex_unlock(&socket->lock);
        return is;
}

void hot__websocket_seal(struct hot_websocket *socket, bool sealed)
{
        pthread_mutex_lock(&socket->lock);
        socket->moving = sealed;
        pthread_mutex_unlock(&socket->lock);
}

/* libwslay lets go of all it has by being allowed to send it. What does not fit it keeps. */
int hot__websocket_collect(struct hot_websocket *socket, struct hot__websocket_unfinished *ret)
{
        bool whole;

        pthread_mutex_lock(&socket->lock);
        socket->collecting = true;
        whole = wslay_event_send(socket->wslay) == 0 && !wslay_event_want_write(socket->wslay);
        socket->collecting = socket->rest.failed = false;
        pthread_mutex_unlock(&socket->lock);
        if (!whole)
                return -ENOMEM;
        ret->input = socket->tail.bytes.data;
        ret->input_len = socket->tail.bytes.len;
        ret->output = socket->rest.len ? socket->rest.data + socket->at : NULL;
        ret->output_len = socket->rest.len - socket->at;
        return 0;
}

int hot__websocket_set_output(struct hot_websocket *socket, const void *bytes, size_t len)
{
        return hot__bytes_append(&socket->rest, bytes, len);
}

void hot__websocket_moved(struct hot_websocket *socket)
{
        socket->code = HOT_HTTP_MOVED;
        hot__websocket_gone(socket);
}
