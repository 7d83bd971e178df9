/* SPDX-License-Identifier: MIT */
#ifndef EXPERIMENT_AUDIT_H
#define EXPERIMENT_AUDIT_H

/*
 * Is a descriptor table what it should be? Counts what is wrong and says it in words: each function
 * appends to @text (of @size bytes, terminated) and may be given NULL and 0.
 */

#include <stddef.h>

#include <hotstart/inspect.h>

/*
 * What a server that has nothing to do must not hold: a TCP connection or what is left of one, a pidfd of
 * a process that has ended, one end of a UNIX socket pair whose other end is gone; and whatever
 * hot_snapshot_check() finds in it alone. Needs HOT_INSPECT_ADDRESSES.
 */
unsigned int audit_strays(const struct hot_inspect *process, char *text, size_t size);

/* Where two tables differ in numbers, kinds, access modes or FD_CLOEXEC. */
unsigned int audit_differences(const struct hot_inspect *before, const struct hot_inspect *after,
                               char *text, size_t size);

#endif
