/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_MOVE_H
#define HOT_HTTP_MOVE_H

/*
 * Taking a live connection apart, and putting it together again in another loop of another process.
 *
 * What a connection speaks decides how: a kind has a name, under which the next generation looks it up, a version
 * of its own state, and functions. Where nothing else is said they are called on the thread of the connection's loop.
 *
 * To add a kind: define one, and enter it in move.c's table with the states that are its.
 */

#include <stdbool.h>
#include <stdint.h>

#include "answer.h"
#include "connection.h"
#include "passage.h"
#include "pin.h"

struct hot__move_kind {
        const char *name; /* "http/1.1" */
        uint32_t version; /* of .state in its passages; others are refused */

        /* Can it move now, and if not, why? Asked often: a look, no work. Nothing has to be said of TLS here. */
        enum hot__pin (*pin)(const struct hot__connection *connection);

        /*
         * Right after a pin() of HOT__PIN_NOT: set .bill.phase, .bill.since and what is needed of .output and .state;
         * the rest of the bill is there already, and the unread input goes by itself. On success the connection has no
         * exchange any more. Returns HOT__PIN_NOT, or why not: then nothing has changed, and it is not tried again.
         */
        enum hot__pin (*pack)(struct hot__connection *connection, struct hot__passage *passage);

        /* Does what came from another process make sense? A look at phase, input, output and state. Anything that is not
         * 0 refuses it, and its giver goes on with it. */
        int (*check)(const struct hot__passage *passage);

        /*
         * Before it is accepted, on the thread that has the core: have its host restore what is above the connection,
         * and put that into .guest of the passage. May take .output. Returns 0, or a negative errno, which refuses it.
         * NULL: there is nothing to be asked. One that has never left is asked for
         * on its loop's thread.
         */
        int (*admit)(struct hot_http *server, struct hot__passage *passage);

        /* A guest whose connection does not come. NULL as .admit is. */
        void (*dismiss)(void *guest);

        /*
         * Make of @connection, which has descriptor, transport, peer and unread input (.in) again, what it was: .state,
         * a deadline (by hot__worker_set_deadline()), and what pack() has left in .output and .state of the passage,
         * which is the caller's to free. It may have come back to who has packed it. Nothing may be read or written
         * here: the step that is returned is made when all that came with it have been adopted. HOT__STEP_CUT: it
         * is closed.
         */
        enum hot__step (*adopt)(struct hot__connection *connection, struct hot__passage *passage);
};

extern const struct hot__move_kind hot__move_http;

/* live/ has these */
extern const struct hot__move_kind hot__move_stream;
extern const struct hot__move_kind hot__move_websocket;
extern const struct hot__move_kind hot__move_tunnel;

/* The kind of that name, or NULL. */
const struct hot__move_kind *hot__move_find(const char *name);

/* What keeps a connection where it is; HOT__PIN_NOT: it can move now. */
enum hot__pin hot__move_pin(const struct hot__connection *connection);

/* Will it be able to move when the response that is being made is complete? Then that need not be the last. */
bool hot__move_is_near(const struct hot__connection *connection);

/*
 * Take it apart: it is out of the poller and of its worker's list, its memory goes, and what is left of it is
 * @ret. Returns HOT__PIN_NOT, or why it stays as it is.
 */
enum hot__pin hot__move_pack(struct hot__connection *connection, struct hot__passage *ret);

/*
 * Put one together, in this worker, with hot__connection_advance() due when *ret_step is not HOT__STEP_WAIT. Ownership:
 * takes all of the passage. Returns NULL if it had to be closed.
 */
struct hot__connection *hot__move_adopt(struct hot__worker *worker, struct hot__passage *passage,
                                        enum hot__step *ret_step);

#endif
