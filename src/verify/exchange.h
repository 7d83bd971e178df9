/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_EXCHANGE_H
#define HOT_VERIFY_EXCHANGE_H

/*
 * An exchange: one batch of requests on a connection, from being due to its last record. Judges,
 * records and identifies; moves no bytes.
 */

#include <stdint.h>

#include "connection.h"

/* The client's next batch is due. Returns 0 or -ENOMEM; the batch has begun either way. */
int hot__exchange_prepare(struct hot__connection *connection, uint64_t due);

/* The kernel has the heads. */
void hot__exchange_sent(struct hot__connection *connection);

/* Learn who answers, as soon as the answer has come so far that it tells. */
void hot__exchange_identify(struct hot__connection *connection);

/* The first request that is not over ends; the next one's answer is expected. */
void hot__exchange_settle(struct hot__connection *connection, enum hot__ending ending, int error);

/* A record beside those of the batch: of something that was lost, or that came twice. @number tells which. */
void hot__exchange_extra(struct hot__connection *connection, uint64_t number,
                         enum hot__ending ending);

#endif
