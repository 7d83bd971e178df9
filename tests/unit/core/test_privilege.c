/* SPDX-License-Identifier: MIT */
#include "fdcheck.h"
#include "privilege.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "sandbox.h"
#include "scratch.h"

#define BIT(n) (UINT64_C(1) << (n))

static char words[512];

static void test_nothing_has_changed_by_itself(void **state)
{
        struct hot__privilege a, b;

        (void)state;
        assert_int_equal(hot__privilege_capture(&a), 0);
        assert_int_equal(hot__privilege_capture(&b), 0);
        strcpy(words, "?");
        assert_false(hot__privilege_differs(&a, &b, words, sizeof(words)));
        assert_string_equal(words, "");
        assert_int_equal(a.uid[HOT__ID_EFFECTIVE], geteuid());
        assert_int_equal(a.gid[HOT__ID_REAL], getgid());
        assert_true(a.root_ino != 0);
        hot__privilege_done(&a);
        hot__privilege_done(&b);
        hot__privilege_done(&b);
}

static void expect_difference(const struct hot__privilege *start, const struct hot__privilege *now,
                              const char *expected)
{
        assert_true(hot__privilege_differs(start, now, words, sizeof(words)));
        assert_string_equal(words, expected);
}

/* Each member alone makes a difference, and is named. */
static void test_every_difference_is_told(void **state)
{
        gid_t groups[] = {4, 20}, other[] = {4, 21};
        const struct hot__privilege start = {
                .uid = {0, 0, 0}, .gid = {0, 0, 0}, .groups = groups, .n_groups = 2};
        struct hot__privilege now;

        (void)state;
        now = start;
        assert_false(hot__privilege_differs(&start, &now, words, sizeof(words)));
        now.uid[HOT__ID_REAL] = now.uid[HOT__ID_EFFECTIVE] = 33;
        expect_difference(&start, &now, "user ids are 33 33 0, and were 0 0 0 at the start");
        now = start;
        now.gid[HOT__ID_SAVED] = 5;
        expect_difference(&start, &now, "group ids are 0 0 5, and were 0 0 0 at the start");
        now = start;
        now.groups = other;
        expect_difference(&start, &now, "the supplementary groups are not those of the start");
        now = start;
        now.n_groups = 0;
        expect_difference(&start, &now, "the supplementary groups are not those of the start");
        now = start;
        now.root_ino = 99;
        expect_difference(&start, &now, "the root directory is not that of the start");
        now = start;
        now.root_dev = 99;
        expect_difference(&start, &now, "the root directory is not that of the start");
        now = start;
        now.no_new_privs = true;
        expect_difference(&start, &now, "no_new_privs was set after the start");
        now = start;
        now.seccomp_mode = 2;
        expect_difference(&start, &now, "a seccomp filter was installed after the start");
        now = start;
        now.seccomp_filters = 1;
        expect_difference(&start, &now, "a seccomp filter was installed after the start");
        now = start;
        now.permitted = 0x400;
        expect_difference(&start, &now,
                          "permitted capabilities are 0x400, and were 0 at the start");
        now = start;
        now.inheritable = 1;
        expect_difference(&start, &now,
                          "inheritable capabilities are 0x1, and were 0 at the start");
        now = start;
        now.ambient = 1;
        expect_difference(&start, &now, "ambient capabilities are 0x1, and were 0 at the start");
        now = start;
        now.bounding = BIT(40);
        expect_difference(&start, &now,
                          "bounding capabilities are 0x10000000000, and were 0 at the start");
        now = start;
        now.securebits = 1;
        expect_difference(&start, &now, "securebits are 0x1, and were 0 at the start");
}

static void test_short_buffers_are_not_overrun(void **state)
{
        const struct hot__privilege start = {0}, now = {.permitted = UINT64_MAX};
        char room[8] = "1234567";

        (void)state;
        assert_true(hot__privilege_differs(&start, &now, room, 5));
        assert_string_equal(room, "perm");
        assert_string_equal(room + 5, "67");
}

/* ---- the kernel's side: what is done is seen ---- */

