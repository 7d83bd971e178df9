/* SPDX-License-Identifier: MIT */
#ifndef HOT_TUNING_H
#define HOT_TUNING_H

/*
 * The settings of a listener in the kernel: made as an address asks for, remembered, put back. All of them
 * are shared by the generations that share the socket, so a new one changes them only once it serves, and
 * an old one that goes on puts back what it remembers.
 */

#include <stdbool.h>
#include <stdint.h>

#include "settings.h"

/* Between socket(2) and bind(2). Returns 0 or a negative errno. */
int hot__tuning_before_bind(int fd, const struct hot__settings *settings);

/* What has its place between bind(2) and listen(2), but for the backlog. Returns 0 or a negative errno. */
int hot__tuning_before_listen(int fd, const struct hot__settings *settings);

/* What listen(2) is to be told. */
int hot__tuning_backlog(const struct hot__settings *settings);

/*
 * Change a listener that serves to what @settings ask for. What they do not mention goes back to its default,
 * unless @keep says that somebody else (a service manager) has made it. Where it is, its family and its
 * buffers do not go back. Returns 0 or the first error, after trying everything.
 */
int hot__tuning_apply(int fd, const struct hot__settings *settings, bool keep);

#define HOT__N_TUNED 7

/* How a listener was. */
struct hot__tuning {
        bool known;
        int flags;   /* of fcntl(2) */
        int backlog; /* -1: it has none, or the kernel does not tell */
        int filter;  /* instructions of its SO_ATTACH_FILTER; -1: unknown */
        int values[HOT__N_TUNED];
        uint32_t has; /* a bit for each value */
};

void hot__tuning_capture(int fd, const struct hot__settings *settings, struct hot__tuning *ret);

/* Put back whatever differs by now. */
void hot__tuning_restore(int fd, const struct hot__tuning *tuning);

#endif
