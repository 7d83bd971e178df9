/* SPDX-License-Identifier: MIT */
#ifndef HOT_CLI_COMPLAIN_H
#define HOT_CLI_COMPLAIN_H

/*
 * What a verb cannot do, in one line on stderr.
 */

/* Returns EXIT_SYSTEM, for the verb to return. */
int complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Returns EXIT_NO: the server said no. */
int refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What a negative errno of talk.h means, as far as strerror(3) would mislead. */
const char *words_for(int error);

#endif