static int expect_seen(void (*change)(void), const char *expected)
{
        struct hot__privilege start, now;

        if (hot__privilege_capture(&start) < 0)
                return 1;
        change();
        if (hot__privilege_capture(&now) < 0)
                return 2;
        if (!hot__privilege_differs(&start, &now, words, sizeof(words)))
                return 3;
        if (!strstr(words, expected))
                return 4;
        hot__privilege_done(&start);
        hot__privilege_done(&now);
        return 0;
}

static void become_somebody(void)
{
        if (geteuid() != 0 || setresuid(12345, 12345, 12345) < 0)
                _exit(NOT_POSSIBLE);
}

static void join_a_group(void)
{
        gid_t groups[] = {4711, 12};

        if (geteuid() != 0 || setgroups(2, groups) < 0)
                _exit(NOT_POSSIBLE);
}

static void change_root(void)
{
        enter_namespaces(0);
        if (chroot(scratch_directory()) < 0 || chdir("/") < 0)
                _exit(NOT_POSSIBLE);
}

static void gain_nothing_any_more(void)
{
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                _exit(NOT_POSSIBLE);
}

static void filter_calls(void)
{
        refuse_call(SYS_getpriority, 0, 4711, EPERM);
}

static void drop_a_bound(void)
{
        enter_namespaces(0);
        if (prctl(PR_CAPBSET_DROP, CAP_SYS_BOOT, 0, 0, 0) < 0)
                _exit(NOT_POSSIBLE);
}

static int somebody_else(void)
{
        return expect_seen(become_somebody, "user ids are 12345 12345 12345");
}

static int another_group(void)
{
        return expect_seen(join_a_group, "supplementary groups");
}

static int another_root(void)
{
        return expect_seen(change_root, "");
}

static int no_new_privs(void)
{
        return expect_seen(gain_nothing_any_more, "no_new_privs");
}

static int one_filter(void)
{
        gain_nothing_any_more();
        return expect_seen(filter_calls, "seccomp");
}

/* The mode is the same as before: only the number of filters tells (Linux 5.11). */
static int one_filter_more(void)
{
        filter_calls();
        return expect_seen(filter_calls, "seccomp");
}

static int fewer_capabilities(void)
{
        return expect_seen(drop_a_bound, "");
}

static void test_what_a_process_does_to_itself_is_seen(void **state)
{
        (void)state;
        assert_int_equal(in_child(no_new_privs), 0);
        assert_int_equal(in_child(one_filter), 0);
        assert_int_equal(in_child(one_filter_more), 0);
        assert_int_equal(in_child(another_root), 0);
        assert_int_equal(in_child(fewer_capabilities), 0);
        assert_int_equal(in_child(somebody_else), 0);
        assert_int_equal(in_child(another_group), 0);
}

/* In a root directory without /proc there is no status file to read. */
static int seccomp_without_proc(void)
{
        change_root();
        return expect_seen(filter_calls, "");
}

static void test_a_filter_is_seen_without_proc(void **state)
{
        (void)state;
        assert_int_equal(in_child(seccomp_without_proc), 0);
}

/* ---- what exec makes of it ---- */

static const struct hot__privilege user = {
        .uid = {1000, 1000, 1000}, .gid = {100, 100, 100}, .bounding = BIT(38) - 1};

static bool is_lost(const struct hot__privilege *now, struct hot__privilege_file file)
{
        return hot__privilege_is_lost_by(now, &file, words, sizeof(words));
}

static void test_a_set_id_program_would_ignore_what_it_inherits(void **state)
{
        struct hot__privilege now = user;

        (void)state;
        assert_false(is_lost(&now, (struct hot__privilege_file){.uid = 0}));
        assert_true(is_lost(&now, (struct hot__privilege_file){.uid = 0, .set_uid = true}));
        assert_non_null(strstr(words, "real and effective ids 1000 0 and 100 100"));
        assert_true(is_lost(&now, (struct hot__privilege_file){.gid = 5, .set_gid = true}));
        assert_false(is_lost(&now, (struct hot__privilege_file){.uid = 1000, .set_uid = true}));
        now.no_new_privs = true; /* then the kernel passes over these bits */
        assert_false(is_lost(&now, (struct hot__privilege_file){.uid = 0, .set_uid = true}));
        now = user;
        now.uid[HOT__ID_EFFECTIVE] = 0;
        assert_true(is_lost(&now, (struct hot__privilege_file){.uid = 0}));
}

