/* SPDX-License-Identifier: MIT */
#include "control_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fd.h"

int hot__control_client_peer(int fd, pid_t *ret_pid, uid_t *ret_uid)
{
        struct ucred peer;
        socklen_t len = sizeof(peer);

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
                return -errno;
        *ret_pid = peer.pid;
        *ret_uid = peer.uid;
        return 0;
}

void hot__control_client_take_fd(struct hot__control_client *client, int fd)
{
        *client = (struct hot__control_client){.fd = fd};
}

void hot__control_client_linger(struct hot__control_client *client)
{
        shutdown(client->fd, SHUT_WR);
        client->lingering = true;
}

bool hot__control_client_spill(const struct hot__control_client *client)
{
        char spilt[4096];
        ssize_t n;

        do
                n = recv(client->fd, spilt, sizeof(spilt), MSG_DONTWAIT);
        while (n < 0 && errno == EINTR);
        return n > 0 || (n < 0 && errno == EAGAIN);
}

void hot__control_client_done(struct hot__control_client *client)
{
        client->fd = hot__fd_close(client->fd);
        free(client->output);
        *client = (struct hot__control_client){.fd = -EBADF};
}

/*
 * Only one line is taken from the socket at a time: what is behind it stays there, where it makes the
 * descriptor readable, and where it goes with the connection if another generation gets that.
 */
static ssize_t receive_line(struct hot__control_client *client)
{
        char *at = client->input + client->input_len;
        size_t room = sizeof(client->input) - client->input_len;
        const char *end;
        ssize_t n;

        do
                n = recv(client->fd, at, room, MSG_DONTWAIT | MSG_PEEK);
        while (n < 0 && errno == EINTR);
        if (n <= 0)
                return n;
        end = memchr(at, '\n', (size_t)n);
        return recv(client->fd, at, end ? (size_t)(end - at) + 1 : (size_t)n, MSG_DONTWAIT);
}

enum hot__control_said hot__control_client_hear(struct hot__control_client *client,
                                                char ret_line[HOT__CONTROL_LINE_MAX])
{
        ssize_t n = receive_line(client);

        if (n < 0 && errno == EAGAIN)
                return HOT__CONTROL_SAID_NOTHING;
        if (n <= 0)
                return HOT__CONTROL_SAID_END;
        client->input_len += (size_t)n;
        if (client->input[client->input_len - 1] == '\n') {
                memcpy(ret_line, client->input, client->input_len);
                ret_line[client->input_len - 1] = '\0';
                /* What stands before a zero is not what was said. */
                if (strlen(ret_line) != client->input_len - 1)
                        ret_line[0] = '\0';
                client->input_len = 0;
                return HOT__CONTROL_SAID_LINE;
        }
        return client->input_len == sizeof(client->input) ? HOT__CONTROL_SAID_TOO_MUCH
                                                          : HOT__CONTROL_SAID_NOTHING;
}

/* Returns how much was sent, 0 if there is no room, or a negative errno. */
static ssize_t send_some(int fd, const char *text, size_t len)
{
        ssize_t n;

        do
                n = send(fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return errno == EAGAIN ? 0 : -errno;
        return n;
}

int hot__control_client_flush(struct hot__control_client *client)
{
        while (client->output_len > 0) {
                ssize_t n = send_some(client->fd, client->output, client->output_len);

                if (n <= 0)
                        return n == 0 ? 1 : (int)n;
                client->output_len -= (size_t)n;
                memmove(client->output, client->output + n, client->output_len);
        }
        free(client->output);
        client->output = NULL;
        return 0;
}

int hot__control_client_say(struct hot__control_client *client, const char *text, size_t len)
{
        char *output;
        int r = hot__control_client_flush(client);

        if (r < 0)
                return r;
        output = realloc(client->output, client->output_len + len);
        if (!output)
                return -ENOMEM;
        memcpy(output + client->output_len, text, len);
        client->output = output;
        client->output_len += len;
        r = hot__control_client_flush(client);
        return r < 0 ? r : 0;
}
