/* SPDX-License-Identifier: MIT */
#ifndef EXPERIMENT_PAPER_H
#define EXPERIMENT_PAPER_H

/*
 * What the experiment writes: titles, prose, the server's own lines, verdicts. Colour only on a terminal,
 * and not where NO_COLOR is set.
 */

#include <stdbool.h>

enum ink { INK_PLAIN, INK_BOLD, INK_DIM, INK_GOOD, INK_BAD };

/* What switches to an ink, and back for INK_PLAIN; "" where there is no colour. */
const char *paper_ink(enum ink ink);

void paper_title(const char *title);

/* A paragraph, filled. */
void paper_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line of the server's log. */
void paper_log(const char *line);

/* A command that does what comes next, as one would type it. */
void paper_command(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The answer to a question, with the evidence as a filled paragraph. */
void paper_verdict(bool holds, const char *question, const char *evidence);

#endif
