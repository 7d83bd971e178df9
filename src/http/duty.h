/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_DUTY_H
#define HOT_HTTP_DUTY_H

/*
 * What the server has to do for its generation: the core's events become orders to all loops, and the word
 * of the last loop that it is so becomes our answer to the core.
 */

#include <stdint.h>

struct hot__crates;
struct hot_http;

/* Have the first loop watch the core's descriptor. Returns 0 or a negative errno. */
int hot__duty_watch(struct hot_http *server);

/* Handle what the core has to say. */
void hot__duty_pump(struct hot_http *server);

/* Thread-safe: a loop is as order @number says, or has failed to be. */
void hot__duty_confirm(struct hot_http *server, uint64_t number, int error);

/* In the first loop: perhaps all of them are. */
void hot__duty_confirmed(struct hot_http *server);

/* In the first loop: the time has come to accept no more, after a stop was heard. */
void hot__duty_stop(struct hot_http *server);

/* In the first loop: connections that loops have taken apart. Ownership: takes them. */
void hot__duty_give(struct hot_http *server, struct hot__crates *crates);

/* The last order: every loop ends. */
void hot__duty_end(struct hot_http *server);

#endif
