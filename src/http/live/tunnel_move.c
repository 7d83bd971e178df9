/* SPDX-License-Identifier: MIT */
/*
 * A tunnel goes from one generation to the next at any byte: what its host has not taken goes as input, what was
 * accepted to be sent as output, and which side has ended as two flags.
 */
#include <errno.h>
#include <string.h>

#include "exchange.h"
#include "input.h"
#include "luggage.h"
#include "move.h"
#include "moving.h"
#include "server.h"
#include "tunnel.h"
#include "worker.h"

static struct hot_tunnel *tunnel_of(const struct hot__connection *connection)
{
        return connection->exchange->response.tunnel;
}

static enum hot__pin pin(const struct hot__connection *connection)
{
        const struct hot__tunnel_service *service = hot__tunnel_service(tunnel_of(connection));

        return service->handler.save ? HOT__PIN_NOT : HOT__PIN_TUNNEL;
}

static ssize_t save(void *about, void *buffer, size_t size)
{
        struct hot_tunnel *tunnel = about;

        return hot__tunnel_service(tunnel)->handler.save(tunnel, buffer, size,
                                                         hot_tunnel_state(tunnel));
}

static enum hot__pin pack_sealed(struct hot__connection *connection, struct hot__passage *passage)
{
        struct hot_tunnel *tunnel = tunnel_of(connection);
        const struct hot__tunnel_service *service = hot__tunnel_service(tunnel);
        struct hot__moving moving = {
                .saver = save,
                .about = tunnel,
                .path = hot__tunnel_path(tunnel),
                .protocol = service->protocol,
                .version = service->handler.version,
                .flags = hot__tunnel_ends(tunnel),
        };
        int r = hot__moving_pack(&moving, passage);
        size_t len;
        const char *output = hot__tunnel_output(tunnel, &len);

        if (r == 0)
                r = hot__bytes_append(&passage->output, output, len);
        return r == 0 ? HOT__PIN_NOT : r == -ENOMEM ? HOT__PIN_MEMORY : HOT__PIN_TUNNEL;
}

static enum hot__pin pack(struct hot__connection *connection, struct hot__passage *passage)
{
        struct hot_tunnel *tunnel = tunnel_of(connection);
        enum hot__pin pin;

        hot__tunnel_seal(tunnel, true);
        pin = pack_sealed(connection, passage);
        if (pin != HOT__PIN_NOT) {
                hot__tunnel_seal(tunnel, false);
                return pin;
        }
        connection->exchange->response.tunnel = NULL;
        hot__tunnel_gone(tunnel, HOT_HTTP_MOVED);
        hot__moving_leave(connection, passage);
        return HOT__PIN_NOT;
}

static bool same_protocol(const struct hot__tunnel_service *service,
                          const struct hot__luggage *luggage)
{
        size_t len = service->protocol ? strlen(service->protocol) : 0;

        return len == luggage->id_len && (len == 0 || !memcmp(service->protocol, luggage->id, len));
}

/* What its path serves here, or NULL. */
static const struct hot__tunnel_service *find(const struct hot_http *server,
                                              const struct hot__luggage *luggage, const char *path)
{
        const struct hot__tunnel_service *service = hot__moving_find(
                server, luggage->id_len ? "GET" : "CONNECT", path, hot__tunnel_handshake);

        if (!service || !service->handler.restore)
                return NULL;
        return same_protocol(service, luggage) ? service : NULL;
}

static int restore(struct hot_tunnel *tunnel, const struct hot__luggage *luggage)
{
        const struct hot__tunnel_service *service = hot__tunnel_service(tunnel);
        void *state = NULL;
        int r = service->handler.restore(tunnel, luggage->state, luggage->state_len,
                                         (uint32_t)luggage->version, service->data, &state);

        if (r < 0)
                return r;
        hot__tunnel_set_open(tunnel, state);
        return 0;
}

static int admit(struct hot_http *server, struct hot__passage *passage)
{
        const struct hot__tunnel_service *service;
        struct hot_tunnel *tunnel;
        struct hot__luggage luggage;
        struct hot__bytes path = {0};
        int r = hot__moving_unpack(passage, &luggage, &path);

        if (r < 0)
                return r;
        service = find(server, &luggage, path.data);
        tunnel = service ? hot__tunnel_new(service, path.data) : NULL;
        hot__bytes_done(&path);
        if (!tunnel)
                return service ? -ENOMEM : -EOPNOTSUPP;
        hot__tunnel_set_ends(tunnel, (unsigned int)luggage.flags);
        r = hot__tunnel_set_output(tunnel, passage->output.data, passage->output.len);
        if (r == 0)
                r = restore(tunnel, &luggage);
        if (r == 0)
                passage->guest = tunnel;
        else
                hot__tunnel_gone(tunnel, r);
        return r;
}

static void dismiss(void *guest)
{
        hot__tunnel_gone(guest, -ECONNABORTED);
}

static enum hot__step adopt(struct hot__connection *connection, struct hot__passage *passage)
{
        struct hot__exchange *exchange = hot__moving_arrive(connection);

        if (!exchange)
                return HOT__STEP_CUT;
        exchange->response.tunnel = passage->guest;
        hot__tunnel_attach(passage->guest, exchange);
        passage->guest = NULL;
        connection->state = HOT__CONNECTION_TUNNEL;
        return HOT__STEP_AGAIN;
}

const struct hot__move_kind hot__move_tunnel = {
        .name = "http/tunnel",
        .version = 1,
        .pin = pin,
        .pack = pack,
        .check = hot__moving_check,
        .admit = admit,
        .dismiss = dismiss,
        .adopt = adopt,
};
