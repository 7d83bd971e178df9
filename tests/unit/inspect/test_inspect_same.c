/* SPDX-License-Identifier: MIT */
/*
 * One open file description, or two with the same inode?
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <hotstart/inspect.h>

#include "fdcheck.h"

static int same(int a, int b)
{
        return hot_inspect_same(getpid(), a, getpid(), b);
}

static void test_copies_are_the_same(void **state)
{
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), copy = dup(fd);

        (void)state;
        assert_int_equal(same(fd, fd), 1);
        assert_int_equal(same(fd, copy), 1);
        close(fd);
        assert_int_equal(same(fd, copy), -EBADF);
        assert_int_equal(same(copy, -1), -EBADF);
        close(copy);
}

/* The same inode says nothing: two opens of a file, the ends of a pipe, any two epolls. */
static void test_same_inode_is_not_the_same_file(void **state)
{
        int first = open("/dev/null", O_RDONLY | O_CLOEXEC);
        int second = open("/dev/null", O_RDONLY | O_CLOEXEC);
        int epolls[2] = {epoll_create1(EPOLL_CLOEXEC), epoll_create1(EPOLL_CLOEXEC)};
        int ends[2];

        (void)state;
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        assert_int_equal(same(first, second), 0);
        assert_int_equal(same(ends[0], ends[1]), 0);
        assert_int_equal(same(epolls[0], epolls[1]), 0);
        close(first);
        close(second);
        close(ends[0]);
        close(ends[1]);
        close(epolls[0]);
        close(epolls[1]);
}

/* Over fork a description is shared under any number. */
static void test_inherited_is_the_same(void **state)
{
        int sockets[2], ready[2];
        char byte;
        pid_t pid;

        (void)state;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
        assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                dup2(sockets[0], 40);
                if (write(ready[1], "", 1) != 1)
                        _exit(1);
                for (;;)
                        pause();
        }
        assert_int_equal(read(ready[0], &byte, 1), 1);
        assert_int_equal(hot_inspect_same(getpid(), sockets[0], pid, 40), 1);
        assert_int_equal(hot_inspect_same(getpid(), sockets[1], pid, 40), 0);
        assert_int_equal(hot_inspect_same(getpid(), sockets[0], pid, 41), -EBADF);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_int_equal(hot_inspect_same(getpid(), sockets[0], pid, 40), -ESRCH);
        close(sockets[0]);
        close(sockets[1]);
        close(ready[0]);
        close(ready[1]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_copies_are_the_same),
                hot_test(test_same_inode_is_not_the_same_file),
                hot_test(test_inherited_is_the_same),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
