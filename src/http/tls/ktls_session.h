/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_KTLS_SESSION_H
#define HOT_HTTP_KTLS_SESSION_H

/*
 * A session whose records are the kernel's: what tls_session does with OpenSSL, without it. Nothing of it is in
 * user space but how it ends.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "ktls_control.h"

struct hot__ktls_session {
        int fd; /* borrowed */
        int version;
        bool on;                            /* it is one */
        bool ended;                         /* the peer has said that no more comes */
        bool key_updated;                   /* what it says can be read no more */
        bool deaf;                          /* the kernel was given no keys to receive with */
        bool broken;                        /* nothing can be sent any more */
        bool finished;                      /* the peer was told that no more comes */
        unsigned int idle;                  /* records without data in a row */
        unsigned char head[HOT__KTLS_HEAD]; /* of the one without data that is being read */
        size_t head_len;
};

void hot__ktls_session_begin(struct hot__ktls_session *session, int fd, int version);

/* Returns as hot__tls_session_read(). */
ssize_t hot__ktls_session_read(struct hot__ktls_session *session, void *buffer, size_t size);

/* Has data arrived that was not read? */
bool hot__ktls_session_has_input(const struct hot__ktls_session *session);

ssize_t hot__ktls_session_send(struct hot__ktls_session *session, const void *data, size_t len,
                               bool more);

ssize_t hot__ktls_session_send_file(struct hot__ktls_session *session, int file, off_t *offset,
                                    size_t len);

/* Returns 0 or -EAGAIN. */
int hot__ktls_session_finish(struct hot__ktls_session *session);

#endif
