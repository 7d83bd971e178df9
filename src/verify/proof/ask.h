/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_ASK_H
#define HOT_VERIFY_ASK_H

/*
 * One GET, waited for: what the proof asks before it begins. HTTP/1.0, so that the body is what comes until
 * the end. In plain text or over TLS.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "target.h"

/*
 * The body is terminated and at most @size - 1 bytes long. Returns the status, or a negative errno:
 * -ETIMEDOUT at @deadline, -EPROTO for what is no HTTP, -ENOSPC for a body that is too long.
 */
int ask_get(const struct hot__target *target, bool tls, const char *path, uint64_t deadline,
            char *body, size_t size);

/* Could somebody connect now? Returns 0 or a negative errno. */
int ask_connect(const struct hot__target *target, uint64_t deadline);

#endif
