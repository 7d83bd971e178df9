/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_HELP_H
#define HOT_LSOF_HELP_H

#include <stdio.h>

/*
 * What the program says of itself.
 */

/* After a message that says what is wrong. */
void lsof_usage(FILE *out);

/* -h */
void lsof_help(FILE *out);

/* -v */
void lsof_version(FILE *out);

#endif
