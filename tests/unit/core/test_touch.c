/* SPDX-License-Identifier: MIT */
/* Whether a connection was touched, asked of real ones, many in one look. */
#include "touch.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bound.h"
#include "sockets.h"

/* More than one poll(2) looks at. */
#define N 300

struct pair {
        int server, client;
        struct hot__touch touch;
};

static struct pair pairs[N];

static void wait_for_input(int fd)
{
        struct pollfd one = {.fd = fd, .events = POLLIN};

        assert_int_equal(poll(&one, 1, 10000), 1);
}

static void say(int fd, const char *text)
{
        assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void hear(int fd, size_t n)
{
        char bytes[64];

        wait_for_input(fd);
        assert_int_equal(recv(fd, bytes, n, 0), n);
}

static void look_at_all(void)
{
        struct hot__touching connections[N];

        for (size_t i = 0; i < N; i++)
                connections[i] = (struct hot__touching){pairs[i].server, &pairs[i].touch};
        hot__touch_many(connections, N);
}

static bool is_same(const struct pair *pair)
{
        return hot__touch_is_same(pair->server, &pair->touch);
}

static int connect_all(void **state)
{
        struct rlimit limit;
        int listener = bound("tcp://127.0.0.1:0?backlog=16");

        (void)state;
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
        limit.rlim_cur = limit.rlim_max;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        for (size_t i = 0; i < N; i++) {
                pairs[i].client = connect_tcp(AF_INET, "127.0.0.1", port_of(listener));
                wait_for_input(listener);
                pairs[i].server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
                assert_true(pairs[i].server >= 0);
                pairs[i].touch = (struct hot__touch){0};
        }
        close(listener);
        return 0;
}

static int close_all(void **state)
{
        (void)state;
        for (size_t i = 0; i < N; i++) {
                close(pairs[i].server);
                close(pairs[i].client);
        }
        return 0;
}

static void test_what_nobody_touches_is_the_same(void **state)
{
        (void)state;
        say(pairs[0].client, "seven..");
        hear(pairs[0].server, 7);
        say(pairs[0].server, "an answer");
        look_at_all();
        for (size_t i = 0; i < N; i++) {
                assert_true(pairs[i].touch.known);
                assert_true(is_same(&pairs[i]));
        }
}

/* The peer may say what it wants, before the look and after it. */
static void test_what_arrives_is_no_touch(void **state)
{
        (void)state;
        say(pairs[1].client, "before");
        wait_for_input(pairs[1].server);
        look_at_all();
        say(pairs[1].client, "after");
        say(pairs[N - 1].client, "after");
        shutdown(pairs[2].client, SHUT_WR);
        wait_for_input(pairs[2].server);
        wait_for_input(pairs[N - 1].server);
        for (size_t i = 0; i < N; i++)
                assert_true(is_same(&pairs[i]));
}

static void test_an_end_before_the_look_is_known(void **state)
{
        (void)state;
        say(pairs[3].client, "and an end");
        shutdown(pairs[3].client, SHUT_WR);
        wait_for_input(pairs[3].server);
        look_at_all();
        assert_true(is_same(&pairs[3]));
        hear(pairs[3].server, 4);
        assert_false(is_same(&pairs[3]));
}

static void test_who_reads_has_touched(void **state)
{
        (void)state;
        say(pairs[4].client, "waits");
        wait_for_input(pairs[4].server);
        look_at_all();
        say(pairs[5].client, "comes");
        hear(pairs[4].server, 1);
        hear(pairs[5].server, 5);
        assert_false(is_same(&pairs[4]));
        assert_false(is_same(&pairs[5]));
        assert_true(is_same(&pairs[6]));
}

static void test_who_writes_has_touched(void **state)
{
        (void)state;
        look_at_all();
        say(pairs[N - 2].server, "!");
        assert_false(is_same(&pairs[N - 2]));
        assert_true(is_same(&pairs[N - 3]));
}

static void test_what_is_dead_is_not_the_same(void **state)
{
        const struct linger now = {.l_onoff = 1};

        (void)state;
        look_at_all();
        assert_int_equal(setsockopt(pairs[7].client, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
        close(pairs[7].client);
        pairs[7].client = -EBADF;
        wait_for_input(pairs[7].server);
        assert_false(is_same(&pairs[7]));
        look_at_all();
        assert_false(pairs[7].touch.known);
}

static void test_what_is_not_tcp_cannot_be_told(void **state)
{
        struct hot__touch touch = {.known = true};
        int ends[2];

        (void)state;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        hot__touch_many(&(struct hot__touching){ends[0], &touch}, 1);
        assert_false(touch.known);
        assert_false(hot__touch_is_same(ends[0], &touch));
        close(ends[0]);
        close(ends[1]);
}

/* poll(2) refuses more descriptors than the limit allows. */
static void test_below_the_limit_all_are_asked(void **state)
{
        struct rlimit limit, low;

        (void)state;
        say(pairs[8].client, "unread");
        wait_for_input(pairs[8].server);
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
        low = (struct rlimit){.rlim_cur = 64, .rlim_max = limit.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
        look_at_all();
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        for (size_t i = 0; i < N; i++)
                assert_true(is_same(&pairs[i]));
        hear(pairs[8].server, 1);
        assert_false(is_same(&pairs[8]));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test_with(test_what_nobody_touches_is_the_same, connect_all, close_all),
                hot_test_with(test_what_arrives_is_no_touch, connect_all, close_all),
                hot_test_with(test_an_end_before_the_look_is_known, connect_all, close_all),
                hot_test_with(test_who_reads_has_touched, connect_all, close_all),
                hot_test_with(test_who_writes_has_touched, connect_all, close_all),
                hot_test_with(test_what_is_dead_is_not_the_same, connect_all, close_all),
                hot_test(test_what_is_not_tcp_cannot_be_told),
                hot_test_with(test_below_the_limit_all_are_asked, connect_all, close_all),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
