/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_MESSAGE_H
#define HOT_VERIFY_MESSAGE_H

/*
 * A message that is to come back: who sent it, its number, and bytes that follow from both, so that a wrong one,
 * or one of another client, is known. Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOT__MESSAGE_MAX      65536
#define HOT__MESSAGE_SIZE_MAX (HOT__MESSAGE_MAX - 64) /* of the bytes behind the numbers */

struct hot__message {
        unsigned int client;
        uint64_t size; /* bytes behind the numbers */
};

/* Returns the length; @size is at least HOT__MESSAGE_MAX. */
size_t hot__message_print(const struct hot__message *message, uint64_t number, char *text,
                          size_t size);

/*
 * Is it a message of this client? Returns 0 (it is none: a greeting, perhaps) or its number, from 1; *ret_right
 * tells whether it is one to the last byte.
 */
uint64_t hot__message_parse(const struct hot__message *message, const char *text, size_t length,
                            bool *ret_right);

#endif
