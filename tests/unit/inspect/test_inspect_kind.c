/* SPDX-License-Identifier: MIT */
/*
 * Kinds and fdinfo lines, as text: no descriptor is opened here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fdcheck.h"
#include "kind.h"

/* The kernel's name and the mode tell the kind; a path that looks like such a name does not fool. */
static void test_kind_by_name_and_mode(void **state)
{
        static const struct {
                const char *target;
                mode_t mode;
                int kind;
        } cases[] = {
                {"/etc/passwd", S_IFREG, HOT_INSPECT_FILE},
                {"/etc/passwd (deleted)", S_IFREG, HOT_INSPECT_FILE},
                {"/etc", S_IFDIR, HOT_INSPECT_DIRECTORY},
                {"/dev/null", S_IFCHR, HOT_INSPECT_CHARACTER},
                {"/dev/sda", S_IFBLK, HOT_INSPECT_BLOCK},
                {"/run/fifo", S_IFIFO, HOT_INSPECT_FIFO},
                {"/pipe:[1]", S_IFIFO, HOT_INSPECT_FIFO},
                {"pipe:[12]", S_IFIFO, HOT_INSPECT_PIPE},
                {"socket:[12]", S_IFSOCK, HOT_INSPECT_SOCKET},
                {"/tmp/socket:[12]", S_IFREG, HOT_INSPECT_FILE},
                {"/memfd:name (deleted)", S_IFREG, HOT_INSPECT_MEMFD},
                {"/memfd:name", S_IFREG, HOT_INSPECT_FILE},
                {"/tmp/memfd:name (deleted)", S_IFREG, HOT_INSPECT_FILE},
                {"anon_inode:[eventpoll]", 0600, HOT_INSPECT_EPOLL},
                {"anon_inode:[eventfd]", 0600, HOT_INSPECT_EVENTFD},
                {"anon_inode:[timerfd]", 0600, HOT_INSPECT_TIMERFD},
                {"anon_inode:[signalfd]", 0600, HOT_INSPECT_SIGNALFD},
                {"anon_inode:inotify", 0600, HOT_INSPECT_INOTIFY},
                {"anon_inode:[pidfd]", 0600, HOT_INSPECT_PIDFD},
                {"anon_inode:[pidfd]", S_IFREG, HOT_INSPECT_PIDFD}, /* pidfs, since Linux 6.9 */
                {"anon_inode:[io_uring]", 0600, HOT_INSPECT_IO_URING},
                {"anon_inode:bpf-prog", 0600, HOT_INSPECT_ANONYMOUS},
                {"net:[4026531833]", S_IFREG, HOT_INSPECT_FILE},
                {"", 0, HOT_INSPECT_UNKNOWN},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
                assert_int_equal(hot__kind_of(cases[i].target, cases[i].mode), cases[i].kind);
}

static void test_every_kind_has_a_name(void **state)
{
        (void)state;
        for (int kind = HOT_INSPECT_FILE; kind <= HOT_INSPECT_ANONYMOUS; kind++) {
                assert_string_not_equal(hot_inspect_kind_name(kind), "?");
                for (int other = HOT_INSPECT_FILE; other < kind; other++)
                        assert_string_not_equal(hot_inspect_kind_name(kind),
                                                hot_inspect_kind_name(other));
        }
        assert_string_equal(hot_inspect_kind_name(HOT_INSPECT_ANONYMOUS + 1), "?");
        assert_string_equal(hot_inspect_kind_name(-1), "?");
}

static struct hot__row read_row(int kind, const char *fdinfo)
{
        char *text = strdup(fdinfo);
        struct hot__row row;

        hot__row_init(&row, 0, NULL);
        row.public.kind = kind;
        assert_int_equal(hot__kind_read_fdinfo(&row, text), 0);
        free(text);
        return row;
}

static void test_flags_are_taken_apart(void **state)
{
        static const struct {
                const char *fdinfo;
                int access, flags, cloexec;
        } cases[] = {
                {"pos:\t0\nflags:\t0100000\n", O_RDONLY, 0100000, 0},
                {"pos:\t0\nflags:\t02000001\n", O_WRONLY, O_WRONLY, 1},
                {"flags:\t02004002\n", O_RDWR, O_RDWR | O_NONBLOCK, 1},
                {"flags:\t012000000\n", O_PATH, O_PATH, 1},
                {"flags: 04002", O_RDWR, O_RDWR | O_NONBLOCK, 0},
                {"", O_RDONLY, 0, 0},
                {"flags\nflags:\n:\n", O_RDONLY, 0, 0},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                struct hot__row row = read_row(HOT_INSPECT_FILE, cases[i].fdinfo);

                assert_int_equal(row.public.access, cases[i].access);
                assert_int_equal(row.public.flags, cases[i].flags);
                assert_int_equal(row.public.cloexec, cases[i].cloexec);
                hot__row_done(&row);
        }
}

/* Enough watches to make the array grow several times; a line that is none is passed over. */
static void test_watches_are_read(void **state)
{
        char fdinfo[4096] = "pos:\t0\nflags:\t02000002\ntfd: nothing\n";
        struct hot__row row;

        (void)state;
        for (int i = 0; i < 21; i++)
                sprintf(fdinfo + strlen(fdinfo),
                        "tfd: %8d events: %8x data: %16x  pos:0 ino:%x sdev:9\n", i + 3, 0x19 + i,
                        i, 0x30fa + i);
        row = read_row(HOT_INSPECT_EPOLL, fdinfo);
        assert_int_equal(row.public.n_watches, 21);
        for (int i = 0; i < 21; i++) {
                assert_int_equal(row.public.watches[i].fd, i + 3);
                assert_int_equal(row.public.watches[i].events, 0x19 + i);
                assert_int_equal(row.public.watches[i].inode, 0x30fa + i);
        }
        hot__row_done(&row);
}

/* Lines belong to a kind: those of another say nothing. */
static void test_lines_of_another_kind_are_ignored(void **state)
{
        struct hot__row row = read_row(HOT_INSPECT_EVENTFD, "Pid:\t12\ntfd: 5 events: 19 ino:1\n");

        (void)state;
        assert_int_equal(row.public.pid, 0);
        assert_int_equal(row.public.n_watches, 0);
        hot__row_done(&row);
        row = read_row(HOT_INSPECT_PIDFD, "Pid:\t-1\nNSpid:\t-1\n");
        assert_int_equal(row.public.pid, -1);
        hot__row_done(&row);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_kind_by_name_and_mode),
                hot_test(test_every_kind_has_a_name),
                hot_test(test_flags_are_taken_apart),
                hot_test(test_watches_are_read),
                hot_test(test_lines_of_another_kind_are_ignored),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
