/* SPDX-License-Identifier: MIT */
#include "foreign.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fdcheck.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))
#define PARENT      4700

struct row {
        const char *environment[8];
        int result;
        enum hot__foreign_kind kind; /* of what is found */
        const char *variable;
        int n;
        int fds[4];
        const char *names[4];
};

static const struct row table[] = {
        {{"PATH=/bin", NULL}, 0, 0, NULL, 0, {0}, {NULL}},
        {{"SERVER_STARTER_PORT=8080=3", "SERVER_STARTER_GENERATION=1", NULL},
         1,
         HOT__FOREIGN_STARTER,
         "SERVER_STARTER_PORT",
         1,
         {3},
         {"8080"}},
        {{"SERVER_STARTER_PORT=127.0.0.1:80=4;[::1]:80=7;/run/a=b.sock=5", NULL},
         1,
         HOT__FOREIGN_STARTER,
         "SERVER_STARTER_PORT",
         3,
         {4, 7, 5},
         {"127.0.0.1:80", "[::1]:80", "/run/a=b.sock"}},
        {{"SERVER_STARTER_PORT=", NULL}, 0, 0, NULL, 0, {0}, {NULL}},
        {{"EINHORN_FD_COUNT=2", "EINHORN_FD_1=6", "EINHORN_FD_0=5", "EINHORN_MASTER_PID=4700",
          "EINHORN_FD_NAME_1=web", NULL},
         1,
         HOT__FOREIGN_EINHORN,
         "EINHORN_FD_COUNT",
         2,
         {5, 6},
         {NULL, "web"}},
        {{"EINHORN_FD_COUNT=1", "EINHORN_FD_0=5", "EINHORN_MASTER_PID=4701", NULL},
         0,
         0,
         NULL,
         0,
         {0},
         {NULL}},
        {{"EINHORN_FD_COUNT=0", NULL}, 0, 0, NULL, 0, {0}, {NULL}},
        {{"UNICORN_FD=5,6", NULL}, 1, HOT__FOREIGN_UNICORN, "UNICORN_FD", 2, {5, 6}, {NULL}},
        {{"GUNICORN_PID=1", "GUNICORN_FD=12", NULL},
         1,
         HOT__FOREIGN_GUNICORN,
         "GUNICORN_FD",
         1,
         {12},
         {NULL}},
        {{"NGINX=6;7;", NULL}, 1, HOT__FOREIGN_NGINX, "NGINX", 2, {6, 7}, {NULL}},
        {{"NGINX=/usr/sbin/nginx", NULL}, 0, 0, NULL, 0, {0}, {NULL}},
        {{"NGINX=1", NULL}, 0, 0, NULL, 0, {0}, {NULL}},
        {{"NGINX=", NULL}, 0, 0, NULL, 0, {0}, {NULL}},
        {{"NGINX=a;b", NULL}, 0, 0, NULL, 0, {0}, {NULL}},
};

