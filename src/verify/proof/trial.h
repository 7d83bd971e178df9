/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_TRIAL_H
#define HOT_VERIFY_TRIAL_H

/*
 * A trial: a few requests of one kind by one client, before anything is restarted.
 */

#include "evidence.h"

struct trial {
        uint64_t ok, failed, announced;
        enum hot__outcome outcome; /* of the last that failed */
        int status;                /* of the first answer */
        int last_status;           /* of the last */
        uint64_t bytes, hash;      /* of the first body */
        bool same;                 /* all bodies were like the first */
        bool has_number, has_pid;
        bool ended;                 /* a stream ended by itself */
        uint64_t first_id, last_id; /* of messages or events; 0: none */
        uint64_t numbered;          /* how many had one */
};

/*
 * Send what @profile says, by one client and without pauses, at most @requests times and not beyond @deadline.
 * Returns 0, -EINTR when a signal that ends the proof waits, or a negative errno of the engine.
 */
int trial_run(const struct proof_evidence *evidence, const struct hot__profile *profile,
              unsigned int requests, enum hot__identify identify, uint64_t deadline,
              struct trial *ret);

#endif
