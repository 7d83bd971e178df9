/* SPDX-License-Identifier: MIT */
#include "maps.h"

#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

/* Behind the next @n blanks, or NULL. */
static char *skip_words(char *text, int n)
{
        for (; text && n > 0; n--) {
                text = strchr(text, ' ');
                text = text ? text + 1 : NULL;
        }
        return text;
}

/*
 * "7f0e…-7f0e… r-xp 00026000 fe:00 332835    /usr/lib/x86_64-linux-gnu/libc.so.6". A process has hundreds of
 * them: scanf(3) takes as long for a line as the kernel does to write it.
 */
static int parse(char *line, struct hot__map *ret)
{
        char *at = skip_words(line, 3);
        unsigned long first, second;

        if (!at)
                return 0;
        first = strtoul(at, &at, 16);
        if (*at++ != ':')
                return 0;
        second = strtoul(at, &at, 16);
        ret->device = makedev((unsigned int)first, (unsigned int)second);
        ret->inode = strtoull(at, &at, 10);
        ret->path = at + strspn(at, " ");
        return ret->inode != 0 && *ret->path;
}

int hot__maps_next(char **text, struct hot__map *ret)
{
        char *line;

        while ((line = strsep(text, "\n")))
                if (parse(line, ret))
                        return 1;
        return 0;
}

int hot__maps_is_deleted(const char *target)
{
        static const char suffix[] = " (deleted)";
        size_t len = strlen(target), n = sizeof(suffix) - 1;

        return len > n && strcmp(target + len - n, suffix) == 0;
}
