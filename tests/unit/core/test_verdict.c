/* SPDX-License-Identifier: MIT */

#include "fdcheck.h"
#include "verdict.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fd.h"

static void test_open_until_it_is_given(void **state)
{
        int ours, theirs;

        (void)state;
        assert_int_equal(hot__verdict_open(&ours, &theirs), 0);
        assert_int_equal(hot__verdict_read(theirs), HOT__VERDICT_OPEN);
        assert_int_equal(hot__verdict_read(theirs), HOT__VERDICT_OPEN);
        assert_int_equal(hot__verdict_take_resume(ours), -EBADF);
        assert_int_equal(hot__verdict_read(theirs), HOT__VERDICT_RESUMED);
        hot__fd_close(theirs);
}

static void test_who_closes_it_never_resumes(void **state)
{
        int ours, theirs;

        (void)state;
        assert_int_equal(hot__verdict_open(&ours, &theirs), 0);
        hot__fd_close(ours);
        assert_int_equal(hot__verdict_read(theirs), HOT__VERDICT_RETIRED);
        hot__fd_close(theirs);

        theirs = hot__verdict_open_given();
        assert_true(theirs > 2);
        assert_int_equal(hot__verdict_read(theirs), HOT__VERDICT_RETIRED);
        hot__fd_close(theirs);
}

static void test_who_dies_never_resumes(void **state)
{
        int ours, theirs, status;
        pid_t child;

        (void)state;
        assert_int_equal(hot__verdict_open(&ours, &theirs), 0);
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
                pause();
                _exit(0);
        }
        hot__fd_close(ours);
        assert_int_equal(hot__verdict_read(theirs), HOT__VERDICT_OPEN);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(hot__verdict_read(theirs), HOT__VERDICT_RETIRED);
        hot__fd_close(theirs);
}

/* SIGPIPE has its deadly disposition here. */
static void test_nobody_listens(void **state)
{
        int ours, theirs;

        (void)state;
        assert_int_equal(hot__verdict_open(&ours, &theirs), 0);
        hot__fd_close(theirs);
        assert_int_equal(hot__verdict_take_resume(ours), -EBADF);
        assert_int_equal(hot__verdict_take_resume(-EBADF), -EBADF);
}

static void test_what_is_no_such_pipe(void **state)
{
        int ours, theirs, sockets[2];

        (void)state;
        assert_int_equal(hot__verdict_open(&ours, &theirs), 0);
        assert_int_equal(hot__verdict_verify(theirs), 0);
        assert_int_equal(hot__verdict_verify(ours), -ENOTSUP);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
        assert_int_equal(hot__verdict_verify(sockets[0]), -ENOTSUP);
        close(sockets[0]);
        close(sockets[1]);
        hot__fd_close(ours);
        hot__fd_close(theirs);
        assert_int_equal(hot__verdict_verify(theirs), -EBADF);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_open_until_it_is_given), hot_test(test_who_closes_it_never_resumes),
                hot_test(test_who_dies_never_resumes), hot_test(test_nobody_listens),
                hot_test(test_what_is_no_such_pipe),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
