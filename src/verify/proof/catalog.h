/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_CATALOG_H
#define HOT_VERIFY_CATALOG_H

/*
 * The catalog: a server that has paths for a proof names them at /.hotstart, as one JSON object:
 *
 *     {"get": "/test", "slow": "/hello", "post": "/echo", "download": "/blob", "http2": "/test",
 *      "websocket": "/ws", "events": "/events"}
 *
 * All members are optional, unknown ones are passed over. What is no such object is no catalog.
 */

#include <stdbool.h>
#include <stdint.h>

#include "target.h"

#define CATALOG_PATH     "/.hotstart"
#define CATALOG_PATH_MAX 200

struct catalog {
        char get[CATALOG_PATH_MAX], slow[CATALOG_PATH_MAX], post[CATALOG_PATH_MAX],
                download[CATALOG_PATH_MAX], http2[CATALOG_PATH_MAX], websocket[CATALOG_PATH_MAX],
                events[CATALOG_PATH_MAX]; /* "" where there is none */
};

/* Ask the server. Returns 0, -ENOENT if it has none, or another negative errno. */
int catalog_fetch(const struct hot__target *target, bool tls, uint64_t deadline,
                  struct catalog *ret);

/* Returns 0 or -EINVAL. */
int catalog_parse(const char *text, struct catalog *ret);

#endif
