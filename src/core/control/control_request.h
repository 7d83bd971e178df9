/* SPDX-License-Identifier: MIT */
#ifndef HOT_CONTROL_REQUEST_H
#define HOT_CONTROL_REQUEST_H

/*
 * A request of the control socket: a line of words. Pure. hotstart-control(7) has them.
 */

#include <stdbool.h>
#include <stddef.h>

enum hot__request_verb {
        HOT__REQUEST_STATUS,
        HOT__REQUEST_RESTART,
        HOT__REQUEST_STOP,
        HOT__REQUEST_COMMIT,
        HOT__REQUEST_ABORT,
        HOT__REQUEST_EVENTS,
};

struct hot__request {
        enum hot__request_verb verb;
        bool force, capture; /* restart */
        bool now;            /* stop */
};

/* One request, of the first @len bytes at @line. Returns 0 or -EINVAL. */
int hot__request_parse(const char *line, size_t len, struct hot__request *ret);

#endif
