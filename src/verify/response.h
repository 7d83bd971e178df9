/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_RESPONSE_H
#define HOT_VERIFY_RESPONSE_H

/*
 * The answer to one request: bytes in, facts out. The only room of this folder that knows the
 * parser.
 *
 * It stops exactly behind the answer's last byte, so that what follows belongs to the next answer
 * of a pipeline, or to nobody. Informational answers (1xx) are passed over. llhttp pauses from
 * on_message_complete with error_pos behind what it has consumed.
 */

#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>

#include "generations.h"
#include "payload.h"

enum hot__response_state {
        HOT__RESPONSE_MORE,
        HOT__RESPONSE_COMPLETE,
        HOT__RESPONSE_GARBAGE,
};

struct hot__response {
        llhttp_t parser;
        struct hot__payload_check *check; /* lent */
        void (*body)(void *data, const char *bytes,
                     size_t count); /* NULL: only the check sees it */
        void *body_data;
        struct hot__identity identity; /* valid with head_complete; the hash with complete */
        int status;
        bool begun;         /* a byte of it came */
        bool head_complete; /* of the final answer, not of a 1xx */
        bool complete;
        bool keep_alive;

        char field
                [16]; /* the header field being read, lower case; what is longer is none of ours */
        size_t field_len;
        char value[24];
        size_t value_len;
};

/* Expect an answer. @check (lent) must have been told what to expect. */
void hot__response_init(struct hot__response *response, struct hot__payload_check *check);

/* Returns what it has become; *ret_used is how many of the bytes belong to it. */
enum hot__response_state hot__response_feed(struct hot__response *response, const char *bytes,
                                            size_t count, size_t *ret_used);

/* End of file. COMPLETE if that is how this answer's body ends, else MORE: it was cut. */
enum hot__response_state hot__response_finish(struct hot__response *response);

#endif
