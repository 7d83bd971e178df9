/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_REQUEST_ID_H
#define HOT_HTTP_REQUEST_ID_H

/*
 * What a request is called in every log that it passes: the X-Request-Id that it came with, if that is a
 * short word of harmless characters, else one of our own, unique over processes and restarts.
 */

#include <stddef.h>
#include <stdint.h>

#define HOT__REQUEST_ID_MAX 64

/* @seed is random and the thread's, @number counts its requests. */
void hot__request_id_make(uint64_t seed, uint64_t number, char id[HOT__REQUEST_ID_MAX + 1]);

/* Copy what came; returns the length, or 0 if it is of no use. */
size_t hot__request_id_take(const char *came, char id[HOT__REQUEST_ID_MAX + 1]);

/* A random seed. */
uint64_t hot__request_id_seed(void);

#endif
