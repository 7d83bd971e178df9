/* SPDX-License-Identifier: MIT */
#ifndef HOT_CLI_VERIFY_OPTIONS_H
#define HOT_CLI_VERIFY_OPTIONS_H

/*
 * The options of `hotstart verify`, from argv to what the proof or the experiment takes. Strings are lent
 * by argv.
 */

#include <stdbool.h>

#include "options.h"

struct verify_options {
        struct proof_options proof;
        bool json;
        const char *report, *junit; /* files; NULL: none */
        bool experiment;
        unsigned int port, delay, limit; /* the experiment's */
};

/* Returns 0, or an exit status after one line that says what is wrong. */
int verify_options_parse(int argc, char **argv, struct verify_options *ret);

extern const char verify_detail[];

#endif
