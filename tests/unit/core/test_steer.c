/* SPDX-License-Identifier: MIT */
/*
 * What the kernel does with what is steered: the facts that groups and the end of a listener rest on.
 */
#include "steer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bound.h"
#include "handshakes.h"
#include "sockets.h"

#define N_MEMBERS 4
#define N_CLIENTS 200

struct group {
        int members[N_MEMBERS];
        struct hot__address address;
};

static struct group make_group(const char *text)
{
        struct group group = {.address = parsed(text)};

        assert_int_equal(hot__listener_bind(&group.address, &group.members[0]), 0);
        for (int i = 1; i < N_MEMBERS; i++) {
                assert_int_equal(hot__listener_bind_member(group.members[0], &group.address,
                                                           &group.members[i]),
                                 0);
                assert_true(hot__listener_is_beside(group.members[0], group.members[i]));
                if (hot__listener_is_silent(group.members[i]))
                        assert_int_equal(listen(group.members[i], 4096), 0);
        }
        return group;
}

static void close_group(struct group *group)
{
        for (int i = 0; i < N_MEMBERS; i++)
                close(group->members[i]);
}

static bool is_queued(int fd)
{
        struct pollfd one = {.fd = fd, .events = POLLIN};

        return poll(&one, 1, 0) == 1;
}

/* Accept everything from a member. Returns how many there were. */
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

static void connect_clients(const struct group *group, int *counts)
{
        for (int i = 0; i < N_CLIENTS; i++)
                close(connect_tcp(AF_INET, "127.0.0.1", port_of(group->members[0])));
        for (int i = 0; i < N_MEMBERS; i++)
                counts[i] = accept_all(group->members[i]);
}

static void test_a_group_is_steered_to_its_first_members_and_back(void **state)
{
        struct group group = make_group("tcp://127.0.0.1:0?reuseport=4");
        int counts[N_MEMBERS];

        (void)state;
        connect_clients(&group, counts);
        for (int i = 0; i < N_MEMBERS; i++)
                assert_true(counts[i] > 0);
        assert_int_equal(hot__steer_group(group.members[0], 2), 0);
        connect_clients(&group, counts);
        assert_int_equal(counts[0] + counts[1], N_CLIENTS);
        assert_true(counts[0] > N_CLIENTS / 10 && counts[1] > N_CLIENTS / 10);
        assert_int_equal(hot__steer_group(group.members[3], 1), 0); /* any member will do */
        connect_clients(&group, counts);
        assert_int_equal(counts[0], N_CLIENTS);
        assert_int_equal(hot__steer_group(group.members[0], 0), 0);
        assert_int_equal(hot__steer_group(group.members[0], 0), 0);
        connect_clients(&group, counts);
        for (int i = 0; i < N_MEMBERS; i++)
                assert_true(counts[i] > 0);
        close_group(&group);
}

static void test_the_first_members_keep_their_places_when_later_ones_leave(void **state)
{
        struct group group = make_group("tcp://127.0.0.1:0?reuseport=4");
        int counts[N_MEMBERS] = {0};

        (void)state;
        assert_int_equal(hot__steer_group(group.members[0], 2), 0);
        close(group.members[3]);
        close(group.members[2]);
        for (int i = 2; i < N_MEMBERS; i++) {
                assert_int_equal(hot__listener_bind_member(group.members[0], &group.address,
                                                           &group.members[i]),
                                 0);
                assert_int_equal(listen(group.members[i], 4096), 0);
        }
        connect_clients(&group, counts);
        assert_int_equal(counts[0] + counts[1], N_CLIENTS);
        close_group(&group);
}

static void test_a_member_gets_nothing_before_it_listens(void **state)
{
        const struct hot__address address = parsed("tcp://127.0.0.1:0");
        struct group group = {.address = address};
        int counts[N_MEMBERS] = {0};

        (void)state;
        /* Not even a group yet: it becomes one. */
        assert_int_equal(hot__listener_bind(&address, &group.members[0]), 0);
        for (int i = 1; i < N_MEMBERS; i++) {
                assert_int_equal(
                        hot__listener_bind_member(group.members[0], &address, &group.members[i]),
                        -EADDRINUSE);
                group.address.settings.given = 1U << HOT__SETTING_REUSEPORT;
                assert_int_equal(hot__listener_bind_member(group.members[0], &group.address,
                                                           &group.members[i]),
                                 0);
                assert_true(hot__listener_is_silent(group.members[i]));
        }
        for (int i = 0; i < N_CLIENTS; i++)
                close(connect_tcp(AF_INET, "127.0.0.1", port_of(group.members[0])));
        assert_int_equal(accept_all(group.members[0]), N_CLIENTS);
        for (int i = 1; i < N_MEMBERS; i++)
                assert_int_equal(listen(group.members[i], 4096), 0);
        connect_clients(&group, counts);
        for (int i = 0; i < N_MEMBERS; i++)
                assert_true(counts[i] > 0);
        close_group(&group);
}

static void send_datagrams(uint16_t port, int n)
{
        const struct sockaddr_in to = {.sin_family = AF_INET,
                                       .sin_port = htons(port),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

        for (int i = 0; i < n; i++) {
                int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

                assert_int_equal(sendto(fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)),
                                 1);
                close(fd);
        }
}

