/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_RESPONSE_HEAD_H
#define HOT_HTTP_RESPONSE_HEAD_H

/* The status line and the fields of a response in HTTP/1. */

#include "response.h"

/*
 * Append the head to .out, with room for @more bytes behind it. What the response has no content for is muted.
 * *keep_alive: whether the connection would go on; it may not for want of a framing. Returns 0 or -ENOMEM.
 */
int hot__response_head_append(struct hot_http_response *response,
                              const struct hot__response_frame *frame, size_t more,
                              bool *keep_alive);

#endif
