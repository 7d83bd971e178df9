/* SPDX-License-Identifier: MIT */
/* Taking a path, through the listener's own functions. Whose path it is: test_unixdiag.c. */
#include "unixpath.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fdcheck.h"
#include "listener.h"
#include "listening.h"
#include "sandbox.h"
#include "scratch.h"
#include "sockets.h"

static void expect_error(const char *path, int error)
{
        int fd = -4711;

        assert_int_equal(try_listen(path, &fd), error);
        assert_int_equal(fd, -4711);
}

static void leave_stale(const char *path)
{
        int fd = bind_unix(path, SOCK_STREAM);

        assert_int_equal(listen(fd, 1), 0);
        close(fd);
}

static ino_t inode_of(const char *path)
{
        struct stat st;

        assert_int_equal(lstat(path, &st), 0);
        return st.st_ino;
}

static void test_unixpath_removes_what_a_killed_one_left_behind(void **state)
{
        const char *path = scratch_path("s");
        int fd;

        (void)state;
        leave_stale(scratch_path("s.hotstart-new"));
        leave_stale(scratch_path("s.hotstart-left-4711"));
        fd = listening(path);
        assert_true(reaches(path, fd));
        assert_int_equal(count_names(scratch_directory()), 1);
        close(fd);
}

static void test_unixpath_is_left_and_taken_back(void **state)
{
        const char *path = scratch_path("s");
        int fd = listening(path), other;

        (void)state;
        assert_int_equal(hot__unixpath_leave(path, fd), 0);
        assert_int_equal(hot__unixpath_leave(path, fd), 0); /* it is not there any more */
        assert_int_equal(try_connect_unix(path), -1);
        assert_int_equal(hot__unixpath_return(path, fd), 0);
        assert_true(reaches(path, fd));
        /* While it is away somebody else may come, and stays. */
        assert_int_equal(hot__unixpath_leave(path, fd), 0);
        other = listening(path);
        assert_int_equal(hot__unixpath_return(path, fd), -EEXIST);
        assert_true(reaches(path, other));
        assert_int_equal(hot__unixpath_unlink(path, fd), 0);
        assert_int_equal(count_names(scratch_directory()), 2);
        assert_int_equal(hot__unixpath_unlink_left(path, fd), 0);
        assert_int_equal(count_names(scratch_directory()), 1);
        assert_true(reaches(path, other));
        close(other);
        close(fd);
}

static void test_unixpath_serves_on_what_it_took(void **state)
{
        const char *path = scratch_path("s");
        int fd = listening(path);

        (void)state;
        assert_int_equal(hot__listener_verify(fd), 0);
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
        assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
        assert_true(reaches(path, fd));
        assert_int_equal(count_names(scratch_directory()), 1);
        close(fd);
}

static void test_unixpath_obeys_the_umask(void **state)
{
        mode_t old = umask(0027);
        int fd = listening(scratch_path("s"));
        struct stat st;

        (void)state;
        umask(old);
        assert_int_equal(stat(scratch_path("s"), &st), 0);
        assert_int_equal(st.st_mode & 0777, 0750);
        close(fd);
}

static void test_unixpath_replaces_a_stale_socket(void **state)
{
        const char *path = scratch_path("s");
        int fd;

        (void)state;
        leave_stale(path);
        assert_int_equal(try_connect_unix(path), -1);
        assert_int_equal(errno, ECONNREFUSED);
        fd = listening(path);
        assert_true(reaches(path, fd));
        assert_int_equal(count_names(scratch_directory()), 1);
        close(fd);
}

static void test_unixpath_replaces_its_own_stale_socket(void **state)
{
        const char *path = scratch_path("s");

        (void)state;
        for (unsigned int i = 0; i < 10; i++) {
                int fd = listening(path);

                assert_true(reaches(path, fd));
                assert_int_equal(count_names(scratch_directory()), 1);
                close(fd);
        }
}

static void test_unixpath_leaves_the_living_alone(void **state)
{
        const char *path = scratch_path("s");
        int fd = listening(path);
        ino_t inode = inode_of(path);

        (void)state;
        expect_error(path, -EADDRINUSE);
        assert_int_equal(inode_of(path), inode);
        assert_true(reaches(path, fd));
        assert_int_equal(count_names(scratch_directory()), 1);
        close(fd);
}

static void test_unixpath_knows_a_full_backlog_for_life(void **state)
{
        const char *path = scratch_path("s");
        int fd = bind_unix(path, SOCK_STREAM), clients[8];
        size_t n = 0;

        (void)state;
        assert_int_equal(listen(fd, 0), 0);
        while (n < 8 && (clients[n] = try_connect_unix(path)) >= 0)
                n++;
        assert_true(n < 8);
        assert_int_equal(errno, EAGAIN);
        expect_error(path, -EADDRINUSE);
        while (n > 0)
                close(clients[--n]);
        close(fd);
}

