/* SPDX-License-Identifier: MIT */
#include "demo_page.h"

#include <string.h>

/* demo.html, in a file that CMake makes. */
extern const unsigned char demo_page_html[];
extern const size_t demo_page_html_len;

static bool is_get(const char *method)
{
        return !strcmp(method, "GET") || !strcmp(method, "HEAD");
}

/* A hook and no route, since a route for "/" would take all that is below it, which is everything. */
static bool before(const struct hot_http_request *request, struct hot_http_response *response,
                   void *data)
{
        if (strcmp(hot_http_request_path(request), "/") != 0)
                return true;
        if (!is_get(hot_http_request_method(request))) {
                hot_http_response_status(response, 405);
                hot_http_response_header(response, "Allow", "GET, HEAD");
                return false;
        }
        counter_add(data);
        hot_http_response_header(response, "Content-Type", "text/html; charset=utf-8");
        hot_http_response_header(response, "Cache-Control", "no-cache");
        hot_http_response_write(response, demo_page_html, demo_page_html_len);
        return false;
}

void demo_page_add(struct hot_http *server, struct counter *requests)
{
        hot_http_before_each(server, before, requests);
}
