/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_FAULT_H
#define HOT_VERIFY_FAULT_H

/*
 * Faults: what is done to the server on purpose, to see whether it stands it. Asked for by name, and only
 * for servers that this program has started.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "options.h"

struct watcher;

/* "crash-before-ready", "crash-after=2.5" … Returns 0 or -EINVAL. */
int fault_parse(const char *text, enum proof_fault *ret, double *ret_value);

/* "the new process is killed before it is ready", or "" for none. */
const char *fault_describe(enum proof_fault fault);

/* Is no new process meant to become ready? */
bool fault_is_fatal(enum proof_fault fault);

/* A restart is about to be triggered. In the watcher's thread, without the lock. */
void fault_prepare(struct watcher *watcher);

/* The watcher has looked: is there somebody new to be hurt, or is it time? Without the lock. */
void fault_look(struct watcher *watcher, uint64_t now);

/* A new generation (@pid; 0: unknown) has answered. Under the lock. */
void fault_effect(struct watcher *watcher, pid_t pid, uint64_t now);

/* Is a new process to be caught the moment that it is there? */
bool fault_is_urgent(struct watcher *watcher);

/* Lower the descriptor limit of a server. Returns 0 or a negative errno. */
int fault_limit(pid_t pid, double value);

#endif
