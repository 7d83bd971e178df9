/* SPDX-License-Identifier: MIT */
#ifndef HOT_CLI_DRAIN_H
#define HOT_CLI_DRAIN_H

/*
 * Waiting until nothing older than a generation is left, with a progress bar on a terminal.
 */

#include "talk.h"
#include "target.h"

/*
 * @outcome: of the restart that was committed. The server is asked for its status until every generation
 * before that one has ended. Complains on stderr. Returns 0, EXIT_NO (the new generation is gone: an
 * older one serves again) or EXIT_SYSTEM (nobody answers any more).
 */
int drain_await(const struct target *target, struct talk *talk, const json_t *outcome);

#endif
