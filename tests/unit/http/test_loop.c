/* SPDX-License-Identifier: MIT */
#include "loop.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fdcheck.h"

/* A loop that watches one end of a TCP connection, and reads so much a time. */
struct bench {
        struct hot__watch watch; /* first: .ready casts */
        struct hot__loop loop;
        int here, there;
        size_t portion;
        bool says, closes; /* that it took all; at once */
        unsigned int reports;
        ssize_t last; /* what recv() has returned */
};

static void on_ready(struct hot__watch *watch, int events)
{
        struct bench *bench = (struct bench *)watch;
        char bytes[64];

        bench->reports++;
        if (bench->closes)
                hot__watch_close(watch);
        if (!(events & HOT__READABLE) || !bench->portion)
                return;
        bench->last = recv(bench->here, bytes, bench->portion, MSG_DONTWAIT);
        if (bench->says && bench->last > 0 && (size_t)bench->last < bench->portion)
                hot__watch_took_all(watch);
}

static void on_nothing(struct hot__loop *loop)
{
        (void)loop;
}

static void on_closed(struct hot__watch *watch)
{
        (void)watch;
}

static void connect_both(struct bench *bench)
{
        struct sockaddr_in name = {.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof(name);
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(bind(listener, (struct sockaddr *)&name, len), 0);
        assert_int_equal(listen(listener, 1), 0);
        assert_int_equal(getsockname(listener, (struct sockaddr *)&name, &len), 0);
        bench->there = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(bench->there, (struct sockaddr *)&name, len), 0);
        bench->here = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        assert_true(bench->here >= 0);
        close(listener);
}

static void begin(struct bench *bench, bool edge, int events)
{
        connect_both(bench);
        assert_int_equal(hot__loop_init(&bench->loop, on_nothing, on_nothing), 0);
        hot__watch_init(&bench->watch, &bench->loop, bench->here);
        bench->watch.ready = on_ready;
        bench->watch.closed = on_closed;
        bench->watch.edge = edge;
        assert_int_equal(hot__watch_set(&bench->watch, events), 0);
}

static void finish(struct bench *bench)
{
        if (!bench->closes)
                hot__watch_close(&bench->watch);
        hot__loop_close(&bench->loop);
        hot__loop_run(&bench->loop);
        hot__loop_done(&bench->loop);
        close(bench->here);
        close(bench->there);
}

static void wait_for(const struct bench *bench, short events)
{
        struct pollfd fd = {.fd = bench->here, .events = events};

        while (!(fd.revents & events))
                assert_int_equal(poll(&fd, 1, -1), 1);
}

static void say(struct bench *bench, const char *text)
{
        assert_int_equal(send(bench->there, text, strlen(text), 0), (ssize_t)strlen(text));
        wait_for(bench, POLLIN);
}

static void turn(struct bench *bench, unsigned int times)
{
        while (times--)
                hot__loop_run_once(&bench->loop);
}

static void test_watch_tells_until_all_is_taken(void **state)
{
        (void)state;
        for (int edge = 0; edge < 2; edge++) {
                struct bench bench = {.portion = 2, .says = edge};

                begin(&bench, edge, HOT__READABLE);
                say(&bench, "abcde");
                turn(&bench, 5);
                assert_int_equal(bench.reports, 3);
                assert_int_equal(bench.last, 1);
                say(&bench, "f");
                turn(&bench, 3);
                assert_int_equal(bench.reports, 4);
                finish(&bench);
        }
}

static void test_watch_tells_again_who_reads_nothing(void **state)
{
        struct bench bench = {0};

        (void)state;
        begin(&bench, true, HOT__READABLE);
        say(&bench, "a");
        turn(&bench, 3);
        assert_int_equal(bench.reports, 3);
        finish(&bench);
}

/* A read gets less than it has room for, and behind it is the end, of which nothing would tell any more. */
static void test_watch_tells_of_the_end_behind_what_was_taken(void **state)
{
        struct bench bench = {.portion = 64, .says = true};

        (void)state;
        begin(&bench, true, HOT__READABLE);
        say(&bench, "abc");
        shutdown(bench.there, SHUT_WR);
        wait_for(&bench, POLLRDHUP);
        turn(&bench, 1);
        assert_int_equal(bench.last, 3);
        turn(&bench, 1);
        assert_int_equal(bench.last, 0);
        finish(&bench);
}

/* A read stops in front of an urgent byte, whatever has come behind it. */
static void test_watch_tells_of_what_is_behind_an_urgent_byte(void **state)
{
        struct bench bench = {.portion = 64, .says = true};

        (void)state;
        begin(&bench, true, HOT__READABLE);
        say(&bench, "abc");
        assert_int_equal(send(bench.there, "!", 1, MSG_OOB), 1);
        say(&bench, "de");
        wait_for(&bench, POLLPRI);
        turn(&bench, 1);
        assert_int_equal(bench.last, 3);
        wait_for(&bench, POLLIN); /* and "de" is there */
        turn(&bench, 1);
        assert_int_equal(bench.last, 2);
        finish(&bench);
}

static void test_watch_tells_while_there_is_room_to_write(void **state)
{
        struct bench bench = {0};

        (void)state;
        begin(&bench, true, HOT__WRITABLE);
        turn(&bench, 3);
        assert_int_equal(bench.reports, 3);
        assert_int_equal(hot__watch_set(&bench.watch, HOT__READABLE), 0);
        turn(&bench, 3);
        assert_int_equal(bench.reports, 3);
        finish(&bench);
}

static void test_watch_that_was_closed_tells_nothing(void **state)
{
        struct bench bench = {.closes = true};

        (void)state;
        begin(&bench, true, HOT__READABLE);
        say(&bench, "a");
        turn(&bench, 3);
        assert_int_equal(bench.reports, 1);
        finish(&bench);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_watch_tells_until_all_is_taken),
                hot_test(test_watch_tells_again_who_reads_nothing),
                hot_test(test_watch_tells_of_the_end_behind_what_was_taken),
                hot_test(test_watch_tells_of_what_is_behind_an_urgent_byte),
                hot_test(test_watch_tells_while_there_is_room_to_write),
                hot_test(test_watch_that_was_closed_tells_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
