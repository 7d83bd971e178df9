/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_HTTP2_H
#define HOT_HTTP_HTTP2_H

/*
 * nghttp2: HTTP/2 on one connection. What arrives is fed to it, what it wants to say is gathered and sent;
 * its streams are exchanges like those of HTTP/1.
 *
 * It leaves in two steps (RFC 9113 section 6.8), so that no stream is lost: first the peer is told to open
 * no more, and asked for a sign of life (PING); what it opened until that comes back is served, and then it
 * is told which stream was the last. The connection ends when that stream has.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer.h"

struct hot__connection;
struct hot__exchange;
struct hot__http2;

/* What a client says first that speaks HTTP/2 (section 3.4). */
enum hot__preface {
        HOT__PREFACE_NO,
        HOT__PREFACE_PART, /* so far */
        HOT__PREFACE_YES,
};

enum hot__preface hot__http2_preface(const char *bytes, size_t len);

/* Begin: the client's first bytes, preface included, are still unread. Returns NULL for want of memory. */
struct hot__http2 *hot__http2_new(struct hot__connection *connection);

/* Its exchanges end with @error. Accepts NULL. */
void hot__http2_free(struct hot__http2 *http2, int error);

/* Take what has arrived, send what there is to send, say what to wait for. */
enum hot__step hot__http2_step(struct hot__http2 *http2);

/* A handler has a piece of a stream, or has returned. */
enum hot__step hot__http2_posted(struct hot__exchange *exchange);

/* The deadline that it had set has passed. */
enum hot__step hot__http2_timed_out(struct hot__http2 *http2);

/* Has it no stream? */
bool hot__http2_is_idle(const struct hot__http2 *http2);

/* Another generation serves, or none will: leave, in two steps. */
enum hot__step hot__http2_drain(struct hot__http2 *http2);

/* There is no time for two. */
enum hot__step hot__http2_leave(struct hot__http2 *http2);

#endif
