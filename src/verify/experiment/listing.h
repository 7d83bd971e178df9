/* SPDX-License-Identifier: MIT */
#ifndef EXPERIMENT_LISTING_H
#define EXPERIMENT_LISTING_H

/*
 * Descriptor tables on paper, in the columns of lsof and two of our own: CLOEXEC, and under which number
 * another process of the listing has the very same open file description.
 */

#include <stddef.h>
#include <stdint.h>

#include <hotstart/inspect.h>

/* Print the tables of some processes in one listing. Rows with the inode @listener stand out. */
void listing_print(struct hot_inspect *const *processes, size_t n, uint64_t listener);

/* lsof's letter for an access mode: r, w or u. */
char listing_mode(const struct hot_inspect_fd *fd);

#endif
