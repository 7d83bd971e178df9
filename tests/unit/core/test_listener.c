/* SPDX-License-Identifier: MIT */
/* Internet and abstract listeners: bind, recognise, print. Paths: test_unixpath.c. */
#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bound.h"
#include "fdcheck.h"
#include "hotstart.h"
#include "sandbox.h"
#include "sockets.h"

#define LABEL_70 "llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll"

static bool is_at(int fd, const char *text)
{
        const struct hot__address address = parsed(text);

        return hot__listener_is_at(fd, &address);
}

static const char *with_port(const char *prefix, uint16_t port)
{
        static char text[4][HOT__ADDRESS_MAX];
        static unsigned int next;
        char *ret = text[next++ % 4];

        snprintf(ret, sizeof(text[0]), "%s%u", prefix, (unsigned int)port);
        return ret;
}

static bool has_ipv6(void)
{
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
        int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool has = fd >= 0 && bind(fd, (const struct sockaddr *)&in6, sizeof(in6)) == 0;

        if (fd >= 0)
                close(fd);
        return has;
}

static void need_ipv6(void)
{
        if (has_ipv6())
                return;
        print_message("no IPv6 on this machine\n");
        skip();
}

static void test_listener_serves_on_what_it_bound(void **state)
{
        int fd = bound("127.0.0.1:0");

        (void)state;
        assert_int_equal(hot__listener_verify(fd), 0);
        serve_one(fd, connect_tcp(AF_INET, "127.0.0.1", port_of(fd)));
        close(fd);
}

static void test_listener_has_its_flags_and_options(void **state)
{
        int fd = bound("127.0.0.1:0");

        (void)state;
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
        assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
        assert_int_equal(option_of(fd, SOL_SOCKET, SO_REUSEADDR), 1);
        assert_int_equal(option_of(fd, SOL_SOCKET, SO_REUSEPORT), 0);
        close(fd);
}

static void test_listener_asks_for_the_largest_backlog(void **state)
{
        struct tcp_info info;
        socklen_t len = sizeof(info);
        int fd = bound("127.0.0.1:0");
        unsigned int somaxconn;
        FILE *file = fopen("/proc/sys/net/core/somaxconn", "re");

        (void)state;
        assert_non_null(file);
        assert_int_equal(fscanf(file, "%u", &somaxconn), 1);
        fclose(file);
        assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
        /* Of a listener the kernel tells the backlog where others have their SACKed segments. */
        assert_int_equal(info.tcpi_sacked, somaxconn);
        close(fd);
}

static void test_listener_on_a_port_alone_takes_both_families(void **state)
{
        int fd;

        (void)state;
        need_ipv6();
        fd = bound(":0");
        assert_int_equal(option_of(fd, SOL_SOCKET, SO_DOMAIN), AF_INET6);
        assert_int_equal(option_of(fd, IPPROTO_IPV6, IPV6_V6ONLY), 0);
        serve_one(fd, connect_tcp(AF_INET, "127.0.0.1", port_of(fd)));
        serve_one(fd, connect_tcp(AF_INET6, "::1", port_of(fd)));
        close(fd);
}

/* The family that ":0" gets, as an exit status; 1 if it gets none. */
static int family_of_port_alone(void)
{
        int fd;

        return try_bind(":0", &fd) == 0 ? option_of(fd, SOL_SOCKET, SO_DOMAIN) : 1;
}

static int without_ipv6(void)
{
        refuse_call(SYS_socket, 0, AF_INET6, EAFNOSUPPORT);
        return family_of_port_alone();
}

static int without_ipv6_addresses(void)
{
        refuse_call(SYS_bind, 2, sizeof(struct sockaddr_in6), EADDRNOTAVAIL);
        return family_of_port_alone();
}

/* The port is taken, and not only for IPv6. */
static int with_the_port_taken(void)
{
        refuse_call(SYS_bind, 2, sizeof(struct sockaddr_in6), EADDRINUSE);
        return family_of_port_alone();
}

static void test_listener_falls_back_to_ipv4_where_there_is_no_ipv6(void **state)
{
        (void)state;
        assert_int_equal(in_child(without_ipv6), AF_INET);
        assert_int_equal(in_child(without_ipv6_addresses), AF_INET);
        assert_int_equal(in_child(with_the_port_taken), 1);
}

