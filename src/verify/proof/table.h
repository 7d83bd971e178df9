/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_TABLE_H
#define HOT_VERIFY_TABLE_H

/*
 * Tables: the descriptors of all of a server's processes, and what changed between two of them.
 *
 * A connection is no part of what a generation owns for good, so it does not count; everything else that a
 * generation has more than the one before it is something that was left open.
 */

#include "evidence.h"

/*
 * Read all living members of the family. What cannot be read is left out. Without @addresses a socket is only
 * that, and nothing else is asked of the kernel: for looking often.
 */
void table_take(const struct family *family, bool addresses, struct proof_table *ret);
void table_clear(struct proof_table *table);

/* Is it a connection, or what is left of one? */
bool table_is_connection(const struct hot_inspect_fd *fd);

/* How many descriptors a process has that are no connections. */
size_t table_size(const struct hot_inspect *process);

/* How many connections to @port (0: to anything) it still has. */
size_t table_connections(const struct hot_inspect *process);

/*
 * The process of a table to compare with @process of another: the same one, else the one with the most
 * descriptors of those that are not in both. NULL if there is none.
 */
const struct hot_inspect *table_counterpart(const struct proof_table *table,
                                            const struct proof_table *other,
                                            const struct hot_inspect *process);

/* Is this descriptor of @after one that @before has no counterpart of? */
bool table_is_new(const struct hot_inspect *before, const struct hot_inspect *after, size_t index);

/* In words, what a descriptor is: "a second copy of listener 6", "an end of a pipe whose …". */
void table_explain(const struct hot_inspect *process, const struct hot_inspect_fd *fd, char *text,
                   size_t size);

#endif
