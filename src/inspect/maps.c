/* SPDX-License-Identifier: MIT */
#include "maps.h"

#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

/* "7f0e…-7f0e… r-xp 00026000 fe:00 332835    /usr/lib/x86_64-linux-gnu/libc.so.6" */
int hot__maps_next(char **text, struct hot__map *ret)
{
        unsigned int major, minor;
        unsigned long long inode;
        char *line;
        int at;

        while ((line = strsep(text, "\n"))) {
                at = 0;
                if (sscanf(line, "%*s %*s %*s %x:%x %llu %n", &major, &minor, &inode, &at) != 3)
                        continue;
                if (inode == 0 || !line[at])
                        continue;
                *ret = (struct hot__map){makedev(major, minor), inode, line + at};
                return 1;
        }
        return 0;
}

int hot__maps_is_deleted(const char *target)
{
        static const char suffix[] = " (deleted)";
        size_t len = strlen(target), n = sizeof(suffix) - 1;

        return len > n && strcmp(target + len - n, suffix) == 0;
}
