/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_PROFILE_H
#define HOT_VERIFY_PROFILE_H

/*
 * Profiles: what kind of traffic a client makes. A table of kinds, and the text that picks one and
 * changes its numbers: "NAME[:KEY=VALUE,…]". Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "payload.h"

#define HOT__DEPTH_MAX 16

/* The most records of events that are missing in one place. */
#define HOT__GAP_MAX 1000

/* What is spoken on the connection. */
enum hot__protocol {
        HOT__PROTOCOL_HTTP1,
        HOT__PROTOCOL_HTTP2,
        HOT__PROTOCOL_WEBSOCKET,
        HOT__PROTOCOL_EVENTS,
};

struct hot__profile {
        const char *name; /* of the kind */
        enum hot__protocol protocol;
        bool keep_alive;       /* the connection is used again */
        bool patient;          /* one request takes long: it counts as under way once it was sent */
        enum hot__body body;   /* what is expected, before .expect */
        unsigned int clients;  /* each with one connection */
        char path[256];        /* with the query */
        uint64_t bytes;        /* ECHO: sent; PATTERN: asked for; WEBSOCKET: of a message */
        size_t piece;          /* 0: whole at once */
        uint64_t every;        /* ns from piece to piece */
        uint64_t think_lowest; /* ns between an answer and the next request */
        uint64_t think_highest;   /* ns */
        unsigned int depth;       /* requests written at once */
        uint64_t timeout;         /* ns for one request, pacing included */
        uint64_t connect_timeout; /* ns */
        int status;               /* 0: any */
        bool unchecked;           /* the body may be anything, whatever .body says */
        bool quiet;               /* EVENTS: they may be long in coming */
        bool resumable;           /* EVENTS: who comes back is told what it has missed */
        bool has_last_id;
        uint64_t last_id; /* EVENTS: what every client says that it had last, at first */
        bool has_known;   /* PATTERN: the body is not the pattern but has been seen before */
        uint64_t known_size, known_hash;
        bool has_expect;
        char expect[256];  /* the exact body */
        uint64_t requests; /* each client's; 0: no end */
};

/* Returns 0 or -EINVAL; @ret is untouched on failure. */
int hot__profile_parse(const char *text, struct hot__profile *ret);

/* Is it a simple GET over HTTP/1.1? */
bool hot__profile_is_plain(const struct hot__profile *profile);

/* Is it a response that takes long? */
bool hot__profile_is_slow(const struct hot__profile *profile);

/* Does a client of it read in pieces, with pauses between? */
bool hot__profile_reads_slowly(const struct hot__profile *profile);

/*
 * The head of a request, without the terminating zero; of a whole batch where the depth is more
 * than 1. Writes at most @size bytes. Returns the length of one, or -ENOSPC.
 */
int hot__profile_head(const struct hot__profile *profile, const char *host, char *buffer,
                      size_t size);

#endif
