/* SPDX-License-Identifier: MIT */
/*
 * A listener with a decoy: nothing new reaches it, what has begun does, and the one who takes it over is free of it.
 */
#include "decoy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bound.h"
#include "fd.h"
#include "sockets.h"
#include "steer.h"

#define N_MEMBERS 4
#define N_LATE    40

static const struct hot__settings no_settings;

static int begin_connect(int family, const char *literal, uint16_t port)
{
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
        int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        assert_int_equal(
                inet_pton(family, literal,
                          family == AF_INET ? (void *)&in.sin_addr : (void *)&in6.sin6_addr),
                1);
        if (connect(fd,
                    family == AF_INET ? (const struct sockaddr *)&in
                                      : (const struct sockaddr *)&in6,
                    family == AF_INET ? sizeof(in) : sizeof(in6)) < 0)
                assert_int_equal(errno, EINPROGRESS);
        return fd;
}

/* Loopback answers before connect(2) returns, if anybody does. */
static bool is_connected(int fd)
{
        struct pollfd one = {.fd = fd, .events = POLLOUT};

        return poll(&one, 1, 0) == 1;
}

/* Many, since it is a hash that chooses where nobody steers. Returns how many were connected. */
static int try_many(int family, const char *literal, uint16_t port)
{
        int n = 0;

        for (int i = 0; i < N_LATE; i++) {
                int fd = begin_connect(family, literal, port);

                n += is_connected(fd);
                close(fd);
        }
        return n;
}

static int accept_all(int fd)
{
        int n = 0, client;

        while ((client = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
                close(client);
                n++;
        }
        assert_int_equal(errno, EAGAIN);
        return n;
}

static void test_nothing_new_reaches_it_and_what_has_begun_goes_on(void **state)
{
        int listener = bound("tcp://127.0.0.1:0?defer_accept=30"), decoy = -EBADF;
        int begun = connect_tcp(AF_INET, "127.0.0.1", port_of(listener));
        int queued = connect_tcp(AF_INET, "127.0.0.1", port_of(listener));
        int client;
        char bytes[3] = "";

        (void)state;
        assert_int_equal(write(queued, "x", 1), 1);
        assert_int_equal(hot__decoy_set(listener, &no_settings, 1, &decoy), 0);
        assert_true(hot__decoy_is_set(listener));
        assert_int_equal(try_many(AF_INET, "127.0.0.1", port_of(listener)), 0);
        assert_int_equal(write(begun, "a", 1), 1); /* ends its handshake, after the decoy came */
        assert_int_equal(write(begun, "b", 1), 1);
        client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        assert_int_equal(read(client, bytes, 1), 1);
        assert_int_equal(bytes[0], 'x');
        close(client);
        client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        assert_int_equal(read(client, bytes, 2), 2);
        assert_string_equal(bytes, "ab");
        close(client);
        assert_int_equal(accept_all(listener), 0);
        assert_int_equal(accept_all(decoy), 0);
        close(begun);
        close(queued);
        close(decoy);
        close(listener);
}

static void test_a_group_has_one_decoy_for_all(void **state)
{
        struct hot__address address = parsed("tcp://127.0.0.1:0?reuseport=4");
        int members[N_MEMBERS], decoy = -EBADF, n = 0;

        (void)state;
        assert_int_equal(hot__listener_bind(&address, &members[0]), 0);
        for (int i = 1; i < N_MEMBERS; i++) {
                assert_int_equal(hot__listener_bind_member(members[0], &address, &members[i]), 0);
                assert_int_equal(listen(members[i], 4096), 0);
        }
        assert_int_equal(hot__decoy_set(members[0], &address.settings, N_MEMBERS, &decoy), 0);
        for (int i = 1; i < N_MEMBERS; i++)
                assert_int_equal(hot__decoy_mark(members[i]), 0);
        assert_int_equal(try_many(AF_INET, "127.0.0.1", port_of(members[0])), 0);
        /* Who takes it over steers by himself: the decoy is there as long as its owner has not looked. */
        for (int i = 0; i < N_MEMBERS; i++)
                assert_true(hot__decoy_forget(members[i]));
        assert_int_equal(hot__steer_group(members[0], N_MEMBERS), 0);
        assert_int_equal(try_many(AF_INET, "127.0.0.1", port_of(members[0])), N_LATE);
        close(decoy);
        for (int i = N_MEMBERS; i-- > 0;) {
                n += accept_all(members[i]);
                close(members[i]);
        }
        assert_int_equal(n, N_LATE);
}

static void test_both_families_are_kept_away(void **state)
{
        int listener, decoy = -EBADF;

        (void)state;
        if (try_bind("tcp://:0", &listener) < 0 ||
            option_of(listener, SOL_SOCKET, SO_DOMAIN) != AF_INET6) {
                print_message("skipped: this machine has no IPv6\n");
                skip();
        }
        assert_int_equal(hot__decoy_set(listener, &no_settings, 1, &decoy), 0);
        assert_int_equal(try_many(AF_INET, "127.0.0.1", port_of(listener)), 0);
        assert_int_equal(try_many(AF_INET6, "::1", port_of(listener)), 0);
        close(decoy);
        assert_int_equal(try_many(AF_INET6, "::1", port_of(listener)), N_LATE);
        close(listener);
}

static void test_a_decoy_that_was_closed_is_undone(void **state)
{
        int listener = bound("tcp://127.0.0.1:0"), decoy = -EBADF;

        (void)state;
        assert_int_equal(hot__decoy_set(listener, &no_settings, 1, &decoy), 0);
        close(decoy);
        assert_int_equal(try_many(AF_INET, "127.0.0.1", port_of(listener)), N_LATE);
        assert_int_equal(accept_all(listener), N_LATE);
        assert_true(hot__decoy_forget(listener));
        assert_false(hot__decoy_forget(listener));
        assert_false(hot__decoy_is_set(listener));
        assert_int_equal(hot__steer_group(listener, 0), 0);
        close(listener);
}

static void test_who_uses_the_mark_gets_no_decoy(void **state)
{
        int listener = bound("tcp://127.0.0.1:0"), decoy = -EBADF;
        const int strict = 254;

        (void)state;
        assert_int_equal(setsockopt(listener, IPPROTO_IP, IP_MINTTL, &strict, sizeof(strict)), 0);
        assert_int_equal(hot__decoy_set(listener, &no_settings, 1, &decoy), -EBUSY);
        assert_int_equal(hot__decoy_mark(listener), -EBUSY);
        assert_false(hot__decoy_is_set(listener));
        assert_int_equal(decoy, -EBADF);
        close(listener);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_nothing_new_reaches_it_and_what_has_begun_goes_on),
                hot_test(test_a_group_has_one_decoy_for_all),
                hot_test(test_both_families_are_kept_away),
                hot_test(test_a_decoy_that_was_closed_is_undone),
                hot_test(test_who_uses_the_mark_gets_no_decoy),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
