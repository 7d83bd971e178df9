/* SPDX-License-Identifier: MIT */
#ifndef CHAT_HALL_H
#define CHAT_HALL_H

/*
 * What is said in the rooms of the chat and who is in them, in memory that all generations share.
 *
 * It is one file in memory, kept from generation to generation, and a bell that rings in all of them.
 *
 *   the log     Lines of one size, appended with one write(2) each, which no page boundary divides: a line is
 *               there whole or not at all, whoever is killed while he writes it, and all read the same lines
 *               in the same order. The place of a line is its offset. Only the last ones are kept: the rest is
 *               a hole in the file.
 *   the seats   In front of the log, one for each client, changed under a lock that ends with its holder. A
 *               seat belongs to a generation, which holds another lock as long as it lives, so that the
 *               seats of one that was killed are free.
 */

#include <hotstart.h>

#include <stdbool.h>
#include <stdint.h>

#define HALL_NAME_MAX 24
#define HALL_LINE_MAX 512
#define HALL_N_SEATS  4096

/* How many lines at least are remembered. */
#define HALL_N_LINES 2048

struct hall_line {
        char room[HALL_NAME_MAX];
        char text[HALL_LINE_MAX - HALL_NAME_MAX]; /* as it is sent, with its newline */
};

struct hall_seat {
        uint64_t generation; /* whose it is; 0: it is free */
        uint64_t ticket;     /* no two who sat here have the same */
        char nick[HALL_NAME_MAX];
        char room[HALL_NAME_MAX];
};

struct hall {
        int file, bell; /* owned; poll the bell edge-triggered, and never read it */
        uint64_t generation;
        struct hall_page *page; /* mapped */
};

/* Somebody's claim to a seat. Zeroed: none. */
struct hall_claim {
        uint32_t seat;
        uint64_t ticket;
};

/*
 * Enter the hall of the generation before us, or build one. Call it between hot_open() and hot_ready().
 * Returns 0, -EPROTO (it was built by a release that this one does not know), or another errno.
 */
int hall_open(struct hall *hall, struct hot *hot);

/* Say a line, which is cut if it is too long. Returns the place behind it, or a negative errno. */
int64_t hall_say(const struct hall *hall, const char *room, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/*
 * The next line at *place, whatever the room, and move on. Returns 1; 0: there is none yet; or -EOVERFLOW: it
 * is not remembered any more.
 */
int hall_read(const struct hall *hall, int64_t *place, struct hall_line *ret_line);

/* The place where the next line will be. */
int64_t hall_end(const struct hall *hall);

/*
 * Sit down: on the seat of the claim, whichever generation had it, else on a free one. Returns 0, -EEXIST
 * (somebody else has that nick) or -ENOSPC, and then nothing has changed.
 */
int hall_sit(const struct hall *hall, struct hall_claim *claim, const char *nick, const char *room);

/* A number that nobody else gets. */
uint64_t hall_number(const struct hall *hall);

/* Get up. */
void hall_leave(const struct hall *hall, const struct hall_claim *claim);

/* The nick on the first seat from *seat on that is taken by somebody in @room; *seat is behind it then. */
bool hall_find(const struct hall *hall, const char *room, uint32_t *seat, char *ret_nick);

#endif
