/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_PROOF_H
#define HOT_VERIFY_PROOF_H

/*
 * A proof: traffic of several kinds against a server, restarts in the middle of it, and what became of
 * every request and every descriptor.
 *
 * It ends within restarts x every + 30 s of the moment that the server answers, whatever the server does,
 * and leaves no process that it has started.
 */

#include "evidence.h"

/* Results beside 0. */
enum {
        PROOF_INTERRUPTED = 1, /* a signal ended it */
};

/*
 * Run it. @problem (of @size bytes) says in words why it could not run. Returns 0, PROOF_INTERRUPTED, or a
 * negative errno if it could not run at all: then @ret holds nothing to report. -EINVAL is a wrong option.
 * Ownership: @ret is for proof_evidence_done(), on failure too. One thread; SIGINT, SIGTERM, SIGHUP and
 * SIGCHLD are blocked meanwhile.
 */
int proof_run(const struct proof_options *options, struct proof_evidence *ret, char *problem,
              size_t size);

#endif
