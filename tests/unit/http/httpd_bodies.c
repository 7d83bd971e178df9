/* SPDX-License-Identifier: MIT */
/*
 * Handlers of httpd that have to do with bodies on their way, and with responses that are completed later.
 *
 *      POST /received      reads the body as it arrives: its length, and how the reading ended
 *      POST /mirror        sends the body back as it arrives
 *      POST /unread        reads nothing of it
 *      POST /paced         reads one piece, waits for the word, reads the rest
 *      GET  /received-last what the last reader of a body had read and returned
 *      GET  /later         is completed by another thread
 *      GET  /later-stream  the same, in pieces
 *      GET  /never         is completed when nobody waits for it any more
 *      GET  /cancelled     how many were told so
 *      GET  /file?path=P&offset=N&length=N, GET /pipe?bytes=N&promised=N
 *      GET  /trailers      a stream with trailers, and POST /trailers says those of the request
 *      GET  /stalled       a producer that has something after the word only
 */
#include "httpd.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int cancelled;
static atomic_llong last_length;
static atomic_int last_result = 1;

static void note_last(long long length, ssize_t result)
{
        atomic_store(&last_length, length);
        atomic_store(&last_result, (int)result);
}

static void on_received(const struct hot_http_request *request, struct hot_http_response *response,
                        void *data)
{
        char buffer[5000];
        long long length = 0;
        ssize_t n;

        (void)data;
        while ((n = hot_http_request_read(request, buffer, sizeof(buffer))) > 0)
                length += n;
        note_last(length, n);
        hot_http_response_printf(response, "%lld %zd", length, n);
}

static void on_last(const struct hot_http_request *request, struct hot_http_response *response,
                    void *data)
{
        (void)request, (void)data;
        hot_http_response_printf(response, "%lld %d", atomic_load(&last_length),
                                 atomic_load(&last_result));
}

static void on_mirror(const struct hot_http_request *request, struct hot_http_response *response,
                      void *data)
{
        char buffer[5000];
        ssize_t n;

        (void)data;
        hot_http_response_stream(response);
        while ((n = hot_http_request_read(request, buffer, sizeof(buffer))) > 0) {
                hot_http_response_write(response, buffer, (size_t)n);
                hot_http_response_flush(response);
        }
}

static void on_unread(const struct hot_http_request *request, struct hot_http_response *response,
                      void *data)
{
        (void)request, (void)data;
        hot_http_response_printf(response, "not read");
}

static void on_paced(const struct hot_http_request *request, struct hot_http_response *response,
                     void *data)
{
        char byte;

        if (hot_http_request_read(request, &byte, 1) == 1)
                httpd_wait();
        on_received(request, response, data);
}

static void *complete_later(void *argument)
{
        struct hot_http_response *response = argument;

        httpd_wait();
        hot_http_response_printf(response, "later\n");
        hot_http_response_complete(response);
        return NULL;
}

static void *stream_later(void *argument)
{
        struct hot_http_response *response = argument;

        hot_http_response_stream(response);
        hot_http_response_printf(response, "now\n");
        hot_http_response_flush(response);
        return complete_later(response);
}

static void on_later(const struct hot_http_request *request, struct hot_http_response *response,
                     void *data)
{
        pthread_t thread;

        (void)request;
        hot_http_response_defer(response);
        pthread_create(&thread, NULL, data ? stream_later : complete_later, response);
        pthread_detach(thread);
}

static void on_gone(void *data)
{
        atomic_fetch_add(&cancelled, 1);
        hot_http_response_complete(data);
}

static void on_never(const struct hot_http_request *request, struct hot_http_response *response,
                     void *data)
{
        (void)request, (void)data;
        hot_http_response_defer(response);
        hot_http_response_on_cancel(response, on_gone, response);
}

static void on_cancelled(const struct hot_http_request *request, struct hot_http_response *response,
                         void *data)
{
        (void)request, (void)data;
        hot_http_response_printf(response, "%d", atomic_load(&cancelled));
}

static void on_file(const struct hot_http_request *request, struct hot_http_response *response,
                    void *data)
{
        char path[512] = "", length[24] = "-1";

        (void)data;
        hot_http_request_parameter(request, "path", path, sizeof(path));
        hot_http_request_parameter(request, "length", length, sizeof(length));
        hot_http_response_take_file(response, open(path, O_RDONLY | O_CLOEXEC),
                                    (int64_t)httpd_number(request, "offset"), atoll(length));
}

struct writer {
        int fd;
        size_t bytes;
};

static void *write_to_pipe(void *argument)
{
        struct writer *writer = argument;
        char piece[1000];

        for (size_t at = 0; at < writer->bytes;) {
                size_t n = writer->bytes - at < sizeof(piece) ? writer->bytes - at : sizeof(piece);

                httpd_fill(piece, at, n);
                if (write(writer->fd, piece, n) != (ssize_t)n)
                        break;
                at += n;
        }
        close(writer->fd);
        free(writer);
        return NULL;
}

