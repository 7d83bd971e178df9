/* SPDX-License-Identifier: MIT */
#ifndef EXPERIMENT_EXPERIMENT_H
#define EXPERIMENT_EXPERIMENT_H

/*
 * The seed's experiment: what becomes of every descriptor when a server is restarted while a slow request
 * is under way?
 */

#include <stdint.h>

struct experiment_options {
        const char *demo;        /* the server; NULL: `demo` beside this program */
        uint16_t port;           /* another one is chosen when it is taken, or 0 */
        unsigned int delay;      /* seconds that the slow request takes */
        unsigned int time_limit; /* seconds for everything */
};

/*
 * Run it and print what happens. Leaves no process behind. Returns 1 if every question was answered with
 * yes, 0 if not, -EINTR after a signal, or another negative errno, which was told.
 */
int experiment_run(const struct experiment_options *options);

#endif
