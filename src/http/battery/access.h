/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_ACCESS_H
#define HOT_HTTP_ACCESS_H

/*
 * The access log: a line for each request, in the combined format or as JSON. Each loop gathers the lines
 * of one turn and writes them at once, in append mode: several loops and generations share the file without
 * mixing lines. A new generation opens it anew, by its name; so does this one after hot__access_reopen().
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <hotstart/http.h>

#include "bytes.h"
#include "peer.h"

struct hot__access {
        char *path; /* owned; NULL: there is no log */
        bool json;
        pthread_mutex_t lock; /* of the descriptor */
        int fd;
        atomic_bool reopen; /* before the next line */
};

/* What a line says beside request and outcome. */
struct hot__access_entry {
        const struct hot_http_request *request;
        const struct hot_http_outcome *outcome;
        const struct hot__peer *peer;
        const char *id;
        uint64_t generation;
};

void hot__access_init(struct hot__access *access);
void hot__access_done(struct hot__access *access);

/* Where to and how; @path is copied. Returns 0 or -ENOMEM. */
int hot__access_set(struct hot__access *access, const char *path, bool json);

/* Open the file. Returns 0 or a negative errno. */
int hot__access_open(struct hot__access *access);

/* Thread-safe: open it again before the next line. If that fails the old one goes on. */
void hot__access_reopen(struct hot__access *access);

/* Append a line to those of this turn. */
void hot__access_format(const struct hot__access *access, const struct hot__access_entry *entry,
                        struct hot__bytes *lines);

/* Write the lines and empty them. What the file does not take is lost. */
void hot__access_write(struct hot__access *access, struct hot__bytes *lines);

#endif
