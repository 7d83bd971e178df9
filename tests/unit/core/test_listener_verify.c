/* SPDX-License-Identifier: MIT */
/* What an inherited descriptor is, and what the kernel shares between those who hold one. */
#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bound.h"
#include "fdcheck.h"
#include "sockets.h"

static void verify_and_close(int fd, int expected)
{
        assert_true(fd >= 0);
        assert_int_equal(hot__listener_verify(fd), expected);
        close(fd);
}

static void test_listener_verify_refuses_what_is_no_socket(void **state)
{
        int ends[2];

        (void)state;
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        verify_and_close(ends[0], -ENOTSOCK);
        verify_and_close(ends[1], -ENOTSOCK);
        assert_int_equal(hot__listener_verify(ends[0]), -EBADF);
        assert_int_equal(hot__listener_verify(-1), -EBADF);
        verify_and_close(open("/dev/null", O_RDWR | O_CLOEXEC), -ENOTSOCK);
        verify_and_close(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), -ENOTSOCK);
        verify_and_close(open("/", O_PATH | O_CLOEXEC), -EBADF);
        verify_and_close(epoll_create1(EPOLL_CLOEXEC), -ENOTSOCK);
}

static void test_listener_verify_refuses_sockets_that_do_not_listen(void **state)
{
        int fd = bound("127.0.0.1:0"), client, accepted, pair[2];

        (void)state;
        client = connect_tcp(AF_INET, "127.0.0.1", port_of(fd));
        accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        verify_and_close(client, -EDESTADDRREQ);
        verify_and_close(accepted, -EDESTADDRREQ);
        close(fd);
        verify_and_close(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), -EDESTADDRREQ);
        verify_and_close(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), -EDESTADDRREQ);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        verify_and_close(pair[0], -EDESTADDRREQ);
        verify_and_close(pair[1], -EDESTADDRREQ);
        verify_and_close(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0), -EAFNOSUPPORT);
}

static void test_listener_verify_wants_datagram_sockets_bound_and_free(void **state)
{
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(9)};
        int fd = bound("udp://127.0.0.1:0"), pair[2];

        (void)state;
        in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        assert_int_equal(connect(fd, (const struct sockaddr *)&in, sizeof(in)), 0);
        verify_and_close(fd, -EDESTADDRREQ);
        verify_and_close(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), -EDESTADDRREQ);
        verify_and_close(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), -EDESTADDRREQ);
        assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
        verify_and_close(pair[0], -EDESTADDRREQ);
        verify_and_close(pair[1], -EDESTADDRREQ);
}

static void test_listener_verify_takes_unix_datagram_and_seqpacket(void **state)
{
        struct sockaddr_un un = {.sun_family = AF_UNIX}; /* the kernel chooses an abstract name */
        int datagram = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        int seqpacket = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        (void)state;
        assert_int_equal(bind(datagram, (const struct sockaddr *)&un, sizeof(un.sun_family)), 0);
        assert_int_equal(bind(seqpacket, (const struct sockaddr *)&un, sizeof(un.sun_family)), 0);
        verify_and_close(datagram, 0);
        assert_int_equal(hot__listener_verify(seqpacket), -EDESTADDRREQ);
        assert_int_equal(listen(seqpacket, 1), 0);
        verify_and_close(seqpacket, 0);
}

static void test_listener_verify_changes_nothing(void **state)
{
        int fd = bound("127.0.0.1:0");

        (void)state;
        fcntl(fd, F_SETFD, 0);
        fcntl(fd, F_SETFL, 0);
        assert_int_equal(hot__listener_verify(fd), 0);
        assert_int_equal(fcntl(fd, F_GETFD), 0);
        assert_false(fcntl(fd, F_GETFL) & O_NONBLOCK);
        close(fd);
}

/* Why the library sets the flags of a listener once and then leaves them: both holders have one set. */
static void test_kernel_shares_options_and_o_nonblock_but_not_cloexec(void **state)
{
        const int on = 1;
        int fd = bound("127.0.0.1:0"), copy = fcntl(fd, F_DUPFD, 3);

        (void)state;
        assert_int_equal(setsockopt(copy, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)), 0);
        assert_int_equal(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
        assert_int_equal(fcntl(copy, F_SETFL, 0), 0);
        assert_false(fcntl(fd, F_GETFL) & O_NONBLOCK);
        assert_int_equal(fcntl(copy, F_GETFD), 0);
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
        close(copy);
        close(fd);
}

/* Why only close(2) is right for a listener that another generation holds. */
static void test_kernel_keeps_the_queue_when_one_holder_closes_but_not_on_shutdown(void **state)
{
        int fd = bound("127.0.0.1:0"), copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        int client = connect_tcp(AF_INET, "127.0.0.1", port_of(fd));

        (void)state;
        close(fd);
        serve_one(copy, client);
        fd = fcntl(copy, F_DUPFD_CLOEXEC, 3);
        assert_int_equal(shutdown(fd, SHUT_RDWR), 0);
        close(fd);
        assert_int_equal(hot__listener_verify(copy), -EDESTADDRREQ);
        close(copy);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_listener_verify_refuses_what_is_no_socket),
                hot_test(test_listener_verify_refuses_sockets_that_do_not_listen),
                hot_test(test_listener_verify_wants_datagram_sockets_bound_and_free),
                hot_test(test_listener_verify_takes_unix_datagram_and_seqpacket),
                hot_test(test_listener_verify_changes_nothing),
                hot_test(test_kernel_shares_options_and_o_nonblock_but_not_cloexec),
                hot_test(test_kernel_keeps_the_queue_when_one_holder_closes_but_not_on_shutdown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
