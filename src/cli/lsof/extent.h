/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_EXTENT_H
#define HOT_LSOF_EXTENT_H

/*
 * Sizes and offsets. (Pure.)
 */

#include <stddef.h>
#include <stdint.h>

#include "request.h"

enum { LSOF_EXTENT_MAX = 32 };

/* The title of their column. */
const char *lsof_extent_title(const struct lsof_request *request);

/* "0t" and decimal, so that it is not taken for a size; hexadecimal above @digits digits (0: never). */
void lsof_extent_format(uint64_t offset, size_t digits, char text[LSOF_EXTENT_MAX]);

#endif
