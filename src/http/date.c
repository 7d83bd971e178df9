/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "date.h"

const char *hot__date_at(struct hot__date *date, time_t second)
{
        static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
        static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        struct tm tm;

        if (date->second == second && date->text[0])
                return date->text;
        gmtime_r(&second, &tm);
        snprintf(date->text, sizeof(date->text), "%s, %02u %s %04u %02u:%02u:%02u GMT",
                 days[tm.tm_wday % 7], (unsigned int)tm.tm_mday % 100, months[tm.tm_mon % 12],
                 (unsigned int)(tm.tm_year + 1900) % 10000, (unsigned int)tm.tm_hour % 100,
                 (unsigned int)tm.tm_min % 100, (unsigned int)tm.tm_sec % 100);
        date->second = second;
        return date->text;
}

const char *hot__date_now(struct hot__date *date)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME_COARSE, &now);
        return hot__date_at(date, now.tv_sec);
}
