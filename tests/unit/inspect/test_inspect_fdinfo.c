/* SPDX-License-Identifier: MIT */
/*
 * Lines of fdinfo, as text: no descriptor is opened here.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fdcheck.h"
#include "fdinfo.h"

static struct hot__arena arena;

static struct hot__row read_row(int kind, const char *fdinfo)
{
        char *text = strdup(fdinfo);
        struct hot__row row;

        hot__row_init(&row, 0, NULL);
        row.public.kind = kind;
        assert_int_equal(hot__fdinfo_read(&row, text, &arena), 0);
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

/* Locks of every kind, with the range that they cover. */
static void test_locks_are_read(void **state)
{
        static const struct hot_inspect_lock expected[] = {
                {HOT_INSPECT_LOCK_POSIX, 1, 14737, 0, UINT64_MAX},
                {HOT_INSPECT_LOCK_POSIX, 0, 12, 7, 9},
                {HOT_INSPECT_LOCK_FLOCK, 1, 14737, 0, UINT64_MAX},
                {HOT_INSPECT_LOCK_OFD, 1, -1, 100, UINT64_MAX},
                {HOT_INSPECT_LOCK_LEASE, 0, 5, 0, UINT64_MAX},
        };
        struct hot__row row = read_row(
                HOT_INSPECT_FILE, "pos:\t5\nmnt_id:\t29\n"
                                  "lock:\t1: POSIX  ADVISORY  WRITE 14737 fe:00:11110338 0 EOF\n"
                                  "lock:\t2: POSIX  ADVISORY  READ 12 fe:00:11110338 7 9\n"
                                  "lock:\tnothing\n"
                                  "lock:\t3: FLOCK  ADVISORY  WRITE 14737 fe:00:11110338 0 EOF\n"
                                  "lock:\t4: OFDLCK ADVISORY  WRITE -1 fe:00:11110338 100 EOF\n"
                                  "lock:\t5: LEASE  ACTIVE    READ 5 fe:00:11110338 0 EOF\n");

        (void)state;
        assert_int_equal(row.public.offset, 5);
        assert_int_equal(row.public.mount_id, 29);
        assert_int_equal(row.public.n_locks, 5);
        for (size_t i = 0; i < 5; i++) {
                assert_int_equal(row.public.locks[i].kind, expected[i].kind);
                assert_int_equal(row.public.locks[i].write, expected[i].write);
                assert_int_equal(row.public.locks[i].pid, expected[i].pid);
                assert_int_equal(row.public.locks[i].start, expected[i].start);
                assert_int_equal(row.public.locks[i].end, expected[i].end);
        }
        hot__row_done(&row);
}

/* Only what stands below "UserFiles" is a file, and an empty slot is none. */
static void test_files_of_an_io_uring_are_read(void **state)
{
        struct hot__row row = read_row(HOT_INSPECT_IO_URING,
                                       "SqHead:\t0\n    9: nothing\nUserFiles:\t3\n"
                                       "    0: socket:[4711]\n    1: <none>\n    2: /tmp/a:b\n"
                                       "UserBufs:\t1\n    0: 0x7f/4096\n");

        (void)state;
        assert_int_equal(row.public.n_held, 2);
        assert_int_equal(row.public.held[0].slot, 0);
        assert_int_equal(row.public.held[0].inode, 4711);
        assert_string_equal(row.public.held[0].target, "socket:[4711]");
        assert_int_equal(row.public.held[1].slot, 2);
        assert_int_equal(row.public.held[1].inode, 0);
        assert_string_equal(row.public.held[1].target, "/tmp/a:b");
        hot__row_done(&row);
        hot__arena_done(&arena);
}

static void test_descriptors_in_flight_are_read(void **state)
{
        struct hot__row row = read_row(HOT_INSPECT_SOCKET, "pos:\t0\nscm_fds: 3\n");

        (void)state;
        assert_int_equal(row.public.in_flight, 3);
        hot__row_done(&row);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_flags_are_taken_apart),
                hot_test(test_watches_are_read),
                hot_test(test_lines_of_another_kind_are_ignored),
                hot_test(test_locks_are_read),
                hot_test(test_files_of_an_io_uring_are_read),
                hot_test(test_descriptors_in_flight_are_read),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
