/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_UPGRADE_H
#define HOT_HTTP_UPGRADE_H

/*
 * From a request to something else on the same connection (RFC 9110 section 7.8): what WebSockets and tunnels have
 * in common.
 */

#include <stdbool.h>

#include <hotstart/http.h>

/* Does the request ask for @protocol, over HTTP/1.1? */
bool hot__upgrade_is_asked(const struct hot_http_request *request, const char *protocol);

/* 426: what would have to be asked for. */
void hot__upgrade_require(struct hot_http_response *response, const char *protocol);

/* What the host's .open has refused without a status of its own. */
void hot__upgrade_forbid(struct hot_http_response *response);

#endif
