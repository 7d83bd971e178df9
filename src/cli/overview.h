/* SPDX-License-Identifier: MIT */
#ifndef HOT_CLI_OVERVIEW_H
#define HOT_CLI_OVERVIEW_H

/*
 * A server's status for people: its generations and listeners in tables, what went wrong in lines.
 */

#include "talk.h"

/* @status is an answer of type "status". Returns 0 or a negative errno (a table found no memory). */
int overview_print(const json_t *status);

#endif
