/* SPDX-License-Identifier: MIT */
#include "dialect.h"
#include "fdcheck.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define US 4711

static const struct hot__reader us = {.pid = US, .parent = 4700, .pidfd_id = 99};

struct row {
        const char *title;
        const char *environment[8];
        int result;
        enum hot__dialect dialect;
        int n_fds, channel;
        uint64_t generation;
        const char *variable;
};

static const struct row table[] = {
        {"nothing", {"PATH=/bin", NULL}, 0, HOT__DIALECT_NONE, 0, -EBADF, 1, ""},
        {"seed", {"HOT_CONTINUE=1", NULL}, 0, HOT__DIALECT_SEED, 1, -EBADF, 1, "HOT_CONTINUE"},
        {"seed, empty", {"HOT_CONTINUE=", NULL}, 0, HOT__DIALECT_NONE, 0, -EBADF, 1, ""},
        {"not quite the seed", {"HOT_CONTINUED=1", NULL}, 0, HOT__DIALECT_NONE, 0, -EBADF, 1, ""},
        {"systemd",
         {"LISTEN_FDS=2", "LISTEN_PID=4711", NULL},
         0,
         HOT__DIALECT_SYSTEMD,
         2,
         -EBADF,
         1,
         "LISTEN_FDS"},
        {"systemd, for somebody else",
         {"LISTEN_FDS=2", "LISTEN_PID=4712", NULL},
         0,
         HOT__DIALECT_NONE,
         0,
         -EBADF,
         1,
         ""},
        {"systemd, and our pidfd",
         {"LISTEN_FDS=2", "LISTEN_PID=4711", "LISTEN_PIDFDID=99", NULL},
         0,
         HOT__DIALECT_SYSTEMD,
         2,
         -EBADF,
         1,
         "LISTEN_FDS"},
        {"systemd, and the pidfd of another process with our pid",
         {"LISTEN_FDS=2", "LISTEN_PID=4711", "LISTEN_PIDFDID=98", NULL},
         0,
         HOT__DIALECT_NONE,
         0,
         -EBADF,
         1,
         ""},
        {"systemd, pidfd is no number",
         {"LISTEN_FDS=2", "LISTEN_PID=4711", "LISTEN_PIDFDID=x", NULL},
         -EINVAL,
         HOT__DIALECT_NONE,
         0,
         -EBADF,
         1,
         "LISTEN_PIDFDID"},
        {"systemd, from another descriptor on",
         {"LISTEN_FDS=2", "LISTEN_PID=4711", "LISTEN_FDS_FIRST_FD=10", NULL},
         0,
         HOT__DIALECT_SYSTEMD,
         2,
         -EBADF,
         1,
         "LISTEN_FDS"},
        {"systemd, from a standard descriptor on",
         {"LISTEN_FDS=2", "LISTEN_PID=4711", "LISTEN_FDS_FIRST_FD=2", NULL},
         -EINVAL,
         HOT__DIALECT_NONE,
         0,
         -EBADF,
         1,
         "LISTEN_FDS_FIRST_FD"},
        {"systemd, beyond every descriptor",
         {"LISTEN_FDS=2", "LISTEN_PID=4711", "LISTEN_FDS_FIRST_FD=2147483646", NULL},
         -EINVAL,
         HOT__DIALECT_NONE,
         0,
         -EBADF,
         1,
         "LISTEN_FDS_FIRST_FD"},
        {"foreign",
         {"GUNICORN_FD=5,6", NULL},
         0,
         HOT__DIALECT_FOREIGN,
         2,
         -EBADF,
         1,
         "GUNICORN_FD"},
        {"foreign, malformed",
         {"GUNICORN_FD=5,", NULL},
         -EINVAL,
         HOT__DIALECT_NONE,
         0,
         -EBADF,
         1,
         "GUNICORN_FD"},
        {"foreign, but ours too",
         {"GUNICORN_FD=5,6", "HOT_CHANNEL=4", "LISTEN_FDS=1", NULL},
         0,
         HOT__DIALECT_OWN,
         1,
         4,
         1,
         "HOT_CHANNEL"},
        {"systemd, for nobody", {"LISTEN_FDS=2", NULL}, 0, HOT__DIALECT_NONE, 0, -EBADF, 1, ""},
        {"systemd, nothing to listen on",
         {"LISTEN_FDS=0", "LISTEN_PID=4711", NULL},
         0,
         HOT__DIALECT_NONE,
         0,
         -EBADF,
         1,
         ""},
        {"systemd for somebody else, but the seed for us",
         {"LISTEN_FDS=2", "LISTEN_PID=1", "HOT_CONTINUE=1", NULL},
         0,
         HOT__DIALECT_SEED,
         1,
         -EBADF,
         1,
         "HOT_CONTINUE"},
        {"own, beside the others",
         {"HOT_CONTINUE=1", "HOT_CHANNEL=5", "HOT_GENERATION=7", "LISTEN_FDS=2", "LISTEN_PID=1",
          NULL},
         0,
         HOT__DIALECT_OWN,
         2,
         5,
         7,
         "HOT_CHANNEL"},
        {"own, no listeners", {"HOT_CHANNEL=3", NULL}, 0, HOT__DIALECT_OWN, 0, 3, 1, "HOT_CHANNEL"},
        {"own, channel among the listeners",
         {"HOT_CHANNEL=4", "LISTEN_FDS=2", NULL},
         -EINVAL,
         HOT__DIALECT_NONE,
         2,
         -EBADF,
         1,
         "HOT_CHANNEL"},
        {"channel is no number",
         {"HOT_CHANNEL=three", NULL},
         -EINVAL,
         HOT__DIALECT_NONE,
         0,
         -EBADF,
         1,
         "HOT_CHANNEL"},
        {"channel is a sign",
         {"HOT_CHANNEL=+3", NULL},
         -EINVAL,
         HOT__DIALECT_NONE,
         0,
         -EBADF,
         1,
         "HOT_CHANNEL"},
        {"generation overflows",
         {"HOT_CHANNEL=3", "HOT_GENERATION=18446744073709551616", NULL},
         -EINVAL,
         HOT__DIALECT_NONE,
         0,
         -EBADF,
         1,
         "HOT_GENERATION"},
        {"count is negative",
         {"LISTEN_FDS=-1", "LISTEN_PID=4711", NULL},
         -EINVAL,
         HOT__DIALECT_NONE,
         0,
         -EBADF,
         1,
         "LISTEN_FDS"},
        {"count is empty",
         {"LISTEN_FDS=", "LISTEN_PID=4711", NULL},
         -EINVAL,
         HOT__DIALECT_NONE,
         0,
         -EBADF,
         1,
         "LISTEN_FDS"},
        {"count overflows int",
         {"LISTEN_FDS=2147483647", "LISTEN_PID=4711", NULL},
         -EINVAL,
         HOT__DIALECT_NONE,
         0,
         -EBADF,
         1,
         "LISTEN_FDS"},
        {"pid has a tail",
         {"LISTEN_FDS=1", "LISTEN_PID=4711 ", NULL},
         -EINVAL,
         HOT__DIALECT_NONE,
         0,
         -EBADF,
         1,
         "LISTEN_PID"},
};

