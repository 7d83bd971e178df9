/* SPDX-License-Identifier: MIT */
#include "request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "patience.h"

static bool finish(struct request *request, int error)
{
        request->error = error;
        request->end = patience_now();
        request_done(request);
        return true;
}

void request_done(struct request *request)
{
        if (request->fd >= 0)
                close(request->fd);
        request->fd = -EBADF;
}

static void note_local(struct request *request)
{
        struct sockaddr_in local = {0};
        socklen_t len = sizeof(local);
        char host[INET_ADDRSTRLEN];

        if (getsockname(request->fd, (struct sockaddr *)&local, &len) < 0)
                return;
        inet_ntop(AF_INET, &local.sin_addr, host, sizeof(host));
        snprintf(request->local, sizeof(request->local), "%s:%u", host, ntohs(local.sin_port));
}

void request_start(struct request *request, const struct sockaddr_in *server, const char *path)
{
        *request = (struct request){.path = path, .begin = patience_now()};
        request->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (request->fd < 0) {
                finish(request, errno);
                return;
        }
        if (connect(request->fd, (const struct sockaddr *)server, sizeof(*server)) < 0 &&
            errno != EINPROGRESS) {
                finish(request, errno);
                return;
        }
        note_local(request);
}

short request_events(const struct request *request)
{
        return request->sent ? POLLIN : POLLOUT;
}

/* Returns 1 when the request is out, 0 when the connection is still being made, or a negative errno. */
static int send_head(struct request *request)
{
        char head[256];
        int error = 0, n;
        socklen_t len = sizeof(error);
        struct pollfd writable = {.fd = request->fd, .events = POLLOUT};

        if (poll(&writable, 1, 0) == 0)
                return 0;
        if (getsockopt(request->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error)
                return error ? -error : -errno;
        n = snprintf(head, sizeof(head),
                     "GET %s HTTP/1.1\r\nHost: experiment\r\nConnection: close\r\n\r\n",
                     request->path);
        /* An empty socket buffer takes so few bytes whole. */
        if (send(request->fd, head, (size_t)n, MSG_NOSIGNAL) != n)
                return errno ? -errno : -EPIPE;
        request->sent = true;
        return 1;
}

/* The value of a header field, or NULL. */
static const char *field(const struct request *request, const char *name)
{
        size_t len = strlen(name);
        const char *line = request->response;

        while ((line = strstr(line, "\r\n")) && line + 2 < request->body) {
                line += 2;
                if (strncasecmp(line, name, len) == 0 && line[len] == ':')
                        return line + len + 1;
        }
        return NULL;
}

static uint64_t number_field(const struct request *request, const char *name)
{
        const char *value = field(request, name);

        return value ? strtoull(value, NULL, 10) : 0;
}

/* The connection has ended: is what came a whole response? */
static int parse(struct request *request)
{
        char *end;
        const char *length;

        request->response[request->len] = '\0';
        end = strstr(request->response, "\r\n\r\n");
        if (request->len == 0)
                return ECONNRESET; /* closed on us without a word */
        if (!end || sscanf(request->response, "HTTP/1.1 %3d", &request->status) != 1)
                return EPROTO;
        request->body = end + 4;
        length = field(request, "Content-Length");
        if (length && strtoull(length, NULL, 10) != strlen(request->body))
                return EMSGSIZE;
        request->pid = (pid_t)number_field(request, "X-Pid");
        request->generation = number_field(request, "X-Generation");
        return 0;
}

bool request_continue(struct request *request)
{
        ssize_t n;
        int r;

        if (request->fd < 0)
                return true;
        if (!request->sent) {
                r = send_head(request);
                if (r <= 0)
                        return r < 0 ? finish(request, -r) : false;
        }
        for (;;) {
                size_t room = sizeof(request->response) - 1 - request->len;

                if (room == 0)
                        return finish(request, EMSGSIZE);
                n = recv(request->fd, request->response + request->len, room, 0);
                if (n < 0)
                        return errno == EAGAIN ? false : finish(request, errno);
                if (n == 0)
                        return finish(request, parse(request));
                request->len += (size_t)n;
        }
}

bool request_is_good(const struct request *request, const char *body)
{
        if (request->error || request->status != 200)
                return false;
        return !body || strcmp(request->body, body) == 0;
}