static void test_unixpath_leaves_sockets_of_other_types_alone(void **state)
{
        const char *path = scratch_path("s");
        int fd = bind_unix(path, SOCK_DGRAM);
        ino_t inode = inode_of(path);

        (void)state;
        expect_error(path, -EADDRINUSE);
        assert_int_equal(inode_of(path), inode);
        close(fd);
}

static void test_unixpath_never_touches_what_is_no_socket(void **state)
{
        const char *path = scratch_path("s"), *target = scratch_path("target");
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        struct stat st;

        (void)state;
        assert_int_equal(write(fd, "kept", 4), 4);
        close(fd);
        expect_error(path, -ENOTSOCK);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_size, 4);
        assert_int_equal(unlink(path), 0);

        assert_int_equal(mkdir(path, 0700), 0);
        expect_error(path, -ENOTSOCK);
        assert_int_equal(rmdir(path), 0);

        /* Neither the link nor the stale socket that it leads to. */
        leave_stale(target);
        assert_int_equal(symlink(target, path), 0);
        expect_error(path, -ENOTSOCK);
        assert_int_equal(lstat(path, &st), 0);
        assert_true(S_ISLNK(st.st_mode));
        assert_int_equal(count_names(scratch_directory()), 2);
}

static void test_unixpath_needs_its_directory(void **state)
{
        (void)state;
        expect_error(scratch_path("missing/s"), -ENOENT);
}

static void test_unixpath_needs_a_writable_directory(void **state)
{
        const char *path = scratch_path("s");
        int status, fd = -4711;
        pid_t pid;

        (void)state;
        assert_int_equal(chmod(scratch_directory(), 0555), 0);
        pid = fork();
        if (pid == 0) {
                if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
                        _exit(77);
                _exit(try_listen(path, &fd) == -EACCES && fd == -4711 ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(chmod(scratch_directory(), 0700), 0);
        assert_int_equal(status, 0);
        assert_int_equal(count_names(scratch_directory()), 0);
}

/* The temporary name must fit into sun_path wherever the path itself does. */
static void test_unixpath_takes_the_longest_path(void **state)
{
        char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)], deep[sizeof(path)];
        const size_t n = sizeof(path) - 1;
        int fd;

        (void)state;
        snprintf(path, sizeof(path), "%s/", scratch_directory());
        memset(path + strlen(path), 'd', n - strlen(path));
        path[n] = '\0';
        fd = listening(path); /* a long name */
        assert_true(reaches(path, fd));
        close(fd);
        assert_int_equal(unlink(path), 0);

        memcpy(deep, path, sizeof(deep));
        deep[n - 2] = '\0'; /* a long directory, and one letter */
        assert_int_equal(mkdir(deep, 0700), 0);
        path[n - 2] = '/';
        for (unsigned int i = 0; i < 400; i++) { /* often enough to draw every letter */
                fd = listening(path);
                assert_true(reaches(path, fd));
                assert_true(is_at(fd, path));
                assert_int_equal(count_names(deep), 1);
                close(fd);
                if (i % 2 == 0) /* over nothing, and over a stale one */
                        assert_int_equal(unlink(path), 0);
        }
        assert_int_equal(unlink(path), 0);
}

static void test_unixpath_survives_a_lock_left_by_a_crash(void **state)
{
        const char *path = scratch_path("s"), *lock = scratch_path("s.hotstart-lock");
        int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600), listener;

        (void)state;
        assert_int_equal(flock(fd, LOCK_EX), 0);
        expect_error(path, -EADDRINUSE);
        close(fd); /* as the death of its holder does */
        listener = listening(path);
        assert_int_equal(count_names(scratch_directory()), 1);
        close(listener);
}

/* As on a file system that cannot do what RENAME_NOREPLACE asks for. */
static int listen_without_noreplace(void)
{
        int fd;

        refuse_call(SYS_renameat2, 4, RENAME_NOREPLACE, EINVAL);
        if (try_listen(scratch_path("s"), &fd) < 0)
                return 1;
        return reaches(scratch_path("s"), fd) ? 0 : 2;
}

static void test_unixpath_needs_no_rename_flags(void **state)
{
        (void)state;
        assert_int_equal(in_child(listen_without_noreplace), 0);
        assert_int_equal(count_names(scratch_directory()), 1);
}

static int fail_to_rename(void)
{
        int fd = -4711;

        refuse_call(SYS_renameat2, 4, RENAME_NOREPLACE, EACCES);
        return try_listen(scratch_path("s"), &fd) == -EACCES && fd == -4711 ? 0 : 1;
}

/* Another program, that knows nothing of our lock, was faster. */
static int come_too_late(void)
{
        int fd = -4711;

        refuse_call(SYS_renameat2, 4, RENAME_NOREPLACE, EEXIST);
        return try_listen(scratch_path("s"), &fd) == -EADDRINUSE && fd == -4711 ? 0 : 1;
}