static void test_what_environments_announce(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
                const struct row *row = &table[i];
                struct hot__announcement got;
                int r = hot__dialect_parse((char *const *)(uintptr_t)row->environment, &us, &got);

                print_message("%s\n", row->title);
                assert_int_equal(r, row->result);
                assert_string_equal(got.variable, row->variable);
                if (r < 0)
                        continue;
                assert_int_equal(got.dialect, row->dialect);
                assert_int_equal(got.n_fds, row->n_fds);
                assert_int_equal(got.channel, row->channel);
                assert_int_equal(got.generation, row->generation);
        }
}

static void test_names_of_listeners(void **state)
{
        struct hot__announcement got = {.n_fds = 5, .names = "http::a b:x"};
        char name[HOT__NAME_MAX], large[300];
        static const char *const expected[] = {"http", "unknown", "a b", "x", "unknown"};

        (void)state;
        for (int i = 0; i < 5; i++) {
                assert_int_equal(hot__dialect_name(&got, i, name), 0);
                assert_string_equal(name, expected[i]);
        }
        got.names = NULL;
        assert_int_equal(hot__dialect_name(&got, 0, name), 0);
        assert_string_equal(name, "unknown");
        got.names = "a\nb";
        assert_int_equal(hot__dialect_name(&got, 0, name), -EINVAL);
        memset(large, 'n', sizeof(large));
        large[HOT__NAME_MAX] = 0;
        got.names = large;
        assert_int_equal(hot__dialect_name(&got, 0, name), -EINVAL);
        large[HOT__NAME_MAX - 1] = 0;
        assert_int_equal(hot__dialect_name(&got, 0, name), 0);
}