static const struct {
        const char *environment[4];
        const char *variable;
} malformed[] = {
        {{"SERVER_STARTER_PORT=80", NULL}, "SERVER_STARTER_PORT"},
        {{"SERVER_STARTER_PORT==3", NULL}, "SERVER_STARTER_PORT"},
        {{"SERVER_STARTER_PORT=80=3;", NULL}, "SERVER_STARTER_PORT"},
        {{"SERVER_STARTER_PORT=80=three", NULL}, "SERVER_STARTER_PORT"},
        {{"SERVER_STARTER_PORT=80=3;81=3", NULL}, "SERVER_STARTER_PORT"},
        {{"SERVER_STARTER_PORT=80=2", NULL}, "SERVER_STARTER_PORT"},
        {{"EINHORN_FD_COUNT=", NULL}, "EINHORN_FD_COUNT"},
        {{"EINHORN_FD_COUNT=-1", NULL}, "EINHORN_FD_COUNT"},
        {{"EINHORN_FD_COUNT=1", NULL}, "EINHORN_FD_COUNT"},
        {{"EINHORN_FD_COUNT=257", NULL}, "EINHORN_FD_COUNT"},
        {{"EINHORN_FD_COUNT=2", "EINHORN_FD_0=5", "EINHORN_FD_1=5", NULL}, "EINHORN_FD_COUNT"},
        {{"UNICORN_FD=5,", NULL}, "UNICORN_FD"},
        {{"UNICORN_FD=,5", NULL}, "UNICORN_FD"},
        {{"UNICORN_FD=5, 6", NULL}, "UNICORN_FD"},
        {{"UNICORN_FD=5;6", NULL}, "UNICORN_FD"},
        {{"UNICORN_FD=5,6,5", NULL}, "UNICORN_FD"},
        {{"UNICORN_FD=0", NULL}, "UNICORN_FD"},
        {{"GUNICORN_FD=2147483648", NULL}, "GUNICORN_FD"},
        {{"GUNICORN_FD=+5", NULL}, "GUNICORN_FD"},
        {{"NGINX=6;7", NULL}, "NGINX"},
        {{"NGINX=;6;", NULL}, "NGINX"},
        {{"NGINX=6;6;", NULL}, "NGINX"},
        {{"NGINX=1;", NULL}, "NGINX"},
};

static char *const *environment_of(const char *const *entries)
{
        return (char *const *)(uintptr_t)entries;
}

static void test_every_dialect_is_understood(void **state)
{
        static struct hot__foreign got;

        (void)state;
        for (size_t i = 0; i < N_OF(table); i++) {
                const struct row *row = &table[i];
                int r = hot__foreign_parse(environment_of(row->environment), PARENT, &got);

                if (r != row->result)
                        fail_msg("%s: %d", row->environment[0], r);
                if (r != 1)
                        continue;
                assert_int_equal(got.kind, row->kind);
                assert_string_equal(got.variable, row->variable);
                assert_int_equal(got.n, row->n);
                for (int k = 0; k < got.n; k++) {
                        assert_int_equal(got.entries[k].fd, row->fds[k]);
                        if (!row->names[k])
                                continue;
                        assert_int_equal(got.entries[k].name_len, strlen(row->names[k]));
                        assert_memory_equal(got.entries[k].name, row->names[k],
                                            strlen(row->names[k]));
                }
        }
}

static void test_what_is_malformed_is_named(void **state)
{
        static struct hot__foreign got;

        (void)state;
        for (size_t i = 0; i < N_OF(malformed); i++) {
                int r = hot__foreign_parse(environment_of(malformed[i].environment), PARENT, &got);

                if (r != -EINVAL)
                        fail_msg("%s: %d", malformed[i].environment[0], r);
                assert_string_equal(got.variable, malformed[i].variable);
        }
}

static void test_more_numbers_than_anybody_passes_are_refused(void **state)
{
        static struct hot__foreign got;
        static char text[4096] = "UNICORN_FD=3";
        char *environment[] = {text, NULL};
        size_t n = strlen(text);

        (void)state;
        for (int fd = 4; fd < 3 + HOT__FOREIGN_MAX; fd++)
                n += (size_t)snprintf(text + n, sizeof(text) - n, ",%d", fd);
        assert_int_equal(hot__foreign_parse(environment, PARENT, &got), 1);
        assert_int_equal(got.n, HOT__FOREIGN_MAX);
        snprintf(text + n, sizeof(text) - n, ",9999");
        assert_int_equal(hot__foreign_parse(environment, PARENT, &got), -EINVAL);
}