static void test_capabilities_over_exec(void **state)
{
        struct hot__privilege now = user;
        const struct hot__privilege_file plain = {0};
        const struct hot__privilege_file capable = {.has_capabilities = true,
                                                    .permitted = BIT(CAP_NET_BIND_SERVICE)};

        (void)state;
        now.permitted = BIT(CAP_NET_BIND_SERVICE);
        assert_true(is_lost(&now, plain));
        assert_string_equal(words, "exec would take the capabilities 0x400 away");
        assert_false(is_lost(&now, capable));
        now.ambient = now.inheritable = now.permitted;
        assert_false(is_lost(&now, plain));
        now.ambient = 0;
        now.bounding = 0; /* given up for every exec to come, on purpose */
        assert_false(is_lost(&now, plain));
        now.bounding = user.bounding;
        now.permitted |= BIT(CAP_SYS_TIME);
        now.ambient = now.inheritable = now.permitted;
        assert_true(is_lost(&now, capable)); /* a file with capabilities clears the ambient set */
        assert_string_equal(words, "exec would take the capabilities 0x2000000 away");
}

static void test_root_keeps_its_capabilities_unless_it_is_no_root(void **state)
{
        struct hot__privilege root = {.permitted = BIT(38) - 1, .bounding = BIT(38) - 1};
        const struct hot__privilege_file plain = {0};

        (void)state;
        assert_false(is_lost(&root, plain));
        root.securebits = 1U << SECURE_NOROOT;
        assert_true(is_lost(&root, plain));
}

static void put_capabilities(const char *path, uint64_t permitted)
{
        struct vfs_cap_data data = {
                .magic_etc = htole32(VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE),
                .data = {{.permitted = htole32((uint32_t)permitted)},
                         {.permitted = htole32((uint32_t)(permitted >> 32))}},
        };

        if (setxattr(path, "security.capability", &data, sizeof(data), 0) == 0)
                return;
        print_message("file capabilities cannot be given here\n");
        skip();
}

static void test_a_files_bits_are_read(void **state)
{
        const char *path = scratch_path("program");
        struct hot__privilege_file file;
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);

        (void)state;
        assert_true(fd >= 0);
        close(fd);
        assert_int_equal(hot__privilege_file_read(path, &file), 0);
        assert_int_equal(file.uid, geteuid());
        assert_false(file.set_uid || file.set_gid || file.has_capabilities);
        assert_int_equal(chmod(path, 06755), 0);
        assert_int_equal(hot__privilege_file_read(path, &file), 0);
        assert_true(file.set_uid && file.set_gid);
        assert_int_equal(chmod(path, 02745), 0);
        assert_int_equal(hot__privilege_file_read(path, &file), 0);
        assert_false(file.set_uid || file.set_gid);
        assert_int_equal(hot__privilege_file_read(scratch_path("none"), &file), -ENOENT);
}

static void test_a_files_capabilities_are_read(void **state)
{
        const char *path = scratch_path("program");
        struct hot__privilege_file file;
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);

        (void)state;
        assert_true(fd >= 0);
        close(fd);
        put_capabilities(path, BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_BPF));
        assert_int_equal(hot__privilege_file_read(path, &file), 0);
        assert_true(file.has_capabilities);
        assert_true(file.permitted == (BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_BPF)));
        assert_true(file.inheritable == 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_nothing_has_changed_by_itself),
                hot_test(test_every_difference_is_told),
                hot_test(test_short_buffers_are_not_overrun),
                scratch_test(test_what_a_process_does_to_itself_is_seen),
                scratch_test(test_a_filter_is_seen_without_proc),
                hot_test(test_a_set_id_program_would_ignore_what_it_inherits),
                hot_test(test_capabilities_over_exec),
                hot_test(test_root_keeps_its_capabilities_unless_it_is_no_root),
                scratch_test(test_a_files_bits_are_read),
                scratch_test(test_a_files_capabilities_are_read),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
