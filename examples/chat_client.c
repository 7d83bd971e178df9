/* SPDX-License-Identifier: MIT */
#include "chat_client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define TEXT_MAX 440 /* a line of his, so that it fits one of the log with his nick in front */

/* That he will be in when he has heard what was said up to now. */
static const char *client_room(const struct client *client)
{
        return client->passport.moves ? client->passport.next_room : client->passport.room;
}

static bool client_has_room(const struct client *client)
{
        return sizeof(client->output) - client->output_len >= HALL_LINE_MAX;
}

/* Where he has room. */
__attribute__((format(printf, 2, 3))) static void client_tell(struct client *client,
                                                              const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        client->output_len += (size_t)vsnprintf(client->output + client->output_len, HALL_LINE_MAX,
                                                format, arguments);
        va_end(arguments);
}

/* What was said in his room, as far as he has room for it. Returns 1 if that is all, 0, or a negative errno. */
static int client_hear(const struct hall *hall, struct client *client)
{
        struct passport *passport = &client->passport;
        struct hall_line line;
        int64_t place = passport->place;
        int r;

        while ((r = hall_read(hall, &place, &line)) > 0 && client_has_room(client)) {
                passport->place = place;
                if (passport->moves && place >= passport->moves) {
                        memcpy(passport->room, passport->next_room, sizeof(passport->room));
                        passport->moves = 0;
                } else if (!strcmp(line.room, passport->room)) {
                        client_tell(client, "%s", line.text);
                }
        }
        return r < 0 ? r : r == 0;
}

static void client_list(const struct hall *hall, struct client *client)
{
        struct passport *passport = &client->passport;
        uint32_t seat = passport->who - 1;
        char nick[HALL_NAME_MAX];

        while (passport->who && client_has_room(client)) {
                if (hall_find(hall, passport->room, &seat, nick)) {
                        client_tell(client, "= %s\n", nick);
                        passport->who = seat + 1;
                        passport->n_who++;
                } else {
                        client_tell(client, "= %u here, generation %d\n", passport->n_who,
                                    (int)hall->generation);
                        passport->who = passport->n_who = 0;
                }
        }
}

static bool is_name(const char *text)
{
        size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");

        return n > 0 && n < HALL_NAME_MAX && !text[n];
}

void client_leave(const struct hall *hall, struct client *client, const char *why)
{
        struct hall_claim *claim = &client->passport.claim;

        if (!claim->ticket)
                return;
        hall_say(hall, client_room(client), "* %s %s\n", client->passport.nick, why);
        hall_leave(hall, claim);
        claim->ticket = 0;
}

void client_dismiss(const struct hall *hall, struct client *client, const char *words)
{
        if (client_has_room(client) && !client->passport.quits)
                client_tell(client, "* %s\n", words);
        client->passport.quits = 1;
        client_leave(hall, client, "leaves");
}

static void client_call(const struct hall *hall, struct client *client, const char *nick)
{
        struct passport *passport = &client->passport;
        int r = is_name(nick) ? hall_sit(hall, &passport->claim, nick, passport->room) : -EINVAL;

        if (r < 0) {
                client_tell(client, "! %.40s: %s\n", nick, r == -EEXIST ? "taken" : "not a name");
                return;
        }
        hall_say(hall, passport->room, "* %s is now %s\n", passport->nick, nick);
        memcpy(passport->nick, nick, strlen(nick) + 1);
}

/* He is in the old room for what was said there up to now: see client_hear(). */
static void client_join(const struct hall *hall, struct client *client, const char *room)
{
        struct passport *passport = &client->passport;
        int64_t moves;

        if (!is_name(room)) {
                client_tell(client, "! %.40s: not a name\n", room);
                return;
        }
        moves = hall_say(hall, passport->room, "* %s goes to %s\n", passport->nick, room);
        if (moves < 0) {
                client_tell(client, "! not now\n");
                return;
        }
        passport->moves = moves;
        hall_say(hall, room, "* %s joins %s\n", passport->nick, room);
        memcpy(passport->next_room, room, strlen(room) + 1);
        hall_sit(hall, &passport->claim, passport->nick, room);
}

