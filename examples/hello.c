/* SPDX-License-Identifier: MIT */
#include <hotstart/http.h>
#include <unistd.h>

static void test(const struct hot_http_request *request, struct hot_http_response *response,
                 void *data)
{
        (void)request, (void)data;
        hot_http_response_printf(response, "test 22222");
}

static void hello(const struct hot_http_request *request, struct hot_http_response *response,
                  void *data)
{
        (void)request, (void)data;
        sleep(20);
        hot_http_response_printf(response, "hello world233333!!!!");
}

int main(void)
{
        struct hot_http *server = NULL;

        hot_http_new(&server, ":9999", NULL);
        hot_http_handle(server, "GET", "/test", test, NULL);
        hot_http_handle_blocking(server, "GET", "/hello", hello, NULL);
        return hot_http_listen_and_serve(server) < 0;
}
