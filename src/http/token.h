/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_TOKEN_H
#define HOT_HTTP_TOKEN_H

/*
 * The characters of RFC 9110 section 5.6.2: what may stand in a method or a field name (tokens), and
 * what in a field value. For what comes in as for what our callers send out. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

/* How many of the first @len bytes belong to a token. */
size_t hot__token_length(const char *at, size_t len);

/* Is it the authority of a target, or a Host: a name or address, perhaps a port; or nothing? */
bool hot__token_is_authority(const char *at, size_t len);

/* The same of a target: visible ASCII, and no fragment. */
bool hot__token_is_target(const char *at, size_t len);

/* No control characters but the tab: no CR, LF or zero. */
bool hot__value_is_valid(const char *at, size_t len);

/* Is @word, whatever its case, an element of a list such as Connection's? @list may be NULL. */
bool hot__token_in_list(const char *list, const char *word);

#endif