static void client_obey(const struct hall *hall, struct client *client, const char *line)
{
        struct passport *passport = &client->passport;

        for (const char *c = line; *c; c++) {
                if ((unsigned char)*c < ' ' && *c != '\t') {
                        client_tell(client, "! not a text\n");
                        return;
                }
        }
        if (!strncmp(line, "NICK ", 5)) {
                client_call(hall, client, line + 5);
        } else if (!strncmp(line, "JOIN ", 5)) {
                client_join(hall, client, line + 5);
        } else if (!strcmp(line, "WHO")) {
                passport->who = 1;
        } else if (!strcmp(line, "QUIT")) {
                client_dismiss(hall, client, "bye");
        } else if (*line) {
                line += strncmp(line, "SAY ", 4) ? 0 : 4;
                if (hall_say(hall, passport->room, "%s: %s\n", passport->nick, line) < 0)
                        client_tell(client, "! not said\n");
        }
}

/* Take a line out of his input. Returns false if there is none; it is empty if it was too long. */
static bool client_take_line(struct client *client, char line[TEXT_MAX + 1])
{
        struct passport *passport = &client->passport;
        const char *end = memchr(client->input, '\n', client->input_len);
        size_t taken = end ? (size_t)(end - client->input) + 1 : client->input_len, len = taken;

        if (!end && (passport->skips ? len == 0 : len <= TEXT_MAX + 1))
                return false;
        if (end)
                len -= len > 1 && end[-1] == '\r' ? 2 : 1;
        if (len > TEXT_MAX && !passport->skips)
                client_tell(client, "! a line has %d bytes at most\n", TEXT_MAX);
        if (len > TEXT_MAX || passport->skips)
                len = 0;
        for (size_t i = 0; i < len; i++)
                line[i] = client->input[i] ? client->input[i] : '\1';
        line[len] = '\0';
        passport->skips = !end;
        client->input_len -= taken;
        memmove(client->input, client->input + taken, client->input_len);
        return true;
}

/* What he has to be told, and what he says, until he has room for no more answers: 0, or nothing is left: 1. */
static int client_talk(const struct hall *hall, struct client *client)
{
        char line[TEXT_MAX + 1];

        while (!client->passport.quits) {
                int r = client_hear(hall, client);
                if (r <= 0)
                        return r;
                client_list(hall, client);
                if (!client_has_room(client))
                        return 0;
                if (client_take_line(client, line))
                        client_obey(hall, client, line);
                else if (client->ended)
                        client->passport.quits = 1;
                else
                        break;
        }
        return 1;
}

static int client_flush(struct client *client)
{
        ssize_t n =
                send(client->fd, client->output, client->output_len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        client->output_len -= (size_t)n;
        memmove(client->output, client->output + n, client->output_len);
        return 0;
}

int client_work(const struct hall *hall, struct client *client)
{
        int r, w;

        do {
                r = client_talk(hall, client);
                w = client->output_len ? client_flush(client) : 0;
        } while (r == 0 && w == 0 && !client->output_len);
        return r < 0 ? r : w < 0 ? w : r;
}

void client_read(struct client *client)
{
        size_t room = sizeof(client->input) - client->input_len;
        ssize_t n =
                room ? recv(client->fd, client->input + client->input_len, room, MSG_DONTWAIT) : 0;

        if (n > 0)
                client->input_len += (size_t)n;
        else if (room && (n == 0 || (errno != EAGAIN && errno != EINTR)))
                client->ended = true;
        if (client->passport.quits)
                client->input_len = 0;
}

void client_sit(const struct hall *hall, struct client *client)
{
        struct passport *passport = &client->passport;
        int r = *passport->nick
                        ? hall_sit(hall, &passport->claim, passport->nick, client_room(client))
                        : -EEXIST;

        while (r == -EEXIST) {
                snprintf(passport->nick, sizeof(passport->nick), "guest%lu", hall_number(hall));
                r = hall_sit(hall, &passport->claim, passport->nick, client_room(client));
        }
        if (r < 0)
                client_dismiss(hall, client, "no seat is free");
}

void client_enter(const struct hall *hall, struct client *client)
{
        struct passport *passport = &client->passport;

        strcpy(passport->room, "lobby");
        passport->place = hall_end(hall);
        client_sit(hall, client);
        if (passport->quits)
                return;
        client_tell(client, "* you are %s in %s, generation %d\n", passport->nick, passport->room,
                    (int)hall->generation);
        hall_say(hall, passport->room, "* %s joins %s\n", passport->nick, passport->room);
}
