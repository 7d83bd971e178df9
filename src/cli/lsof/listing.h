/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_LISTING_H
#define HOT_LSOF_LISTING_H

/*
 * All processes and rows that a request asks for, at one moment.
 */

#include <hotstart/inspect.h>

#include "make.h"
#include "request.h"
#include "row.h"

struct lsof_process {
        const struct hot_inspect_process *identity; /* the snapshot's */
        struct lsof_row *rows;                      /* owned: those that are to be listed */
        size_t n_rows;
};

struct lsof_listing {
        struct hot_snapshot *snapshot;  /* owned */
        struct lsof_process *processes; /* owned: those that have a row, in ascending order */
        size_t n;
};

/* Returns 0 or a negative errno. */
int lsof_listing_read(struct lsof_maker *maker, struct lsof_listing *ret_listing);

void lsof_listing_done(struct lsof_listing *listing);

#endif
