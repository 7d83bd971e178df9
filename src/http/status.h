/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_STATUS_H
#define HOT_HTTP_STATUS_H

/* The reason phrase of a status code (RFC 9110 section 15); "Unknown" for those without. Pure. */
const char *hot__status_reason(int status);

#endif
