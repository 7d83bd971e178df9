/* SPDX-License-Identifier: MIT */
#ifndef EXPERIMENT_PATIENCE_H
#define EXPERIMENT_PATIENCE_H

/*
 * Waiting: for descriptors, until a moment, never beyond the deadline of the whole experiment, and never
 * through a Ctrl-C. SIGINT, SIGTERM and SIGHUP are blocked and read here, so that every way out of the
 * experiment passes its end, where it kills what it started.
 */

#include <poll.h>
#include <signal.h>
#include <stdint.h>

#define SECOND      UINT64_C(1000000000)
#define MILLISECOND UINT64_C(1000000)

struct patience {
        int signal_fd; /* owned */
        uint64_t deadline;
        sigset_t original; /* the signal mask before: what a child gets */
};

/* Returns 0 or a negative errno. */
int patience_init(struct patience *ret, unsigned int seconds);
void patience_done(struct patience *patience);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t patience_now(void);

/*
 * Wait for one of the descriptors (negative ones are passed over) or the moment @until. Returns 1, 0 when
 * @until has come, -EINTR after a signal, -ETIMEDOUT past the deadline, or another negative errno.
 */
int patience_wait(const struct patience *patience, struct pollfd *fds, nfds_t n, uint64_t until);

#endif
