/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_BODY_H
#define HOT_HTTP_BODY_H

/*
 * A request's body on its way to a handler that reads it as it arrives. The loop puts in, the handler's
 * thread takes out and waits while there is nothing. Beyond a window the loop stops reading from the
 * client, who then has to wait too: that is the back-pressure, and all the memory a body can take.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "bytes.h"

#define HOT__BODY_WINDOW 65536

struct hot__body {
        bool streamed; /* somebody reads it as it arrives: the rest is in use */
        pthread_mutex_t lock;
        pthread_cond_t changed;
        struct hot__bytes bytes; /* .at of them were read */
        size_t at;
        bool ended;   /* nothing follows */
        bool stopped; /* the loop waits for room */
        int error;    /* why nothing follows, although it has not ended */
};

/* Begin to pass a body on. Once for each request, before its handler is started. */
void hot__body_open(struct hot__body *body);

/* Empty it for the next request; nobody reads any more. */
void hot__body_close(struct hot__body *body);

/* -- the loop's side; the first three do nothing to a body that nobody reads -- */

/* Returns 0 or -ENOMEM. */
int hot__body_put(struct hot__body *body, const void *data, size_t len);
void hot__body_end(struct hot__body *body);
void hot__body_fail(struct hot__body *body, int error);

/* Is the window full? Then hot__body_read() will say when it is not. */
bool hot__body_is_full(struct hot__body *body);

/* -- the handler's side -- */

/*
 * Wait for some of the body. *ret_room: the loop waits, and there is room again. Returns the bytes written to
 * @buffer, 0 at the end, or the error it ended with.
 */
ssize_t hot__body_read(struct hot__body *body, void *buffer, size_t size, bool *ret_room);

#endif
