/* SPDX-License-Identifier: MIT */
#ifndef HOT_INSPECT_FDINFO_H
#define HOT_INSPECT_FDINFO_H

/*
 * The text of /proc/PID/fdinfo/N (proc(5)) taken apart. Pure.
 */

#include "arena.h"
#include "row.h"

/*
 * Take what fdinfo says into @row, whose .public.kind is set. Lines that are not known, or that another
 * kind has, are passed over. @text is taken apart. Returns 0 or -ENOMEM.
 */
int hot__fdinfo_read(struct hot__row *row, char *text, struct hot__arena *arena);

#endif
