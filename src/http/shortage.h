/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_SHORTAGE_H
#define HOT_HTTP_SHORTAGE_H

/*
 * No descriptor is left to accept with: who comes waits in the kernel's queue, and whom we serve gives way. A
 * response is its connection's last, who says nothing ends before its time, and each that ends lets the loop look
 * at the queue again. It is over when the queue is found empty, or nobody has come for a while.
 *
 * Nobody is accepted to be refused: a place comes back soon, and waiting is better than a 503.
 */

#include <stdbool.h>
#include <stdint.h>

struct hot__worker;

/* Is this what accept(2) says then? */
bool hot__shortage_is(int error);

/* It was said just now. */
void hot__shortage_begin(struct hot__worker *worker);

/* Nobody waits, or not for us. */
void hot__shortage_end(struct hot__worker *worker);

bool hot__shortage_is_on(const struct hot__worker *worker);

/* A pause is over: end some that wait for nothing, and accept again. */
void hot__shortage_look(struct hot__worker *worker);

/* A connection has ended. */
void hot__shortage_eased(struct hot__worker *worker);

#endif
