/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target on the files and folders it is given, without libFuzzer: what fuzzing found once is
 * an ordinary test from then on, with any compiler.
 */
#include "target.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void die(const char *path)
{
        perror(path);
        exit(1);
}

static void replay_file(const char *path, size_t size)
{
        /* No byte to spare: a sanitizer sees a read behind the last one. */
        uint8_t *bytes = malloc(size > 0 ? size : 1);
        FILE *file = fopen(path, "rb");

        if (!file || !bytes || fread(bytes, 1, size, file) != size)
                die(path);
        fclose(file);
        LLVMFuzzerTestOneInput(bytes, size);
        free(bytes);
}

static unsigned int replay(const char *path);

static unsigned int replay_folder(const char *path)
{
        DIR *folder = opendir(path);
        const struct dirent *entry;
        unsigned int n = 0;

        if (!folder)
                die(path);
        while ((entry = readdir(folder))) {
                char inner[PATH_MAX];

                if (entry->d_name[0] == '.')
                        continue;
                snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
                n += replay(inner);
        }
        closedir(folder);
        return n;
}

static unsigned int replay(const char *path)
{
        struct stat st;

        if (stat(path, &st) < 0)
                die(path);
        if (S_ISDIR(st.st_mode))
                return replay_folder(path);
        replay_file(path, (size_t)st.st_size);
        return 1;
}

int main(int argc, char **argv)
{
        unsigned int n = 0;

        for (int i = 1; i < argc; i++)
                n += replay(argv[i]);
        printf("%u inputs\n", n);
        return n > 0 ? 0 : 1;
}
