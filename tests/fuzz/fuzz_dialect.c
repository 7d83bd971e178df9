/* SPDX-License-Identifier: MIT */
/*
 * Any environment (strings, each with its zero): understood or refused. What was understood can be
 * announced to a child, and the child understands the same.
 */
#include "target.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dialect.h"

#define READER 4711

static const struct hot__reader reader = {.pid = READER, .parent = 1, .pidfd_id = 99},
                                next = {.pid = READER + 1, .parent = READER};

#define STRINGS 64
#define NAMES   64

/* Splits @text at its zeros. */
static void split(char *text, size_t size, char *environment[STRINGS + 1])
{
        size_t n = 0, at = 0;

        while (at < size && n < STRINGS) {
                environment[n++] = text + at;
                at += strlen(text + at) + 1;
        }
        environment[n] = NULL;
}

static void check_child(char *const *base, const char *const *names, int n_names,
                        uint64_t generation)
{
        struct hot__environment child;
        struct hot__announcement found;
        char name[HOT__NAME_MAX];

        if (hot__environment_build(base, names, (size_t)n_names, generation, &child) < 0)
                return;
        hot__environment_set_pid(child.pid_slots[0], READER + 1);
        hot__environment_add_init(&child, 4711);
        assert(hot__dialect_parse(child.entries, &next, &found) == 0);
        assert(found.dialect == HOT__DIALECT_OWN && found.n_fds == n_names);
        assert(found.init == 4711);
        assert(found.generation == generation && found.channel == HOT__FIRST_FD + n_names);
        for (int i = 0; i < n_names; i++) {
                assert(hot__dialect_name(&found, i, name) == 0);
                assert(strcmp(name, names[i]) == 0);
        }
        hot__environment_done(&child);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static char names[NAMES][HOT__NAME_MAX];
        const char *given[NAMES];
        char *environment[STRINGS + 1], *text = malloc(size + 1);
        struct hot__announcement found = {0};
        int n, r;

        if (!text)
                return 0;
        memcpy(text, data, size);
        text[size] = 0;
        split(text, size, environment);
        r = hot__dialect_parse(environment, &reader, &found);
        assert(r == 0 || r == -EINVAL);
        assert(found.variable);
        if (r == 0) {
                assert(found.n_fds >= 0);
                for (n = 0; n < found.n_fds && n < NAMES; n++) {
                        given[n] = names[n];
                        assert(hot__dialect_fd(&found, n) >= HOT__FIRST_FD);
                        r = hot__dialect_name(&found, n, names[n]);
                        assert(r == 0 || r == -EINVAL);
                        if (r < 0)
                                break;
                        assert(hot__dialect_name_is_valid(names[n]));
                }
                if (n > 0 && found.generation < UINT64_MAX)
                        check_child(environment, given, n, found.generation + 1);
        }
        free(text);
        return 0;
}
