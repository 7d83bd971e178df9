/* SPDX-License-Identifier: MIT */
#ifndef HOT_TEST_MKFDS_H
#define HOT_TEST_MKFDS_H

/*
 * The makers of mkfds: each makes one kind of descriptor in the scratch directory that is current, and
 * returns it, or a negative errno where this kernel or user may not have it. What else a maker needs (the
 * other end of a connection) it leaves open: it is a descriptor as good as any.
 */

typedef int make_fn(void);

struct maker {
        const char *name;
        make_fn *make;
};

/* Each ends with a maker whose name is NULL. */
extern const struct maker makers_of_files[];
extern const struct maker makers_of_locks[];
extern const struct maker makers_of_sockets[];
extern const struct maker makers_of_packets[];
extern const struct maker makers_of_anonymous[];

/* The result of a system call, as the makers return it. */
int made(long result);

#endif
