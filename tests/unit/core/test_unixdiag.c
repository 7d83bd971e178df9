/* SPDX-License-Identifier: MIT */
/* Whose path it is: by the inode that the kernel tells, in all the places that ask. */
#include "unixdiag.h"

#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "fdcheck.h"
#include "listener.h"
#include "listening.h"
#include "sandbox.h"
#include "scratch.h"
#include "sockets.h"
#include "unixpath.h"

static void test_unixpath_is_known_by_inode_not_by_name(void **state)
{
        const char *path = scratch_path("s"), *moved = scratch_path("moved");
        int fd = listening(path), other;

        (void)state;
        assert_true(is_at(fd, path));
        assert_false(is_at(fd, moved));
        assert_int_equal(rename(path, moved), 0);
        assert_false(is_at(fd, path));
        assert_true(is_at(fd, moved));
        other = listening(path);
        assert_false(is_at(fd, path));
        assert_true(is_at(other, path));
        close(other);
        close(fd);
}

/* The name is the same, the file is not: what another program bound after it removed our path. */
static void test_unixpath_is_lost_when_another_file_takes_the_name(void **state)
{
        const char *path = scratch_path("s");
        int ours = bind_unix(path, SOCK_STREAM), theirs;

        (void)state;
        assert_int_equal(listen(ours, 1), 0);
        assert_true(is_at(ours, path));
        assert_int_equal(unlink(path), 0);
        assert_false(is_at(ours, path));
        theirs = bind_unix(path, SOCK_STREAM);
        assert_int_equal(listen(theirs, 1), 0);
        assert_false(is_at(ours, path));
        assert_true(is_at(theirs, path));
        close(theirs);
        close(ours);
}

static void test_unixpath_is_known_through_links(void **state)
{
        const char *path = scratch_path("s"), *hard = scratch_path("h"),
                   *symbolic = scratch_path("y");
        int fd = listening(path);

        (void)state;
        assert_int_equal(link(path, hard), 0);
        assert_int_equal(symlink("s", symbolic), 0);
        assert_true(is_at(fd, hard));
        assert_true(is_at(fd, symbolic));
        close(fd);
}

static void expect_printed(int fd, const char *hint, const char *path)
{
        char text[HOT__ADDRESS_MAX], expected[HOT__ADDRESS_MAX];

        snprintf(expected, sizeof(expected), "unix:%s", path);
        assert_int_equal(hot__listener_format(fd, hint, text, sizeof(text)), 0);
        assert_string_equal(text, expected);
}

static void test_unixpath_prints_the_name_that_leads_to_it(void **state)
{
        const char *path = scratch_path("s"), *moved = scratch_path("moved"),
                   *hard = scratch_path("hard");
        char found[128] = "";
        struct sockaddr_un un;
        socklen_t len = sizeof(un);
        int fd;

        (void)state;
        fd = listening(path);
        /* Not the one that it was bound under, which is all that getsockname(2) knows. */
        assert_int_equal(getsockname(fd, (struct sockaddr *)&un, &len), 0);
        assert_string_not_equal(un.sun_path, path);
        expect_printed(fd, NULL, path);
        expect_printed(fd, "/nowhere", path);
        assert_int_equal(rename(path, moved), 0);
        expect_printed(fd, NULL, moved);
        expect_printed(fd, path, moved);
        assert_int_equal(link(moved, hard), 0);
        expect_printed(fd, hard, hard);
        expect_printed(fd, moved, moved);
        /* Unreachable: the path that it was made for is what is left to tell. */
        assert_int_equal(unlink(moved), 0);
        assert_int_equal(unlink(hard), 0);
        expect_printed(fd, NULL, path);
        assert_int_equal(hot__unixpath_find(fd, found, sizeof(found)), -ENOENT);
        close(fd);
}

static void test_unixpath_needs_room_for_what_it_finds(void **state)
{
        const char *path = scratch_path("s");
        int fd = listening(path);
        char found[108];

        (void)state;
        assert_int_equal(hot__unixpath_find(fd, found, strlen(path)), -ENOSPC);
        assert_int_equal(hot__unixpath_find(fd, found, strlen(path) + 1), 0);
        assert_string_equal(found, path);
        close(fd);
}

static void test_unixpath_unlinks_only_its_own_inode(void **state)
{
        const char *path = scratch_path("s"), *symbolic = scratch_path("y");
        int fd = listening(path), other;

        (void)state;
        assert_int_equal(symlink("s", symbolic), 0);
        assert_int_equal(hot__unixpath_unlink(symbolic, fd), 0);
        assert_int_equal(count_names(scratch_directory()), 2);

        assert_int_equal(hot__unixpath_unlink(path, fd), 0);
        assert_int_equal(access(path, F_OK), -1);
        assert_int_equal(hot__unixpath_unlink(path, fd), 0); /* nothing there */

        other = listening(path);
        assert_int_equal(hot__unixpath_unlink(path, fd), 0);
        assert_true(is_at(other, path));
        close(other);
        assert_int_equal(hot__unixpath_unlink(path, fd), 0); /* stale, and not ours */
        assert_int_equal(access(path, F_OK), 0);
        close(fd);
}

