/* SPDX-License-Identifier: MIT */
/*
 * The least that a server does with an installed libhotstart-http: serve one route, and stop once it could.
 */
#include <hotstart/http.h>

#include <stdio.h>

static void hello(const struct hot_http_request *request, struct hot_http_response *response,
                  void *data)
{
        (void)request, (void)data;
        hot_http_response_printf(response, "hello\n");
}

static int announce(struct hot_http *server, const char *address, void *data)
{
        (void)data;
        printf("serving on %s, generation %d\n", address, (int)hot_http_generation(server));
        return hot_http_stop(server);
}

int main(void)
{
        struct hot_http *server = NULL;
        int r;

        hot_http_new(&server, "tcp://127.0.0.1:0", NULL);
        hot_http_handle(server, "GET", "/", hello, NULL);
        hot_http_before_serving(server, announce, NULL);
        r = hot_http_listen_and_serve(server);
        hot_http_free(server);
        return r < 0;
}
