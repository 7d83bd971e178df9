/* SPDX-License-Identifier: MIT */
#ifndef HOT_CLI_VERIFY_PROBATION_H
#define HOT_CLI_VERIFY_PROBATION_H

/*
 * What the proof cannot see from outside: whether an older generation is still there because it is on probation.
 * It holds its listeners then, and the connections that it has handed over, and touches neither.
 */

#include <sys/types.h>

/* How long it will be, in ms, by what the server says on its control socket; -1 if it is not. */
int verify_probation(pid_t pid);

#endif
