/* SPDX-License-Identifier: MIT */
/*
 * Who a process is, and processes that go away while they are looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <hotstart/inspect.h>

#include "fdcheck.h"
#include "proc.h"

/* A child that waits to be killed; it has told that it runs. */
static pid_t start_child(const char *name)
{
        int ready[2];
        pid_t pid;
        char byte;

        assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                prctl(PR_SET_NAME, name);
                if (write(ready[1], "", 1) != 1)
                        _exit(1);
                for (;;)
                        pause();
        }
        assert_int_equal(read(ready[0], &byte, 1), 1);
        close(ready[0]);
        close(ready[1]);
        return pid;
}

static void end_child(pid_t pid)
{
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* The name in /proc/PID/stat is not quoted: it may look like what comes after it. */
static void test_identity_survives_any_name(void **state)
{
        static const char *const names[] = {"plain", "a b",       "x) S 1 (y",       ")",
                                            "",      "new\nline", "fifteen bytes ab"};
        struct hot_inspect *child;
        char expected[16];
        pid_t pid;

        (void)state;
        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                snprintf(expected, sizeof(expected), "%s", names[i]);
                pid = start_child(names[i]);
                assert_int_equal(hot_inspect_read(pid, 0, &child), 0);
                assert_string_equal(hot_inspect_name(child), expected);
                assert_int_equal(hot_inspect_pid(child), pid);
                assert_int_equal(hot_inspect_parent(child), getpid());
                assert_int_equal(hot_inspect_uid(child), geteuid());
                hot_inspect_free(child);
                assert_int_equal(hot_inspect_parent_of(pid), getpid());
                end_child(pid);
        }
}

static void test_stat_that_is_none(void **state)
{
        static const char *const texts[] = {"",
                                            "1",
                                            "1 (",
                                            "1 )x(",
                                            "1 (x)",
                                            "1 (x) S",
                                            "1 (x) S 1 1 1 1 1",
                                            "1 (a name that is longer than any) S 1"};
        struct hot__proc proc = {.fd = -EBADF, .parent = 7};

        (void)state;
        for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
                assert_int_equal(hot__proc_parse_stat(texts[i], &proc), -EINVAL);
        assert_int_equal(hot__proc_parse_stat("1 (x) Z 1 1 1 0 -1 4227084 0", &proc), -ESRCH);
        assert_int_equal(proc.parent, 7);
        assert_int_equal(hot__proc_parse_stat("1 (x) R 1 1 1 0 -1 4194308", &proc), -ESRCH);
        assert_int_equal(proc.parent, 7);
        assert_int_equal(hot__proc_parse_stat("1 (x) R 12 3 3 0 -1 4194304 9", &proc), 0);
        assert_int_equal(proc.parent, 12);
}

/* A zombie has no descriptors and never will: it counts as gone. */
static void test_ended_process_is_gone(void **state)
{
        struct hot_inspect *child = NULL;
        pid_t pid = start_child("gone");
        siginfo_t info;

        (void)state;
        kill(pid, SIGKILL);
        assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
        assert_int_equal(hot_inspect_read(pid, 0, &child), -ESRCH);
        assert_int_equal(hot_inspect_parent_of(pid), -ESRCH);
        end_child(pid);
        assert_int_equal(hot_inspect_read(pid, 0, &child), -ESRCH);
        assert_int_equal(hot_inspect_parent_of(pid), -ESRCH);
        assert_null(child);
}

/* Killed at any moment of the reading: a whole table or -ESRCH, nothing between. */
static void test_process_vanishes_while_it_is_read(void **state)
{
        struct hot_inspect *child;
        size_t whole = 0;
        pid_t pid;
        int r;

        (void)state;
        pid = start_child("whole");
        assert_int_equal(hot_inspect_read(pid, 0, &child), 0);
        whole = hot_inspect_count(child);
        hot_inspect_free(child);
        end_child(pid);
        for (int i = 0; i < 100; i++) {
                pid = start_child("vanishing");
                kill(pid, SIGKILL);
                r = hot_inspect_read(pid, HOT_INSPECT_ADDRESSES, &child);
                assert_true(r == 0 || r == -ESRCH);
                if (r == 0) {
                        assert_int_equal(hot_inspect_count(child), whole);
                        hot_inspect_free(child);
                }
                end_child(pid);
        }
}

static void test_processes_are_listed(void **state)
{
        pid_t pid = start_child("listed"), *pids;
        bool self = false, child = false;
        size_t n;

        (void)state;
        assert_int_equal(hot_inspect_processes(&pids, &n), 0);
        for (size_t i = 0; i < n; i++) {
                assert_true(i == 0 || pids[i] > pids[i - 1]);
                self = self || pids[i] == getpid();
                child = child || pids[i] == pid;
        }
        assert_true(self && child);
        free(pids);
        end_child(pid);
}

static void test_program_of_a_process(void **state)
{
        char program[4096], expected[4096] = "", small[4] = "abc";

        (void)state;
        assert_true(readlink("/proc/self/exe", expected, sizeof(expected) - 1) > 0);
        assert_int_equal(hot_inspect_program(getpid(), program, sizeof(program)), 0);
        assert_string_equal(program, expected);
        assert_int_equal(hot_inspect_program(getpid(), small, sizeof(small)), -ENOSPC);
        assert_string_equal(small, "abc");
}

/* The environment of the start, not that of now: this test program is started again to have one. */
static void test_environment_of_the_start(void **state)
{
        char value[16], small[2];
        int ready[2];
        pid_t pid;
        char byte;

        (void)state;
        assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                dup2(ready[1], 1);
                execle("/proc/self/exe", "test", "--wait", NULL,
                       (char *[]){(char[]){"HOT_X=wrong"}, (char[]){"HOT_XY=right"},
                                  (char[]){"HOT_Z="}, NULL});
                _exit(1);
        }
        close(ready[1]);
        assert_int_equal(read(ready[0], &byte, 1), 1);
        assert_int_equal(hot_inspect_environment(pid, "HOT_XY", value, sizeof(value)), 0);
        assert_string_equal(value, "right");
        assert_int_equal(hot_inspect_environment(pid, "HOT_Z", value, sizeof(value)), 0);
        assert_string_equal(value, "");
        assert_int_equal(hot_inspect_environment(pid, "HOT_XY", small, sizeof(small)), -ENOSPC);
        assert_int_equal(hot_inspect_environment(pid, "HOT_", value, sizeof(value)), -ENOENT);
        close(ready[0]);
        end_child(pid);
        assert_int_equal(hot_inspect_environment(pid, "HOT_XY", value, sizeof(value)), -ESRCH);
}

/* The child of test_environment_of_the_start: forgets its environment, says so, and waits. */
static int wait_to_be_killed(void)
{
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        unsetenv("HOT_XY");
        if (write(1, "", 1) != 1)
                return 1;
        for (;;)
                pause();
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_identity_survives_any_name),
                hot_test(test_stat_that_is_none),
                hot_test(test_ended_process_is_gone),
                hot_test(test_process_vanishes_while_it_is_read),
                hot_test(test_processes_are_listed),
                hot_test(test_program_of_a_process),
                hot_test(test_environment_of_the_start),
        };

        if (argc > 1 && strcmp(argv[1], "--wait") == 0)
                return wait_to_be_killed();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
