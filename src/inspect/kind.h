/* SPDX-License-Identifier: MIT */
#ifndef HOT_INSPECT_KIND_H
#define HOT_INSPECT_KIND_H

/*
 * One class for each kind of descriptor: how it is recognised, and its name. Pure.
 */

#include <sys/types.h>

#include "row.h"

/* The kind of what a descriptor refers to, by the kernel's name for it and its st_mode. */
int hot__kind_of(const char *target, mode_t mode);

#endif
