/* SPDX-License-Identifier: MIT */
#ifndef DEMO_BATTERIES_H
#define DEMO_BATTERIES_H

/* What the demo has beside the seed's pages: metrics, health, an access log, uploads. */

#include <hotstart/http.h>

struct demo_batteries {
        const char *access_log; /* NULL: none */
        int access_format;      /* enum hot_http_access_format; 0: combined */
};

void demo_batteries_add(struct hot_http *server, const struct demo_batteries *batteries);

#endif
