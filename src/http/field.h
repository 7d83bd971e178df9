/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_FIELD_H
#define HOT_HTTP_FIELD_H

/* Header fields that the host wants sent. */

#include <stdbool.h>

#include "bytes.h"

/* Well-formed, and none of those that say where a message ends or what becomes of the connection: a
 * handler's opinion about them could only be wrong. */
bool hot__field_is_sendable(const char *name, const char *value);

/* May it come behind the body? Not so what frames or routes a message, or is needed before its content. */
bool hot__field_is_trailer(const char *name);

/* "Name: value\r\n". Returns 0 or -ENOMEM. */
int hot__field_append(struct hot__bytes *bytes, const char *name, const char *value);

#endif
