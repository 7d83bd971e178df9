/* SPDX-License-Identifier: MIT */
#include "watches.h"

#include <stdio.h>
#include <stdlib.h>

#include "memory.h"

enum { SHOWN_MAX = 32, NUMBER_MAX_LEN = 12 };

static int compare(const void *a, const void *b)
{
        int left = *(const int *)a, right = *(const int *)b;

        return left < right ? -1 : left > right;
}

char *lsof_watches_name(const struct hot_inspect_watch *watches, size_t n)
{
        char text[SHOWN_MAX * NUMBER_MAX_LEN + 32];
        int fds[SHOWN_MAX], len;
        size_t n_shown = n < SHOWN_MAX ? n : SHOWN_MAX;

        for (size_t i = 0; i < n_shown; i++)
                fds[i] = watches[i].fd;
        qsort(fds, n_shown, sizeof(*fds), compare);
        len = snprintf(text, sizeof(text), "[eventpoll");
        for (size_t i = 0; i < n_shown; i++)
                len += snprintf(text + len, sizeof(text) - (size_t)len, "%c%d", i == 0 ? ':' : ',',
                                fds[i]);
        snprintf(text + len, sizeof(text) - (size_t)len, n_shown == SHOWN_MAX ? "...]" : "]");
        return lsof_copy(text);
}
