/* SPDX-License-Identifier: MIT */
/* Which paths serve WebSockets, and how; while the server is set up. */
#include <errno.h>
#include <stdlib.h>

#include "server.h"
#include "websocket.h"

int hot_http_handle_websocket(struct hot_http *server, const char *path,
                              const struct hot_websocket_handler *handler, void *data)
{
        bool sound = handler && handler->size >= sizeof(*handler) && handler->message &&
                     !handler->save == !handler->restore;
        int r = hot__server_setting(server, sound ? 0 : -EINVAL);
        struct hot__websocket_service *service;

        if (r < 0)
                return r;
        service = calloc(1, sizeof(*service));
        if (!service)
                return hot__server_setting(server, -ENOMEM);
        service->handler = *handler;
        service->data = data;
        if (!service->handler.message_size)
                service->handler.message_size = 1 << 20;
        if (!service->handler.queue_size)
                service->handler.queue_size = 1 << 20;
        if (!service->handler.ping_ms)
                service->handler.ping_ms = 30000;
        service->next = server->websockets;
        server->websockets = service;
        return hot_http_handle(server, "GET", path, hot__websocket_handshake, service);
}

void hot__websocket_services_free(struct hot__websocket_service *services)
{
        while (services) {
                struct hot__websocket_service *next = services->next;

                free(services);
                services = next;
        }
}
