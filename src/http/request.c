/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "request.h"

#define PATH_KEEP     1024
#define BODY_KEEP     16384
#define TRAILERS_KEEP 256

void hot__request_clear(struct hot_http_request *request)
{
        hot__bytes_clear(&request->path, PATH_KEEP);
        hot__bytes_clear(&request->body, BODY_KEEP);
        hot__bytes_clear(&request->trailers, TRAILERS_KEEP);
        hot__body_close(&request->stream);
        atomic_store_explicit(&request->cancelled, false, memory_order_relaxed);
        request->method = NULL;
        request->method_len = 0;
        request->target = "";
        request->query = NULL;
        request->n_fields = 0;
        request->n_trailers = 0;
        request->id[0] = '\0';
        request->http_1_0 = request->http_2 = false;
        request->keep_alive = false;
}

void hot__request_done(struct hot_http_request *request)
{
        hot__bytes_done(&request->path);
        hot__bytes_done(&request->body);
        hot__bytes_done(&request->trailers);
        hot__body_close(&request->stream);
}

int hot__request_set_path(struct hot_http_request *request)
{
        const char *path = request->target;
        const char *query = strchr(path, '?');
        const char *authority = *path == '/' ? NULL : strstr(path, "://");
        size_t len;
        int r;

        if (request->method_len == 7 && !memcmp(request->method, "CONNECT", 7))
                path += strlen(path); /* it has none: the target is who is to be reached */
        if (authority) {
                path = authority + 3;
                path += strcspn(path, "/?");
        }
        len = query ? (size_t)(query - path) : strlen(path);
        if (len)
                r = hot__bytes_append(&request->path, path, len);
        else
                r = hot__bytes_append(&request->path, "/", 1);
        if (r == 0)
                r = hot__bytes_append(&request->path, "", 1);
        request->query = query ? query + 1 : NULL;
        return r;
}

const char *hot_http_request_method(const struct hot_http_request *request)
{
        return request->method;
}

const char *hot_http_request_target(const struct hot_http_request *request)
{
        return request->target;
}

const char *hot_http_request_path(const struct hot_http_request *request)
{
        return request->path.data;
}

const char *hot_http_request_query(const struct hot_http_request *request)
{
        return request->query;
}

const char *hot_http_request_header(const struct hot_http_request *request, const char *name)
{
        for (size_t i = 0; i < request->n_fields; i++)
                if (!strcasecmp(request->fields[i].name, name))
                        return request->fields[i].value;
        return NULL;
}

const char *hot_http_request_trailer(const struct hot_http_request *request, const char *name)
{
        const struct hot__field *trailers = request->fields + request->n_fields;

        for (size_t i = 0; i < request->n_trailers; i++)
                if (!strcasecmp(trailers[i].name, name))
                        return trailers[i].value;
        return NULL;
}

bool hot_http_request_header_at(const struct hot_http_request *request, size_t index,
                                const char **ret_name, const char **ret_value)
{
        if (index >= request->n_fields)
                return false;
        *ret_name = request->fields[index].name;
        *ret_value = request->fields[index].value;
        return true;
}

const char *hot_http_request_body(const struct hot_http_request *request, size_t *ret_length)
{
        if (ret_length)
                *ret_length = request->body.len;
        return request->body.len ? request->body.data : "";
}

bool hot_http_request_cancelled(const struct hot_http_request *request)
{
        return atomic_load(&request->cancelled);
}

static int hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The next character of a query, decoded; moves *at past it. Returns it, or -EINVAL. */
static int decode_one(const char **at, const char *end)
{
        int high, low;

        if (**at == '+') {
                (*at)++;
                return ' ';
        }
        if (**at != '%')
                return (unsigned char)*(*at)++;
        if (end - *at < 3)
                return -EINVAL;
        high = hex_digit((*at)[1]);
        low = hex_digit((*at)[2]);
        if (high < 0 || low < 0 || high + low == 0)
                return -EINVAL;
        *at += 3;
        return high << 4 | low;
}

static bool name_is(const char *at, const char *end, const char *name)
{
        while (at < end && *name)
                if (decode_one(&at, end) != (unsigned char)*name++)
                        return false;
        return at == end && !*name;
}

static ssize_t decode_value(const char *at, const char *end, char *buffer, size_t size)
{
        size_t n = 0;

        while (at < end) {
                int c = decode_one(&at, end);

                if (c < 0)
                        return c;
                if (n + 1 >= size)
                        return -ENOSPC;
                buffer[n++] = (char)c;
        }
        if (n >= size)
                return -ENOSPC;
        buffer[n] = '\0';
        return (ssize_t)n;
}

ssize_t hot_http_request_parameter(const struct hot_http_request *request, const char *name,
                                   char *buffer, size_t size)
{
        const char *at = request->query;

        while (at && *at) {
                const char *end = at + strcspn(at, "&");
                const char *equals = memchr(at, '=', (size_t)(end - at));
                const char *name_end = equals ? equals : end;

                if (name_is(at, name_end, name))
                        return decode_value(equals ? equals + 1 : end, end, buffer, size);
                at = *end ? end + 1 : end;
        }
        return -ENOENT;
}
