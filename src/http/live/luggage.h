/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_LUGGAGE_H
#define HOT_HTTP_LUGGAGE_H

/*
 * What goes with a connection that lives long, beside descriptor, input and output: what its host has said of it, and
 * what the library has to know. Pure, but for the host's callback.
 *
 * Items in any order: a tag and a length of 32 bits each, the low byte first, and the item. A number has 8 bytes.
 * An item that is not known is left out, so that a release can add some; one that must not be ignored is another
 * version of its kind, see move.h.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bytes.h"

struct hot__luggage {
        const char *head; /* of the request, or of what is still needed of it; lent */
        size_t head_len;
        const void *state; /* the host's; lent */
        size_t state_len;
        const char *trailers; /* fields, as they will be sent; lent */
        size_t trailers_len;
        const char *id; /* of the request, or a tunnel's protocol; lent */
        size_t id_len;
        uint64_t version; /* of the host's state */
        uint64_t flags;   /* the kind's */
        uint64_t status;  /* of the response */
        uint64_t sent;
        int64_t remaining; /* -1: no length was promised */
        uint64_t began;    /* CLOCK_MONOTONIC ns */
};

/* Append it to @ret. Returns 0 or -ENOMEM. */
int hot__luggage_pack(const struct hot__luggage *luggage, struct hot__bytes *ret);

/* What is not there is zero, or -1. Returns 0, or -EPROTO: these are no such bytes. */
int hot__luggage_unpack(struct hot__luggage *ret, const void *bytes, size_t len);

/* A host's callback, whatever it is about: as hot_http_saver. */
typedef ssize_t hot__saver(void *about, void *buffer, size_t size);

/*
 * Have the host write its state, of whatever size. Returns 0, or what it said, -E2BIG (it has more than 16 MiB, or never
 * the same) or -ENOMEM.
 */
int hot__luggage_save(hot__saver *saver, void *about, struct hot__bytes *ret);

#endif
