/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_IDS_H
#define HOT_LSOF_IDS_H

/*
 * A set of process or process group IDs: "123,^456". What is excluded is so before anything else counts.
 */

#include <stdbool.h>
#include <stddef.h>

struct lsof_id {
        int id;
        bool excluded;
        bool found;
};

struct lsof_ids {
        struct lsof_id *ids; /* owned */
        size_t n;
        size_t n_included;
};

/*
 * Add what @text says. @group: they are of process groups, for the messages. Returns 0, or -1 after having
 * said what is wrong.
 */
int lsof_ids_add(struct lsof_ids *ids, const char *text, bool group);

bool lsof_ids_excludes(const struct lsof_ids *ids, int id);

/* Is it included? Then it is found. */
bool lsof_ids_match(struct lsof_ids *ids, int id);

#endif
