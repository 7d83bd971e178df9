/* SPDX-License-Identifier: MIT */
#ifndef HOT_DECOY_H
#define HOT_DECOY_H

/*
 * A decoy makes a TCP listener deaf for a process that may not filter: a last member of its group to which
 * everything new is steered, and which takes none of it. What has begun goes on, what is queued stays, as with
 * hot__steer_away().
 *
 * The listener is marked, so that whoever shares it sees the decoy and can do without it.
 */

#include <stdbool.h>

#include "settings.h"

/*
 * Put a decoy beside the listener @fd, which has @settings and is one of @n in its group (1: it is in none).
 * Returns 0 and gives the decoy, which works until it is closed; or a negative errno: -EACCES (a port for
 * which a privilege is needed that is gone), -EADDRINUSE (the listener is another user's).
 */
int hot__decoy_set(int fd, const struct hot__settings *settings, unsigned int n, int *ret_fd);

/* Another member of a group that has one: mark it too. */
int hot__decoy_mark(int fd);

/* Is it marked? */
bool hot__decoy_is_set(int fd);

/* Take the mark away. Nothing is steered otherwise by that. Returns whether there was one. */
bool hot__decoy_forget(int fd);

#endif
