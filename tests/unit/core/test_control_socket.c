/* SPDX-License-Identifier: MIT */
#include "control_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "fdcheck.h"
#include "scratch.h"
#include "sockets.h"

/* As XDG_RUNTIME_DIR: the scratch directory, with the names in it below hotstart/. */
static const char *name_path(pid_t pid)
{
        char name[64];

        snprintf(name, sizeof(name), "hotstart/%d", (int)pid);
        return scratch_path(name);
}

static unsigned int names(void)
{
        return count_names(scratch_path("hotstart"));
}

static int control_teardown(void **state)
{
        char command[64] = "hotstart";

        (void)state;
        for (pid_t pid = 1; pid <= 4; pid++)
                (void)unlink(name_path(pid));
        (void)unlink(name_path(getpid()));
        (void)rmdir(scratch_path(command));
        return scratch_teardown(state);
}

#define control_test(function) hot_test_with(function, scratch_setup, control_teardown)

static struct hot__control_socket bound(const char *path)
{
        struct hot__control_socket control;

        assert_int_equal(hot__control_socket_init(&control, path), 0);
        assert_int_equal(hot__control_socket_bind(&control, scratch_directory()), 0);
        return control;
}

static void test_control_socket_follows_from_the_pid(void **state)
{
        mode_t before = umask(0);
        struct hot__control_socket control = bound("");
        struct stat st;

        (void)state;
        umask(before);
        assert_int_equal(stat(name_path(getpid()), &st), 0);
        assert_true(S_ISSOCK(st.st_mode));
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_true(reaches(name_path(getpid()), control.fd));
        assert_true(fcntl(control.fd, F_GETFD) & FD_CLOEXEC);
        assert_true(fcntl(control.fd, F_GETFL) & O_NONBLOCK);
        assert_int_equal(hot__control_socket_advertise(&control, scratch_directory(), getpid()), 0);
        assert_int_equal(names(), 1);
        hot__control_socket_unlink(&control);
        assert_int_equal(names(), 0);
        hot__control_socket_done(&control);
        hot__control_socket_done(&control);
}

static void test_control_socket_of_a_heir_has_both_names(void **state)
{
        struct hot__control_socket first = bound(""), heir;

        (void)state;
        assert_int_equal(hot__control_socket_init(&heir, ""), 0);
        assert_int_equal(hot__control_socket_take_fd(&heir, dup(first.fd)), 0);
        assert_int_equal(hot__control_socket_advertise(&heir, scratch_directory(), 1), 0);
        assert_int_equal(names(), 2);
        assert_true(reaches(name_path(1), heir.fd));
        assert_true(reaches(name_path(getpid()), heir.fd));
        hot__control_socket_withdraw(&first, getpid());
        hot__control_socket_done(&first);
        assert_true(reaches(name_path(1), heir.fd));
        /* The third learns its name from the second: the first one's is gone. */
        assert_int_equal(hot__control_socket_advertise(&heir, scratch_directory(), 2), 0);
        assert_true(reaches(name_path(2), heir.fd));
        assert_int_equal(names(), 2);
        hot__control_socket_unlink(&heir);
        assert_int_equal(names(), 0);
        hot__control_socket_done(&heir);
}

static void test_control_socket_forgets_the_dead_and_nobody_else(void **state)
{
        struct hot__control_socket control = bound("");
        const pid_t alive[] = {0, getpid(), 3};
        int other = bind_unix(name_path(4), SOCK_STREAM);

        (void)state;
        for (pid_t pid = 1; pid <= 3; pid++)
                assert_int_equal(hot__control_socket_advertise(&control, scratch_directory(), pid),
                                 0);
        assert_int_equal(names(), 5);
        hot__control_socket_forget(&control, alive, 3);
        assert_int_equal(names(), 3);
        assert_int_equal(access(name_path(3), F_OK), 0);
        assert_int_equal(access(name_path(4), F_OK), 0);
        hot__control_socket_withdraw(&control, 4);
        hot__control_socket_unlink(&control);
        assert_int_equal(access(name_path(4), F_OK), 0);
        assert_int_equal(names(), 1);
        close(other);
        hot__control_socket_done(&control);
}

/* The number of a process that died without a word, and left its name. */
static void test_control_socket_takes_a_stale_name(void **state)
{
        struct hot__control_socket control;
        int fd;

        (void)state;
        assert_int_equal(mkdir(scratch_path("hotstart"), 0700), 0);
        close(bind_unix(name_path(getpid()), SOCK_STREAM));
        control = bound("");
        assert_true(reaches(name_path(getpid()), control.fd));
        hot__control_socket_unlink(&control);
        hot__control_socket_done(&control);
        /* One that is alive is another namespace's; it is left alone. */
        fd = bind_unix(name_path(getpid()), SOCK_STREAM);
        assert_int_equal(listen(fd, 1), 0);
        assert_int_equal(hot__control_socket_init(&control, ""), 0);
        assert_int_equal(hot__control_socket_bind(&control, scratch_directory()), -EADDRINUSE);
        assert_true(reaches(name_path(getpid()), fd));
        hot__control_socket_done(&control);
        close(fd);
}

