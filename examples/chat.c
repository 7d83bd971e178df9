/* SPDX-License-Identifier: MIT */
/*
 * A chat on bare epoll, whose clients stay connected over restarts, with their nicks and rooms.
 *
 *     build/chat --listen :9998 &
 *     nc localhost 9998
 *
 *   NICK NAME    call yourself NAME
 *   JOIN ROOM    leave the room for another
 *   SAY TEXT     say it to everybody in the room, and so does any line that is none of these
 *   WHO          who is in the room: "= NAME" for each, "= N here, generation G" behind them
 *   QUIT
 *
 * What is said comes back as "NAME: TEXT" to everybody in the room, the one who said it included; the server's own
 * words begin with "*", and what it did not like with "!".
 *
 * Exactly once, over a restart
 *
 * During one, the members of a room are spread over two generations, and some are on their way between them. It
 * does not matter, since no generation distributes anything: what is said goes into a log that all of them share
 * (chat_hall.h), and a client is a place in that log, from which whoever has him just now sends on.
 *
 *   - A line is taken out of a client's input in the turn in which it is appended to the log. He is given to the next
 *     generation between two turns, with the input that is left: no line of his is said twice, none is lost, and
 *     as only one generation at a time reads from him, his lines are in order.
 *   - A line is put into his output in the turn in which his place moves over it. Both travel together: he gets
 *     each line once, in the order of the log, which is the same for everybody.
 *   - Whoever is refused by the next generation, has to wait until there is room for him there, or comes back
 *     because it died before it had him, is served by the old one. He misses nothing, for the same reason.
 *   - A frozen copy (HOT_RESUMABLE) that comes back unused is right too: nothing was sent to that client, so his
 *     place is still the one that he travelled with.
 *
 * Memory is bounded: a line that is too long is refused and skipped, a client's lines wait until he has room for
 * answers, and who does not read is where he stopped in the log, until that has forgotten what he would have to read.
 */
#include <err.h>
#include <errno.h>
#include <hotstart.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arguments.h"
#include "chat_client.h"
#include "chat_hall.h"

LIST_HEAD(clients, client);

struct chat {
        struct hot *hot;
        struct hall hall;
        int poller, listener;
        bool serves, accepts, draining;
        struct clients clients, gone;
};

/* For @source see main(). Without events it is not looked at any more. */
static void watch(struct chat *chat, int fd, uint32_t before, uint32_t wanted, void *source)
{
        struct epoll_event event = {.events = wanted, .data.ptr = source};
        int operation = !wanted ? EPOLL_CTL_DEL : before ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

        if (before != wanted && epoll_ctl(chat->poller, operation, fd, &event) < 0)
                err(1, "epoll_ctl");
}

static void accept_clients(struct chat *chat, bool wanted)
{
        watch(chat, chat->listener, chat->accepts ? EPOLLIN : 0, wanted ? EPOLLIN : 0,
              &chat->listener);
        chat->accepts = wanted;
}

/* Those of a turn stay in memory until its end: epoll may have told of them already. */
static void client_forget(struct chat *chat, struct client *client)
{
        client->fd = -1;
        LIST_REMOVE(client, link);
        LIST_INSERT_HEAD(&chat->gone, client, link);
        hot_release(chat->hot);
}

static struct client *client_new(struct chat *chat, int fd)
{
        struct client *client = calloc(1, sizeof(*client));

        if (!client)
                err(1, "a client");
        client->fd = fd;
        LIST_INSERT_HEAD(&chat->clients, client, link);
        hot_hold(chat->hot);
        return client;
}

/* In this order, since another generation may hold a copy: HOT_RESUMABLE. */
static void client_close(struct chat *chat, struct client *client, const char *why)
{
        watch(chat, client->fd, client->events, 0, client);
        shutdown(client->fd, SHUT_RDWR);
        close(client->fd);
        client_leave(&chat->hall, client, why);
        client_forget(chat, client);
}

static void client_run(struct chat *chat, struct client *client)
{
        int r = client_work(&chat->hall, client);
        bool told = !client->output_len, over = told && client->passport.quits;
        uint32_t events;

        if (r < 0 || (over && client->ended)) {
                client_close(chat, client, r == -EOVERFLOW ? "is too slow" : "leaves");
                return;
        }
        if (over) /* and wait for his end: an early close may take the last words from him */
                shutdown(client->fd, SHUT_WR);
        events = (r && !client->ended ? EPOLLIN : 0) | (told ? 0 : EPOLLOUT);
        watch(chat, client->fd, client->events, events, client);
        client->events = events;
}