static int where_ipv6_is_alone_by_default(void)
{
        int any, port_alone;

        enter_namespaces(CLONE_NEWNET);
        write_proc("/proc/sys/net/ipv6/bindv6only", "1");
        if (try_bind(":0", &port_alone) < 0 || try_bind("[::]:0", &any) < 0)
                return 2;
        return option_of(port_alone, IPPROTO_IPV6, IPV6_V6ONLY) == 0 &&
                               option_of(any, IPPROTO_IPV6, IPV6_V6ONLY) == 1
                       ? 0
                       : 1;
}

static void test_listener_on_a_port_alone_overrides_bindv6only(void **state)
{
        (void)state;
        need_ipv6();
        assert_int_equal(in_child(where_ipv6_is_alone_by_default), 0);
}

static void test_listener_keeps_its_number_off_stdio(void **state)
{
        int status, fd = -EBADF;
        pid_t pid = fork();

        (void)state;
        if (pid == 0) {
                close(0);
                close(1);
                _exit(try_bind("127.0.0.1:0", &fd) == 0 && fd >= 3 && fcntl(0, F_GETFD) < 0 &&
                                      fcntl(1, F_GETFD) < 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC
                              ? 0
                              : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

static void expect_error(const char *text, int error)
{
        int fd = -4711;

        assert_int_equal(try_bind(text, &fd), error);
        assert_int_equal(fd, -4711);
}

static void test_listener_refuses_a_taken_port(void **state)
{
        int fd = bound("127.0.0.1:0");

        (void)state;
        expect_error(with_port("127.0.0.1:", port_of(fd)), -EADDRINUSE);
        expect_error(with_port(":", port_of(fd)), -EADDRINUSE);
        close(fd);
}

/* Leave a connection of the server's in TIME_WAIT, then bind its port again. */
static int bind_after_time_wait(void)
{
        int fd = bound("127.0.0.1:0"), again, accepted, client, r;
        uint16_t port = port_of(fd);
        char byte;

        client = connect_tcp(AF_INET, "127.0.0.1", port);
        accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        assert_true(accepted >= 0);
        close(accepted); /* the side that closes first waits */
        assert_int_equal(read(client, &byte, 1), 0);
        close(client);
        close(fd);
        r = try_bind(with_port("127.0.0.1:", port), &again);
        if (r == 0)
                close(again);
        return r;
}

/* Several times: a client of somebody else may get the port between. */
static void test_listener_binds_again_after_time_wait(void **state)
{
        int r = -EADDRINUSE;

        (void)state;
        for (unsigned int tries = 0; tries < 20 && r == -EADDRINUSE; tries++)
                r = bind_after_time_wait();
        assert_int_equal(r, 0);
}

static void test_listener_says_what_is_wrong_with_an_address(void **state)
{
        (void)state;
        expect_error("192.0.2.1:0", -EADDRNOTAVAIL);
        expect_error("127.0.0.1:no-such-service", -ENXIO);
        /* A label above 63 bytes is a name that nobody is asked about. */
        expect_error(LABEL_70 ".invalid:80", -ENXIO);
        expect_error("[fe80::1%no-such-if]:80", -ENXIO);
}

static void test_listener_binds_a_host_name(void **state)
{
        int fd = bound("localhost:0");
        uint16_t port = port_of(fd);

        (void)state;
        assert_true(is_at(fd, with_port("localhost:", port)));
        assert_true(is_at(fd, with_port("127.0.0.1:", port)) ||
                    is_at(fd, with_port("[::1]:", port)));
        assert_false(is_at(fd, with_port(":", port)));
        close(fd);
}

static void test_listener_knows_where_it_is(void **state)
{
        int fd = bound("127.0.0.1:0");
        uint16_t port = port_of(fd);

        (void)state;
        assert_true(is_at(fd, with_port("tcp://127.0.0.1:", port)));
        assert_true(is_at(fd, with_port("localhost:", port)));
        assert_false(is_at(fd, with_port("udp://127.0.0.1:", port)));
        assert_false(is_at(fd, with_port("127.0.0.2:", port)));
        assert_false(is_at(fd, with_port("0.0.0.0:", port)));
        assert_false(is_at(fd, with_port("[::1]:", port)));
        assert_false(is_at(fd, with_port(":", port)));
        assert_false(is_at(fd, with_port("127.0.0.1:", port == 1 ? 2 : 1)));
        assert_false(is_at(fd, "127.0.0.1:0"));
        assert_false(is_at(fd, "unix:/nowhere"));
        close(fd);
}

static void test_listener_on_any_ipv4_answers_to_the_port_alone(void **state)
{
        int fd = bound("0.0.0.0:0");
        uint16_t port = port_of(fd);

        (void)state;
        assert_true(is_at(fd, with_port(":", port)));
        assert_true(is_at(fd, with_port("0.0.0.0:", port)));
        assert_false(is_at(fd, with_port("[::]:", port)));
        assert_false(is_at(fd, with_port("127.0.0.1:", port)));
        close(fd);
}

static void test_listener_on_any_ipv6_answers_to_the_port_alone(void **state)
{
        uint16_t port;
        int fd;

        (void)state;
        need_ipv6();
        fd = bound("[::]:0");
        port = port_of(fd);
        assert_true(is_at(fd, with_port(":", port)));
        assert_true(is_at(fd, with_port("[::]:", port)));
        assert_true(is_at(fd, with_port("[0:0::0]:", port)));
        assert_false(is_at(fd, with_port("0.0.0.0:", port)));
        assert_false(is_at(fd, with_port("[::1]:", port)));
        close(fd);
}

/* A service of this machine's /etc/services whose port is free: *ret_fd listens there. NULL: none. */
static const char *listen_at_a_service(int *ret_fd)
{
        const struct servent *service;

        setservent(0);
        while ((service = getservent())) {
                struct sockaddr_in in = {.sin_family = AF_INET,
                                         .sin_port = (in_port_t)service->s_port};
                int fd;

                if (strcmp(service->s_proto, "tcp") != 0 || ntohs(in.sin_port) < 1024)
                        continue;
                in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
                fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
                if (bind(fd, (const struct sockaddr *)&in, sizeof(in)) == 0 && listen(fd, 1) == 0) {
                        *ret_fd = fd;
                        return service->s_name;
                }
                close(fd);
        }
        return NULL;
}

static void test_listener_knows_a_port_by_its_service_name(void **state)
{
        char text[HOT__ADDRESS_MAX];
        const char *service;
        int fd = -EBADF;

        (void)state;
        service = listen_at_a_service(&fd);
        endservent();
        if (!service) {
                print_message("no service of /etc/services has a free port\n");
                skip();
        }
        snprintf(text, sizeof(text), "127.0.0.1:%s", service);
        assert_true(is_at(fd, text));
        assert_false(is_at(fd, "127.0.0.1:http"));
        close(fd);
}

static void test_listener_prints_where_it_is(void **state)
{
        int fd = bound("127.0.0.1:0");
        char text[HOT__ADDRESS_MAX];

        (void)state;
        assert_int_equal(hot_listener_address(fd, text, sizeof(text)), 0);
        assert_string_equal(text, with_port("tcp://127.0.0.1:", port_of(fd)));
        assert_int_equal(hot__listener_format(fd, "/some/path", text, sizeof(text)), 0);
        assert_string_equal(text, with_port("tcp://127.0.0.1:", port_of(fd)));
        assert_int_equal(hot_listener_address(fd, text, strlen(text)), -ENOSPC);
        close(fd);
        assert_int_equal(hot_listener_address(fd, text, sizeof(text)), -EBADF);
}

static int bind_what_was_printed(const char *first)
{
        char text[HOT__ADDRESS_MAX], again[HOT__ADDRESS_MAX];
        int fd = bound(first), r;

        assert_int_equal(hot_listener_address(fd, text, sizeof(text)), 0);
        assert_true(is_at(fd, text));
        close(fd);
        r = try_bind(text, &fd);
        if (r < 0)
                return r;
        assert_int_equal(hot_listener_address(fd, again, sizeof(again)), 0);
        assert_string_equal(text, again);
        close(fd);
        return 0;
}

/* What it prints is what it takes: the next listener there is the same place. */
static void test_listener_takes_the_address_it_prints(void **state)
{
        char abstract[64];
        const char *const texts[] = {"127.0.0.1:0", "0.0.0.0:0", ":0", "udp://127.0.0.1:0",
                                     abstract};

        (void)state;
        snprintf(abstract, sizeof(abstract), "unix:@hotstart-test-%d\\x01\\xff", getpid());
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                int r = -EADDRINUSE;

                for (unsigned int tries = 0; tries < 20 && r == -EADDRINUSE; tries++)
                        r = bind_what_was_printed(texts[i]);
                assert_int_equal(r, 0);
        }
}

static void test_listener_binds_udp(void **state)
{
        int fd = bound("udp://127.0.0.1:0");
        uint16_t port = port_of(fd);
        char text[HOT__ADDRESS_MAX];

        (void)state;
        assert_int_equal(hot__listener_verify(fd), 0);
        assert_int_equal(option_of(fd, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
        assert_int_equal(option_of(fd, SOL_SOCKET, SO_REUSEADDR), 0);
        assert_true(is_at(fd, with_port("udp://127.0.0.1:", port)));
        assert_false(is_at(fd, with_port("tcp://127.0.0.1:", port)));
        expect_error(with_port("udp://127.0.0.1:", port), -EADDRINUSE);
        assert_int_equal(hot_listener_address(fd, text, sizeof(text)), 0);
        assert_string_equal(text, with_port("udp://127.0.0.1:", port));
        close(fd);
}

static void test_listener_binds_an_abstract_name(void **state)
{
        char name[64], text[HOT__ADDRESS_MAX];
        int fd;

        (void)state;
        snprintf(name, sizeof(name), "unix:@hotstart-test-%d", getpid());
        fd = bound(name);
        assert_int_equal(hot__listener_verify(fd), 0);
        assert_true(is_at(fd, name));
        assert_false(is_at(fd, "unix:@hotstart-test"));
        snprintf(text, sizeof(text), "%s0", name);
        assert_false(is_at(fd, text));
        assert_false(is_at(fd, "unix:@hotstart-test-other"));
        assert_false(is_at(fd, ":80"));
        expect_error(name, -EADDRINUSE);
        assert_int_equal(hot_listener_address(fd, text, sizeof(text)), 0);
        assert_string_equal(text, name);
        close(fd);
}

static void test_listener_binds_the_longest_abstract_name(void **state)
{
        char name[HOT__ADDRESS_MAX], text[HOT__ADDRESS_MAX];
        const size_t longest = strlen("unix:@") + 107;
        int fd;

        (void)state;
        memset(name, 'a', sizeof(name));
        name[snprintf(name, sizeof(name), "unix:@hotstart-test-%d", getpid())] = 'a';
        name[longest] = '\0';
        fd = bound(name);
        assert_true(is_at(fd, name));
        assert_int_equal(hot_listener_address(fd, text, sizeof(text)), 0);
        assert_string_equal(text, name);
        name[longest - 1] = '\0';
        assert_false(is_at(fd, name));
        close(fd);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_listener_serves_on_what_it_bound),
                hot_test(test_listener_has_its_flags_and_options),
                hot_test(test_listener_asks_for_the_largest_backlog),
                hot_test(test_listener_on_a_port_alone_takes_both_families),
                hot_test(test_listener_on_a_port_alone_overrides_bindv6only),
                hot_test(test_listener_falls_back_to_ipv4_where_there_is_no_ipv6),
                hot_test(test_listener_keeps_its_number_off_stdio),
                hot_test(test_listener_refuses_a_taken_port),
                hot_test(test_listener_binds_again_after_time_wait),
                hot_test(test_listener_says_what_is_wrong_with_an_address),
                hot_test(test_listener_binds_a_host_name),
                hot_test(test_listener_knows_where_it_is),
                hot_test(test_listener_on_any_ipv4_answers_to_the_port_alone),
                hot_test(test_listener_on_any_ipv6_answers_to_the_port_alone),
                hot_test(test_listener_knows_a_port_by_its_service_name),
                hot_test(test_listener_prints_where_it_is),
                hot_test(test_listener_takes_the_address_it_prints),
                hot_test(test_listener_binds_udp),
                hot_test(test_listener_binds_an_abstract_name),
                hot_test(test_listener_binds_the_longest_abstract_name),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
