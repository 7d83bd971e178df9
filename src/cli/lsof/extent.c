/* SPDX-License-Identifier: MIT */
#include "extent.h"

#include <stdio.h>

#include "decimal.h"

const char *lsof_extent_title(const struct lsof_request *request)
{
        if (request->offset_only)
                return "OFFSET";
        return request->size_only ? "SIZE" : "SIZE/OFF";
}

void lsof_extent_format(uint64_t offset, size_t digits, char text[LSOF_EXTENT_MAX])
{
        size_t len;

        text[0] = '0';
        text[1] = 't';
        len = (size_t)(hot__decimal(text + 2, offset) - text);
        if (digits > 0 && len > digits + 2)
                snprintf(text, LSOF_EXTENT_MAX, "%#llx", (unsigned long long)offset);
}
