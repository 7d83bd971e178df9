/* SPDX-License-Identifier: MIT */
/*
 * Of several names of one file only the last that was asked for is found: nobody would choose that, but it
 * decides lsof's exit status.
 */
#include "files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "directory.h"
#include "links.h"
#include "memory.h"
#include "text.h"

static struct lsof_file *add(struct lsof_files *files, const char *name, const char *asked,
                             const struct stat *st)
{
        struct lsof_file *file;

        files->files = lsof_grow(files->files, files->n, sizeof(*file));
        file = &files->files[files->n++];
        *file = (struct lsof_file){
                .device = st->st_dev,
                .inode = st->st_ino,
                .name = lsof_copy(name),
                .asked = lsof_copy(asked),
        };
        return file;
}

static bool is_source(const struct lsof_mount *mount, const char *path, enum lsof_meaning meaning)
{
        struct stat st;

        if (!mount->source_file || strcmp(mount->source_file, path) != 0)
                return false;
        return meaning == LSOF_SYSTEM ||
               (stat(mount->source_file, &st) == 0 && S_ISBLK(st.st_mode));
}

/* Every file system that a path is the directory or the device of. Returns how many. */
static int add_systems(struct lsof_files *files, struct lsof_mounts *mounts, const char *path,
                       const char *word, enum lsof_meaning meaning)
{
        int n = 0;

        if (meaning == LSOF_FILE)
                return 0;
        lsof_mounts_look(mounts);
        for (size_t i = mounts->n; i-- > 0;) {
                const struct lsof_mount *mount = &mounts->mounts[i];

                if (!mount->is_known ||
                    (strcmp(mount->directory, path) != 0 && !is_source(mount, path, meaning)))
                        continue;
                add(files, mount->directory, word, &mount->stat)->is_system = true;
                n++;
        }
        return n;
}

static void strip_slashes(char *path)
{
        for (size_t len = strlen(path); len > 1 && path[len - 1] == '/'; len--)
                path[len - 1] = '\0';
}

static int add_file(struct lsof_files *files, const char *path, const char *word, bool forgiving)
{
        struct stat st;

        if (stat(path, &st) < 0) {
                int error = errno;

                if (!forgiving)
                        lsof_complain("status error on %s: %s", path, strerror(error));
                return -1;
        }
        add(files, path, word, &st);
        return 0;
}

static int add_word(struct lsof_files *files, struct lsof_mounts *mounts, const char *word,
                    enum lsof_meaning meaning, bool forgiving)
{
        char *path = lsof_links_follow(word, mounts->quiet);
        int r = 0;

        if (!path)
                return -1;
        strip_slashes(path);
        if (add_systems(files, mounts, path, word, meaning) == 0) {
                if (meaning == LSOF_SYSTEM && !forgiving)
                        lsof_complain_about(word, "not a file system: ");
                r = meaning == LSOF_SYSTEM ? -1 : add_file(files, path, word, forgiving);
        }
        free(path);
        return r;
}

int lsof_files_add_words(struct lsof_files *files, struct lsof_mounts *mounts, int n, char **words,
                         enum lsof_meaning meaning, bool forgiving)
{
        int n_failed = 0;

        for (int i = 0; i < n; i++)
                n_failed += add_word(files, mounts, words[i], meaning, forgiving) < 0;
        if (forgiving)
                return 0;
        files->failed = n_failed > 0;
        return n_failed < n ? 0 : -1;
}

struct tree {
        struct lsof_files *files;
        size_t number;
};

/* The directory itself goes without the slashes that it was given with; what is in it keeps them. */
static void add_entry(const char *path, const struct stat *st, void *data)
{
        const struct tree *tree = data;
        char *name = lsof_copy(path);

        strip_slashes(name);
        add(tree->files, name, name, st)->tree = tree->number;
        free(name);
}

int lsof_files_add_directory(struct lsof_files *files, const char *name, bool deep, bool quiet)
{
        struct lsof_walk walk = {
                .deep = deep,
                .quiet = quiet,
                .cross_systems = files->cross_systems,
                .cross_links = files->cross_links,
                .take = add_entry,
        };
        struct tree tree = {.files = files, .number = deep ? ++files->n_trees : 0};
        char *path;
        int r;

        if (!name || !*name || *name == '+' || *name == '-') {
                if (!quiet)
                        lsof_complain("+d not followed by a directory path");
                return -1;
        }
        path = lsof_links_follow(name, quiet);
        if (!path)
                return -1;
        walk.data = &tree;
        r = lsof_walk(&walk, path);
        free(path);
        return r;
}

static const struct lsof_files *sorted;

/* By device and inode, then as they were asked for. A file system has no inode here. */
static int compare(const void *a, const void *b)
{
        size_t i = *(const size_t *)a, k = *(const size_t *)b;
        const struct lsof_file *left = &sorted->files[i], *right = &sorted->files[k];

        if (left->is_system != right->is_system)
                return left->is_system ? 1 : -1;
        if (left->device != right->device)
                return left->device < right->device ? -1 : 1;
        if (!left->is_system && left->inode != right->inode)
                return left->inode < right->inode ? -1 : 1;
        return i < k ? -1 : 1;
}

static void sort(struct lsof_files *files)
{
        files->order = lsof_new(files->n, sizeof(*files->order));
        for (size_t i = 0; i < files->n; i++)
                files->order[i] = i;
        sorted = files;
        qsort(files->order, files->n, sizeof(*files->order), compare);
}

/* Is what is looked for before @file? */
static bool is_after(const struct lsof_file *file, dev_t device, ino_t inode, bool system)
{
        if (file->is_system != system)
                return file->is_system;
        if (file->device != device)
                return file->device > device;
        return !system && file->inode > inode;
}

static struct lsof_file *search(struct lsof_files *files, dev_t device, ino_t inode, bool system)
{
        size_t low = 0, high = files->n, middle;
        struct lsof_file *file;

        while (low < high) {
                middle = low + (high - low) / 2;
                if (is_after(&files->files[files->order[middle]], device, inode, system))
                        high = middle;
                else
                        low = middle + 1;
        }
        if (low == 0)
                return NULL;
        file = &files->files[files->order[low - 1]];
        if (file->is_system != system || file->device != device)
                return NULL;
        return system || file->inode == inode ? file : NULL;
}

const struct lsof_file *lsof_files_match(struct lsof_files *files, dev_t device, ino_t inode)
{
        struct lsof_file *file;

        if (files->n == 0)
                return NULL;
        if (!files->order)
                sort(files);
        file = search(files, device, inode, false);
        if (!file)
                file = search(files, device, inode, true);
        if (file)
                file->found = true;
        return file;
}

bool lsof_files_match_name(struct lsof_files *files, const char *name)
{
        for (size_t i = files->n; i-- > 0;)
                if (strcmp(files->files[i].asked, name) == 0) {
                        files->files[i].found = true;
                        return true;
                }
        return false;
}

bool lsof_files_is_missed(const struct lsof_files *files, const struct lsof_file *file)
{
        if (file->found || file->tree == 0)
                return !file->found;
        for (size_t i = 0; i < files->n; i++)
                if (files->files[i].tree == file->tree && files->files[i].found)
                        return false;
        return true;
}
