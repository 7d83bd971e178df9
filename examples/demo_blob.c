/* SPDX-License-Identifier: MIT */
#include "demo_blob.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One that is being sent, and what goes to the next generation. */
struct blob {
        uint64_t at, size;
};

static ssize_t produce(void *data, char *buffer, size_t size)
{
        struct blob *blob = data;
        unsigned int phase = (unsigned int)(blob->at % 23);
        size_t n = size;

        if (blob->size - blob->at < n)
                n = (size_t)(blob->size - blob->at);
        for (size_t i = 0; i < n; i++) {
                buffer[i] = (char)('A' + phase);
                phase = phase == 22 ? 0 : phase + 1;
        }
        blob->at += n;
        return (ssize_t)n;
}

static ssize_t save(void *data, void *buffer, size_t size)
{
        if (size >= sizeof(struct blob))
                memcpy(buffer, data, sizeof(struct blob));
        return sizeof(struct blob);
}

/* Returns 0 or a negative errno. */
static int begin(struct hot_http_response *response, const struct blob *from, int64_t length)
{
        struct blob *blob = malloc(sizeof(*blob));
        int r;

        if (!blob)
                return -ENOMEM;
        *blob = *from;
        r = hot_http_response_produce(response, length, produce, blob, free);
        if (r < 0)
                free(blob);
        return r < 0 ? r : hot_http_response_save(response, save, 1);
}

static bool is_chunked(const struct hot_http_request *request)
{
        char text[8];

        return hot_http_request_parameter(request, "length", text, sizeof(text)) > 0 &&
               !strcmp(text, "no");
}

static void handle(const struct hot_http_request *request, struct hot_http_response *response,
                   void *data)
{
        struct blob blob = {0};
        char text[24], *end;
        long long size;

        counter_add(data);
        if (hot_http_request_parameter(request, "bytes", text, sizeof(text)) < 1 || *text < '0' ||
            *text > '9' || (errno = 0, size = strtoll(text, &end, 10), errno || *end)) {
                hot_http_response_status(response, 400);
                hot_http_response_printf(response, "/blob?bytes=N\n");
                return;
        }
        blob.size = (uint64_t)size;
        hot_http_response_header(response, "Content-Type", "application/octet-stream");
        if (begin(response, &blob, is_chunked(request) ? -1 : size) == -ENOMEM)
                hot_http_response_status(response, 503);
}

static int restore(const struct hot_http_request *request, struct hot_http_response *response,
                   const struct hot_http_saved *saved, void *data)
{
        struct blob blob;

        (void)request, (void)data;
        if (saved->version != 1 || saved->length != sizeof(blob))
                return -EPROTONOSUPPORT;
        memcpy(&blob, saved->bytes, sizeof(blob));
        return begin(response, &blob, saved->remaining);
}

void demo_blob_add(struct hot_http *server, struct counter *requests)
{
        hot_http_handle(server, "GET", "/blob", handle, requests);
        hot_http_on_restore(server, "GET", "/blob", restore);
}
