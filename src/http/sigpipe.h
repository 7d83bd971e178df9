/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_SIGPIPE_H
#define HOT_HTTP_SIGPIPE_H

/*
 * Writing without SIGPIPE where no MSG_NOSIGNAL can be given: write(2) and sendfile(2) raise it in the calling
 * thread. It is blocked meanwhile, and taken back if it was ours. Its disposition is the host's.
 */

#include <signal.h>
#include <stdbool.h>

struct hot__sigpipe {
        sigset_t before;
        bool pending; /* it was already: somebody else's */
};

void hot__sigpipe_hold(struct hot__sigpipe *sigpipe);

/* It may have been raised whatever the call returned: a part was taken, then the peer was gone. */
void hot__sigpipe_let_go(const struct hot__sigpipe *sigpipe);

#endif
