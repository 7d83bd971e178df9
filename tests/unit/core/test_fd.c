/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fd.h"
#include "fdcheck.h"

static int open_null(int flags)
{
        int fd = open("/dev/null", O_RDONLY | flags);

        assert_true(fd >= 0);
        return fd;
}

static void test_close_returns_the_empty_value_and_keeps_errno(void **state)
{
        int fd = open_null(O_CLOEXEC);

        (void)state;
        errno = ENOTTY;
        assert_int_equal(hot__fd_close(fd), -EBADF);
        assert_int_equal(errno, ENOTTY);
        assert_false(hot__fd_is_open(fd));
}

static void test_closing_the_empty_value_does_nothing(void **state)
{
        (void)state;
        errno = 0;
        assert_int_equal(hot__fd_close(-EBADF), -EBADF);
        assert_int_equal(hot__fd_close(-1), -EBADF);
        assert_int_equal(errno, 0);
}

static void test_a_double_close_aborts(void **state)
{
        struct rlimit no_core = {0, 0};
        int status, fd = open_null(O_CLOEXEC);
        pid_t child = fork();

        (void)state;
        assert_true(child >= 0);
        if (child == 0) {
                setrlimit(RLIMIT_CORE, &no_core);
                signal(SIGABRT, SIG_DFL);
                /* What assert() has to say is expected here. */
                close(2);
                hot__fd_close(fd);
                hot__fd_close(fd);
                _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        close(fd);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
                print_message("skipped: the core is compiled without assertions\n");
                skip();
        }
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void test_take_leaves_the_empty_value(void **state)
{
        int fd = 4711;

        (void)state;
        assert_int_equal(hot__fd_take(&fd), 4711);
        assert_int_equal(fd, -EBADF);
        assert_int_equal(hot__fd_take(&fd), -EBADF);
}

static int open_and_leave_scope(int give)
{
        CLEANUP(hot__fd_closep) int fd = open_null(O_CLOEXEC);
        int number = fd;

        return give ? hot__fd_take(&fd) : number;
}

static void test_a_local_is_closed_unless_it_was_given_away(void **state)
{
        int fd;

        (void)state;
        assert_false(hot__fd_is_open(open_and_leave_scope(0)));
        fd = open_and_leave_scope(1);
        assert_true(hot__fd_is_open(fd));
        close(fd);
}

static void test_is_open(void **state)
{
        int fd = open_null(O_CLOEXEC);

        (void)state;
        assert_true(hot__fd_is_open(fd));
        close(fd);
        assert_false(hot__fd_is_open(fd));
        assert_false(hot__fd_is_open(-EBADF));
}

static void test_cloexec_is_set_and_cleared(void **state)
{
        int fd = open_null(0);

        (void)state;
        assert_int_equal(hot__fd_set_cloexec(fd, true), 0);
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
        assert_int_equal(hot__fd_set_cloexec(fd, false), 0);
        assert_int_equal(fcntl(fd, F_GETFD), 0);
        close(fd);
        assert_int_equal(hot__fd_set_cloexec(fd, true), -EBADF);
}

static void test_a_descriptor_above_stdio_stays_where_it_is(void **state)
{
        int fd = fcntl(0, F_DUPFD_CLOEXEC, 3);

        (void)state;
        assert_true(fd > 2);
        assert_int_equal(hot__fd_take_above_stdio(fd), fd);
        assert_int_equal(hot__fd_take_above_stdio(-EMFILE), -EMFILE);
        close(fd);
}

/* In a child, so that our own stdio stays as it is. Returns 0 or the line that did not hold. */
static int move_stdio(void)
{
        struct rlimit three = {3, 3};
        int moved;

        close(0);
        if (open("/dev/null", O_RDONLY) != 0)
                return __LINE__;
        moved = hot__fd_take_above_stdio(0);
        if (moved < 3 || fcntl(moved, F_GETFD) != FD_CLOEXEC || hot__fd_is_open(0))
                return __LINE__;
        close(moved);
        if (open("/dev/null", O_RDONLY) != 0)
                return __LINE__;
        if (setrlimit(RLIMIT_NOFILE, &three) < 0)
                return __LINE__;
        /* Consumed also where it cannot be moved: no number above 2 is allowed. */
        moved = hot__fd_take_above_stdio(0);
        if ((moved != -EMFILE && moved != -EINVAL) || hot__fd_is_open(0))
                return __LINE__;
        return 0;
}

static void test_a_descriptor_in_stdio_moves_out_of_it(void **state)
{
        int status;
        pid_t child = fork();

        (void)state;
        assert_true(child >= 0);
        if (child == 0)
                _exit(move_stdio());
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_close_returns_the_empty_value_and_keeps_errno),
                hot_test(test_closing_the_empty_value_does_nothing),
                hot_test(test_a_double_close_aborts),
                hot_test(test_take_leaves_the_empty_value),
                hot_test(test_a_local_is_closed_unless_it_was_given_away),
                hot_test(test_is_open),
                hot_test(test_cloexec_is_set_and_cleared),
                hot_test(test_a_descriptor_above_stdio_stays_where_it_is),
                hot_test(test_a_descriptor_in_stdio_moves_out_of_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