static size_t count(char *const *environment, const char *prefix)
{
        size_t n = 0;

        for (; *environment; environment++)
                n += strncmp(*environment, prefix, strlen(prefix)) == 0;
        return n;
}

static const char *get(char *const *environment, const char *name)
{
        for (; *environment; environment++)
                if (strncmp(*environment, name, strlen(name)) == 0 &&
                    (*environment)[strlen(name)] == '=')
                        return *environment + strlen(name) + 1;
        return NULL;
}

/* A child of a child of a child sees the same variables as the first one: nothing piles up. */
static void test_environment_does_not_grow(void **state)
{
        char base0[] = "PATH=/bin", base1[] = "LISTEN_PIDFDID=9", base2[] = "HOT_CONTINUE=1";
        char *base[] = {base0, base1, base2, NULL};
        const char *const names[] = {"http", "admin"};
        struct hot__environment first, second;
        struct hot__announcement got;
        char name[HOT__NAME_MAX];

        (void)state;
        assert_int_equal(hot__environment_build(base, names, 2, 2, &first), 0);
        assert_int_equal(hot__environment_build(first.entries, names, 2, 3, &second), 0);
        hot__environment_set_pid(second.pid_slots[0], US);

        assert_int_equal(count(second.entries, "HOT_CONTINUE="), 1);
        assert_int_equal(count(second.entries, "LISTEN_FDS="), 1);
        assert_int_equal(count(second.entries, "LISTEN_PIDFDID"), 0);
        assert_string_equal(get(second.entries, "PATH"), "/bin");
        assert_string_equal(get(second.entries, "HOT_CONTINUE"), "1");
        assert_string_equal(get(second.entries, "HOT_CHANNEL"), "5");
        assert_string_equal(get(second.entries, "HOT_GENERATION"), "3");
        assert_string_equal(get(second.entries, "LISTEN_FDS"), "2");
        assert_string_equal(get(second.entries, "LISTEN_PID"), "4711");
        assert_string_equal(get(second.entries, "LISTEN_FDNAMES"), "http:admin");

        assert_int_equal(hot__dialect_parse(second.entries, &us, &got), 0);
        assert_int_equal(got.dialect, HOT__DIALECT_OWN);
        assert_int_equal(got.channel, 5);
        assert_int_equal(hot__dialect_name(&got, 1, name), 0);
        assert_string_equal(name, "admin");
        hot__environment_done(&second);
        hot__environment_done(&first);
}

/* It names the process that the service manager started, and would keep our successor from speaking. */
static void test_watchdog_pid_is_the_childs(void **state)
{
        char watchdog[] = "WATCHDOG_PID=1", usec[] = "WATCHDOG_USEC=3000000";
        char *base[] = {watchdog, usec, NULL};
        struct hot__environment built;

        (void)state;
        assert_int_equal(hot__environment_build(base, NULL, 0, 2, &built), 0);
        for (char *const *slot = built.pid_slots; *slot; slot++)
                hot__environment_set_pid(*slot, US);
        assert_int_equal(count(built.entries, "WATCHDOG_PID="), 1);
        assert_int_equal(atoi(get(built.entries, "WATCHDOG_PID")), US);
        assert_int_equal(atoi(get(built.entries, "LISTEN_PID")), US);
        assert_string_equal(get(built.entries, "WATCHDOG_USEC"), "3000000");
        hot__environment_done(&built);
}

