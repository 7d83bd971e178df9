/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_TICKETS_H
#define HOT_HTTP_TICKETS_H

/*
 * The keys of session tickets. A ticket is a TLS session that the client keeps for us, encrypted; resuming
 * it saves both sides most of a handshake. It survives a restart only if the keys do.
 *
 * There are three: tickets are made with the current one, and taken if they were made with the current, the
 * previous or the next. The next is known before it is used, so that the generation before us, which may
 * have to serve again, takes tickets that we have made after our next rotation.
 *
 * Rotation is by time, when a ticket is made or taken: a ticket can be used for at least one period, and for
 * less than two. Thread-safe but for init and done: every loop makes tickets. Keys are wiped when they go.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOT__TICKET_NAME 16
#define HOT__TICKET_KEY  32

struct hot__ticket_key {
        unsigned char name[HOT__TICKET_NAME]; /* in the ticket, in clear */
        unsigned char aes[HOT__TICKET_KEY];
        unsigned char mac[HOT__TICKET_KEY];
};

enum hot__ticket_age {
        HOT__TICKET_PREVIOUS,
        HOT__TICKET_CURRENT,
        HOT__TICKET_NEXT,
        HOT__N_TICKET_KEYS,
};

struct hot__tickets {
        pthread_mutex_t lock; /* of what follows */
        struct hot__ticket_key key[HOT__N_TICKET_KEYS];
        uint64_t period_ms;
        uint64_t rotate_at; /* CLOCK_BOOTTIME, ms */
};

/* What travels to the next generation, and its version. */
#define HOT__TICKETS_SCHEMA 1
#define HOT__TICKETS_SIZE   (8 + HOT__N_TICKET_KEYS * (HOT__TICKET_NAME + 2 * HOT__TICKET_KEY))

/* Fresh keys. Returns 0, or -EIO if there is no randomness. */
int hot__tickets_init(struct hot__tickets *tickets, unsigned int period_s);

void hot__tickets_done(struct hot__tickets *tickets);

/* The time that rotation goes by, in ms. */
uint64_t hot__tickets_now(void);

/* The key for a new ticket. Returns 0 or -EIO. */
int hot__tickets_current(struct hot__tickets *tickets, uint64_t now,
                         struct hot__ticket_key *ret_key);

/* The key of that name, and how old it is; -ENOENT if it is none of the three. */
int hot__tickets_find(struct hot__tickets *tickets, uint64_t now, const unsigned char *name,
                      struct hot__ticket_key *ret_key);

/* To and from the next generation. What was not written by hot__tickets_export() is -EINVAL, and changes
 * nothing. */
void hot__tickets_export(struct hot__tickets *tickets, unsigned char bytes[HOT__TICKETS_SIZE]);
int hot__tickets_import(struct hot__tickets *tickets, uint64_t now, const void *bytes, size_t len);

#endif
