/* SPDX-License-Identifier: MIT */
/*
 * The checker has to be seen to fail. Each faulty case runs as a test group of its own in a forked
 * child, and both its exit status and its words are looked at: a case that failed for another reason
 * would prove nothing.
 */
#include "fdcheck.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct fdcheck_fixture no_fixture;

static int spare; /* open in every case, for those that lose or change one */

static void leaves_all_as_it_was(void **state)
{
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        pid_t pid = fork();
        sigset_t set, old;

        (void)state;
        if (pid == 0)
                _exit(0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        sigfillset(&set);
        sigprocmask(SIG_BLOCK, &set, &old);
        sigprocmask(SIG_SETMASK, &old, NULL);
        close(fd);
}

static void leaks(void **state)
{
        (void)state;
        assert_true(open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0);
}

static void loses(void **state)
{
        (void)state;
        close(spare);
}

static void replaces(void **state)
{
        int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

        (void)state;
        dup3(fd, spare, O_CLOEXEC);
        close(fd);
}

static void clears_cloexec(void **state)
{
        (void)state;
        fcntl(spare, F_SETFD, 0);
}

static void changes_status_flags(void **state)
{
        (void)state;
        fcntl(spare, F_SETFL, O_NONBLOCK);
}

static void leaves_a_zombie(void **state)
{
        siginfo_t info;
        pid_t pid = fork();

        (void)state;
        if (pid == 0)
                _exit(0);
        waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
}

static void leaves_a_child_alive(void **state)
{
        (void)state;
        if (fork() == 0)
                for (;;)
                        pause();
}

static void blocks_a_signal(void **state)
{
        sigset_t set;

        (void)state;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR2);
        sigprocmask(SIG_BLOCK, &set, NULL);
}

static void ignores_a_signal(void **state)
{
        (void)state;
        signal(SIGHUP, SIG_IGN);
}

/* Run one case as a group of its own. Returns its exit status; *ret_words is what it printed. */
static int run(CMUnitTestFunction function, struct fdcheck_fixture with, char *ret_words,
               size_t size)
{
        int out = memfd_create("out", MFD_CLOEXEC), status;
        ssize_t n;
        pid_t pid;

        fflush(NULL);
        pid = fork();
        if (pid == 0) {
                const struct CMUnitTest tests[] = {
                        hot_test_with(function, with.setup, with.teardown),
                };

                dup2(out, STDOUT_FILENO);
                dup2(out, STDERR_FILENO);
                spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
                status = cmocka_run_group_tests(tests, NULL, NULL);
                fflush(NULL);
                _exit(status);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        n = pread(out, ret_words, size - 1, 0);
        assert_true(n >= 0);
        ret_words[n] = '\0';
        close(out);
        return WEXITSTATUS(status);
}

static void expect_caught(CMUnitTestFunction function, const char *words)
{
        char said[8192];

        assert_int_not_equal(run(function, no_fixture, said, sizeof(said)), 0);
        if (!strstr(said, words))
                fail_msg("expected \"%s\" in:\n%s", words, said);
}

static void test_fdcheck_passes_a_clean_test(void **state)
{
        char said[8192];

        (void)state;
        assert_int_equal(run(leaves_all_as_it_was, no_fixture, said, sizeof(said)), 0);
        assert_null(strstr(said, "fdcheck:"));
}

static void test_fdcheck_catches_a_leak(void **state)
{
        (void)state;
        expect_caught(leaks, "(/dev/null) leaked");
}

static void test_fdcheck_catches_a_lost_descriptor(void **state)
{
        (void)state;
        expect_caught(loses, "(/dev/null) was closed");
}

static void test_fdcheck_catches_another_file_under_the_same_number(void **state)
{
        (void)state;
        expect_caught(replaces, "was /dev/null and is /dev/zero now");
}

static void test_fdcheck_catches_changed_flags(void **state)
{
        (void)state;
        expect_caught(clears_cloexec, "(/dev/null) changed: FD 0x1, 0");
        expect_caught(changes_status_flags, "(/dev/null) changed");
}

static void test_fdcheck_catches_a_zombie(void **state)
{
        (void)state;
        expect_caught(leaves_a_zombie, "as a zombie");
}

static void test_fdcheck_catches_a_living_child(void **state)
{
        (void)state;
        expect_caught(leaves_a_child_alive, "alive");
}

static void test_fdcheck_catches_a_changed_mask(void **state)
{
        (void)state;
        expect_caught(blocks_a_signal, "is blocked now");
}

static void test_fdcheck_catches_a_changed_disposition(void **state)
{
        (void)state;
        expect_caught(ignores_a_signal, "the disposition of signal 1 changed");
}

static int open_for_test(void **state)
{
        static int fd;

        fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        *state = &fd;
        return fd < 0;
}

static int close_after_test(void **state)
{
        return close(*(int *)*state);
}

static void finds_it_open(void **state)
{
        assert_true(fcntl(*(int *)*state, F_GETFD) >= 0);
}

static void test_fdcheck_covers_the_fixture(void **state)
{
        const struct fdcheck_fixture clean = {open_for_test, close_after_test};
        const struct fdcheck_fixture forgetful = {open_for_test, NULL};
        char said[8192];

        (void)state;
        assert_int_equal(run(finds_it_open, clean, said, sizeof(said)), 0);
        assert_int_not_equal(run(finds_it_open, forgetful, said, sizeof(said)), 0);
        assert_non_null(strstr(said, "(/dev/null) leaked"));
}

static void fails_and_leaks(void **state)
{
        leaks(state);
        fail();
}

static void test_fdcheck_still_looks_after_a_failed_test(void **state)
{
        (void)state;
        expect_caught(fails_and_leaks, "(/dev/null) leaked");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_fdcheck_passes_a_clean_test),
                hot_test(test_fdcheck_catches_a_leak),
                hot_test(test_fdcheck_catches_a_lost_descriptor),
                hot_test(test_fdcheck_catches_another_file_under_the_same_number),
                hot_test(test_fdcheck_catches_changed_flags),
                hot_test(test_fdcheck_catches_a_zombie),
                hot_test(test_fdcheck_catches_a_living_child),
                hot_test(test_fdcheck_catches_a_changed_mask),
                hot_test(test_fdcheck_catches_a_changed_disposition),
                hot_test(test_fdcheck_covers_the_fixture),
                hot_test(test_fdcheck_still_looks_after_a_failed_test),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
