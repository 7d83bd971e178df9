/* SPDX-License-Identifier: MIT */
#include "marker.h"

#include <time.h>

/* That the format is the user's is the point here. */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

bool lsof_marker_format(const char *format, char text[LSOF_MARKER_MAX])
{
        time_t now = time(NULL);
        struct tm local;

        *text = '\0';
        return strftime(text, LSOF_MARKER_MAX, format, localtime_r(&now, &local)) > 0;
}
