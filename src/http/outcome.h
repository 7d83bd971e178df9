/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_OUTCOME_H
#define HOT_HTTP_OUTCOME_H

/* What became of a request, told to everybody who counts or writes down. */

#include <stdint.h>

struct hot__exchange;

/* The request's head is complete: from here on it takes time. */
void hot__outcome_begin(struct hot__exchange *exchange);

/* Its response has ended, with 0 or a negative errno. */
void hot__outcome_tell(struct hot__exchange *exchange, int error);

#endif
