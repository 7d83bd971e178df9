/* SPDX-License-Identifier: MIT */
#include "pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fdcheck.h"
#include "scratch.h"

static void put(const char *path, const char *content, size_t len)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, content, len), len);
        close(fd);
}

static void expect_content(const char *path, const char *expected)
{
        char content[64];
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = read(fd, content, sizeof(content) - 1);

        assert_true(n >= 0);
        close(fd);
        content[n] = '\0';
        assert_string_equal(content, expected);
}

static void test_pidfile_holds_the_pid_and_a_newline(void **state)
{
        const char *path = scratch_path("pid");

        (void)state;
        assert_int_equal(hot__pidfile_write(path, 4711), 0);
        expect_content(path, "4711\n");
        assert_int_equal(hot__pidfile_read(path), 4711);
        assert_int_equal(hot__pidfile_write(path, INT_MAX), 0);
        assert_int_equal(hot__pidfile_read(path), INT_MAX);
        assert_int_equal(count_names(scratch_directory()), 1);
}

static void test_pidfile_obeys_the_umask(void **state)
{
        const char *path = scratch_path("pid");
        struct stat st;
        mode_t old = umask(0022);

        (void)state;
        assert_int_equal(hot__pidfile_write(path, 1), 0);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0644);
        umask(0077);
        assert_int_equal(hot__pidfile_write(path, 1), 0);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        umask(old);
}

/* Who opened it before goes on seeing what it opened. */
static void test_pidfile_is_replaced_not_overwritten(void **state)
{
        const char *path = scratch_path("pid");
        char content[8] = "";
        int reader;

        (void)state;
        assert_int_equal(hot__pidfile_write(path, 1234567), 0);
        reader = open(path, O_RDONLY | O_CLOEXEC);
        assert_int_equal(read(reader, content, 3), 3);
        assert_int_equal(hot__pidfile_write(path, 9), 0);
        assert_int_equal(read(reader, content + 3, 4), 4);
        assert_memory_equal(content, "1234567", 7);
        close(reader);
        assert_int_equal(hot__pidfile_read(path), 9);
}

/* Write one pid or another, of different lengths, until told to end. */
static void keep_writing(const char *path, int end)
{
        char byte;

        fcntl(end, F_SETFL, O_NONBLOCK);
        for (unsigned int i = 0; read(end, &byte, 1) < 0 && errno == EAGAIN; i++)
                if (hot__pidfile_write(path, i % 2 ? 7 : 1234567) != 0)
                        _exit(1);
        _exit(0);
}

