/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_MEMORY_H
#define HOT_LSOF_MEMORY_H

/*
 * Memory that is there, or the program ends with a message: a listing without some of its rows would be a
 * lie, and there is nothing to undo.
 */

#include <stddef.h>

/* Room for one more than @n elements of @size bytes; it doubles, so that adding stays cheap. */
void *lsof_grow(void *elements, size_t n, size_t size);

/* @n zeroed elements. */
void *lsof_new(size_t n, size_t size);

char *lsof_copy(const char *text);

#endif
