/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "access.h"
#include "request.h"
#include "socket.h"

#define LINES_KEEP 65536

void hot__access_init(struct hot__access *access)
{
        *access = (struct hot__access){.fd = -EBADF};
        pthread_mutex_init(&access->lock, NULL);
}

void hot__access_done(struct hot__access *access)
{
        access->fd = hot__socket_close(access->fd);
        free(access->path);
        access->path = NULL;
        pthread_mutex_destroy(&access->lock);
}

int hot__access_set(struct hot__access *access, const char *path, bool json)
{
        char *copy = strdup(path);

        if (!copy)
                return -ENOMEM;
        free(access->path);
        access->path = copy;
        access->json = json;
        return 0;
}

int hot__access_open(struct hot__access *access)
{
        int fd;

        if (!access->path)
                return 0;
        fd = open(access->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
        if (fd < 0)
                return -errno;
        hot__socket_close(access->fd);
        access->fd = fd;
        return 0;
}

void hot__access_reopen(struct hot__access *access)
{
        atomic_store(&access->reopen, true);
}

static bool is_plain(unsigned char c)
{
        return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* What a client sent must not end a line or a field of it. JSON knows no \x: there it is a code point. */
static void append_escaped(struct hot__bytes *line, const char *text, const char *escape)
{
        while (*text) {
                char code[8];
                size_t n = 0;

                while (is_plain((unsigned char)text[n]))
                        n++;
                hot__bytes_append(line, text, n);
                text += n;
                if (!*text)
                        break;
                snprintf(code, sizeof(code), escape[1] == 'u' ? "\\u%04x" : "\\x%02X",
                         (unsigned int)(unsigned char)*text++);
                hot__bytes_append_string(line, code);
        }
}

static void append_quoted(struct hot__bytes *line, const char *text)
{
        hot__bytes_append_string(line, "\"");
        if (text && *text)
                append_escaped(line, text, "\\x");
        else
                hot__bytes_append_string(line, "-");
        hot__bytes_append_string(line, "\"");
}

static const char *version_of(const struct hot_http_request *request)
{
        return request->http_2 ? "HTTP/2.0" : request->http_1_0 ? "HTTP/1.0" : "HTTP/1.1";
}

/* ADDRESS - - [TIME] "METHOD TARGET VERSION" STATUS BYTES "REFERER" "USER AGENT", and the request's id. */
static void format_combined(const struct hot__access_entry *entry, struct hot__bytes *line)
{
        const struct hot_http_request *request = entry->request;
        char text[128], address[64];
        time_t now = time(NULL);
        struct tm tm;

        localtime_r(&now, &tm);
        hot__bytes_append_string(line, hot__peer_string(entry->peer, address, sizeof(address)));
        strftime(text, sizeof(text), " - - [%d/%b/%Y:%H:%M:%S %z] \"", &tm);
        hot__bytes_append_string(line, text);
        if (request->method) {
                append_escaped(line, request->method, "\\x");
                hot__bytes_append_string(line, " ");
                append_escaped(line, request->target, "\\x");
                hot__bytes_append_string(line, " ");
                hot__bytes_append_string(line, version_of(request));
        } else {
                hot__bytes_append_string(line, "-");
        }
        snprintf(text, sizeof(text), "\" %d %" PRIu64 " ", entry->outcome->status,
                 entry->outcome->sent);
        hot__bytes_append_string(line, text);
        append_quoted(line, hot_http_request_header(request, "referer"));
        hot__bytes_append_string(line, " ");
        append_quoted(line, hot_http_request_header(request, "user-agent"));
        hot__bytes_append_string(line, " ");
        hot__bytes_append_string(line, entry->id);
        hot__bytes_append_string(line, "\n");
}

static void append_member(struct hot__bytes *line, const char *name, const char *value)
{
        if (!value)
                return;
        hot__bytes_append_string(line, ",\"");
        hot__bytes_append_string(line, name);
        hot__bytes_append_string(line, "\":\"");
        append_escaped(line, value, "\\u");
        hot__bytes_append_string(line, "\"");
}

static void format_json(const struct hot__access_entry *entry, struct hot__bytes *line)
{
        const struct hot_http_request *request = entry->request;
        const struct hot_http_outcome *outcome = entry->outcome;
        char text[160], address[64];
        struct timespec now;
        struct tm tm;
        size_t n;

        clock_gettime(CLOCK_REALTIME, &now);
        gmtime_r(&now.tv_sec, &tm);
        n = strftime(text, sizeof(text), "{\"time\":\"%Y-%m-%dT%H:%M:%S", &tm);
        snprintf(text + n, sizeof(text) - n, ".%03ldZ\"", now.tv_nsec / 1000000);
        hot__bytes_append_string(line, text);
        append_member(line, "remote", hot__peer_string(entry->peer, address, sizeof(address)));
        append_member(line, "method", request->method);
        append_member(line, "target", request->method ? request->target : NULL);
        append_member(line, "version", request->method ? version_of(request) : NULL);
        snprintf(text, sizeof(text),
                 ",\"status\":%d,\"bytes\":%" PRIu64 ",\"seconds\":%.6f,\"complete\":%s,"
                 "\"generation\":%" PRIu64 ",\"pid\":%d",
                 outcome->status, outcome->sent, (double)outcome->duration_ns / 1e9,
                 outcome->error ? "false" : "true", entry->generation, (int)getpid());
        hot__bytes_append_string(line, text);
        append_member(line, "referer", hot_http_request_header(request, "referer"));
        append_member(line, "user_agent", hot_http_request_header(request, "user-agent"));
        append_member(line, "id", entry->id);
        hot__bytes_append_string(line, "}\n");
}

void hot__access_format(const struct hot__access *access, const struct hot__access_entry *entry,
                        struct hot__bytes *lines)
{
        if (access->json)
                format_json(entry, lines);
        else
                format_combined(entry, lines);
}

void hot__access_write(struct hot__access *access, struct hot__bytes *lines)
{
        if (lines->len == 0)
                return;
        pthread_mutex_lock(&access->lock);
        if (atomic_exchange(&access->reopen, false))
                hot__access_open(access);
        if (!lines->failed)
                hot__socket_write_file(access->fd, lines->data, lines->len);
        pthread_mutex_unlock(&access->lock);
        hot__bytes_clear(lines, LINES_KEEP);
}