static int receive_all(int fd)
{
        char byte;
        int n = 0;

        while (recv(fd, &byte, 1, 0) == 1)
                n++;
        return n;
}

static void test_a_group_of_datagrams_is_steered_likewise(void **state)
{
        struct group group = make_group("udp://127.0.0.1:0?reuseport=4");
        int counts[N_MEMBERS];

        (void)state;
        assert_int_equal(hot__steer_group(group.members[0], 2), 0);
        send_datagrams(port_of(group.members[0]), N_CLIENTS);
        for (int i = 0; i < N_MEMBERS; i++)
                counts[i] = receive_all(group.members[i]);
        assert_int_equal(counts[0] + counts[1], N_CLIENTS);
        assert_true(counts[0] > N_CLIENTS / 10 && counts[1] > N_CLIENTS / 10);
        close_group(&group);
}

static int begin_connect(uint16_t port)
{
        const struct sockaddr_in to = {.sin_family = AF_INET,
                                       .sin_port = htons(port),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
                assert_int_equal(errno, EINPROGRESS);
        return fd;
}

/* Newer kernels let only CAP_NET_ADMIN filter what reaches a TCP socket; decoy.c does without. */
static void need_filter(void)
{
        int listener = bound("tcp://127.0.0.1:0");
        int r = hot__steer_away(listener);

        close(listener);
        if (r != -EPERM)
                return;
        print_message("skipped: this kernel lets this user attach no filter to a TCP socket\n");
        skip();
}

static void test_what_is_steered_away_gets_nothing_new_and_keeps_what_it_has(void **state)
{
        int listener, queued, late;
        struct pollfd connected = {.events = POLLOUT};
        char byte;

        (void)state;
        need_filter();
        listener = bound("tcp://127.0.0.1:0");
        queued = connect_tcp(AF_INET, "127.0.0.1", port_of(listener));
        assert_int_equal(hot__steer_away(listener), 0);
        late = begin_connect(port_of(listener));
        connected.fd = late;
        assert_int_equal(poll(&connected, 1, 0), 0); /* loopback would have answered by now */
        assert_int_equal(write(queued, "x", 1), 1);
        assert_int_equal(accept_all(listener), 1);
        assert_false(is_queued(listener));
        assert_int_equal(read(queued, &byte, 1), -1); /* closed with unread input */
        assert_int_equal(hot__steer_back(listener), 0);
        assert_int_equal(hot__steer_back(listener), 0);
        serve_one(listener, connect_tcp(AF_INET, "127.0.0.1", port_of(listener)));
        close(late);
        close(queued);
        close(listener);
}

static void test_datagrams_are_steered_away_too(void **state)
{
        int socket = bound("udp://127.0.0.1:0");

        (void)state;
        send_datagrams(port_of(socket), 2);
        assert_int_equal(hot__steer_away(socket), 0);
        send_datagrams(port_of(socket), 3);
        assert_int_equal(receive_all(socket), 2);
        assert_int_equal(hot__steer_back(socket), 0);
        send_datagrams(port_of(socket), 1);
        assert_int_equal(receive_all(socket), 1);
        close(socket);
}

static void test_a_handshake_is_known_until_it_is_over(void **state)
{
        struct hot__handshakes noted, later;
        int listener, first, second;

        (void)state;
        need_filter();
        listener = bound("tcp://127.0.0.1:0?defer_accept=30");
        first = connect_tcp(AF_INET, "127.0.0.1", port_of(listener));
        assert_int_equal(hot__handshakes_note(listener, &noted), 0);
        assert_int_equal(noted.n, 1);
        assert_true(noted.cookies[0] != 0);
        assert_false(is_queued(listener));
        assert_int_equal(hot__handshakes_remain(listener, &noted), 1);
        /* Others do not count, and steering away does not end what has begun. */
        second = connect_tcp(AF_INET, "127.0.0.1", port_of(listener));
        assert_int_equal(hot__steer_away(listener), 0);
        assert_int_equal(write(first, "x", 1), 1);
        assert_true(is_queued(listener));
        assert_int_equal(hot__handshakes_remain(listener, &noted), 0);
        assert_int_equal(hot__handshakes_note(listener, &later), 0);
        assert_int_equal(later.n, 1);
        assert_true(later.cookies[0] != noted.cookies[0]);
        hot__handshakes_done(&later);
        hot__handshakes_done(&noted);
        close(first);
        close(second);
        close(listener);
}

static void test_what_is_no_tcp_has_no_handshakes(void **state)
{
        int socket = bound("udp://127.0.0.1:0");
        struct hot__handshakes noted;

        (void)state;
        assert_int_equal(hot__handshakes_note(socket, &noted), 0);
        assert_int_equal(noted.n, 0);
        assert_int_equal(hot__handshakes_remain(socket, &noted), 0);
        close(socket);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_a_group_is_steered_to_its_first_members_and_back),
                hot_test(test_the_first_members_keep_their_places_when_later_ones_leave),
                hot_test(test_a_member_gets_nothing_before_it_listens),
                hot_test(test_a_group_of_datagrams_is_steered_likewise),
                hot_test(test_what_is_steered_away_gets_nothing_new_and_keeps_what_it_has),
                hot_test(test_datagrams_are_steered_away_too),
                hot_test(test_a_handshake_is_known_until_it_is_over),
                hot_test(test_what_is_no_tcp_has_no_handshakes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
