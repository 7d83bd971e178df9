/* SPDX-License-Identifier: MIT */
#include "talk.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* No server has so much to say. */
#define LINE_MAX_BYTES ((size_t)64 << 20)

#define PROTOCOL 1

static int64_t now_ms(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Wait until there is something to read. @until below 0: for ever. */
static int await_input(int fd, int64_t until)
{
        for (;;) {
                struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
                int64_t left = until < 0 ? -1 : until - now_ms();
                int r;

                if (until >= 0 && left < 0)
                        left = 0;
                r = poll(&poll_fd, 1, (int)left);
                if (r > 0)
                        return 0;
                if (r == 0)
                        return -ETIMEDOUT;
                if (errno != EINTR)
                        return -errno;
        }
}

static int grow(struct talk *talk)
{
        size_t size = talk->size ? talk->size * 2 : 4096;
        char *input;

        if (talk->len < talk->size)
                return 0;
        if (size > LINE_MAX_BYTES)
                return -EPROTO;
        input = realloc(talk->input, size);
        if (!input)
                return -ENOMEM;
        talk->input = input;
        talk->size = size;
        return 0;
}

static int read_more(struct talk *talk, int64_t until)
{
        ssize_t n;
        int r = grow(talk);

        if (r == 0)
                r = await_input(talk->fd, until);
        if (r < 0)
                return r;
        n = recv(talk->fd, talk->input + talk->len, talk->size - talk->len, MSG_DONTWAIT);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0
                       : errno == ECONNRESET             ? TALK_END
                                                         : -errno;
        if (n == 0)
                return TALK_END;
        talk->len += (size_t)n;
        return 0;
}

/* What the first @len bytes say; they and their newline are gone then. */
static int take_line(struct talk *talk, size_t len, json_t **ret)
{
        json_t *answer = json_loadb(talk->input, len, JSON_REJECT_DUPLICATES, NULL);

        talk->len -= len + 1;
        memmove(talk->input, talk->input + len + 1, talk->len);
        if (!json_is_string(json_object_get(answer, "type"))) {
                json_decref(answer);
                return -EPROTO;
        }
        *ret = answer;
        return 0;
}

int talk_hear(struct talk *talk, int patience_ms, json_t **ret)
{
        int64_t until = patience_ms < 0 ? -1 : now_ms() + patience_ms;
        size_t looked_at = 0;

        for (;;) {
                const char *end = talk->len > looked_at ? memchr(talk->input + looked_at, '\n',
                                                                 talk->len - looked_at)
                                                        : NULL;
                int r;

                if (end)
                        return take_line(talk, (size_t)(end - talk->input), ret);
                looked_at = talk->len;
                r = read_more(talk, until);
                if (r != 0)
                        return r;
        }
}

bool talk_is(const json_t *answer, const char *type)
{
        return strcmp(talk_text(answer, "type", ""), type) == 0;
}

const char *talk_text(const json_t *object, const char *key, const char *otherwise)
{
        const char *text = json_string_value(json_object_get(object, key));

        return text ? text : otherwise;
}

json_int_t talk_number(const json_t *object, const char *key, json_int_t otherwise)
{
        const json_t *value = json_object_get(object, key);

        return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

static int hear_greeting(struct talk *talk, int patience_ms)
{
        int r = talk_hear(talk, patience_ms, &talk->hello);

        if (r != 0)
                return r == TALK_END ? -ECONNRESET : r;
        /* A server that does not want us says so instead. */
        if (talk_is(talk->hello, "error"))
                return -EACCES;
        return talk_is(talk->hello, "hello") && talk_number(talk->hello, "hotstart", 0) >= PROTOCOL
                       ? 0
                       : -EPROTO;
}

/* The socket, and then who made it listen: neither may be a stranger's. */
static int check_owner(int fd, const char *path, uid_t owner)
{
        struct ucred maker;
        socklen_t len = sizeof(maker);
        struct stat st;

        if (stat(path, &st) < 0)
                return -errno;
        if (!S_ISSOCK(st.st_mode))
                return -ENOTSOCK;
        if (st.st_uid != owner && st.st_uid != 0)
                return -EPERM;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &maker, &len) < 0)
                return -errno;
        return maker.uid == owner || maker.uid == 0 ? 0 : -EPERM;
}

static int connect_to(int fd, const char *path, int patience_ms)
{
        const struct timeval patience = {.tv_sec = patience_ms / 1000,
                                         .tv_usec = patience_ms % 1000 * 1000};
        struct sockaddr_un un = {.sun_family = AF_UNIX};

        if (strlen(path) >= sizeof(un.sun_path))
                return -ENAMETOOLONG;
        strcpy(un.sun_path, path);
        /* connect(2) to a UNIX socket waits for room in the backlog as long as a send may take. */
        if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
            connect(fd, (const struct sockaddr *)&un, sizeof(un)) < 0)
                return errno == EAGAIN ? -ETIMEDOUT : -errno;
        return 0;
}

int talk_open(struct talk *ret, const char *path, uid_t owner, int patience_ms)
{
        struct talk talk = {.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        int r;

        if (talk.fd < 0)
                return -errno;
        r = connect_to(talk.fd, path, patience_ms);
        if (r == 0)
                r = check_owner(talk.fd, path, owner);
        if (r == 0)
                r = hear_greeting(&talk, patience_ms);
        if (r < 0) {
                talk_close(&talk);
                return r;
        }
        *ret = talk;
        return 0;
}

void talk_close(struct talk *talk)
{
        if (talk->fd >= 0)
                close(talk->fd);
        json_decref(talk->hello);
        free(talk->input);
        *talk = (struct talk){.fd = -1};
}

int talk_ask(struct talk *talk, const char *line)
{
        char request[256];
        int n = snprintf(request, sizeof(request), "%s\n", line);
        ssize_t sent;

        if (n < 0 || (size_t)n >= sizeof(request))
                return -EINVAL;
        do
                sent = send(talk->fd, request, (size_t)n, MSG_NOSIGNAL);
        while (sent < 0 && errno == EINTR);
        return sent == n ? 0 : sent < 0 ? -errno : -EPIPE;
}

int talk_status(struct talk *talk, json_t **ret)
{
        json_t *answer;
        int r = talk_ask(talk, "status");

        if (r == 0)
                r = talk_hear(talk, TALK_PATIENCE_MS, &answer);
        if (r == 0 && !talk_is(answer, "status")) {
                json_decref(answer);
                r = -EPROTO;
        }
        if (r == 0)
                *ret = answer;
        return r;
}

static bool is_listed(const struct talk *talk, const char *key, pid_t pid)
{
        const json_t *pids = json_object_get(talk->hello, key);

        for (size_t i = 0; i < json_array_size(pids); i++)
                if (json_integer_value(json_array_get(pids, i)) == pid)
                        return true;
        return false;
}

bool talk_knew_pid(const struct talk *talk, pid_t pid)
{
        return is_listed(talk, "former", pid);
}

bool talk_knows_pid(struct talk *talk, pid_t pid)
{
        const json_t *known;
        json_t *status = NULL;
        bool found = is_listed(talk, "pids", pid);

        if (found || talk_status(talk, &status) != 0)
                return found;
        known = json_object_get(status, "generations");
        for (size_t i = 0; i < json_array_size(known) && !found; i++)
                found = talk_number(json_array_get(known, i), "pid", 0) == pid;
        json_decref(status);
        return found;
}

bool talk_shares_pids(const struct talk *talk)
{
        struct stat st;

        return stat("/proc/self/ns/pid", &st) == 0 &&
               talk_number(talk->hello, "pid_namespace", -1) == (json_int_t)st.st_ino;
}
