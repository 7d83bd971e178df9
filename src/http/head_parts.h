/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_HEAD_PARTS_H
#define HOT_HTTP_HEAD_PARTS_H

/*
 * The parts of a head that head.c has found valid, for most requests: those without content that a path and
 * one of the usual methods makes. What frames a body, and what is rare, is llhttp's (parser.h). Where both
 * could, they find the same.
 */

#include "request.h"

/* Is it one of those? */
bool hot__head_parts_are_plain(const struct hot__head *head, const char *bytes, size_t len);

/*
 * Fill in the @request of a plain head, which then points into @bytes: they are changed (zeroes end the strings)
 * and have to live as long. Returns 0 or -ENOMEM.
 */
int hot__head_parts_take(const struct hot__head *head, struct hot_http_request *request,
                         char *bytes, size_t len);

#endif
