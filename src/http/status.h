/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_STATUS_H
#define HOT_HTTP_STATUS_H

#include <stddef.h>

/* The reason phrase of a status code (RFC 9110 section 15); "Unknown" for those without. Pure. */
const char *hot__status_reason(int status);

/* The status line of HTTP/1.1 with its CRLF; NULL for a status without a phrase. */
const char *hot__status_line(int status, size_t *ret_len);

#endif