static void test_variables_are_known_as_theirs(void **state)
{
        static const char *const theirs[] = {"SERVER_STARTER_PORT=1", "SERVER_STARTER_GENERATION=1",
                                             "EINHORN_FD_0=3",        "EINHORN_FD_NAME_0=a",
                                             "EINHORN_FD_COUNT=1",    "EINHORN_MASTER_PID=1",
                                             "UNICORN_FD=",           "GUNICORN_FD=3",
                                             "GUNICORN_PID=3",        "NGINX=3;"};
        static const char *const others[] = {"PATH=/bin",   "NGINX=/usr/sbin/nginx",
                                             "NGINX_HOME=", "UNICORN_FDS=3",
                                             "EINHORN_FD_", "UNICORN_FD"};

        (void)state;
        for (size_t i = 0; i < N_OF(theirs); i++)
                if (!hot__foreign_owns(theirs[i]))
                        fail_msg("%s", theirs[i]);
        for (size_t i = 0; i < N_OF(others); i++)
                if (hot__foreign_owns(others[i]))
                        fail_msg("%s", others[i]);
}

static const struct hot__foreign_listener listeners[] = {
        {"http", "tcp://:80"},
        {"admin", "tcp://[::1]:81"},
        {"local", "unix:/run/x.sock"},
};

static void expect_announced(enum hot__foreign_kind kind, const char *const *expected)
{
        char **entries;
        size_t n = 0;

        assert_int_equal(
                hot__foreign_announce(kind, listeners, N_OF(listeners), PARENT, 7, &entries), 0);
        for (; expected[n]; n++) {
                assert_non_null(entries[n]);
                assert_string_equal(entries[n], expected[n]);
        }
        assert_null(entries[n]);
        free(entries);
}

static void test_every_dialect_is_spoken(void **state)
{
        (void)state;
        expect_announced(HOT__FOREIGN_STARTER,
                         (const char *const[]){"SERVER_STARTER_PORT=80=3;[::1]:81=4;/run/x.sock=5",
                                               "SERVER_STARTER_GENERATION=7", NULL});
        expect_announced(HOT__FOREIGN_EINHORN,
                         (const char *const[]){"EINHORN_MASTER_PID=4700", "EINHORN_FD_COUNT=3",
                                               "EINHORN_FD_0=3", "EINHORN_FD_NAME_0=http",
                                               "EINHORN_FD_1=4", "EINHORN_FD_NAME_1=admin",
                                               "EINHORN_FD_2=5", "EINHORN_FD_NAME_2=local", NULL});
        expect_announced(HOT__FOREIGN_UNICORN, (const char *const[]){"UNICORN_FD=3,4,5", NULL});
        expect_announced(HOT__FOREIGN_GUNICORN,
                         (const char *const[]){"GUNICORN_FD=3,4,5", "GUNICORN_PID=4700", NULL});
        expect_announced(HOT__FOREIGN_NGINX, (const char *const[]){"NGINX=3;4;5;", NULL});
}

static void test_what_cannot_be_said_is_refused(void **state)
{
        struct hot__foreign_listener many[HOT__FOREIGN_MAX + 1];
        char **entries, *address = malloc(4096);

        (void)state;
        assert_non_null(address);
        memset(address, 'a', 4095);
        address[4095] = '\0';
        for (size_t i = 0; i < N_OF(many); i++)
                many[i] = (struct hot__foreign_listener){address, ""};
        assert_int_equal(hot__foreign_announce(HOT__FOREIGN_NGINX, many, 0, 1, 1, &entries),
                         -EINVAL);
        assert_int_equal(
                hot__foreign_announce(HOT__FOREIGN_NGINX, many, N_OF(many), 1, 1, &entries),
                -EINVAL);
        assert_int_equal(
                hot__foreign_announce(HOT__FOREIGN_STARTER, many, HOT__FOREIGN_MAX, 1, 1, &entries),
                -E2BIG);
        free(address);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_every_dialect_is_understood),
                hot_test(test_what_is_malformed_is_named),
                hot_test(test_more_numbers_than_anybody_passes_are_refused),
                hot_test(test_variables_are_known_as_theirs),
                hot_test(test_every_dialect_is_spoken),
                hot_test(test_what_cannot_be_said_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
