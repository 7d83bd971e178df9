/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_HOOKS_H
#define HOT_HTTP_HOOKS_H

/* What the host wants done before each request is answered and after each response has ended. In the order
 * in which they were set; on the thread of the connection's loop. */

#include <stdbool.h>
#include <stddef.h>

#include <hotstart/http.h>

struct hot__hook {
        hot_http_before_hook *before; /* one of them is NULL */
        hot_http_after_hook *after;
        void *data; /* the host's */
};

struct hot__hooks {
        struct hot__hook *hook; /* owned */
        size_t n;
};

/* Returns 0 or -ENOMEM. */
int hot__hooks_add(struct hot__hooks *hooks, const struct hot__hook *hook);

void hot__hooks_done(struct hot__hooks *hooks);

/* Returns false if one of them has answered the request itself. */
bool hot__hooks_before(const struct hot__hooks *hooks, const struct hot_http_request *request,
                       struct hot_http_response *response);

void hot__hooks_after(const struct hot__hooks *hooks, const struct hot_http_request *request,
                      const struct hot_http_outcome *outcome);

#endif
