/* SPDX-License-Identifier: MIT */
#ifndef HOT_INSPECT_ROW_H
#define HOT_INSPECT_ROW_H

/*
 * One descriptor of a snapshot: what the public sees, and the memory that it points into.
 */

#include <hotstart/inspect.h>

struct hot__row {
        struct hot_inspect_fd public;
        char *target; /* owned, as all that follows */
        char *local;
        char *peer;
        struct hot_inspect_watch *watches;
};

/* A row with nothing known but its number and its target, which it takes. */
void hot__row_init(struct hot__row *row, int fd, char *target);

/* Free what the row owns. */
void hot__row_done(struct hot__row *row);

#endif
