/* SPDX-License-Identifier: MIT */
/* Short names, since the paths of UNIX sockets end after 107 bytes. */
#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fdcheck.h"

static char directory[64];

static unsigned int visit(const char *path, bool remove_them)
{
        DIR *names = opendir(path);
        const struct dirent *entry;
        unsigned int n = 0;

        assert_non_null(names);
        while ((entry = readdir(names))) {
                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                n++;
                if (remove_them && unlinkat(dirfd(names), entry->d_name, 0) < 0)
                        (void)unlinkat(dirfd(names), entry->d_name, AT_REMOVEDIR);
        }
        closedir(names);
        return n;
}

int scratch_setup(void **state)
{
        snprintf(directory, sizeof(directory), "/tmp/hotstart-test-XXXXXX");
        *state = mkdtemp(directory);
        return *state ? 0 : -1;
}

int scratch_teardown(void **state)
{
        (void)state;
        visit(directory, true);
        return rmdir(directory);
}

const char *scratch_directory(void)
{
        return directory;
}

const char *scratch_path(const char *name)
{
        static char paths[4][128];
        static unsigned int next;
        char *path = paths[next++ % 4];

        snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
        return path;
}

unsigned int count_names(const char *directory_path)
{
        return visit(directory_path, false);
}
