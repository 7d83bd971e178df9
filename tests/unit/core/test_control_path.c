/* SPDX-License-Identifier: MIT */
#include "control_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fdcheck.h"
#include "sandbox.h"
#include "scratch.h"

static void expect_place(size_t index, uid_t uid, const char *runtime, const char *expected)
{
        char place[HOT__CONTROL_PLACE_MAX] = "";

        assert_int_equal(hot__control_place(index, uid, runtime, place), expected != NULL);
        if (expected)
                assert_string_equal(place, expected);
}

static void test_control_path_has_its_places(void **state)
{
        char long_name[HOT__CONTROL_PLACE_MAX + 1];

        (void)state;
        expect_place(0, 1000, "/run/user/1000", "/run/user/1000/hotstart");
        expect_place(0, 0, "/run/user/0", "/run/user/0/hotstart");
        expect_place(0, 1000, NULL, NULL);
        expect_place(0, 1000, "", NULL);
        expect_place(0, 1000, "run/user/1000", NULL);
        expect_place(1, 0, NULL, "/run/hotstart");
        expect_place(1, 1000, NULL, NULL);
        expect_place(2, 1000, NULL, "/tmp/hotstart-1000");
        expect_place(2, 4294967294, NULL, "/tmp/hotstart-4294967294");
        memset(long_name, '/', sizeof(long_name) - 1);
        long_name[sizeof(long_name) - 1] = 0;
        expect_place(0, 1000, long_name, NULL);
}

static void test_control_path_makes_a_private_directory(void **state)
{
        const char *path = scratch_path("hotstart");
        mode_t before = umask(0377);
        struct stat st;
        int fd, again;

        (void)state;
        assert_int_equal(hot__control_directory_make(path, &fd), 0);
        umask(before);
        assert_int_equal(lstat(path, &st), 0);
        assert_true(S_ISDIR(st.st_mode));
        assert_int_equal(st.st_mode & 07777, 0700);
        assert_int_equal(hot__control_directory_make(path, &again), 0);
        close(again);
        assert_int_equal(hot__control_directory_open(AT_FDCWD, path, geteuid(), &again), 0);
        assert_true(fcntl(again, F_GETFD) & FD_CLOEXEC);
        close(again);
        close(fd);
}

static void test_control_path_trusts_no_directory_that_others_may_enter(void **state)
{
        static const mode_t wrong[] = {0701, 0710, 0750, 0777, 01777};
        const char *path = scratch_path("hotstart");
        int fd = -EBADF;

        (void)state;
        assert_int_equal(mkdir(path, 0700), 0);
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                assert_int_equal(chmod(path, wrong[i]), 0);
                assert_int_equal(hot__control_directory_make(path, &fd), -EPERM);
                assert_int_equal(hot__control_directory_open(AT_FDCWD, path, geteuid(), &fd),
                                 -EPERM);
        }
        assert_int_equal(fd, -EBADF);
        chmod(path, 0700);
        assert_int_equal(hot__control_directory_open(AT_FDCWD, path, geteuid() + 1, &fd), -EPERM);
}

static void test_control_path_follows_no_link(void **state)
{
        const char *path = scratch_path("hotstart"), *elsewhere = scratch_path("elsewhere");
        int fd = -EBADF;

        (void)state;
        assert_int_equal(mkdir(elsewhere, 0700), 0);
        assert_int_equal(symlink(elsewhere, path), 0);
        assert_int_equal(hot__control_directory_make(path, &fd), -ENOTDIR);
        unlink(path);
        assert_int_equal(hot__control_directory_open(AT_FDCWD, path, geteuid(), &fd), -ENOENT);
        fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        close(fd);
        assert_int_equal(hot__control_directory_make(path, &fd), -ENOTDIR);
}

static void test_control_path_is_made_where_nobody_else_rules(void **state)
{
        char inner[512];
        int fd;

        (void)state;
        assert_int_equal(chmod(scratch_directory(), 0777), 0);
        assert_int_equal(hot__control_directory_make(scratch_path("hotstart"), &fd), -EPERM);
        assert_int_equal(chmod(scratch_directory(), 01777), 0);
        assert_int_equal(hot__control_directory_make(scratch_path("hotstart"), &fd), 0);
        close(fd);
        snprintf(inner, sizeof(inner), "%s/there", scratch_path("no"));
        assert_int_equal(hot__control_directory_make(inner, &fd), -ENOENT);
        assert_int_equal(hot__control_directory_make("/hotstart-here", &fd), -EINVAL);
        assert_int_equal(hot__control_directory_make("hotstart", &fd), -EINVAL);
}

static const char *strangers_directory;

/* As a user that is not root, in a directory that is root's neither: XDG_RUNTIME_DIR of somebody else. */
static int make_in_the_directory_of_another(void)
{
        int fd;

        if (geteuid() != 0 || chown(strangers_directory, 12345, 12345) < 0)
                return NOT_POSSIBLE;
        return hot__control_directory_make(scratch_path("hotstart"), &fd) == -EPERM ? 0 : 1;
}

static void test_control_path_is_not_made_in_the_directory_of_another(void **state)
{
        (void)state;
        strangers_directory = scratch_directory();
        assert_int_equal(in_child(make_in_the_directory_of_another), 0);
}

static void test_control_path_is_found_below_another_root(void **state)
{
        char inside[512];
        int root, fd, direct;
        struct stat a, b;

        (void)state;
        assert_int_equal(mkdir(scratch_path("run"), 0700), 0);
        root = open(scratch_directory(), O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(hot__control_directory_open(root, "/run", geteuid(), &fd), 0);
        snprintf(inside, sizeof(inside), "%s", scratch_path("run"));
        assert_int_equal(hot__control_directory_open(AT_FDCWD, inside, geteuid(), &direct), 0);
        assert_int_equal(fstat(fd, &a), 0);
        assert_int_equal(fstat(direct, &b), 0);
        assert_int_equal(a.st_ino, b.st_ino);
        close(fd);
        close(direct);
        close(root);
}

static void test_control_path_address_is_short_however_deep_it_is(void **state)
{
        char address[108], tiny[8];

        (void)state;
        assert_int_equal(hot__control_address(7, "4711", address, sizeof(address)), 20);
        assert_string_equal(address, "/proc/self/fd/7/4711");
        assert_int_equal(hot__control_address(7, "4711", tiny, sizeof(tiny)), -ENAMETOOLONG);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_control_path_has_its_places),
                scratch_test(test_control_path_makes_a_private_directory),
                scratch_test(test_control_path_trusts_no_directory_that_others_may_enter),
                scratch_test(test_control_path_follows_no_link),
                scratch_test(test_control_path_is_made_where_nobody_else_rules),
                scratch_test(test_control_path_is_not_made_in_the_directory_of_another),
                scratch_test(test_control_path_is_found_below_another_root),
                hot_test(test_control_path_address_is_short_however_deep_it_is),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
