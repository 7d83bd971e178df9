/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_WITNESS_H
#define HOT_VERIFY_WITNESS_H

/*
 * The witness: one request now and then, of which the kernel is asked who holds the server's end of its
 * connection. So it is known which process answers, whatever the server says about itself, or does not.
 *
 * The last two bytes of the request are kept back until the connection has been accepted, so that a server
 * that closes after its answer cannot be too quick to be looked at.
 */

#include <stdint.h>

#include "target.h"

struct witness {
        int diag_fd;
        const struct hot__target *target; /* lent */
        char head[600];
        size_t head_size;
};

struct testimony {
        uint64_t connect;  /* when connect(2) began */
        uint64_t answered; /* when the first byte of the answer came */
        uint64_t inode;    /* of the server's end; 0 if it could not be told */
};

/* Returns 0, -ENAMETOOLONG or another negative errno. */
int witness_init(struct witness *ret, const struct hot__target *target, const char *path);
void witness_done(struct witness *witness);

/* Returns 0, or a negative errno if there was no answer: -ETIMEDOUT after a second. */
int witness_ask(const struct witness *witness, struct testimony *ret);

#endif
