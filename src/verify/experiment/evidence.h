/* SPDX-License-Identifier: MIT */
#ifndef EXPERIMENT_EVIDENCE_H
#define EXPERIMENT_EVIDENCE_H

/*
 * What was measured. The experiment fills it in, the verdicts only read it.
 */

#include "acceptors.h"
#include "request.h"
#include "server.h"
#include "traffic.h"

#define N_GENERATIONS 3
#define N_RESTARTS    (N_GENERATIONS - 1)

struct evidence {
        struct generation generations[N_GENERATIONS];
        uint64_t listener;              /* its inode */
        struct request slow;            /* GET /hello, begun before the first restart */
        uint64_t restarted[N_RESTARTS]; /* when SIGUSR2 was sent */
        struct traffic traffic[N_RESTARTS];
        struct acceptors acceptors[N_RESTARTS];

        /* Descriptor tables; NULL until taken */
        struct hot_inspect *before;    /* generation 1 alone */
        struct hot_inspect *during[2]; /* generations 1 and 2, while the slow request lasts */
        struct hot_inspect *after;     /* generation 2, when 1 has ended */
        struct hot_inspect *last;      /* generation 3, when 2 has ended */

        /* What generation 2 was executed with; "" where there was nothing */
        char listen_fds[16];
        char listen_pid[16];
        char listen_names[256];

        unsigned int killed; /* processes that were still there at the end */
};

#endif
