/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_DIRECTORY_H
#define HOT_LSOF_DIRECTORY_H

/*
 * What is in a directory, or in the tree below it: the directory itself, then its entries. Symbolic links
 * and other file systems are left out unless they are asked for.
 */

#include <stdbool.h>
#include <sys/stat.h>

struct lsof_walk {
        bool deep;
        bool quiet; /* no warnings */
        bool cross_systems, cross_links;
        void (*take)(const char *path, const struct stat *st, void *data);
        void *data;
};

/* Returns 0, or -1 if it is no directory; then that was said. */
int lsof_walk(const struct lsof_walk *walk, const char *path);

#endif
