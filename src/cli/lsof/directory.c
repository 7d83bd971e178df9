/* SPDX-License-Identifier: MIT */
#include "directory.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "text.h"

/* Directories that are still to be read: the last that was found is the next. */
struct waiting {
        char **paths; /* owned, as are the paths */
        size_t n;
};

static void push(struct waiting *waiting, const char *path)
{
        waiting->paths = lsof_grow(waiting->paths, waiting->n, sizeof(*waiting->paths));
        waiting->paths[waiting->n++] = lsof_copy(path);
}

static void say(const char *what, const char *path, const char *kind, int error)
{
        fprintf(stderr, "lsof: WARNING: can't %s(", what);
        lsof_text_print(stderr, path);
        fprintf(stderr, ")%s: %s\n", kind, strerror(error));
}

static void warn(const struct lsof_walk *walk, const char *what, const char *path, const char *kind)
{
        int error = errno;

        if (!walk->quiet && error != ENOENT)
                say(what, path, kind, error);
}

/* Returns 1 if it is to be taken. */
static int look(const struct lsof_walk *walk, const char *path, dev_t device, struct stat *st)
{
        if (lstat(path, st) < 0) {
                warn(walk, "lstat", path, "");
                return 0;
        }
        if (!walk->cross_systems && st->st_dev != device)
                return 0;
        if (!S_ISLNK(st->st_mode))
                return 1;
        if (!walk->cross_links)
                return 0;
        if (stat(path, st) == 0)
                return 1;
        warn(walk, "stat", path, " symbolc link"); /* so lsof spells it */
        return 0;
}

static bool is_dot(const char *name)
{
        return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static void read_directory(const struct lsof_walk *walk, const char *path, dev_t device,
                           struct waiting *waiting)
{
        DIR *directory = opendir(path);
        const struct dirent *entry;
        char name[PATH_MAX];
        struct stat st;

        if (!directory) {
                warn(walk, "opendir", path, "");
                return;
        }
        while ((entry = readdir(directory))) {
                if (is_dot(entry->d_name))
                        continue;
                if (snprintf(name, sizeof(name), "%s%s%s", path,
                             path[strlen(path) - 1] == '/' ? "" : "/",
                             entry->d_name) >= (int)sizeof(name))
                        continue;
                if (!look(walk, name, device, &st))
                        continue;
                walk->take(name, &st, walk->data);
                if (walk->deep && S_ISDIR(st.st_mode))
                        push(waiting, name);
        }
        closedir(directory);
}

int lsof_walk(const struct lsof_walk *walk, const char *path)
{
        struct waiting waiting = {0};
        struct stat st;
        char *next;

        if (stat(path, &st) < 0) {
                int error = errno;

                if (!walk->quiet)
                        say("stat", path, "", error);
                return -1;
        }
        if (!S_ISDIR(st.st_mode)) {
                if (!walk->quiet)
                        lsof_complain_about(path, "WARNING: not a directory: ");
                return -1;
        }
        walk->take(path, &st, walk->data);
        push(&waiting, path);
        while (waiting.n > 0) {
                next = waiting.paths[--waiting.n];
                read_directory(walk, next, st.st_dev, &waiting);
                free(next);
        }
        free(waiting.paths);
        return 0;
}
