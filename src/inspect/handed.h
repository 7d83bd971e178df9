/* SPDX-License-Identifier: MIT */
#ifndef HOT_INSPECT_HANDED_H
#define HOT_INSPECT_HANDED_H

/*
 * What the environment that a program was started with says of listeners handed to it. Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct hot__handed {
        bool announced;   /* it was started to take listeners over */
        bool overwritten; /* it has put something else there since: the title that ps(1) shows */
        uint64_t number;  /* of its generation, as its environment says; 0 if it does not */
};

/* @text is an environment as /proc/PID/environ has it: @len bytes of strings with their zeros. @pid is the
 * process: what is addressed to another one was merely inherited. */
struct hot__handed hot__handed_parse(const char *text, size_t len, pid_t pid);

#endif
