/* SPDX-License-Identifier: MIT */
#ifndef EXPERIMENT_TRAFFIC_H
#define EXPERIMENT_TRAFFIC_H

/*
 * Fast requests, one after the other, each on a new connection; and who answered which.
 */

#include "request.h"
#include "timeline.h"

struct answer {
        const char *path;
        uint64_t begin, end;
        int error; /* as in struct request */
        int status;
        pid_t pid;
        uint64_t generation;
        bool good; /* the response that this path has */
};

struct traffic {
        const struct sockaddr_in *server; /* borrowed */
        uint64_t pace;                    /* from the begin of one request to that of the next */
        uint64_t next;
        struct request current;
        struct answer *answers; /* owned */
        size_t n, room;
};

void traffic_init(struct traffic *ret, const struct sockaddr_in *server, uint64_t pace);
void traffic_done(struct traffic *traffic);

/* Go on: note what was answered, and send the next request when it is time. Returns 0 or -ENOMEM. */
int traffic_continue(struct traffic *traffic);

/* The first whole answer that came from another process than @pid, or NULL. */
const struct answer *traffic_first_of_another(const struct traffic *traffic, pid_t pid);

/* Note the runs of requests that the same process answered. */
void traffic_tell(const struct traffic *traffic, struct timeline *timeline);

#endif