static void test_unixdiag_names_the_file_as_stat_does(void **state)
{
        const char *path = scratch_path("s");
        int fd = listening(path);
        struct hot__unixdiag bound, later;
        struct stat st;

        (void)state;
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(hot__unixdiag_file(fd, &bound), 0);
        assert_int_equal(bound.inode, (uint32_t)st.st_ino);
        assert_int_equal(bound.device_major, major(st.st_dev));
        assert_int_equal(bound.device_minor, minor(st.st_dev));
        assert_int_equal(unlink(path), 0);
        assert_int_equal(hot__unixdiag_file(fd, &later), 0);
        assert_memory_equal(&bound, &later, sizeof(bound));
        close(fd);
}

static void test_unixdiag_tells_what_has_no_file(void **state)
{
        struct hot__unixdiag bound;
        int pair[2], inet = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void)state;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        assert_int_equal(hot__unixdiag_file(pair[0], &bound), -ENODATA);
        assert_int_equal(hot__unixdiag_file(inet, &bound), -ENOENT);
        close(inet);
        close(pair[0]);
        close(pair[1]);
        assert_int_equal(hot__unixdiag_file(pair[0], &bound), -EBADF);
}

/* Two file systems made alike number their inodes alike: the device has to count. */
static int tell_two_devices_apart(void)
{
        const char *a = scratch_path("a"), *b = scratch_path("b");
        char path_a[128], path_b[128];
        struct stat st_a, st_b;
        int fd_a, fd_b;

        enter_namespaces(CLONE_NEWNS);
        if (mkdir(a, 0700) < 0 || mkdir(b, 0700) < 0 || mount("none", a, "tmpfs", 0, NULL) < 0 ||
            mount("none", b, "tmpfs", 0, NULL) < 0)
                return NOT_POSSIBLE;
        snprintf(path_a, sizeof(path_a), "%s/s", a);
        snprintf(path_b, sizeof(path_b), "%s/s", b);
        if (try_listen(path_a, &fd_a) < 0 || try_listen(path_b, &fd_b) < 0 ||
            stat(path_a, &st_a) < 0 || stat(path_b, &st_b) < 0)
                return 1;
        if (st_a.st_ino != st_b.st_ino)
                return NOT_POSSIBLE;
        if (!is_at(fd_a, path_a) || !is_at(fd_b, path_b))
                return 2;
        return is_at(fd_a, path_b) || is_at(fd_b, path_a) ? 3 : 0;
}

static void test_unixpath_is_not_the_same_inode_on_another_device(void **state)
{
        (void)state;
        assert_int_equal(in_child(tell_two_devices_apart), 0);
}

/* A file system on which stat(2) names another device than the kernel does to sock_diag. */
static int listen_on_an_overlay(void)
{
        const char *upper = scratch_path("upper"), *merged = scratch_path("merged");
        struct hot__unixdiag bound;
        char options[512], path[128];
        struct stat st;
        int fd;

        enter_namespaces(CLONE_NEWNS);
        snprintf(options, sizeof(options),
                 "lowerdir=%s,upperdir=%s/u,workdir=%s/w,userxattr,xino=off", scratch_directory(),
                 upper, upper);
        if (mkdir(merged, 0700) < 0 || mkdir(upper, 0700) < 0 ||
            mount("none", upper, "tmpfs", 0, NULL) < 0)
                return NOT_POSSIBLE;
        snprintf(path, sizeof(path), "%s/u", upper);
        if (mkdir(path, 0700) < 0)
                return NOT_POSSIBLE;
        snprintf(path, sizeof(path), "%s/w", upper);
        if (mkdir(path, 0700) < 0 || mount("none", merged, "overlay", 0, options) < 0)
                return NOT_POSSIBLE;
        snprintf(path, sizeof(path), "%s/s", merged);
        if (try_listen(path, &fd) < 0 || hot__unixdiag_file(fd, &bound) < 0 || stat(path, &st) < 0)
                return 1;
        if (bound.device_major == major(st.st_dev) && bound.device_minor == minor(st.st_dev))
                return NOT_POSSIBLE;
        return is_at(fd, path) ? 0 : 2;
}

static void test_unixpath_is_known_where_the_kernel_has_another_device(void **state)
{
        (void)state;
        assert_int_equal(in_child(listen_on_an_overlay), 0);
}

/* Where the kernel does not tell, the name that the socket was bound under has to do. */
static int do_without_sock_diag(void)
{
        const char *path = scratch_path("s"), *other = scratch_path("other");
        int fd = bind_unix(path, SOCK_STREAM);

        refuse_call(SYS_socket, 0, AF_NETLINK, EAFNOSUPPORT);
        if (!is_at(fd, path))
                return 1;
        return link(path, other) < 0 || is_at(fd, other) ? 2 : 0;
}

static void test_unixpath_goes_by_name_where_the_kernel_does_not_tell(void **state)
{
        (void)state;
        assert_int_equal(in_child(do_without_sock_diag), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(test_unixpath_is_known_by_inode_not_by_name),
                scratch_test(test_unixpath_is_lost_when_another_file_takes_the_name),
                scratch_test(test_unixpath_is_known_through_links),
                scratch_test(test_unixpath_prints_the_name_that_leads_to_it),
                scratch_test(test_unixpath_needs_room_for_what_it_finds),
                scratch_test(test_unixpath_unlinks_only_its_own_inode),
                scratch_test(test_unixdiag_names_the_file_as_stat_does),
                scratch_test(test_unixdiag_tells_what_has_no_file),
                scratch_test(test_unixpath_is_not_the_same_inode_on_another_device),
                scratch_test(test_unixpath_is_known_where_the_kernel_has_another_device),
                scratch_test(test_unixpath_goes_by_name_where_the_kernel_does_not_tell),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
