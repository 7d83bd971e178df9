/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CLIENT_H
#define CHAT_CLIENT_H

/*
 * A client of the chat: what he says and what he hears. Nothing here knows of the loop or of restarts.
 *
 * His place in the log moves over a line in the turn in which that line is put into his output, and what he says
 * leaves his input in the turn in which it is appended: between two turns a client is exactly his passport and his
 * bytes, and can go elsewhere with them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "chat_hall.h"

#define PASSPORT_VERSION 1

/* Everything about a client but his bytes. */
struct passport {
        char nick[HALL_NAME_MAX];
        char room[HALL_NAME_MAX];
        char next_room[HALL_NAME_MAX];
        int64_t place; /* he has what was said in front of it */
        int64_t moves; /* he is in the next room from this place on; 0: he stays */
        struct hall_claim claim;
        uint32_t who;   /* WHO is being answered: the next seat; 0: it is not */
        uint32_t n_who; /* names so far */
        uint32_t skips; /* the rest of a line that was too long */
        uint32_t quits; /* he is not heard any more; what he has to be told still is */
};

struct client {
        LIST_ENTRY(client) link;
        int fd;          /* owned; -1: he has gone, or was given away */
        uint32_t events; /* that epoll looks for; 0: it does not know him */
        bool stays;      /* the next generation did not take him */
        bool ended;      /* nothing more comes from him */
        struct passport passport;
        size_t input_len, output_len;
        char input[1024], output[4096];
};

/* Somebody new comes in. */
void client_enter(const struct hall *hall, struct client *client);

/* He takes his seat again, in this generation. */
void client_sit(const struct hall *hall, struct client *client);

/* Everybody is told that he goes, unless they know. */
void client_leave(const struct hall *hall, struct client *client, const char *why);

/* One read, as far as there is room. */
void client_read(struct client *client);

/*
 * Hear, say and write all that can be now. Returns 1; 0: he does not read, so that there is no room for more;
 * or a negative errno: nothing can be written to him, or -EOVERFLOW: what he did not read is forgotten.
 */
int client_work(const struct hall *hall, struct client *client);

/* The last words. */
void client_dismiss(const struct hall *hall, struct client *client, const char *words);

#endif