static void test_unixpath_leaves_nothing_behind_when_it_fails(void **state)
{
        (void)state;
        assert_int_equal(in_child(fail_to_rename), 0);
        assert_int_equal(count_names(scratch_directory()), 0);
        assert_int_equal(in_child(come_too_late), 0);
        assert_int_equal(count_names(scratch_directory()), 0);
}

#define RACERS 6

struct starting_line {
        int go[2];    /* closed by the parent: try */
        int tried[2]; /* one byte from each that has */
        int stop[2];  /* closed by the parent: all have tried, serve no longer */
};

enum outcome {
        HAS_IT,
        TAKEN,
        BROKEN,
};

static enum outcome race(const char *path, const struct starting_line *line)
{
        int fd = -EBADF, r;
        char byte;

        close(line->go[1]);
        close(line->stop[1]);
        if (read(line->go[0], &byte, 1) != 0)
                return BROKEN;
        r = try_listen(path, &fd);
        if (write(line->tried[1], "x", 1) != 1 || read(line->stop[0], &byte, 1) != 0)
                return BROKEN;
        if (r == 0)
                return HAS_IT;
        return r == -EADDRINUSE ? TAKEN : BROKEN;
}

static void wait_until_all_have_tried(const struct starting_line *line)
{
        char bytes[RACERS];

        for (size_t n = 0; n < RACERS;) {
                ssize_t r = read(line->tried[0], bytes, sizeof(bytes));

                assert_true(r > 0);
                n += (size_t)r;
        }
}

/* Let them all try to take @path at once. Returns how many say that they have it. */
static unsigned int run_race(const char *path)
{
        struct starting_line line;
        unsigned int winners = 0;
        pid_t pids[RACERS];
        int status, client;

        assert_int_equal(pipe2(line.go, O_CLOEXEC), 0);
        assert_int_equal(pipe2(line.tried, O_CLOEXEC), 0);
        assert_int_equal(pipe2(line.stop, O_CLOEXEC), 0);
        for (size_t i = 0; i < RACERS; i++) {
                pids[i] = fork();
                if (pids[i] == 0)
                        _exit((int)race(path, &line));
        }
        close(line.go[0]);
        close(line.go[1]);
        wait_until_all_have_tried(&line);
        client = try_connect_unix(path);
        assert_true(client >= 0);
        close(client);
        close(line.stop[0]);
        close(line.stop[1]);
        close(line.tried[0]);
        close(line.tried[1]);
        for (size_t i = 0; i < RACERS; i++) {
                assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
                assert_true(WIFEXITED(status) && WEXITSTATUS(status) != BROKEN);
                winners += WEXITSTATUS(status) == HAS_IT;
        }
        return winners;
}

static void test_unixpath_goes_to_one_of_many_that_start_at_once(void **state)
{
        const char *path = scratch_path("s");

        (void)state;
        for (unsigned int round = 0; round < 50; round++) {
                /* Over a stale socket, which the last round left, or over nothing. */
                if (round % 2 == 0)
                        (void)unlink(path);
                assert_int_equal(run_race(path), 1);
                assert_int_equal(count_names(scratch_directory()), 1);
        }
}

/* Why a path is replaced by rename(2) and never unlinked under a listener. */
static void test_kernel_keeps_an_unlinked_listener_alive_but_unreachable(void **state)
{
        const char *path = scratch_path("s");
        int fd = listening(path), client = try_connect_unix(path), accepted;

        (void)state;
        assert_true(client >= 0);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(try_connect_unix(path), -1);
        assert_int_equal(errno, ENOENT);
        assert_int_equal(hot__listener_verify(fd), 0);
        accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        assert_true(accepted >= 0);
        close(accepted);
        close(client);
        close(fd);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(test_unixpath_removes_what_a_killed_one_left_behind),
                scratch_test(test_unixpath_is_left_and_taken_back),
                scratch_test(test_unixpath_serves_on_what_it_took),
                scratch_test(test_unixpath_obeys_the_umask),
                scratch_test(test_unixpath_replaces_a_stale_socket),
                scratch_test(test_unixpath_replaces_its_own_stale_socket),
                scratch_test(test_unixpath_leaves_the_living_alone),
                scratch_test(test_unixpath_knows_a_full_backlog_for_life),
                scratch_test(test_unixpath_leaves_sockets_of_other_types_alone),
                scratch_test(test_unixpath_never_touches_what_is_no_socket),
                scratch_test(test_unixpath_needs_its_directory),
                scratch_test(test_unixpath_needs_a_writable_directory),
                scratch_test(test_unixpath_takes_the_longest_path),
                scratch_test(test_unixpath_survives_a_lock_left_by_a_crash),
                scratch_test(test_unixpath_needs_no_rename_flags),
                scratch_test(test_unixpath_leaves_nothing_behind_when_it_fails),
                scratch_test(test_unixpath_goes_to_one_of_many_that_start_at_once),
                scratch_test(test_kernel_keeps_an_unlinked_listener_alive_but_unreachable),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
