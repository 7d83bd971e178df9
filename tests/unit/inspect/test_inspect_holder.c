/* SPDX-License-Identifier: MIT */
/*
 * Which process holds an address? This one does, on sockets that each test makes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <hotstart/inspect.h>

#include "fdcheck.h"

/* Asks for @prefix and, unless it is negative, @port. Returns what hot_inspect_holder() does. */
static int holder(const char *prefix, int port)
{
        char address[128], name[16] = "untouched", own[17] = "";
        pid_t pid = 0;
        int r;

        snprintf(address, sizeof(address), "%s", prefix);
        if (port >= 0)
                snprintf(address, sizeof(address), "%s%d", prefix, port);
        r = hot_inspect_holder(address, &pid, name, sizeof(name));
        if (r < 0) {
                assert_int_equal(pid, 0);
                assert_string_equal(name, "untouched");
                return r;
        }
        assert_int_equal(pid, getpid());
        prctl(PR_GET_NAME, own);
        assert_string_equal(name, own);
        return r;
}

/* Binds to @host (NULL: all addresses) and a free port. Returns the socket, or -1 without such addresses. */
static int bind_any_port(int family, int type, const char *host, int v6only, int *ret_port)
{
        struct sockaddr_in v4 = {.sin_family = AF_INET};
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
        int fd = socket(family, type | SOCK_CLOEXEC, 0);
        socklen_t len = sizeof(v6);

        if (fd < 0)
                return -1;
        if (host)
                assert_int_equal(
                        inet_pton(family, host,
                                  family == AF_INET ? (void *)&v4.sin_addr : (void *)&v6.sin6_addr),
                        1);
        if (family == AF_INET6)
                setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only));
        if (bind(fd, family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
                 family == AF_INET ? sizeof(v4) : sizeof(v6)) < 0) {
                close(fd);
                return -1;
        }
        assert_int_equal(getsockname(fd, (struct sockaddr *)&v6, &len), 0);
        *ret_port = ntohs(v6.sin6_port); /* both families have it in the same place */
        return fd;
}

static int listen_any_port(int family, const char *host, int v6only, int *ret_port)
{
        int fd = bind_any_port(family, SOCK_STREAM, host, v6only, ret_port);

        if (fd >= 0)
                assert_int_equal(listen(fd, 1), 0);
        return fd;
}

static void test_tcp_at_one_address(void **state)
{
        int port, fd = listen_any_port(AF_INET, "127.0.0.1", 0, &port);

        (void)state;
        assert_int_equal(holder("127.0.0.1:", port), 0);
        assert_int_equal(holder("tcp://127.0.0.1:", port), 0);
        assert_int_equal(holder("localhost:", port), 0);
        assert_int_equal(holder(":", port), 0);
        assert_int_equal(holder("0.0.0.0:", port), 0);
        assert_int_equal(holder("127.0.0.2:", port), -ENOENT);
        assert_int_equal(holder("[::1]:", port), -ENOENT);
        assert_int_equal(holder("udp://127.0.0.1:", port), -ENOENT);
        close(fd);
        assert_int_equal(holder("127.0.0.1:", port), -ENOENT);
}

static void test_tcp_at_all_addresses(void **state)
{
        int port, fd = listen_any_port(AF_INET, NULL, 0, &port);

        (void)state;
        assert_int_equal(holder(":", port), 0);
        assert_int_equal(holder("127.0.0.2:", port), 0);
        assert_int_equal(holder("[::1]:", port), -ENOENT);
        close(fd);
}

/* One for all of IPv6 is in the way of IPv4 too, unless it is restricted. */
static void test_tcp6_at_all_addresses(void **state)
{
        int port, fd = listen_any_port(AF_INET6, NULL, 0, &port);

        (void)state;
        if (fd < 0)
                skip();
        assert_int_equal(holder(":", port), 0);
        assert_int_equal(holder("[::]:", port), 0);
        assert_int_equal(holder("[::1]:", port), 0);
        assert_int_equal(holder("127.0.0.1:", port), 0);
        close(fd);

        fd = listen_any_port(AF_INET6, NULL, 1, &port);
        assert_int_equal(holder("[::1]:", port), 0);
        assert_int_equal(holder("127.0.0.1:", port), -ENOENT);
        close(fd);
}

