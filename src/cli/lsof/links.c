/* SPDX-License-Identifier: MIT */
#include "links.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "text.h"

enum { PASSES_MAX = 32 };

struct builder {
        char text[PATH_MAX];
        size_t len;
};

static bool append(struct builder *builder, const char *text, size_t len)
{
        if (builder->len + len >= sizeof(builder->text))
                return false;
        memcpy(builder->text + builder->len, text, len);
        builder->len += len;
        builder->text[builder->len] = '\0';
        return true;
}

/* The part of @path from @from, with its slash, up to @to; @path up to there may be a link. */
static bool append_part(struct builder *builder, const char *path, size_t from, size_t to)
{
        char prefix[PATH_MAX], link[PATH_MAX];
        ssize_t n;

        if (to >= sizeof(prefix))
                return false;
        snprintf(prefix, sizeof(prefix), "%.*s", (int)to, path);
        n = readlink(prefix, link, sizeof(link));
        if (n < 0)
                return append(builder, path + from, to - from);
        if (link[0] == '/')
                builder->len = 0;
        else if (path[from] == '/' && !append(builder, "/", 1))
                return false;
        return append(builder, link, (size_t)n);
}

static bool follow_once(const char *path, struct builder *builder)
{
        size_t len = strlen(path), to;

        builder->len = 0;
        builder->text[0] = '\0';
        for (size_t from = 0; from < len; from = to) {
                to = from + 1;
                to += strcspn(path + to, "/");
                if (!append_part(builder, path, from, to))
                        return false;
        }
        return true;
}

char *lsof_links_follow(const char *path, bool quiet)
{
        char *current = lsof_copy(path);
        struct builder builder;

        for (int i = 0; i <= PASSES_MAX; i++) {
                if (!follow_once(current, &builder)) {
                        if (!quiet)
                                lsof_complain_about(path, "readlink() path too long: ");
                        free(current);
                        return NULL;
                }
                if (strcmp(builder.text, current) == 0)
                        return current;
                free(current);
                current = lsof_copy(builder.text);
        }
        if (!quiet)
                lsof_complain_about(
                        path, "too many (> %d) symbolic links in readlink() path: ", PASSES_MAX);
        free(current);
        return NULL;
}
