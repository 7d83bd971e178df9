/* SPDX-License-Identifier: MIT */
/*
 * Writing a snapshot to a file, for fds_load.c to read back.
 */
#include "fds_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Closes the file. */
static int write_to(const json_t *document, FILE *file)
{
        int r = fds_json_print(document, file, JSON_COMPACT);

        if (fclose(file) != 0 && r == 0)
                r = -errno;
        return r;
}

static int write_through(const json_t *document, const char *path)
{
        FILE *file = fopen(path, "we");

        return file ? write_to(document, file) : -errno;
}

/* A file of that name that is there already is not ours, wherever it leads. */
static int write_beside(const json_t *document, const char *beside, const char *path)
{
        FILE *file = fopen(beside, "wxe");
        int r = file ? write_to(document, file) : -errno;

        if (r == 0 && rename(beside, path) < 0)
                r = -errno;
        if (file && r < 0)
                unlink(beside);
        return r;
}

/* Written beside and renamed, so that a snapshot is whole or not there. */
static int replace(const json_t *document, const char *path)
{
        char *beside;
        int r;

        if (asprintf(&beside, "%s.%d", path, getpid()) < 0)
                return -ENOMEM;
        r = write_beside(document, beside, path);
        free(beside);
        return r;
}

/* A device, a FIFO or a link stays what it is, and is written to. */
static bool is_replaceable(const char *path)
{
        struct stat st;

        return lstat(path, &st) < 0 || S_ISREG(st.st_mode);
}

int fds_save(const struct fds_view *view, const char *path)
{
        json_t *document = fds_json_snapshot(view);
        int r = -ENOMEM;

        if (document)
                r = is_replaceable(path) ? replace(document, path) : write_through(document, path);
        json_decref(document);
        return r;
}
