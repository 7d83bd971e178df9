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

/* One request of the witness. */
struct testimony {
        int fd;            /* owned, until witness_end() */
        uint64_t connect;  /* when connect(2) began */
        uint64_t answered; /* when the first byte of the answer came; 0: not yet */
        uint64_t inode;    /* of the server's end; 0 if it is not known (yet) */
};

/* Returns 0, -ENAMETOOLONG or another negative errno. */
int witness_init(struct witness *ret, const struct hot__target *target, const char *path);
void witness_done(struct witness *witness);

/*
 * Connect and send nearly all, so that who accepted can be looked for while the connection is sure to be
 * there; send the rest and wait for the answer; read it and close. A server that wants the whole request
 * before it accepts has no inode before the second step. Returns 0, or a negative errno: -ETIMEDOUT after a
 * second. witness_end() is due in every case.
 */
int witness_begin(const struct witness *witness, struct testimony *ret);
int witness_finish(const struct witness *witness, struct testimony *testimony);
void witness_end(struct testimony *testimony);

#endif
