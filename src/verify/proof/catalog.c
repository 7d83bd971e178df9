/* SPDX-License-Identifier: MIT */
#include "catalog.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"

#define BODY_MAX 65536

/* A path that would break the request line is no path. */
static void take_path(const json_t *object, const char *name, char ret[static CATALOG_PATH_MAX])
{
        const char *path = json_string_value(json_object_get(object, name));

        if (!path || path[0] != '/' || strlen(path) >= CATALOG_PATH_MAX)
                return;
        for (const char *p = path; *p; p++)
                if (*p <= ' ' || *p > '~')
                        return;
        strcpy(ret, path);
}

int catalog_parse(const char *text, struct catalog *ret)
{
        json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

        if (!json_is_object(object)) {
                json_decref(object);
                return -EINVAL;
        }
        *ret = (struct catalog){0};
        take_path(object, "get", ret->get);
        take_path(object, "slow", ret->slow);
        take_path(object, "post", ret->post);
        take_path(object, "download", ret->download);
        take_path(object, "http2", ret->http2);
        take_path(object, "websocket", ret->websocket);
        take_path(object, "events", ret->events);
        json_decref(object);
        return 0;
}

int catalog_fetch(const struct hot__target *target, bool tls, uint64_t deadline,
                  struct catalog *ret)
{
        char *body = malloc(BODY_MAX);
        int r;

        if (!body)
                return -ENOMEM;
        r = ask_get(target, tls, CATALOG_PATH, deadline, body, BODY_MAX);
        if (r == 200)
                r = catalog_parse(body, ret) < 0 ? -ENOENT : 0;
        else if (r > 0)
                r = -ENOENT;
        free(body);
        return r;
}
