/* SPDX-License-Identifier: MIT */
#ifndef HOT_CLI_OUTCOME_H
#define HOT_CLI_OUTCOME_H

/*
 * How a restart ended, for people and for scripts.
 */

#include "talk.h"

#include <stdio.h>

/*
 * Wait for the outcome of the restart that was asked for. Steps that are worth waiting for are told on
 * stderr, unless @quiet. Returns 0 and gives the answer (of type "restart" or "error"), TALK_END if the
 * server is gone, or a negative errno.
 */
int outcome_await(struct talk *talk, bool quiet, json_t **ret);

/* Print it: JSON to stdout, or words; a roll back to stderr. Returns the exit status. */
int outcome_print(const json_t *outcome, bool json);

/* One line of compact JSON to stdout. */
void print_json(const json_t *value);

/* Text of a server, which may be anybody's, on its way to a terminal: what would move the cursor or worse
 * comes out as '?'. */
void print_safely(FILE *stream, const char *text);

#endif