/* Beside any dialect, and in none of its ways. */
static void test_an_init_is_announced_to_every_generation(void **state)
{
        char old[] = "HOT_INIT=12", channel[] = "HOT_CHANNEL=3", junk[] = "HOT_INIT=twelve";
        char *alone[] = {old, NULL}, *both[] = {channel, old, NULL}, *bad[] = {junk, NULL};
        char *nothing[] = {NULL};
        struct hot__environment built;
        struct hot__announcement got;

        (void)state;
        assert_int_equal(hot__dialect_parse(nothing, &us, &got), 0);
        assert_int_equal(got.init, -EBADF);
        assert_int_equal(hot__dialect_parse(alone, &us, &got), 0);
        assert_int_equal(got.dialect, HOT__DIALECT_NONE);
        assert_int_equal(got.init, 12);
        assert_int_equal(hot__dialect_parse(both, &us, &got), 0);
        assert_int_equal(got.dialect, HOT__DIALECT_OWN);
        assert_int_equal(got.init, 12);
        assert_int_equal(hot__dialect_parse(bad, &us, &got), -EINVAL);
        assert_string_equal(got.variable, "HOT_INIT");

        assert_int_equal(hot__environment_build(alone, NULL, 0, 2, &built), 0);
        assert_int_equal(count(built.entries, "HOT_INIT="), 0); /* that of another time */
        hot__environment_set_pid(built.pid_slots[0], US);
        hot__environment_add_init(&built, 5);
        assert_int_equal(hot__dialect_parse(built.entries, &us, &got), 0);
        assert_int_equal(got.init, 5);
        hot__environment_done(&built);
}

static void test_pid_slot_holds_every_pid(void **state)
{
        static const pid_t pids[] = {1, 42, 32768, 4194304, 2147483647};
        char slot[HOT__PID_DIGITS + 1], expected[32];

        (void)state;
        for (size_t i = 0; i < sizeof(pids) / sizeof(pids[0]); i++) {
                hot__environment_set_pid(slot, pids[i]);
                snprintf(expected, sizeof(expected), "%d", (int)pids[i]);
                assert_string_equal(slot, expected);
        }
}

/* What the seed and sd_listen_fds(3) read out of what we announce. */
static void test_other_dialects_understand_what_we_announce(void **state)
{
        char *base[] = {NULL};
        const char *const names[] = {"http"};
        struct hot__environment built;

        (void)state;
        assert_int_equal(hot__environment_build(base, names, 1, 2, &built), 0);
        hot__environment_set_pid(built.pid_slots[0], US);
        assert_string_equal(get(built.entries, "HOT_CONTINUE"), "1");
        assert_int_equal(atoi(get(built.entries, "LISTEN_PID")), US);
        assert_int_equal(atoi(get(built.entries, "LISTEN_FDS")), 1);
        hot__environment_done(&built);
}

/* A thousand of the longest names: execve(2) takes no string above 128 KiB. */
static void test_names_beyond_what_exec_takes_are_left_out(void **state)
{
        static char name[HOT__NAME_MAX];
        static const char *names[1000];
        char *base[] = {NULL};
        struct hot__environment built;

        (void)state;
        memset(name, 'n', sizeof(name) - 1);
        for (size_t n = 1; n <= 1000; n += 37) {
                for (size_t i = 0; i < n; i++)
                        names[i] = name;
                assert_int_equal(hot__environment_build(base, names, n, 2, &built), 0);
                for (char **entry = built.entries; *entry; entry++)
                        assert_true(strlen(*entry) < (size_t)128 * 1024);
                assert_int_equal((size_t)atoi(get(built.entries, "LISTEN_FDS")), n);
                assert_int_equal(get(built.entries, "LISTEN_FDNAMES") != NULL, n < 500);
                hot__environment_done(&built);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_what_environments_announce),
                hot_test(test_names_of_listeners),
                hot_test(test_environment_does_not_grow),
                hot_test(test_watchdog_pid_is_the_childs),
                hot_test(test_an_init_is_announced_to_every_generation),
                hot_test(test_pid_slot_holds_every_pid),
                hot_test(test_other_dialects_understand_what_we_announce),
                hot_test(test_names_beyond_what_exec_takes_are_left_out),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