static void test_pidfile_is_whole_whenever_it_is_read(void **state)
{
        const char *path = scratch_path("pid");
        unsigned int seen[2] = {0, 0};
        int end[2], status;
        pid_t pid;

        (void)state;
        assert_int_equal(hot__pidfile_write(path, 7), 0);
        assert_int_equal(pipe2(end, O_CLOEXEC), 0);
        pid = fork();
        if (pid == 0) {
                close(end[1]);
                keep_writing(path, end[0]);
        }
        close(end[0]);
        while (seen[0] < 5000 || seen[1] < 5000) {
                pid_t read = hot__pidfile_read(path);

                assert_true(read == 7 || read == 1234567);
                seen[read == 7]++;
        }
        close(end[1]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_int_equal(count_names(scratch_directory()), 1);
}

static void test_pidfile_replaces_a_link_and_spares_its_target(void **state)
{
        const char *path = scratch_path("pid"), *target = scratch_path("target");
        struct stat st;

        (void)state;
        put(target, "precious", 8);
        assert_int_equal(symlink(target, path), 0);
        assert_int_equal(hot__pidfile_write(path, 5), 0);
        assert_int_equal(lstat(path, &st), 0);
        assert_true(S_ISREG(st.st_mode));
        expect_content(target, "precious");
}

static void test_pidfile_leaves_nothing_behind_when_it_cannot_rename(void **state)
{
        const char *path = scratch_path("pid");

        (void)state;
        assert_int_equal(mkdir(path, 0700), 0);
        assert_int_equal(hot__pidfile_write(path, 5), -EISDIR);
        assert_int_equal(count_names(scratch_directory()), 1);
        assert_int_equal(rmdir(path), 0);
        assert_int_equal(hot__pidfile_write(scratch_path("missing/pid"), 5), -ENOENT);
}

/* Disk full, as far as one process goes: a file may have no byte. The old content stays. */
static void test_pidfile_leaves_nothing_behind_when_it_cannot_write(void **state)
{
        const char *path = scratch_path("pid");
        int status;
        pid_t pid;

        (void)state;
        assert_int_equal(hot__pidfile_write(path, 5), 0);
        pid = fork();
        if (pid == 0) {
                const struct rlimit none = {0, 0};

                signal(SIGXFSZ, SIG_IGN);
                setrlimit(RLIMIT_FSIZE, &none);
                _exit(hot__pidfile_write(path, 6) == -EFBIG ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_int_equal(hot__pidfile_read(path), 5);
        assert_int_equal(count_names(scratch_directory()), 1);
}

static void test_pidfile_needs_a_writable_directory(void **state)
{
        const char *path = scratch_path("pid");
        int status;
        pid_t pid;

        (void)state;
        assert_int_equal(chmod(scratch_directory(), 0555), 0);
        pid = fork();
        if (pid == 0) {
                if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
                        _exit(2);
                _exit(hot__pidfile_write(path, 6) == -EACCES ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(chmod(scratch_directory(), 0700), 0);
        assert_int_equal(status, 0);
        assert_int_equal(count_names(scratch_directory()), 0);
}

static void test_pidfile_refuses_a_pid_that_is_none(void **state)
{
        (void)state;
        assert_int_equal(hot__pidfile_write(scratch_path("pid"), 0), -EINVAL);
        assert_int_equal(hot__pidfile_write(scratch_path("pid"), -1), -EINVAL);
        assert_int_equal(count_names(scratch_directory()), 0);
}

static void test_pidfile_reads_one_pid_and_nothing_else(void **state)
{
        static const struct {
                const char *content;
                pid_t pid;
        } rows[] = {
                {"1", 1},
                {"1\n", 1},
                {"0042\n", 42},
                {"2147483647\n", INT_MAX},
                {"", -EINVAL},
                {"\n", -EINVAL},
                {"0\n", -EINVAL},
                {"-1\n", -EINVAL},
                {"+1\n", -EINVAL},
                {" 1\n", -EINVAL},
                {"1 \n", -EINVAL},
                {"1\n\n", -EINVAL},
                {"1\n2\n", -EINVAL},
                {"1\r\n", -EINVAL},
                {"0x10\n", -EINVAL},
                {"1a\n", -EINVAL},
                {"pid\n", -EINVAL},
                {"2147483648\n", -EINVAL},
                {"99999999999999\n", -EINVAL},
                {"000000000000000000000000000001\n", -EINVAL},
        };
        const char *path = scratch_path("pid");

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                put(path, rows[i].content, strlen(rows[i].content));
                if (hot__pidfile_read(path) != rows[i].pid)
                        fail_msg("\"%s\" reads as %d", rows[i].content, hot__pidfile_read(path));
        }
        put(path, "1\0", 2);
        assert_int_equal(hot__pidfile_read(path), -EINVAL);
}

static void test_pidfile_read_tells_why_it_cannot(void **state)
{
        const char *path = scratch_path("pid");

        (void)state;
        assert_int_equal(hot__pidfile_read(path), -ENOENT);
        assert_int_equal(mkfifo(path, 0600), 0);
        assert_int_equal(hot__pidfile_read(path), -EINVAL); /* and does not wait for a writer */
        assert_int_equal(unlink(path), 0);
        assert_int_equal(mkdir(path, 0700), 0);
        assert_int_equal(hot__pidfile_read(path), -EISDIR);
        assert_int_equal(hot__pidfile_remove(path, 1), -EISDIR);
}

static void test_pidfile_is_removed_only_by_its_own_pid(void **state)
{
        const char *path = scratch_path("pid");

        (void)state;
        assert_int_equal(hot__pidfile_remove(path, 1), 0);
        assert_int_equal(hot__pidfile_write(path, 2), 0);
        assert_int_equal(hot__pidfile_remove(path, 1), 0);
        assert_int_equal(hot__pidfile_read(path), 2);
        put(path, "junk", 4);
        assert_int_equal(hot__pidfile_remove(path, 1), 0);
        expect_content(path, "junk");
        assert_int_equal(hot__pidfile_write(path, 1), 0);
        assert_int_equal(hot__pidfile_remove(path, 1), 0);
        assert_int_equal(count_names(scratch_directory()), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(test_pidfile_holds_the_pid_and_a_newline),
                scratch_test(test_pidfile_obeys_the_umask),
                scratch_test(test_pidfile_is_replaced_not_overwritten),
                scratch_test(test_pidfile_is_whole_whenever_it_is_read),
                scratch_test(test_pidfile_replaces_a_link_and_spares_its_target),
                scratch_test(test_pidfile_leaves_nothing_behind_when_it_cannot_rename),
                scratch_test(test_pidfile_leaves_nothing_behind_when_it_cannot_write),
                scratch_test(test_pidfile_needs_a_writable_directory),
                scratch_test(test_pidfile_refuses_a_pid_that_is_none),
                scratch_test(test_pidfile_reads_one_pid_and_nothing_else),
                scratch_test(test_pidfile_read_tells_why_it_cannot),
                scratch_test(test_pidfile_is_removed_only_by_its_own_pid),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
