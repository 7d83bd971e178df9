/* SPDX-License-Identifier: MIT */
/* Which paths serve tunnels, and how, while the server is set up; and the requests for them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"
#include "field.h"
#include "server.h"
#include "token.h"
#include "tunnel.h"
#include "upgrade.h"

static bool is_protocol(const char *protocol)
{
        size_t len = strlen(protocol);
        size_t name = hot__token_length(protocol, len);

        if (len == 0 || name == 0 || name == len)
                return name > 0;
        return protocol[name] == '/' &&
               hot__token_length(protocol + name + 1, len - name - 1) == len - name - 1;
}

static bool is_sound(const char *path, const char *protocol,
                     const struct hot_tunnel_handler *handler)
{
        return handler && handler->size >= sizeof(*handler) && handler->bytes &&
               !handler->save == !handler->restore &&
               (protocol ? is_protocol(protocol) : path && !strcmp(path, "/"));
}

int hot_http_handle_upgrade(struct hot_http *server, const char *path, const char *protocol,
                            const struct hot_tunnel_handler *handler, void *data)
{
        int r = hot__server_setting(server, is_sound(path, protocol, handler) ? 0 : -EINVAL);
        struct hot__tunnel_service *service;

        if (r < 0)
                return r;
        service = calloc(1, sizeof(*service));
        if (service && protocol)
                service->protocol = strdup(protocol);
        if (!service || (protocol && !service->protocol)) {
                free(service);
                return hot__server_setting(server, -ENOMEM);
        }
        service->handler = *handler;
        service->data = data;
        if (!service->handler.queue_size)
                service->handler.queue_size = 262144;
        service->next = server->tunnels;
        server->tunnels = service;
        if (!protocol)
                server->limits.head.connect = true;
        return hot_http_handle(server, protocol ? "GET" : "CONNECT", path, hot__tunnel_handshake,
                               service);
}

void hot__tunnel_services_free(struct hot__tunnel_service *services)
{
        while (services) {
                struct hot__tunnel_service *next = services->next;

                free(services->protocol);
                free(services);
                services = next;
        }
}

/* What is wrong with the request: a status, or 0. A body would be the tunnel's first bytes to some, and none to
 * others. */
static int check(const struct hot_http_request *request, const char *protocol)
{
        if (protocol ? !hot__upgrade_is_asked(request, protocol) : request->http_2)
                return protocol ? 426 : 501;
        return hot_http_request_header(request, "content-length") ||
                               hot_http_request_header(request, "transfer-encoding")
                       ? 400
                       : 0;
}

static void refuse(struct hot_http_response *response, int status, const char *protocol)
{
        if (status == 426)
                hot__upgrade_require(response, protocol);
        else
                hot__response_set_error(response, status);
}

void hot__tunnel_handshake(const struct hot_http_request *request,
                           struct hot_http_response *response, void *data)
{
        const struct hot__tunnel_service *service = data;
        int status = check(request, service->protocol);
        struct hot_tunnel *tunnel;
        void *state = NULL;

        tunnel = status ? NULL : hot__tunnel_new(service, request->path.data);
        if (!tunnel) {
                refuse(response, status ? status : 503, service->protocol);
                return;
        }
        hot__tunnel_attach(tunnel, hot__exchange_of(response));
        if (service->handler.open &&
            service->handler.open(tunnel, request, response, service->data, &state) < 0) {
                hot__tunnel_gone(tunnel, 0);
                hot__upgrade_forbid(response);
                return;
        }
        hot__tunnel_set_open(tunnel, state);
        response->tunnel = tunnel;
        hot__response_upgrade(response, service->protocol);
}
