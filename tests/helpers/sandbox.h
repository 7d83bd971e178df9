/* SPDX-License-Identifier: MIT */
#ifndef SANDBOX_H
#define SANDBOX_H

/*
 * Another kernel than the one there is, for a child process of a test: nothing here can be undone.
 *
 *     static int scenario(void) { enter_namespaces(CLONE_NEWNET); …; return 0; }
 *     …
 *     assert_int_equal(in_child(scenario), 0);
 */

#include <stdint.h>

/* What a child exits with where the machine does not allow what it needs. */
#define NOT_POSSIBLE 77

/* Run @scenario in a child. Returns its result; NOT_POSSIBLE skips the test that called. */
int in_child(int (*scenario)(void));

/* From now on the kernel refuses a system call with @error if its argument @n is @value. */
void refuse_call(int call, unsigned int n, uint32_t value, int error);

/* From now on we are root in new namespaces of the kinds given, without any privilege before. */
void enter_namespaces(int flags);

/* Write to a file of /proc that is ours to write. */
void write_proc(const char *path, const char *content);

#endif
