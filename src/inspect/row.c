/* SPDX-License-Identifier: MIT */
#include "row.h"

#include <stdlib.h>

void hot__row_init(struct hot__row *row, int fd, const char *target)
{
        *row = (struct hot__row){
                .public = {.fd = fd,
                           .target = target,
                           .state = "",
                           .local = "",
                           .peer = "",
                           .step = "",
                           .eventfd = -1,
                           .terminal = -1},
        };
}

void hot__row_done(struct hot__row *row)
{
        free(row->watches);
        free(row->locks);
        free(row->held);
        *row = (struct hot__row){0};
}

void *hot__row_grow(void *array, size_t n, size_t size)
{
        if ((n & (n - 1)) != 0)
                return array;
        return reallocarray(array, n ? n * 2 : 1, size);
}
