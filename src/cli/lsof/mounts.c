/* SPDX-License-Identifier: MIT */
#include "mounts.h"

#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "links.h"
#include "memory.h"
#include "text.h"

static bool is_one_of(const char *word, const char *const *words)
{
        for (; *words; words++)
                if (strcasecmp(word, *words) == 0)
                        return true;
        return false;
}

/* These have no files of anybody's. */
static bool is_ignored(const struct mntent *entry)
{
        static const char *const types[] = {"autofs", "pipefs", "sockfs", NULL};
        const char *colon = strchr(entry->mnt_fsname, ':');

        return is_one_of(entry->mnt_type, types) ||
               (colon && strncasecmp(colon + 1, "(pid", 4) == 0);
}

static bool is_nfs(const struct lsof_mount *mount)
{
        static const char *const types[] = {"nfs", "nfs3", "nfs4", NULL};

        return is_one_of(mount->type, types);
}

static struct lsof_mount *find(struct lsof_mounts *mounts, const char *directory)
{
        for (size_t i = 0; i < mounts->n; i++)
                if (strcmp(mounts->mounts[i].directory, directory) == 0)
                        return &mounts->mounts[i];
        return NULL;
}

/* What is mounted first counts, but for the root, which something temporary may have come before. */
static void add(struct lsof_mounts *mounts, const struct mntent *entry)
{
        char *directory = lsof_links_follow(entry->mnt_dir, mounts->quiet);
        struct lsof_mount *mount;

        if (!directory || *directory != '/') {
                free(directory);
                return;
        }
        mount = find(mounts, directory);
        if (mount && strcmp(directory, "/") != 0) {
                free(directory);
                return;
        }
        if (!mount) {
                mounts->mounts = lsof_grow(mounts->mounts, mounts->n, sizeof(*mount));
                mount = &mounts->mounts[mounts->n++];
        } else {
                free(mount->directory);
                free(mount->source);
                free(mount->type);
        }
        *mount = (struct lsof_mount){
                .directory = directory,
                .source = lsof_copy(entry->mnt_fsname),
                .type = lsof_copy(entry->mnt_type),
        };
}

static void read_table(struct lsof_mounts *mounts)
{
        const struct mntent *entry;
        FILE *file;

        if (mounts->is_read)
                return;
        mounts->is_read = true;
        file = setmntent("/proc/mounts", "re");
        if (!file)
                return;
        while ((entry = getmntent(file)))
                if (!is_ignored(entry))
                        add(mounts, entry);
        endmntent(file);
}

static bool look(struct lsof_mount *mount)
{
        if (!mount->is_looked_at)
                mount->is_known = stat(mount->directory, &mount->stat) == 0;
        mount->is_looked_at = true;
        return mount->is_known;
}

static void complain(const struct lsof_mount *mount)
{
        fprintf(stderr, "lsof: WARNING: can't stat() %s file system ", mount->type);
        lsof_text_print(stderr, mount->directory);
        fputs("\n      Output information may be incomplete.\n", stderr);
}

void lsof_mounts_look(struct lsof_mounts *mounts)
{
        read_table(mounts);
        for (size_t i = 0; i < mounts->n; i++) {
                struct lsof_mount *mount = &mounts->mounts[i];

                if (!look(mount) && !mounts->quiet)
                        complain(mount);
                if (*mount->source == '/' && !mount->source_file)
                        mount->source_file = lsof_links_follow(mount->source, mounts->quiet);
        }
}

int lsof_mounts_queues(struct lsof_mounts *mounts, dev_t *ret_device)
{
        read_table(mounts);
        for (size_t i = mounts->n; i-- > 0;)
                if (strcmp(mounts->mounts[i].type, "mqueue") == 0 && look(&mounts->mounts[i])) {
                        *ret_device = mounts->mounts[i].stat.st_dev;
                        return 1;
                }
        return 0;
}

static bool is_below(const char *path, const char *directory)
{
        return strncmp(path, directory, strlen(directory)) == 0;
}

const struct lsof_mount *lsof_mounts_nfs(struct lsof_mounts *mounts, dev_t device, const char *path)
{
        read_table(mounts);
        for (size_t i = mounts->n; i-- > 0;) {
                struct lsof_mount *mount = &mounts->mounts[i];

                if (is_nfs(mount) && is_below(path, mount->directory) && look(mount) &&
                    mount->stat.st_dev == device)
                        return mount;
        }
        return NULL;
}
