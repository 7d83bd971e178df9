/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "hooks.h"

int hot__hooks_add(struct hot__hooks *hooks, const struct hot__hook *hook)
{
        struct hot__hook *grown = realloc(hooks->hook, (hooks->n + 1) * sizeof(*grown));

        if (!grown)
                return -ENOMEM;
        hooks->hook = grown;
        hooks->hook[hooks->n++] = *hook;
        return 0;
}

void hot__hooks_done(struct hot__hooks *hooks)
{
        free(hooks->hook);
        *hooks = (struct hot__hooks){0};
}

bool hot__hooks_before(const struct hot__hooks *hooks, const struct hot_http_request *request,
                       struct hot_http_response *response)
{
        for (size_t i = 0; i < hooks->n; i++) {
                const struct hot__hook *hook = &hooks->hook[i];

                if (hook->before && !hook->before(request, response, hook->data))
                        return false;
        }
        return true;
}

void hot__hooks_after(const struct hot__hooks *hooks, const struct hot_http_request *request,
                      const struct hot_http_outcome *outcome)
{
        for (size_t i = 0; i < hooks->n; i++) {
                const struct hot__hook *hook = &hooks->hook[i];

                if (hook->after)
                        hook->after(request, outcome, hook->data);
        }
}
