/* SPDX-License-Identifier: MIT */
/*
 * Any environment (strings, each with its zero): a list or refused. What was understood is sound, and can be
 * announced again in the same dialect, to be understood as the same listeners from descriptor 3 on.
 */
#include "target.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "foreign.h"

#define PARENT  4711
#define STRINGS 64

static void announce_again(const struct hot__foreign *found)
{
        struct hot__foreign_listener listeners[HOT__FOREIGN_MAX];
        struct hot__foreign again;
        char **entries;

        for (int i = 0; i < found->n; i++)
                listeners[i] = (struct hot__foreign_listener){"name", "tcp://127.0.0.1:80"};
        assert(hot__foreign_announce(found->kind, listeners, (size_t)found->n, PARENT, 7,
                                     &entries) == 0);
        for (char **entry = entries; *entry; entry++)
                assert(hot__foreign_owns(*entry));
        assert(hot__foreign_parse(entries, PARENT, &again) == 1);
        assert(again.kind == found->kind && again.n == found->n);
        for (int i = 0; i < again.n; i++)
                assert(again.entries[i].fd == 3 + i);
        free(entries);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct hot__foreign found;
        char *environment[STRINGS + 1], *text = malloc(size + 1);
        size_t n = 0, at = 0;
        int r;

        if (!text)
                return 0;
        memcpy(text, data, size);
        text[size] = 0;
        while (at < size && n < STRINGS) {
                environment[n++] = text + at;
                at += strlen(text + at) + 1;
        }
        environment[n] = NULL;
        r = hot__foreign_parse(environment, PARENT, &found);
        assert(r == 1 || r == 0 || r == -EINVAL);
        if (r == 1) {
                assert(found.n > 0 && found.n <= HOT__FOREIGN_MAX);
                for (int i = 0; i < found.n; i++) {
                        assert(found.entries[i].fd >= 3);
                        for (int k = 0; k < i; k++)
                                assert(found.entries[i].fd != found.entries[k].fd);
                }
                announce_again(&found);
        }
        free(text);
        return 0;
}
