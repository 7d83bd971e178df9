/* SPDX-License-Identifier: MIT */
#include "control.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "fd.h"

/*
 * All connections to the control socket: who gets one, when it is read and written, how it ends, and how
 * it moves to another generation.
 *
 * At most one request is taken in a turn: what it causes may be several events, and those are fetched
 * before the next input is taken.
 */

/* How soon a client is tried again that there was no descriptor or no memory for. */
#define ACCEPT_AGAIN_MS 100

static unsigned int source_of(const struct hot *hot, const struct hot__control_client *client)
{
        return HOT__SOURCE_CONTROL + HOT__CONTROL_FIRST_CLIENT +
               (unsigned int)(client - hot->control->clients);
}

void hot__control_drop(struct hot *hot, struct hot__control_client *client)
{
        hot__unwatch(hot, client->fd);
        hot__control_client_done(client);
}

/* Wait for room while something is unsent, for requests otherwise: an answer that is not read keeps its
 * client from asking for more. */
static void watch_again(struct hot *hot, const struct hot__control_client *client)
{
        struct epoll_event event = {.data = {.u32 = source_of(hot, client)}};

        if (client->output_len > 0)
                event.events = EPOLLOUT;
        else if (!client->ended)
                event.events = EPOLLIN;
        epoll_ctl(hot->epoll_fd, EPOLL_CTL_MOD, client->fd, &event);
}

/* Does anybody wait for what it has asked? */
static bool is_owed(const struct hot__control_client *client)
{
        return client->waits_for || client->wants_status || client->subscribed;
}

static void go_on(struct hot *hot, struct hot__control_client *client)
{
        if (client->output_len == 0 && client->ended && !is_owed(client)) {
                hot__control_drop(hot, client);
                return;
        }
        if (client->output_len == 0 && client->closing && !client->lingering)
                hot__control_client_linger(client);
        watch_again(hot, client);
}

void hot__control_say(struct hot *hot, struct hot__control_client *client, struct hot__json *json)
{
        bool piled_up = client->output_len > HOT__CONTROL_PENDING_MAX;
        int r = hot__json_line(json);

        if (client->fd >= 0 && r == 0 && !piled_up)
                r = hot__control_client_say(client, json->text, json->len);
        hot__json_done(json);
        if (client->fd < 0)
                return;
        if (r < 0 || piled_up)
                hot__control_drop(hot, client);
        else
                go_on(hot, client);
}

void hot__control_refuse(struct hot *hot, struct hot__control_client *client, const char *message)
{
        struct hot__json json = {0};

        hot__answer_error(&json, message);
        hot__control_say(hot, client, &json);
}

static bool is_idle(const struct hot__control_client *client)
{
        return !is_owed(client) && client->output_len == 0;
}

/* A free slot; if there is none, that of whoever has been silent the longest and waits for nothing. */
static struct hot__control_client *find_slot(struct hot *hot)
{
        struct hot__control_client *oldest = NULL;

        for (size_t i = 0; i < HOT__CONTROL_CLIENTS; i++) {
                struct hot__control_client *client = &hot->control->clients[i];

                if (client->fd < 0)
                        return client;
                if (is_idle(client) && (!oldest || client->used < oldest->used))
                        oldest = client;
        }
        if (oldest)
                hot__control_drop(hot, oldest);
        return oldest;
}

struct hot__control_client *hot__control_add_fd(struct hot *hot, int fd)
{
        struct hot__control_client *client = find_slot(hot);

        if (!client) {
                hot__fd_close(fd);
                return NULL;
        }
        hot__control_client_take_fd(client, fd);
        client->used = hot__now();
        if (hot__watch(hot, fd, source_of(hot, client)) < 0) {
                hot__control_client_done(client);
                return NULL;
        }
        return client;
}

/* Ours and root's only. The kernel says who it is, as it was when it connected. */
static void receive(struct hot *hot, int fd)
{
        struct hot__control_client *client;
        struct hot__json json = {0};
        char who[64];
        pid_t pid = 0;
        uid_t uid = (uid_t)-1;
        int r = hot__control_client_peer(fd, &pid, &uid);
        bool welcome = r == 0 && (uid == geteuid() || uid == 0);

        client = hot__control_add_fd(hot, fd);
        if (!client)
                return;
        if (welcome) {
                hot__answer_hello(hot, &json);
                hot__control_say(hot, client, &json);
                return;
        }
        snprintf(who, sizeof(who), "process %d of user %u", (int)pid, (unsigned int)uid);
        hot__event_trouble(hot, HOT_STEP_CONTROL, EPERM, who);
        client->closing = true;
        hot__control_refuse(hot, client, "this server talks to its own user and to root only");
}

