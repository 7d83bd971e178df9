/* SPDX-License-Identifier: MIT */
#ifndef HOT_INSPECT_KIND_H
#define HOT_INSPECT_KIND_H

/*
 * One class for each kind of descriptor: how it is recognised, and what it reads from the lines of its
 * /proc/PID/fdinfo file. Pure.
 */

#include <sys/types.h>

#include "row.h"

/* The kind of what a descriptor refers to, by the kernel's name for it and its st_mode. */
int hot__kind_of(const char *target, mode_t mode);

/*
 * Take what fdinfo says into @row, whose .public.kind is set. Lines that the kind does not know are passed
 * over. @text is taken apart. Returns 0 or -ENOMEM.
 */
int hot__kind_read_fdinfo(struct hot__row *row, char *text);

#endif