/* What was killed could not take its name along. */
static void test_control_socket_sweeps_up_after_the_dead(void **state)
{
        struct hot__control_socket control;
        int living;

        (void)state;
        assert_int_equal(mkdir(scratch_path("hotstart"), 0700), 0);
        close(bind_unix(scratch_path("hotstart/4194305"), SOCK_STREAM)); /* no pid is so large */
        close(bind_unix(name_path(1), SOCK_STREAM));                     /* and this one lives */
        living = bind_unix(scratch_path("hotstart/4194306"), SOCK_STREAM);
        assert_int_equal(listen(living, 1), 0);
        control = bound("");
        assert_int_equal(access(scratch_path("hotstart/4194305"), F_OK), -1);
        assert_int_equal(access(name_path(1), F_OK), 0);
        assert_int_equal(access(scratch_path("hotstart/4194306"), F_OK), 0);
        assert_int_equal(names(), 3);
        unlink(scratch_path("hotstart/4194306"));
        close(living);
        hot__control_socket_unlink(&control);
        hot__control_socket_done(&control);
}

static void test_control_socket_where_the_host_wants_it(void **state)
{
        char path[256];
        struct hot__control_socket control;
        struct stat st;

        (void)state;
        snprintf(path, sizeof(path), "%s", scratch_path("own.sock"));
        control = bound(path);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_int_equal(hot__control_socket_advertise(&control, scratch_directory(), getpid()), 0);
        assert_true(reaches(path, control.fd));
        assert_true(reaches(name_path(getpid()), control.fd));
        hot__control_socket_unlink(&control);
        assert_int_equal(access(path, F_OK), -1);
        assert_int_equal(names(), 0);
        hot__control_socket_done(&control);
}

static void test_control_socket_that_was_cleaned_away_is_bound_anew(void **state)
{
        struct hot__control_socket control = bound("");

        (void)state;
        assert_int_equal(unlink(name_path(getpid())), 0);
        assert_int_equal(hot__control_socket_advertise(&control, scratch_directory(), getpid()), 0);
        assert_true(reaches(name_path(getpid()), control.fd));
        hot__control_socket_unlink(&control);
        hot__control_socket_done(&control);
}

static void test_control_socket_in_a_deep_directory(void **state)
{
        struct hot__control_socket control;
        char deep[300], name[330];
        char part[120];

        (void)state;
        memset(part, 'd', sizeof(part) - 1);
        part[sizeof(part) - 1] = 0;
        snprintf(deep, sizeof(deep), "%s", scratch_path(part));
        assert_int_equal(mkdir(deep, 0700), 0);
        assert_int_equal(hot__control_socket_init(&control, ""), 0);
        assert_int_equal(hot__control_socket_bind(&control, deep), 0);
        assert_int_equal(hot__control_socket_advertise(&control, deep, 1), 0);
        snprintf(name, sizeof(name), "%s/hotstart/1", deep);
        assert_int_equal(access(name, F_OK), 0);
        hot__control_socket_unlink(&control);
        assert_int_equal(access(name, F_OK), -1);
        hot__control_socket_done(&control);
        snprintf(name, sizeof(name), "%s/hotstart", deep);
        assert_int_equal(rmdir(name), 0);
        assert_int_equal(rmdir(deep), 0);
}

static void test_control_socket_takes_no_other_descriptor(void **state)
{
        struct hot__control_socket control;

        (void)state;
        assert_int_equal(hot__control_socket_init(&control, ""), 0);
        assert_int_equal(hot__control_socket_take_fd(&control, open("/dev/null", O_RDONLY)),
                         -ENOTSOCK);
        assert_int_equal(control.fd, -EBADF);
        hot__control_socket_done(&control);
}

static void test_control_socket_path_that_is_too_long(void **state)
{
        struct hot__control_socket control;
        char path[200];

        (void)state;
        memset(path, 'x', sizeof(path) - 1);
        path[sizeof(path) - 1] = 0;
        assert_int_equal(hot__control_socket_init(&control, path), -ENAMETOOLONG);
        path[0] = '/';
        assert_int_equal(hot__control_socket_init(&control, path), -ENAMETOOLONG);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                control_test(test_control_socket_follows_from_the_pid),
                control_test(test_control_socket_of_a_heir_has_both_names),
                control_test(test_control_socket_forgets_the_dead_and_nobody_else),
                control_test(test_control_socket_takes_a_stale_name),
                control_test(test_control_socket_sweeps_up_after_the_dead),
                control_test(test_control_socket_where_the_host_wants_it),
                control_test(test_control_socket_that_was_cleaned_away_is_bound_anew),
                control_test(test_control_socket_in_a_deep_directory),
                hot_test(test_control_socket_takes_no_other_descriptor),
                hot_test(test_control_socket_path_that_is_too_long),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
