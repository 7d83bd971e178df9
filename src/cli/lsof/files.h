/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_FILES_H
#define HOT_LSOF_FILES_H

/*
 * The files that are asked for: by name, below a directory (+d, +D), or on a file system. A file is who it
 * is by its device and inode, whatever name it was opened by; a UNIX socket by the name it is bound to.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "mounts.h"

struct lsof_file {
        dev_t device;
        ino_t inode;
        bool is_system; /* a file system: whatever is on the device */
        char *name;     /* owned: to show instead of the name it was opened by */
        char *asked;    /* owned: the word of the command line, or the name below a directory */
        size_t tree;    /* which +D it is of; 0: of none */
        bool found;
};

struct lsof_files {
        struct lsof_file *files; /* owned */
        size_t n;
        size_t *order; /* owned: of the files, by device and inode; NULL until the first search */
        size_t n_trees;
        bool failed;                     /* some word was no file that there is */
        bool cross_systems, cross_links; /* -x */
};

/* What a word may mean. */
enum lsof_meaning {
        LSOF_FILE_OR_SYSTEM = 0,
        LSOF_FILE,   /* -f */
        LSOF_SYSTEM, /* +f */
};

/*
 * Add words of the command line. @forgiving (-Q): one that is not there is no error. Returns 0, or -1 if
 * nothing is left to look for; then that was said.
 */
int lsof_files_add_words(struct lsof_files *files, struct lsof_mounts *mounts, int n, char **words,
                         enum lsof_meaning meaning, bool forgiving);

/* Add a directory and what is in it; @deep: all of the tree below. Returns 0, or -1 after a message. */
int lsof_files_add_directory(struct lsof_files *files, const char *name, bool deep, bool quiet);

/* The file that is asked for by being this one, or by being on this device; it is found. NULL: none. */
const struct lsof_file *lsof_files_match(struct lsof_files *files, dev_t device, ino_t inode);

/* Is a name of a UNIX socket asked for? Then it is found. */
bool lsof_files_match_name(struct lsof_files *files, const char *name);

/* Was nothing found of what this file was asked for by: itself, or the tree of its +D? */
bool lsof_files_is_missed(const struct lsof_files *files, const struct lsof_file *file);

#endif
