/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_DATE_H
#define HOT_HTTP_DATE_H

/*
 * The Date field (RFC 9110 section 6.6.1): made once a second, not once a response. English whatever the
 * locale.
 */

#include <time.h>

/* Of "Sun, 06 Nov 1994 08:49:37 GMT", as of every other. */
#define HOT__DATE_LENGTH 29

struct hot__date {
        time_t second; /* that .text says; zero-initialise */
        char text[HOT__DATE_LENGTH + 1];
};

/* The text for a time; valid until the next call with the same @date. */
const char *hot__date_at(struct hot__date *date, time_t second);

/* The text for now. */
const char *hot__date_now(struct hot__date *date);

#endif
