/* SPDX-License-Identifier: MIT */
#ifndef HOT_INSPECT_GENERATIONS_H
#define HOT_INSPECT_GENERATIONS_H

/*
 * Which processes of a snapshot serve together, and which generation of their server each one is.
 */

#include "snapshot.h"

/* Set server, generation, program and limit of every process that holds a listener, or that was started to
 * take one over. Returns 0 or -ENOMEM. */
int hot__generations_find(struct hot_snapshot *snapshot);

#endif
