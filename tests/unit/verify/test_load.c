/* SPDX-License-Identifier: MIT */
/*
 * The engine's door: what it refuses, and that it leaves nothing behind, whenever it is freed.
 */
#include "fdcheck.h"
#include "load.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct hot__profile profile_of(const char *text)
{
        struct hot__profile profile;

        assert_int_equal(hot__profile_parse(text, &profile), 0);
        return profile;
}

static void test_bad_targets_are_refused(void **state)
{
        static const struct {
                const char *target;
                int expected;
        } rows[] = {
                {"", -EINVAL},
                {"tcp:", -EINVAL},
                {"udp://127.0.0.1:80", -EPROTOTYPE},
                {"unix:", -EINVAL},
                {"tcp:127.0.0.1:nosuchservice", -ENXIO},
        };
        struct hot__profile profile = profile_of("new");
        struct hot__load *load = NULL;

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                const struct hot__load_options options = {
                        .target = rows[i].target, .profiles = &profile, .n_profiles = 1};

                assert_int_equal(hot__load_new(&load, &options), rows[i].expected);
                assert_null(load);
        }
}

static void test_no_profiles_or_too_many_are_refused(void **state)
{
        struct hot__profile profiles[HOT__PROFILES_MAX + 1];
        struct hot__load *load = NULL;
        struct hot__load_options options = {.target = "unix:@nobody", .profiles = profiles};

        (void)state;
        for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
                profiles[i] = profile_of("new");
        assert_int_equal(hot__load_new(&load, &options), -EINVAL);
        options.n_profiles = HOT__PROFILES_MAX + 1;
        assert_int_equal(hot__load_new(&load, &options), -EINVAL);
        options.n_profiles = HOT__PROFILES_MAX;
        assert_int_equal(hot__load_new(&load, &options), 0);
        assert_null(hot__load_free(load));
        assert_null(hot__load_free(NULL));
}

/* A listener on a free port of loopback, and its text. */
static int listen_somewhere(char *ret_target, size_t size)
{
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof(in);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        assert_int_equal(bind(fd, (struct sockaddr *)&in, length), 0);
        assert_int_equal(listen(fd, 16), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &length), 0);
        snprintf(ret_target, size, "tcp:127.0.0.1:%d", ntohs(in.sin_port));
        return fd;
}

static void on_record(void *data, const struct hot__record *record)
{
        (void)record;
        ++*(size_t *)data;
}

/* Two clients: one is freed in the middle of its request, without a word. */
static void test_freed_in_the_middle_nothing_is_left(void **state)
{
        struct hot__profile profile = profile_of("busy:clients=2");
        struct hot__load *load;
        size_t records = 0;
        char target[64];
        int listener = listen_somewhere(target, sizeof(target)), client;
        const struct hot__load_options options = {
                .target = target,
                .profiles = &profile,
                .n_profiles = 1,
                .observer = {.record = on_record, .data = &records},
        };
        struct pollfd polled = {.fd = listener, .events = POLLIN};

        (void)state;
        assert_int_equal(hot__load_new(&load, &options), 0);
        assert_int_equal(hot__load_process(load), 0);
        assert_int_equal(poll(&polled, 1, -1), 1);
        client = accept(listener, NULL, NULL);
        assert_true(client >= 0);
        assert_int_equal(hot__load_process(load), 0);
        assert_false(hot__load_is_done(load));
        hot__load_free(load);
        assert_int_equal(records, 0);
        close(client);
        close(listener);
}

/* Told to stop, it waits for what is under way, and begins nothing. */
static void test_stopped_it_lets_requests_end(void **state)
{
        static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        struct hot__profile profile = profile_of("busy");
        struct hot__load *load;
        char target[64], request[256];
        int listener = listen_somewhere(target, sizeof(target)), client;
        const struct hot__load_options options = {
                .target = target, .profiles = &profile, .n_profiles = 1};
        struct pollfd polled = {.events = POLLIN};

        (void)state;
        assert_int_equal(hot__load_new(&load, &options), 0);
        polled.fd = hot__load_fd(load);
        assert_int_equal(hot__load_process(load), 0);
        client = accept(listener, NULL, NULL);
        assert_true(client >= 0);
        assert_int_equal(hot__load_process(load), 0);
        assert_true(recv(client, request, sizeof(request), 0) > 0);
        hot__load_stop(load);
        assert_false(hot__load_is_done(load));
        assert_int_equal(send(client, answer, sizeof(answer) - 1, 0), sizeof(answer) - 1);
        while (!hot__load_is_done(load)) {
                assert_int_equal(poll(&polled, 1, -1), 1);
                assert_int_equal(hot__load_process(load), 0);
        }
        assert_int_equal(recv(client, request, sizeof(request), 0), 0);
        assert_int_equal(hot__load_tally(load)->profiles[0].outcomes[HOT__OUTCOME_OK], 1);
        assert_int_equal(hot__tally_sent(&hot__load_tally(load)->profiles[0]), 1);
        hot__load_free(load);
        close(client);
        close(listener);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_bad_targets_are_refused),
                hot_test(test_no_profiles_or_too_many_are_refused),
                hot_test(test_freed_in_the_middle_nothing_is_left),
                hot_test(test_stopped_it_lets_requests_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
