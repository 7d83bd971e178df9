/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <wslay/wslay.h>

#include "connection.h"
#include "exchange.h"
#include "field.h"
#include "websocket.h"
#include "websocket_key.h"

#define CLOSE_MS 5000 /* for the peer's half of a close */

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
        void *state;          /* the host's */
        pthread_mutex_t lock; /* of all that follows, but what is the loop's */
        wslay_event_context_ptr wslay;
        struct hot__exchange *exchange; /* NULL: the connection has ended */
        struct message *first, **last;  /* the loop's */
        const char *input;              /* the loop's: what libwslay reads next */
        size_t input_len;
        unsigned int code; /* of the close; 1006: there was none */
        bool full;         /* the transport took nothing the last time */
        bool asked;        /* a ping is on its way, and nothing has come since */
        bool closing;      /* we have said that we close */
        bool opened;       /* the host knows of it */
};

static void destroy(struct hot_websocket *socket)
{
        wslay_event_context_free(socket->wslay);
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

static ssize_t on_send(wslay_event_context_ptr wslay, const uint8_t *bytes, size_t len, int flags,
                       void *data)
{
        struct hot_websocket *socket = data;
        struct hot__connection *connection = socket->exchange->connection;
        ssize_t n = hot__transport_send(&connection->transport, bytes, len,
                                        (flags & WSLAY_MSG_MORE) != 0);

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

/* *ret_room: the queue has become short again. */
static enum hot__websocket_step flush(struct hot_websocket *socket, bool *ret_room)
{
        enum hot__websocket_step step = HOT__WEBSOCKET_WAITS;
        size_t before;

        pthread_mutex_lock(&socket->lock);
        before = wslay_event_get_queued_msg_length(socket->wslay);
        socket->full = false;
        if (wslay_event_send(socket->wslay) != 0)
                step = HOT__WEBSOCKET_BROKEN;
        else if (socket->full)
                step = HOT__WEBSOCKET_FULL;
        else if (!wslay_event_want_read(socket->wslay) && !wslay_event_want_write(socket->wslay))
                step = HOT__WEBSOCKET_ENDED;
        *ret_room = before > 0 && wslay_event_get_queued_msg_length(socket->wslay) == 0;
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
        wants = wslay_event_get_queued_msg_length(socket->wslay) <
                socket->service->handler.queue_size / 2;
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
        pthread_mutex_unlock(&socket->lock);
        if (socket->opened && handler->closed)
                handler->closed(socket, (int)socket->code, socket->state);
        hot_websocket_release(socket);
}

/* -- anybody's side -- */

/* Have the loop send what is queued. With the lock held. Before the handshake is over it will anyway, or never. */
static void wake(struct hot_websocket *socket)
{
        if (socket->opened)
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
        if (!socket->exchange || socket->closing)
                r = -EPIPE;
        else if (wslay_event_get_queued_msg_length(socket->wslay) >=
                 socket->service->handler.queue_size)
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
        if (!socket->exchange || socket->closing)
                r = -EPIPE;
        else if (wslay_event_queue_close(socket->wslay, (uint16_t)code, (const uint8_t *)reason,
                                         len) != 0)
                r = -EPIPE;
        else
                wake(socket);
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

/* -- the handshake -- */

static struct hot_websocket *socket_new(const struct hot__websocket_service *service,
                                        struct hot__exchange *exchange)
{
        static const struct wslay_event_callbacks callbacks = {
                .recv_callback = on_recv,
                .send_callback = on_send,
                .on_msg_recv_callback = on_message,
        };
        struct hot_websocket *socket = calloc(1, sizeof(*socket));

        if (!socket)
                return NULL;
        if (wslay_event_context_server_init(&socket->wslay, &callbacks, socket) != 0) {
                free(socket);
                return NULL;
        }
        wslay_event_config_set_max_recv_msg_length(socket->wslay, service->handler.message_size);
        pthread_mutex_init(&socket->lock, NULL);
        atomic_store(&socket->shares, 1);
        socket->last = &socket->first;
        socket->service = service;
        socket->exchange = exchange;
        socket->code = 1006;
        return socket;
}

/* Is @word an element of a list such as Connection's? */
static bool has_word(const char *list, const char *word)
{
        size_t len = strlen(word);

        while (list && *list) {
                size_t n = strcspn(list, ", \t");

                if (n == len && !strncasecmp(list, word, n))
                        return true;
                list += n + strspn(list + n, ", \t");
        }
        return false;
}

/* What is wrong with it: a status, or 0. */
static int check_handshake(const struct hot_http_request *request)
{
        const char *version = hot_http_request_header(request, "sec-websocket-version");

        if (request->http_1_0 || request->http_2 ||
            !has_word(hot_http_request_header(request, "upgrade"), "websocket") ||
            !has_word(hot_http_request_header(request, "connection"), "upgrade") || !version ||
            strcmp(version, "13") != 0)
                return 426;
        if (request->body.len ||
            !hot__websocket_key_is_valid(hot_http_request_header(request, "sec-websocket-key")))
                return 400;
        return 0;
}

static void refuse(struct hot_http_response *response, int status)
{
        hot__response_set_error(response, status);
        if (status == 426) {
                hot__field_append(&response->fields, "Upgrade", "websocket");
                hot__field_append(&response->fields, "Sec-WebSocket-Version", "13");
        }
}

void hot__websocket_handshake(const struct hot_http_request *request,
                              struct hot_http_response *response, void *data)
{
        const struct hot__websocket_service *service = data;
        char accept[HOT__WEBSOCKET_ACCEPT_SIZE];
        struct hot_websocket *socket;
        int status = check_handshake(request);

        if (status) {
                refuse(response, status);
                return;
        }
        socket = socket_new(service, hot__exchange_of(response));
        if (!socket || hot__websocket_key_answer(
                               hot_http_request_header(request, "sec-websocket-key"), accept) < 0) {
                hot_websocket_release(socket);
                refuse(response, 503);
                return;
        }
        if (service->handler.open &&
            service->handler.open(socket, request, response, service->data, &socket->state) < 0) {
                hot__websocket_gone(socket);
                if (response->status == 200)
                        refuse(response, 403);
                return;
        }
        pthread_mutex_lock(&socket->lock);
        socket->opened = true;
        pthread_mutex_unlock(&socket->lock);
        hot__response_upgrade(response, socket, accept);
}
