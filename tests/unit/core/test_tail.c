/* SPDX-License-Identifier: MIT */
#include "tail.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fdcheck.h"

static void say(int fd, const char *text)
{
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void drain(struct hot__tail *tail, int relay)
{
        int r;

        do
                r = hot__tail_read(tail, relay);
        while (r == 1);
        assert_int_equal(r, 0);
}

static void expect(const struct hot__tail *tail, const char *text)
{
        char buffer[HOT__TAIL_SIZE];

        assert_int_equal(hot__tail_text(tail, buffer, sizeof(buffer)), strlen(text));
        assert_string_equal(buffer, text);
}

static void test_tail_keeps_and_passes_on(void **state)
{
        struct hot__tail tail;
        char passed[64] = "";
        int theirs, relay[2];

        (void)state;
        assert_int_equal(pipe2(relay, O_CLOEXEC), 0);
        assert_int_equal(hot__tail_open(&tail, &theirs), 0);
        assert_int_equal(hot__tail_read(&tail, relay[1]), 0);
        expect(&tail, "");
        say(theirs, "cannot bind\n");
        say(theirs, "giving up\n");
        drain(&tail, relay[1]);
        expect(&tail, "cannot bind\ngiving up\n");
        assert_int_equal(read(relay[0], passed, sizeof(passed)), 22);
        assert_string_equal(passed, "cannot bind\ngiving up\n");
        close(theirs);
        assert_int_equal(hot__tail_read(&tail, relay[1]), -EPIPE);
        hot__tail_close(&tail);
        hot__tail_close(&tail);
        expect(&tail, "cannot bind\ngiving up\n");
        close(relay[0]);
        close(relay[1]);
}

static void test_tail_ends_are_as_a_program_expects_them(void **state)
{
        struct hot__tail tail;
        int theirs;

        (void)state;
        assert_int_equal(hot__tail_open(&tail, &theirs), 0);
        assert_false(fcntl(theirs, F_GETFL) & O_NONBLOCK);
        assert_true(fcntl(tail.fd, F_GETFL) & O_NONBLOCK);
        assert_true(fcntl(theirs, F_GETFD) & FD_CLOEXEC);
        assert_true(fcntl(tail.fd, F_GETFD) & FD_CLOEXEC);
        close(theirs);
        hot__tail_close(&tail);
}

static void test_tail_begins_with_a_whole_line(void **state)
{
        struct hot__tail tail;
        char line[32], buffer[HOT__TAIL_SIZE];
        int theirs;
        size_t len;

        (void)state;
        assert_int_equal(hot__tail_open(&tail, &theirs), 0);
        for (int i = 0; i < 1000; i++) {
                snprintf(line, sizeof(line), "line %d\n", i);
                say(theirs, line);
                drain(&tail, -1);
        }
        len = hot__tail_text(&tail, buffer, sizeof(buffer));
        assert_in_range(len, HOT__TAIL_SIZE - 32, HOT__TAIL_SIZE - 1);
        assert_memory_equal(buffer, "line ", 5);
        assert_string_equal(buffer + len - 9, "line 999\n");
        /* Into a small buffer goes the end of it. */
        assert_int_equal(hot__tail_text(&tail, buffer, 20), 18);
        assert_string_equal(buffer, "line 998\nline 999\n");
        close(theirs);
        hot__tail_close(&tail);
}

static void test_tail_keeps_the_end_of_an_endless_line(void **state)
{
        struct hot__tail tail;
        char buffer[HOT__TAIL_SIZE];
        int theirs;

        (void)state;
        assert_int_equal(hot__tail_open(&tail, &theirs), 0);
        for (int i = 0; i < 2000; i++) {
                say(theirs, "abcdefgh");
                drain(&tail, -1);
        }
        assert_int_equal(hot__tail_text(&tail, buffer, sizeof(buffer)), HOT__TAIL_SIZE - 1);
        assert_memory_equal(buffer + HOT__TAIL_SIZE - 1 - 8, "abcdefgh", 8);
        close(theirs);
        hot__tail_close(&tail);
}

/* Fill a pipe to its last byte. */
static void fill(int fd)
{
        char bytes[4096] = {0};
        int flags = fcntl(fd, F_GETFL);

        fcntl(fd, F_SETFL, flags | O_NONBLOCK);
        while (write(fd, bytes, sizeof(bytes)) > 0)
                ;
        while (write(fd, bytes, 1) > 0)
                ;
        fcntl(fd, F_SETFL, flags);
}

/* This would block for ever if it did. */
static void test_tail_does_not_wait_for_who_does_not_read(void **state)
{
        struct hot__tail tail;
        int theirs, relay[2];

        (void)state;
        assert_int_equal(pipe2(relay, O_CLOEXEC), 0);
        fill(relay[1]);
        assert_int_equal(hot__tail_open(&tail, &theirs), 0);
        say(theirs, "hello\n");
        drain(&tail, relay[1]);
        expect(&tail, "hello\n");
        close(theirs);
        close(relay[0]);
        close(relay[1]);
        hot__tail_close(&tail);
}

/* SIGPIPE at its default would end the test. */
static void test_tail_survives_a_reader_that_is_gone(void **state)
{
        struct hot__tail tail;
        int theirs, relay[2];
        sigset_t pending;

        (void)state;
        assert_int_equal(pipe2(relay, O_CLOEXEC), 0);
        close(relay[0]);
        assert_int_equal(hot__tail_open(&tail, &theirs), 0);
        say(theirs, "hello\n");
        drain(&tail, relay[1]);
        expect(&tail, "hello\n");
        assert_int_equal(sigpending(&pending), 0);
        assert_int_equal(sigismember(&pending, SIGPIPE), 0);
        close(theirs);
        close(relay[1]);
        hot__tail_close(&tail);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_tail_keeps_and_passes_on),
                hot_test(test_tail_ends_are_as_a_program_expects_them),
                hot_test(test_tail_begins_with_a_whole_line),
                hot_test(test_tail_keeps_the_end_of_an_endless_line),
                hot_test(test_tail_does_not_wait_for_who_does_not_read),
                hot_test(test_tail_survives_a_reader_that_is_gone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
