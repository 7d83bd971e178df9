/* SPDX-License-Identifier: MIT */
#ifndef HOT_CLI_BAR_H
#define HOT_CLI_BAR_H

/*
 * A progress bar on standard error, if that is a terminal; nothing at all if it is none.
 */

#include <stddef.h>

/* Draw it over the one before: @done of @all, and what there is to say about it. */
void bar_show(unsigned long done, unsigned long all, const char *text);

/* Wipe it off. May be called again. */
void bar_end(void);

#endif
