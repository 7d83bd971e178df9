/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_CAMPAIGN_H
#define HOT_VERIFY_CAMPAIGN_H

/*
 * The campaign: traffic that goes on while the server is restarted again and again.
 *
 * One loop drives it: the load, the restarts at their spacing, the command that makes one, and the progress
 * on the terminal. The watcher looks from a thread of its own.
 */

#include "collector.h"
#include "evidence.h"
#include "load.h"
#include "progress.h"
#include "subject.h"

enum campaign_state {
        CAMPAIGN_TRAFFIC,  /* until the next restart is due */
        CAMPAIGN_PREPARED, /* the watcher is to look once more before it */
        CAMPAIGN_SETTLING, /* all restarts are done */
        CAMPAIGN_ENDING,   /* no new request */
        CAMPAIGN_OVER,
};

struct campaign {
        struct proof_evidence *evidence;
        struct subject *subject;
        const struct hot__target *target;
        int signal_fd;
        uint64_t deadline; /* by then the traffic is over */

        /* Its own */
        enum campaign_state state;
        struct hot__load *load;
        struct watcher watcher;
        struct collector collector;
        struct progress progress;
        uint64_t next;     /* when the state may change */
        uint64_t patience; /* until when a restart's effect is waited for */
        uint64_t
                waiting_budget; /* by when all restarts must have been triggered without further waiting */
        size_t effects;         /* restarts whose effect has been taken in */
};

/* Returns 0, -EINTR after a signal, or another negative errno. */
int campaign_run(struct campaign *campaign);

#endif
