/* SPDX-License-Identifier: MIT */
/*
 * Kinds, as text: no descriptor is opened here.
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

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_kind_by_name_and_mode),
                hot_test(test_every_kind_has_a_name),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
