/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_OPTIONS_H
#define HOT_LSOF_OPTIONS_H

/*
 * lsof's options, letter by letter.
 */

#include <stdbool.h>

#include "arguments.h"
#include "request.h"

/* The reading of a command line. */
struct lsof_reader {
        struct lsof_request *request;
        struct lsof_arguments arguments;
        bool wrong; /* something was, and that was said */
        bool help, version, field_help;
        bool crossed, any_directory; /* -x; +d or +D */
};

/* Read all options into the request. */
void lsof_options_read(struct lsof_reader *reader);

/* Remember that something was wrong, if @r is negative. */
void lsof_options_refuse(struct lsof_reader *reader, int r);

#endif