static bool is_lack(int error)
{
        return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

/* It stays in the queue, and the listener readable: looked at without end that would be all we do. */
static void accept_later(struct hot *hot)
{
        hot__unwatch(hot, hot->control->socket.fd);
        hot->accept_at = hot__in(ACCEPT_AGAIN_MS);
        hot__set_timer(hot);
}

void hot__control_accept_again(struct hot *hot)
{
        hot->accept_at = 0;
        if (hot__watch(hot, hot->control->socket.fd, HOT__SOURCE_CONTROL + HOT__CONTROL_LISTENER) <
            0)
                hot->accept_at = hot__in(ACCEPT_AGAIN_MS);
        hot__set_timer(hot);
}

static void accept_one(struct hot *hot)
{
        int fd = accept4(hot->control->socket.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0 && is_lack(errno))
                accept_later(hot);
        if (fd >= 0)
                fd = hot__fd_take_above_stdio(fd);
        if (fd >= 0)
                receive(hot, fd);
}

void hot__control_set_accepting(struct hot *hot, bool accepting)
{
        struct hot__control *control = hot->control;

        if (!control || control->accepting == accepting || control->socket.fd < 0)
                return;
        control->accepting = accepting;
        if (accepting) {
                hot__control_accept_again(hot);
                return;
        }
        hot->accept_at = 0;
        hot__unwatch(hot, control->socket.fd);
}

static void hand_on(struct hot *hot, struct hot__control_client *client, const char *requests)
{
        struct hot__frame frame = {.type = HOT__CONTROL};
        int r = -EPIPE;

        /* Half an answer must not be followed by another's. */
        if (hot__control_client_flush(client) == 0) {
                snprintf(frame.text, sizeof(frame.text), "%s", requests);
                r = hot__send_frame(hot, &hot->successor, HOT__SOURCE_SUCCESSOR, &frame,
                                    &client->fd, 1);
        }
        if (r == 0) {
                hot__control_drop(hot, client);
                return;
        }
        client->closing = true;
        hot__control_refuse(
                hot, client,
                "another generation serves, and cannot be reached from here; connect again");
}

void hot__control_pass_on(struct hot *hot, struct hot__control_client *client, const char *line)
{
        if (!hot->life.peer_is_seed)
                hand_on(hot, client, line);
        else
                hot__control_refuse(hot, client,
                                    "the generation that serves does not know this "
                                    "protocol, and cannot be reached through it");
}

/* The other end is closed, half or wholly: who waits for an answer may still get it in the first case. */
static void take_end(struct hot *hot, struct hot__control_client *client)
{
        client->ended = true;
        go_on(hot, client);
}

static bool has_hung_up(int fd)
{
        struct pollfd poll_fd = {.fd = fd};

        return poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & (POLLHUP | POLLERR));
}

static void hear(struct hot *hot, struct hot__control_client *client)
{
        char line[HOT__CONTROL_LINE_MAX];

        switch (hot__control_client_hear(client, line)) {
        case HOT__CONTROL_SAID_NOTHING:
                break;
        case HOT__CONTROL_SAID_LINE:
                hot__control_take_request(hot, client, line);
                break;
        case HOT__CONTROL_SAID_TOO_MUCH:
                client->closing = true;
                hot__control_refuse(hot, client, "a request is one line of a few words");
                break;
        case HOT__CONTROL_SAID_END:
                take_end(hot, client);
                break;
        }
}

static void dispatch_client(struct hot *hot, struct hot__control_client *client)
{
        if (client->fd < 0)
                return;
        if (client->output_len > 0) {
                if (hot__control_client_flush(client) < 0)
                        hot__control_drop(hot, client);
                else
                        go_on(hot, client);
        } else if (client->lingering) {
                if (!hot__control_client_spill(client))
                        hot__control_drop(hot, client);
        } else if (client->ended) {
                if (has_hung_up(client->fd))
                        hot__control_drop(hot, client);
        } else {
                hear(hot, client);
        }
}

void hot__control_dispatch(struct hot *hot, unsigned int index)
{
        if (!hot->control)
                return;
        if (index == HOT__CONTROL_LISTENER)
                accept_one(hot);
        else if (index == HOT__CONTROL_TIMER)
                hot__control_collected(hot);
        else
                dispatch_client(hot, &hot->control->clients[index - HOT__CONTROL_FIRST_CLIENT]);
}
