/* SPDX-License-Identifier: MIT */
#include "row.h"

#include <stdlib.h>

void hot__row_init(struct hot__row *row, int fd, char *target)
{
        *row = (struct hot__row){
                .public = {.fd = fd, .target = target, .state = "", .local = "", .peer = ""},
                .target = target,
        };
}

void hot__row_done(struct hot__row *row)
{
        free(row->target);
        free(row->local);
        free(row->peer);
        free(row->watches);
        *row = (struct hot__row){0};
}