static void client_welcome(struct chat *chat)
{
        int fd = accept4(chat->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        struct client *client;

        if (fd < 0) {
                if (errno == EMFILE || errno == ENFILE)
                        accept_clients(chat, false); /* until somebody leaves */
                return;
        }
        client = client_new(chat, fd);
        client_enter(&chat->hall, client);
        client_run(chat, client);
}

/* Somebody comes from the generation before us, or back from the one after us. */
static void client_arrive(struct chat *chat, const struct hot_event *event)
{
        const struct hot_connection *connection = event->connection;
        struct client *client;

        if (strcmp(connection->kind, "chat") != 0 || connection->version != PASSPORT_VERSION ||
            connection->state_len != sizeof(client->passport) ||
            connection->input_len > sizeof(client->input) ||
            connection->output_len > sizeof(client->output)) {
                hot_refuse_connection(chat->hot, EPROTONOSUPPORT);
                return;
        }
        client = client_new(chat, -1);
        client->stays = connection->error && chat->draining;
        memcpy(&client->passport, connection->state, connection->state_len);
        client->input_len = connection->input_len;
        client->output_len = connection->output_len;
        if (client->input_len)
                memcpy(client->input, connection->input, client->input_len);
        if (client->output_len)
                memcpy(client->output, connection->output, client->output_len);
        client->fd = hot_accept_connection(chat->hot);
        if (!client->passport.quits)
                client_sit(&chat->hall, client);
        client->events = EPOLLIN | EPOLLOUT; /* the latter at once: there may be news */
        watch(chat, client->fd, 0, client->events, client);
}

/* Returns what hot_give() says. */
static int client_give(struct chat *chat, struct client *client)
{
        struct hot_connection connection = {
                .size = sizeof(connection),
                .kind = "chat",
                .fd = client->fd,
                .flags = client->input_len || client->output_len ? 0 : HOT_RESUMABLE,
                .input = client->input,
                .input_len = client->input_len,
                .output = client->output,
                .output_len = client->output_len,
                .state = &client->passport,
                .state_len = sizeof(client->passport),
                .version = PASSPORT_VERSION,
        };
        int r;

        watch(chat, client->fd, client->events, 0, client);
        r = hot_give(chat->hot, &connection);
        if (r == 0) {
                client_forget(chat, client);
        } else {
                watch(chat, client->fd, 0, client->events, client);
                client->stays = r != -EAGAIN;
        }
        return r;
}

/* As many as there is room for. Returns whether anybody left. */
static bool hand_over(struct chat *chat)
{
        bool gave = false;
        int r = 0;

        for (struct client *client = LIST_FIRST(&chat->clients), *next; client && r != -EAGAIN;
             client = next) {
                next = LIST_NEXT(client, link);
                if (!client->stays) {
                        r = client_give(chat, client);
                        gave |= r == 0;
                }
        }
        return gave;
}

/* Those who could not go may the next time. */
static void take_back(struct chat *chat)
{
        for (struct client *client = LIST_FIRST(&chat->clients); client;
             client = LIST_NEXT(client, link))
                client->stays = false;
}

static void say_goodbye(struct chat *chat)
{
        for (struct client *client = LIST_FIRST(&chat->clients), *next; client; client = next) {
                next = LIST_NEXT(client, link);
                client_dismiss(&chat->hall, client, "the server stops");
                client_run(chat, client);
        }
}

/* Returns false when it is over. */
static bool obey(struct chat *chat, const struct hot_event *event)
{
        char text[256];

        switch (event->type) {
        case HOT_SERVE:
        case HOT_RESUME:
                chat->serves = true;
                chat->draining = false;
                take_back(chat);
                accept_clients(chat, true);
                hot_serving(chat->hot);
                break;
        case HOT_QUIESCE:
        case HOT_STOP:
                chat->serves = false;
                accept_clients(chat, false);
                hot_quiesced(chat->hot);
                if (event->type == HOT_STOP)
                        say_goodbye(chat);
                break;
        case HOT_DRAIN:
                chat->draining = true;
                break;
        case HOT_CONNECTION:
                client_arrive(chat, event);
                break;
        case HOT_FAILED:
                warnx("%s", hot_failure_string(event->failure, text, sizeof(text)));
                break;
        case HOT_EXIT:
                return false;
        default:
                break;
        }
        return true;
}

/* Until there is no event, and nobody to be given away: the last of them leave when hot_next() is called. */
static bool take_events(struct chat *chat)
{
        const struct hot_event *event;

        do {
                while ((event = hot_next(chat->hot)))
                        if (!obey(chat, event))
                                return false;
        } while (chat->draining && hand_over(chat));
        return true;
}

static void run_all(struct chat *chat)
{
        for (struct client *client = LIST_FIRST(&chat->clients), *next; client; client = next) {
                next = LIST_NEXT(client, link);
                client_run(chat, client);
        }
}

static bool take_turn(struct chat *chat)
{
        struct epoll_event events[64];
        int n = epoll_wait(chat->poller, events, 64, -1);
        bool goes_on = true;

        for (int i = 0; i < n && goes_on; i++) {
                struct client *client = events[i].data.ptr;

                if (events[i].data.ptr == &chat->hot) {
                        goes_on = take_events(chat);
                } else if (events[i].data.ptr == &chat->listener) {
                        client_welcome(chat);
                } else if (events[i].data.ptr == &chat->hall) {
                        run_all(chat);
                } else if (client->fd >= 0) {
                        if (events[i].events & ~(uint32_t)EPOLLOUT)
                                client_read(client);
                        client_run(chat, client);
                }
        }
        if (!LIST_EMPTY(&chat->gone) && chat->serves && !chat->accepts)
                accept_clients(chat, true);
        for (struct client *client; (client = LIST_FIRST(&chat->gone));) {
                LIST_REMOVE(client, link);
                free(client);
        }
        return goes_on;
}

int main(int argc, char **argv)
{
        static struct chat chat;
        struct arguments arguments;
        int r;

        arguments_read(&arguments, argc, argv, ":9998");
        r = hot_open(&chat.hot, &arguments.options);
        if (r == 0)
                r = hot_signals(chat.hot);
        if (r == 0)
                r = hall_open(&chat.hall, chat.hot);
        if (r == -EPROTO)
                hot_refuse(chat.hot, -r, "the rooms are those of another release");
        if (r == 0)
                r = chat.listener = hot_listen(chat.hot, "chat", arguments.address);
        if (r < 0)
                errx(1, "%s: %s", arguments.address, strerror(-r));

        chat.poller = epoll_create1(EPOLL_CLOEXEC);
        watch(&chat, hot_fd(chat.hot), 0, EPOLLIN, &chat.hot);
        watch(&chat, chat.hall.bell, 0, EPOLLIN | EPOLLET, &chat.hall);
        hot_ready(chat.hot);
        if (take_events(&chat))
                while (take_turn(&chat))
                        ;
        return 0;
}
