/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "exchange.h"
#include "field.h"
#include "upgrade.h"
#include "websocket.h"
#include "websocket_key.h"

#define VERSION "13"

/* What is wrong with it: a status, or 0. */
static int check(const struct hot_http_request *request)
{
        const char *version = hot_http_request_header(request, "sec-websocket-version");

        if (!hot__upgrade_is_asked(request, "websocket") || !version ||
            strcmp(version, VERSION) != 0)
                return 426;
        if (request->body.len ||
            !hot__websocket_key_is_valid(hot_http_request_header(request, "sec-websocket-key")))
                return 400;
        return 0;
}

static void refuse(struct hot_http_response *response, int status)
{
        if (status != 426) {
                hot__response_set_error(response, status);
                return;
        }
        hot__upgrade_require(response, "websocket");
        hot__field_append(&response->fields, "Sec-WebSocket-Version", VERSION);
}

void hot__websocket_handshake(const struct hot_http_request *request,
                              struct hot_http_response *response, void *data)
{
        const struct hot__websocket_service *service = data;
        char accept[HOT__WEBSOCKET_ACCEPT_SIZE];
        struct hot_websocket *socket;
        int status = check(request);
        void *state = NULL;

        if (status) {
                refuse(response, status);
                return;
        }
        socket = hot__websocket_new(service, request->path.data);
        if (!socket || hot__websocket_key_answer(
                               hot_http_request_header(request, "sec-websocket-key"), accept) < 0) {
                hot_websocket_release(socket);
                refuse(response, 503);
                return;
        }
        hot__websocket_attach(socket, hot__exchange_of(response));
        if (service->handler.open &&
            service->handler.open(socket, request, response, service->data, &state) < 0) {
                hot__websocket_gone(socket);
                hot__upgrade_forbid(response);
                return;
        }
        hot__websocket_set_open(socket, state);
        response->websocket = socket;
        hot__response_upgrade(response, "websocket");
        hot__field_append(&response->fields, "Sec-WebSocket-Accept", accept);
}
