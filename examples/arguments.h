/* SPDX-License-Identifier: MIT */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

/*
 * The arguments of the small servers for other event loops: chat, echo_libevent, echo_libuv.
 */

#include <hotstart.h>

struct arguments {
        const char *address;        /* --listen */
        struct hot_options options; /* --probation, --drain */
};

/* Read them, with @address as the default. What is wrong with them is said, and ends the program. */
void arguments_read(struct arguments *arguments, int argc, char **argv, const char *address);

#endif
