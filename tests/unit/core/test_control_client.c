/* SPDX-License-Identifier: MIT */
#include "control_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fdcheck.h"

static int connected(struct hot__control_client *client)
{
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        hot__control_client_take_fd(client, pair[0]);
        return pair[1];
}

static void put(int fd, const char *text)
{
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void expect_line(struct hot__control_client *client, const char *expected)
{
        char line[HOT__CONTROL_LINE_MAX];

        assert_int_equal(hot__control_client_hear(client, line), HOT__CONTROL_SAID_LINE);
        assert_string_equal(line, expected);
}

static void expect(struct hot__control_client *client, enum hot__control_said said)
{
        char line[HOT__CONTROL_LINE_MAX];

        assert_int_equal(hot__control_client_hear(client, line), said);
}

static void test_control_client_hears_lines_however_they_arrive(void **state)
{
        struct hot__control_client client;
        int theirs = connected(&client);

        (void)state;
        expect(&client, HOT__CONTROL_SAID_NOTHING);
        put(theirs, "sta");
        expect(&client, HOT__CONTROL_SAID_NOTHING);
        put(theirs, "tus");
        expect(&client, HOT__CONTROL_SAID_NOTHING);
        put(theirs, "\nstop\n\nres");
        expect_line(&client, "status");
        expect_line(&client, "stop");
        expect_line(&client, "");
        expect(&client, HOT__CONTROL_SAID_NOTHING);
        put(theirs, "tart\n");
        expect_line(&client, "restart");
        close(theirs);
        expect(&client, HOT__CONTROL_SAID_END);
        hot__control_client_done(&client);
        hot__control_client_done(&client);
}

/* What was not taken is there for another process that gets the connection. */
static void test_control_client_takes_one_line_at_a_time(void **state)
{
        struct hot__control_client client;
        int theirs = connected(&client);
        char rest[32] = "";

        (void)state;
        put(theirs, "status\nrestart\nab");
        expect_line(&client, "status");
        assert_int_equal(client.input_len, 0);
        assert_int_equal(recv(client.fd, rest, sizeof(rest), MSG_DONTWAIT), 10);
        assert_string_equal(rest, "restart\nab");
        close(theirs);
        hot__control_client_done(&client);
}

static void test_control_client_ends_an_endless_line(void **state)
{
        struct hot__control_client client;
        int theirs = connected(&client);
        char x[HOT__CONTROL_LINE_MAX - 1];

        (void)state;
        memset(x, 'x', sizeof(x));
        assert_int_equal(write(theirs, x, sizeof(x)), sizeof(x));
        expect(&client, HOT__CONTROL_SAID_NOTHING);
        put(theirs, "\n");
        assert_int_equal(client.input_len, sizeof(x));
        {
                char line[HOT__CONTROL_LINE_MAX];

                assert_int_equal(hot__control_client_hear(&client, line), HOT__CONTROL_SAID_LINE);
                assert_int_equal(strlen(line), sizeof(x));
        }
        assert_int_equal(write(theirs, x, sizeof(x)), sizeof(x));
        put(theirs, "x");
        expect(&client, HOT__CONTROL_SAID_TOO_MUCH);
        close(theirs);
        hot__control_client_done(&client);
}

/* A line that was cut off is none: half a "stop now" must not stop. */
static void test_control_client_a_line_needs_its_newline(void **state)
{
        struct hot__control_client client;
        int theirs = connected(&client);

        (void)state;
        put(theirs, "stop");
        close(theirs);
        expect(&client, HOT__CONTROL_SAID_NOTHING);
        expect(&client, HOT__CONTROL_SAID_END);
        hot__control_client_done(&client);
}

/* "stop", a zero and more is not "stop". */
static void test_control_client_hears_no_line_with_a_zero(void **state)
{
        struct hot__control_client client;
        int theirs = connected(&client);

        (void)state;
        assert_int_equal(write(theirs, "stop\0now\nstop\0\nstop\n", 20), 20);
        expect_line(&client, "");
        expect_line(&client, "");
        expect_line(&client, "stop");
        close(theirs);
        hot__control_client_done(&client);
}

/* Who was sent away hears why, whatever it had to say beside. */
static void test_control_client_that_is_closed_is_not_reset(void **state)
{
        struct hot__control_client client;
        int theirs = connected(&client);
        char heard[16] = "";

        (void)state;
        put(theirs, "status\nrestart\n");
        assert_int_equal(hot__control_client_say(&client, "no\n", 3), 0);
        hot__control_client_linger(&client);
        assert_true(hot__control_client_spill(&client));
        put(theirs, "stop\n");
        assert_int_equal(read(theirs, heard, sizeof(heard)), 3);
        assert_int_equal(read(theirs, heard, sizeof(heard)), 0);
        assert_true(hot__control_client_spill(&client));
        close(theirs);
        assert_false(hot__control_client_spill(&client));
        hot__control_client_done(&client);
}

static void test_control_client_queues_what_finds_no_room(void **state)
{
        struct hot__control_client client;
        int theirs = connected(&client);
        static char text[100000], read_back[100000];
        size_t sent = 0, received = 0;

        (void)state;
        for (size_t i = 0; i < sizeof(text); i++)
                text[i] = (char)('a' + i % 26);
        while (client.output_len == 0) {
                assert_int_equal(hot__control_client_say(&client, text, sizeof(text)), 0);
                sent += sizeof(text);
        }
        assert_int_equal(hot__control_client_say(&client, text, sizeof(text)), 0);
        sent += sizeof(text);
        assert_int_equal(hot__control_client_flush(&client), 1);
        while (received < sent) {
                size_t want = sizeof(text) - received % sizeof(text);
                ssize_t n = recv(theirs, read_back, want, MSG_DONTWAIT);

                if (n < 0) {
                        assert_true(hot__control_client_flush(&client) >= 0);
                        continue;
                }
                assert_memory_equal(read_back, text + received % sizeof(text), (size_t)n);
                received += (size_t)n;
        }
        assert_int_equal(client.output_len, 0);
        assert_null(client.output);
        close(theirs);
        hot__control_client_done(&client);
}

static void test_control_client_that_is_gone(void **state)
{
        struct hot__control_client client;
        int theirs = connected(&client);

        (void)state;
        close(theirs);
        assert_int_equal(hot__control_client_say(&client, "x\n", 2), -EPIPE);
        hot__control_client_done(&client);
}

static void test_control_client_has_a_process(void **state)
{
        struct hot__control_client client;
        int theirs = connected(&client);
        pid_t pid = 0;
        uid_t uid = (uid_t)-1;

        (void)state;
        assert_int_equal(hot__control_client_peer(client.fd, &pid, &uid), 0);
        assert_int_equal(pid, getpid());
        assert_int_equal(uid, geteuid());
        close(theirs);
        hot__control_client_done(&client);
        assert_int_equal(hot__control_client_peer(-1, &pid, &uid), -EBADF);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_control_client_hears_lines_however_they_arrive),
                hot_test(test_control_client_takes_one_line_at_a_time),
                hot_test(test_control_client_ends_an_endless_line),
                hot_test(test_control_client_a_line_needs_its_newline),
                hot_test(test_control_client_hears_no_line_with_a_zero),
                hot_test(test_control_client_that_is_closed_is_not_reset),
                hot_test(test_control_client_queues_what_finds_no_room),
                hot_test(test_control_client_that_is_gone),
                hot_test(test_control_client_has_a_process),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
