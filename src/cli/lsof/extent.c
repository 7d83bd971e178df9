/* SPDX-License-Identifier: MIT */
#include "extent.h"

#include <stdio.h>

const char *lsof_extent_title(const struct lsof_request *request)
{
        if (request->offset_only)
                return "OFFSET";
        return request->size_only ? "SIZE" : "SIZE/OFF";
}

void lsof_extent_format(uint64_t offset, size_t digits, char text[LSOF_EXTENT_MAX])
{
        int len = snprintf(text, LSOF_EXTENT_MAX, "0t%llu", (unsigned long long)offset);

        if (digits > 0 && (size_t)len > digits + 2)
                snprintf(text, LSOF_EXTENT_MAX, "%#llx", (unsigned long long)offset);
}