static void on_pipe(const struct hot_http_request *request, struct hot_http_response *response,
                    void *data)
{
        struct writer *writer = calloc(1, sizeof(*writer));
        char promised[24] = "-1";
        pthread_t thread;
        int ends[2];

        (void)data;
        if (pipe2(ends, O_CLOEXEC) < 0)
                abort();
        hot_http_request_parameter(request, "promised", promised, sizeof(promised));
        *writer = (struct writer){ends[1], httpd_number(request, "bytes")};
        pthread_create(&thread, NULL, write_to_pipe, writer);
        pthread_detach(thread);
        hot_http_response_take_descriptor(response, ends[0], atoll(promised));
}

static void on_trailers(const struct hot_http_request *request, struct hot_http_response *response,
                        void *data)
{
        const char *digest = hot_http_request_trailer(request, "digest");

        (void)data;
        if (!strcmp(hot_http_request_method(request), "POST")) {
                hot_http_response_printf(response, "%s", digest ? digest : "none");
                return;
        }
        hot_http_response_header(response, "Trailer", "Digest");
        hot_http_response_stream(response);
        hot_http_response_printf(response, "body");
        hot_http_response_trailer(response, "Digest", "abc");
        hot_http_response_trailer(response, "Count", "4");
}

/* A producer and the thread that has something for it: either may be the last to let go. */
struct stalled {
        pthread_mutex_t lock;
        struct hot_http_response *response; /* NULL: over */
        bool ready, waiter_left;
};

static void stalled_free(struct stalled *stalled)
{
        pthread_mutex_destroy(&stalled->lock);
        free(stalled);
}

static ssize_t stalled_produce(void *data, char *buffer, size_t size)
{
        struct stalled *stalled = data;
        ssize_t n = -EAGAIN;

        pthread_mutex_lock(&stalled->lock);
        if (stalled->ready)
                n = snprintf(buffer, size, "there");
        if (n > 0)
                stalled->ready = false;
        else if (stalled->waiter_left)
                n = 0;
        pthread_mutex_unlock(&stalled->lock);
        return n;
}

static void stalled_done(void *data)
{
        struct stalled *stalled = data;
        bool last;

        pthread_mutex_lock(&stalled->lock);
        stalled->response = NULL;
        last = stalled->waiter_left;
        pthread_mutex_unlock(&stalled->lock);
        if (last)
                stalled_free(stalled);
}

static void *stalled_wait(void *argument)
{
        struct stalled *stalled = argument;
        bool last;

        httpd_wait();
        pthread_mutex_lock(&stalled->lock);
        stalled->ready = stalled->waiter_left = true;
        if (stalled->response)
                hot_http_response_resume(stalled->response);
        last = !stalled->response;
        pthread_mutex_unlock(&stalled->lock);
        if (last)
                stalled_free(stalled);
        return NULL;
}

static void on_stalled(const struct hot_http_request *request, struct hot_http_response *response,
                       void *data)
{
        struct stalled *stalled = calloc(1, sizeof(*stalled));
        pthread_t thread;

        (void)request, (void)data;
        pthread_mutex_init(&stalled->lock, NULL);
        stalled->response = response;
        hot_http_response_produce(response, -1, stalled_produce, stalled, stalled_done);
        pthread_create(&thread, NULL, stalled_wait, stalled);
        pthread_detach(thread);
}

static bool before(const struct hot_http_request *request, struct hot_http_response *response,
                   void *data)
{
        (void)data;
        hot_http_response_header(response, "X-Before", "yes");
        if (strcmp(hot_http_request_path(request), "/forbidden") != 0)
                return true;
        hot_http_response_status(response, 403);
        hot_http_response_printf(response, "no\n");
        return false;
}

static void after(const struct hot_http_request *request, const struct hot_http_outcome *outcome,
                  void *data)
{
        const char *method = hot_http_request_method(request);

        (void)data;
        if (method && !strcmp(hot_http_request_path(request), "/inside"))
                return; /* asked again and again */
        fprintf(stderr, "after %s %s %d %d %llu\n", method ? method : "-",
                method ? hot_http_request_target(request) : "-", outcome->status, outcome->error,
                (unsigned long long)outcome->sent);
}

void httpd_set_up_bodies(struct hot_http *server)
{
        static char in_pieces[] = "in pieces";

        hot_http_handle_streaming(server, "POST", "/received", on_received, NULL);
        hot_http_handle(server, "GET", "/received-last", on_last, NULL);
        hot_http_handle_streaming(server, "POST", "/mirror", on_mirror, NULL);
        hot_http_handle_streaming(server, "POST", "/unread", on_unread, NULL);
        hot_http_handle_streaming(server, "POST", "/paced", on_paced, NULL);
        hot_http_handle(server, "GET", "/later", on_later, NULL);
        hot_http_handle(server, "GET", "/later-stream", on_later, in_pieces);
        hot_http_handle(server, "GET", "/never", on_never, NULL);
        hot_http_handle(server, "GET", "/cancelled", on_cancelled, NULL);
        hot_http_handle(server, "GET", "/file", on_file, NULL);
        hot_http_handle(server, "GET", "/pipe", on_pipe, NULL);
        hot_http_handle_blocking(server, NULL, "/trailers", on_trailers, NULL);
        hot_http_handle(server, "GET", "/stalled", on_stalled, NULL);
        hot_http_before_each(server, before, NULL);
        hot_http_after_each(server, after, NULL);
}
