/* SPDX-License-Identifier: MIT */
/*
 * A WebSocket goes from one generation to the next at any byte: what was received of a message goes as input, what
 * was accepted to be sent, framed, as output. Nobody's half is ever sent twice, and none is parsed twice by the same
 * libwslay. While it closes it stays: that is over soon.
 */
#include <errno.h>
#include <string.h>

#include "exchange.h"
#include "input.h"
#include "luggage.h"
#include "move.h"
#include "moving.h"
#include "server.h"
#include "websocket.h"
#include "worker.h"

static struct hot_websocket *socket_of(const struct hot__connection *connection)
{
        return connection->exchange->response.websocket;
}

static enum hot__pin pin(const struct hot__connection *connection)
{
        struct hot_websocket *socket = socket_of(connection);

        if (!hot__websocket_service(socket)->handler.save)
                return HOT__PIN_WEBSOCKET;
        return hot__websocket_is_between(socket) ? HOT__PIN_NOT : HOT__PIN_MESSAGE;
}

static ssize_t save(void *about, void *buffer, size_t size)
{
        struct hot_websocket *socket = about;

        return hot__websocket_service(socket)->handler.save(socket, buffer, size,
                                                            hot_websocket_state(socket));
}

static enum hot__pin pack_sealed(struct hot__connection *connection, struct hot__passage *passage)
{
        struct hot_websocket *socket = socket_of(connection);
        struct hot__websocket_unfinished unfinished;
        struct hot__moving moving = {
                .saver = save,
                .about = socket,
                .path = hot__websocket_path(socket),
                .version = hot__websocket_service(socket)->handler.version,
        };
        int r = hot__moving_pack(&moving, passage);

        if (r == 0)
                r = hot__websocket_collect(socket, &unfinished);
        if (r == 0)
                r = hot__bytes_append(&passage->output, unfinished.output, unfinished.output_len);
        if (r == 0)
                r = hot__input_prepend(connection, unfinished.input, unfinished.input_len);
        return r == 0 ? HOT__PIN_NOT : r == -ENOMEM ? HOT__PIN_MEMORY : HOT__PIN_WEBSOCKET;
}

static enum hot__pin pack(struct hot__connection *connection, struct hot__passage *passage)
{
        struct hot_websocket *socket = socket_of(connection);
        enum hot__pin pin;

        hot__websocket_seal(socket, true);
        pin = pack_sealed(connection, passage);
        if (pin != HOT__PIN_NOT) {
                hot__websocket_seal(socket, false);
                return pin;
        }
        connection->exchange->response.websocket = NULL;
        hot__websocket_moved(socket);
        hot__moving_leave(connection, passage);
        return HOT__PIN_NOT;
}

/* What its path serves here, or NULL. */
static const struct hot__websocket_service *find(const struct hot_http *server, const char *path)
{
        const struct hot__websocket_service *service =
                hot__moving_find(server, "GET", path, hot__websocket_handshake);

        return service && service->handler.restore ? service : NULL;
}

static int restore(struct hot_websocket *socket, const struct hot__luggage *luggage)
{
        const struct hot__websocket_service *service = hot__websocket_service(socket);
        void *state = NULL;
        int r = service->handler.restore(socket, luggage->state, luggage->state_len,
                                         (uint32_t)luggage->version, service->data, &state);

        if (r < 0)
                return r;
        hot__websocket_set_open(socket, state);
        return 0;
}

static int admit(struct hot_http *server, struct hot__passage *passage)
{
        const struct hot__websocket_service *service;
        struct hot_websocket *socket;
        struct hot__luggage luggage;
        struct hot__bytes path = {0};
        int r = hot__moving_unpack(passage, &luggage, &path);

        if (r < 0)
                return r;
        service = find(server, path.data);
        socket = service ? hot__websocket_new(service, path.data) : NULL;
        hot__bytes_done(&path);
        if (!socket)
                return service ? -ENOMEM : -EOPNOTSUPP;
        r = hot__websocket_set_output(socket, passage->output.data, passage->output.len);
        if (r == 0)
                r = restore(socket, &luggage);
        if (r == 0)
                passage->guest = socket;
        else
                hot__websocket_gone(socket);
        return r;
}

static void dismiss(void *guest)
{
        hot__websocket_gone(guest);
}

static enum hot__step adopt(struct hot__connection *connection, struct hot__passage *passage)
{
        struct hot__exchange *exchange = hot__moving_arrive(connection);

        if (!exchange)
                return HOT__STEP_CUT;
        exchange->response.websocket = passage->guest;
        hot__websocket_attach(passage->guest, exchange);
        passage->guest = NULL;
        connection->state = HOT__CONNECTION_WEBSOCKET;
        return HOT__STEP_AGAIN;
}

const struct hot__move_kind hot__move_websocket = {
        .name = "http/websocket",
        .version = 1,
        .pin = pin,
        .pack = pack,
        .check = hot__moving_check,
        .admit = admit,
        .dismiss = dismiss,
        .adopt = adopt,
};
