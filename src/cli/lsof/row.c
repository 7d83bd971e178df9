/* SPDX-License-Identifier: MIT */
#include "row.h"

#include <stdlib.h>

void lsof_row_done(struct lsof_row *row)
{
        free(row->name);
        free(row->note);
}
