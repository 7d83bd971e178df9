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

struct hot__profile {
        const char *name;      /* of the kind */
        bool keep_alive;       /* the connection is used again */
        bool patient;          /* one request takes long: it counts as under way once it was sent */
        enum hot__body body;   /* what is expected, before .expect */
        unsigned int clients;  /* each with one connection */
        char path[256];        /* with the query */
        uint64_t bytes;        /* ECHO: sent; PATTERN: asked for */
        size_t piece;          /* 0: whole at once */
        uint64_t every;        /* ns from piece to piece */
        uint64_t think_lowest; /* ns between an answer and the next request */
        uint64_t think_highest;   /* ns */
        unsigned int depth;       /* requests written at once */
        uint64_t timeout;         /* ns for one request, pacing included */
        uint64_t connect_timeout; /* ns */
        int status;               /* 0: any */
        bool unchecked;           /* the body may be anything, whatever .body says */
        bool has_known; /* PATTERN: the body is not the pattern but has been seen before */
        uint64_t known_size, known_hash;
        bool has_expect;
        char expect[256];  /* the exact body */
        uint64_t requests; /* each client's; 0: no end */
};

/* Returns 0 or -EINVAL; @ret is untouched on failure. */
int hot__profile_parse(const char *text, struct hot__profile *ret);

/*
 * The head of a request, without the terminating zero; of a whole batch where the depth is more
 * than 1. Writes at most @size bytes. Returns the length of one, or -ENOSPC.
 */
int hot__profile_head(const struct hot__profile *profile, const char *host, char *buffer,
                      size_t size);

#endif