static void test_udp(void **state)
{
        int port, fd = bind_any_port(AF_INET, SOCK_DGRAM, "127.0.0.1", 0, &port);

        (void)state;
        assert_int_equal(holder("udp://127.0.0.1:", port), 0);
        assert_int_equal(holder("udp://:", port), 0);
        assert_int_equal(holder("127.0.0.1:", port), -ENOENT);
        close(fd);
}

static int listen_unix(const char *name, size_t len)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        memcpy(address.sun_path, name, len);
        assert_int_equal(bind(fd, (struct sockaddr *)&address,
                              (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
                         0);
        assert_int_equal(listen(fd, 1), 0);
        return fd;
}

/* The file counts, not the name it was bound under; a file that nobody listens on has no holder. */
static void test_unix_path(void **state)
{
        char directory[] = "/tmp/hot-inspect-XXXXXX", bound[64], path[64], address[80];
        int fd;

        (void)state;
        assert_non_null(mkdtemp(directory));
        snprintf(bound, sizeof(bound), "%s/bound", directory);
        snprintf(path, sizeof(path), "%s/socket", directory);
        snprintf(address, sizeof(address), "unix:%s", path);
        assert_int_equal(holder(address, -1), -ENOENT);
        fd = listen_unix(bound, strlen(bound) + 1);
        assert_int_equal(rename(bound, path), 0);
        assert_int_equal(holder(address, -1), 0);
        close(fd);
        assert_int_equal(holder(address, -1), -ENOENT);
        unlink(path);
        rmdir(directory);
}

/* A connection carries its listener's name: it does not hold the address. */
static void test_unix_abstract(void **state)
{
        char name[64], address[80];
        struct sockaddr_un peer = {.sun_family = AF_UNIX};
        int listener, client, accepted, len;

        (void)state;
        len = snprintf(name, sizeof(name), "%chot-holder-%d", 0, getpid());
        snprintf(address, sizeof(address), "unix:@%s", name + 1);
        assert_int_equal(holder(address, -1), -ENOENT);
        listener = listen_unix(name, (size_t)len);
        assert_int_equal(holder(address, -1), 0);

        memcpy(peer.sun_path, name, (size_t)len);
        client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(
                connect(client, (struct sockaddr *)&peer,
                        (socklen_t)(offsetof(struct sockaddr_un, sun_path)) + (socklen_t)len),
                0);
        accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        assert_true(accepted >= 0);
        close(listener);
        assert_int_equal(holder(address, -1), -ENOENT);
        close(client);
        close(accepted);
}

static void test_malformed_and_unknown(void **state)
{
        (void)state;
        assert_int_equal(holder("", -1), -EINVAL);
        assert_int_equal(holder("nonsense", -1), -EINVAL);
        assert_int_equal(holder("unix:relative", -1), -EINVAL);
        assert_int_equal(holder("999.0.0.1.invalid:80", -1), -ENXIO);
}

/* The name goes to a terminal; what a terminal obeys does not. No buffer is fine too. */
static void test_name_is_printable(void **state)
{
        int port, fd = listen_any_port(AF_INET, "127.0.0.1", 0, &port);
        char own[17] = "", address[32], name[16], small[3];
        pid_t pid;

        (void)state;
        snprintf(address, sizeof(address), "127.0.0.1:%d", port);
        prctl(PR_GET_NAME, own);
        prctl(PR_SET_NAME, "a\033[31m\nb");
        assert_int_equal(hot_inspect_holder(address, &pid, name, sizeof(name)), 0);
        assert_string_equal(name, "a?[31m?b");
        assert_int_equal(hot_inspect_holder(address, &pid, small, sizeof(small)), 0);
        assert_string_equal(small, "a?");
        assert_int_equal(hot_inspect_holder(address, &pid, NULL, 0), 0);
        prctl(PR_SET_NAME, own);
        close(fd);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_tcp_at_one_address),
                hot_test(test_tcp_at_all_addresses),
                hot_test(test_tcp6_at_all_addresses),
                hot_test(test_udp),
                hot_test(test_unix_path),
                hot_test(test_unix_abstract),
                hot_test(test_malformed_and_unknown),
                hot_test(test_name_is_printable),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
