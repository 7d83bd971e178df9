/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_CAUSES_H
#define HOT_VERIFY_CAUSES_H

/*
 * Causes: for each way in which a request can fail, in words, what it looks like to a client, why servers
 * do that when they are restarted, and what mends it. Pure.
 */

#include <stdbool.h>

#include "outcome.h"

struct cause {
        const char *class;
        const char *what; /* "12 requests …" */
        const char *why, *mend;
};

/* @rebound: listening sockets had been replaced in the restarts in which it happened. */
const struct cause *causes_of(enum hot__outcome outcome, bool rebound);

/* What a profile's clients do, in a few words; a kind of reconnect likewise. */
const char *causes_profile(const char *name);
const char *causes_reconnect(int kind);

#endif
