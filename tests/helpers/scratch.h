/* SPDX-License-Identifier: MIT */
#ifndef SCRATCH_H
#define SCRATCH_H

/*
 * A directory for one test: hot_test_with(function, scratch_setup, scratch_teardown).
 */

/* Make it, empty; *state is its path. */
int scratch_setup(void **state);

/* Remove it with all that is in it, one level deep. */
int scratch_teardown(void **state);

const char *scratch_directory(void);

/* A path in it. The last four are valid at a time. */
const char *scratch_path(const char *name);

/* How many names are in a directory. */
unsigned int count_names(const char *directory_path);

#define scratch_test(function) hot_test_with(function, scratch_setup, scratch_teardown)

#endif
