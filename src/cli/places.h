/* SPDX-License-Identifier: MIT */
#ifndef HOT_CLI_PLACES_H
#define HOT_CLI_PLACES_H

/*
 * The directories in which control sockets may be, and the names in them. A directory that others could
 * have put something into is passed over.
 */

#include "process.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Told of one directory (O_PATH) and its owner: returns true to end the search, and owns the descriptor
 * then; else it is closed.
 */
typedef bool place_visitor(void *data, int directory, uid_t owner);

/*
 * Visit the places of a process: those of its user, as it sees them. Returns 1 if the visitor ended the
 * search, else 0 or the most telling negative errno.
 */
int places_of_process(const struct process *process, place_visitor *visit, void *data);

/* Visit the places of the effective user. */
int places_of_user(place_visitor *visit, void *data);

/* The names that may be sockets of servers: numbers, in order. */
struct place_names {
        char (*name)[16];
        size_t n;
};

/* Returns 0 or a negative errno. */
int place_names_read(int directory, struct place_names *ret);

void place_names_free(struct place_names *names);

#endif
