/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_ROUTE_H
#define HOT_HTTP_ROUTE_H

/*
 * Routes: which handler answers which method and path. Pure.
 *
 * A path is matched exactly, or as the root of a subtree if it ends in '/'. Of the routes that match
 * path and method the one with the longest path answers.
 */

#include <stdbool.h>
#include <stddef.h>

#include <hotstart/http.h>

#include "bytes.h"

enum hot__route_kind {
        HOT__ROUTE_INLINE,    /* the handler runs on the loop */
        HOT__ROUTE_BLOCKING,  /* on the pool, when the request is complete */
        HOT__ROUTE_STREAMING, /* on the pool, when its head is: it reads the body as it arrives */
};

struct hot__route {
        char *method; /* owned; NULL: any */
        char *path;   /* owned */
        size_t path_len;
        hot_http_handler *handler;
        hot_http_restorer *restorer; /* of streams from other generations; NULL: none come here */
        void *data;                  /* the host's */
        enum hot__route_kind kind;
};

struct hot__routes {
        struct hot__route *route;
        size_t n;
};

/* Add one; strings are copied. Returns 0, -EINVAL, -EEXIST or -ENOMEM. */
int hot__routes_add(struct hot__routes *routes, const char *method, const char *path,
                    hot_http_handler *handler, void *data, enum hot__route_kind kind);

/* Set the restorer of one. Returns 0 or -ENOENT. */
int hot__routes_restore(struct hot__routes *routes, const char *method, const char *path,
                        hot_http_restorer *restorer);

void hot__routes_done(struct hot__routes *routes);

/* The route for a request. Returns it, or NULL and in *ret_status 404 or 405. */
const struct hot__route *hot__routes_find(const struct hot__routes *routes, const char *method,
                                          const char *path, int *ret_status);

/* The value of Allow for a path, or with NULL for all of them: "GET, HEAD, POST". Returns 0 or -ENOMEM. */
int hot__routes_allow(const struct hot__routes *routes, const char *path, struct hot__bytes *ret);

#endif
