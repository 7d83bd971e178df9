/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "route.h"
#include "token.h"

static bool same_method(const char *a, const char *b)
{
        return a == b || (a && b && !strcmp(a, b));
}

static bool is_valid(const char *method, const char *path)
{
        if (!path || *path != '/' || strpbrk(path, "?# \r\n"))
                return false;
        return !method || (*method && hot__token_length(method, strlen(method)) == strlen(method));
}

static struct hot__route *find_same(const struct hot__routes *routes, const char *method,
                                    const char *path)
{
        for (size_t i = 0; i < routes->n; i++)
                if (same_method(routes->route[i].method, method) &&
                    !strcmp(routes->route[i].path, path))
                        return &routes->route[i];
        return NULL;
}

int hot__routes_restore(struct hot__routes *routes, const char *method, const char *path,
                        hot_http_restorer *restorer)
{
        struct hot__route *route = find_same(routes, method, path);

        if (!route)
                return -ENOENT;
        route->restorer = restorer;
        return 0;
}

int hot__routes_add(struct hot__routes *routes, const char *method, const char *path,
                    hot_http_handler *handler, void *data, enum hot__route_kind kind)
{
        struct hot__route *grown;
        struct hot__route route = {.handler = handler, .data = data, .kind = kind};

        if (!handler || !is_valid(method, path))
                return -EINVAL;
        if (find_same(routes, method, path))
                return -EEXIST;
        grown = realloc(routes->route, (routes->n + 1) * sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        routes->route = grown;
        route.path = strdup(path);
        route.method = method ? strdup(method) : NULL;
        if (!route.path || (method && !route.method)) {
                free(route.path);
                free(route.method);
                return -ENOMEM;
        }
        route.path_len = strlen(path);
        routes->route[routes->n++] = route;
        return 0;
}

void hot__routes_done(struct hot__routes *routes)
{
        for (size_t i = 0; i < routes->n; i++) {
                free(routes->route[i].method);
                free(routes->route[i].path);
        }
        free(routes->route);
        *routes = (struct hot__routes){0};
}

static bool takes_path(const struct hot__route *route, const char *path, size_t len)
{
        if (route->path_len == len)
                return !memcmp(route->path, path, len);
        return route->path_len < len && route->path[route->path_len - 1] == '/' &&
               !memcmp(route->path, path, route->path_len);
}

static bool takes_method(const struct hot__route *route, const char *method)
{
        if (!route->method || !strcmp(route->method, method))
                return true;
        return !strcmp(method, "HEAD") && !strcmp(route->method, "GET");
}

/* CONNECT's target is no resource that other methods could be asked of. */
static bool is_resource(const struct hot__route *route)
{
        return !route->method || strcmp(route->method, "CONNECT") != 0;
}

/* Of two that match, is @a the better? A route for HEAD itself beats GET's of the same path. */
static bool is_better(const struct hot__route *a, const struct hot__route *b, const char *method)
{
        if (!b || a->path_len != b->path_len)
                return !b || a->path_len > b->path_len;
        return a->method && (!b->method || !strcmp(a->method, method));
}

const struct hot__route *hot__routes_find(const struct hot__routes *routes, const char *method,
                                          const char *path, int *ret_status)
{
        const struct hot__route *best = NULL;
        size_t len = strlen(path);
        int status = 404;

        for (size_t i = 0; i < routes->n; i++) {
                const struct hot__route *route = &routes->route[i];

                if (!takes_path(route, path, len))
                        continue;
                if (is_resource(route))
                        status = 405;
                if (takes_method(route, method) && is_better(route, best, method))
                        best = route;
        }
        if (!best)
                *ret_status = status;
        return best;
}

static int allow_one(struct hot__bytes *allow, const char *method)
{
        if (allow->len)
                hot__bytes_append_string(allow, ", ");
        return hot__bytes_append_string(allow, method);
}

/* Did an earlier route for this path bring in @method already? */
static bool is_listed(const struct hot__routes *routes, size_t before, const char *path, size_t len,
                      const char *method)
{
        for (size_t i = 0; i < before; i++)
                if ((path ? takes_path(&routes->route[i], path, len) : !!routes->route[i].method) &&
                    takes_method(&routes->route[i], method))
                        return true;
        return false;
}

int hot__routes_allow(const struct hot__routes *routes, const char *path, struct hot__bytes *ret)
{
        size_t len = path ? strlen(path) : 0;

        for (size_t i = 0; i < routes->n; i++) {
                const struct hot__route *route = &routes->route[i];

                if (!route->method || !is_resource(route) ||
                    (path && !takes_path(route, path, len)))
                        continue;
                if (!is_listed(routes, i, path, len, route->method))
                        allow_one(ret, route->method);
                if (!strcmp(route->method, "GET") && !is_listed(routes, i, path, len, "HEAD"))
                        allow_one(ret, "HEAD");
        }
        return ret->failed ? -ENOMEM : 0;
}
