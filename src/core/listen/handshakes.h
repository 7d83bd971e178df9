/* SPDX-License-Identifier: MIT */
#ifndef HOT_HANDSHAKES_H
#define HOT_HANDSHAKES_H

/*
 * TCP handshakes that have begun at a listener's port and are not in its queue yet (SYN_RECV): what would
 * be reset if the listener were closed.
 */

#include <stddef.h>
#include <stdint.h>

struct hot__handshakes {
        uint64_t *cookies; /* the kernel's numbers for them */
        size_t n;
};

/*
 * Those that are under way now at the port of @fd; none for what is no TCP socket. Which member of a group
 * one belongs to the kernel does not tell: they are the port's. Returns 0 and gives what
 * hot__handshakes_done() takes, or a negative errno where the kernel does not tell: another network namespace's
 * socket, or no inet_diag.
 */
int hot__handshakes_note(int fd, struct hot__handshakes *ret);

/* Is any of @noted still under way? Returns 1, 0 or a negative errno. */
int hot__handshakes_remain(int fd, const struct hot__handshakes *noted);

void hot__handshakes_done(struct hot__handshakes *handshakes);

#endif
