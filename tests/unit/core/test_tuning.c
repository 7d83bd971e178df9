/* SPDX-License-Identifier: MIT */
#include "tuning.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bound.h"
#include "scratch.h"
#include "sockets.h"

static int backlog_of(int fd)
{
        struct tcp_info info = {0};
        socklen_t len = sizeof(info);

        assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
        return (int)info.tcpi_sacked;
}

static void test_a_listener_is_bound_with_its_settings(void **state)
{
        int fd = bound("tcp://[::1]:0?backlog=17&fastopen=5&defer_accept=5&v6only=1&reuseport=1"
                       "&keepalive=1&nodelay=1&freebind=1&rcvbuf=50000");

        (void)state;
        assert_int_equal(backlog_of(fd), 17);
        assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_FASTOPEN), 5);
        assert_true(option_of(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT) >= 5);
        assert_int_equal(option_of(fd, IPPROTO_IPV6, IPV6_V6ONLY), 1);
        assert_int_equal(option_of(fd, SOL_SOCKET, SO_REUSEPORT), 1);
        assert_int_equal(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
        assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 1);
        assert_int_equal(option_of(fd, IPPROTO_IP, IP_FREEBIND), 1);
        assert_int_equal(option_of(fd, SOL_SOCKET, SO_RCVBUF), 100000);
        close(fd);
}

static void test_all_addresses_may_be_ipv6_alone(void **state)
{
        int both = bound(":0"), alone = bound(":0?v6only=1");

        (void)state;
        assert_int_equal(option_of(both, IPPROTO_IPV6, IPV6_V6ONLY), 0);
        assert_int_equal(option_of(alone, IPPROTO_IPV6, IPV6_V6ONLY), 1);
        close(both);
        close(alone);
}

static void test_a_device_is_bound_to(void **state)
{
        char name[16] = "";
        socklen_t len = sizeof(name);
        int fd = bound("tcp://127.0.0.1:0?device=lo");

        (void)state;
        assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &len), 0);
        assert_string_equal(name, "lo");
        close(fd);
        fd = -EBADF;
        assert_int_equal(try_bind("tcp://127.0.0.1:0?device=nosuchdevice", &fd), -ENODEV);
        assert_int_equal(fd, -EBADF);
}

static void test_a_path_has_its_mode_and_owner(void **state)
{
        const char *path = scratch_path("s");
        char text[256];
        struct stat st;
        int fd;

        (void)state;
        snprintf(text, sizeof(text), "unix:%s?mode=0620&backlog=3&owner=%u&group=%u", path,
                 getuid(), getgid());
        fd = bound(text);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0620);
        assert_int_equal(st.st_uid, getuid());
        close(fd);
        snprintf(text, sizeof(text), "unix:%s?owner=no-such-user", scratch_path("other"));
        assert_int_equal(try_bind(text, &fd), -ENXIO);
        snprintf(text, sizeof(text), "unix:%s?group=no-such-group", scratch_path("other"));
        assert_int_equal(try_bind(text, &fd), -ENXIO);
        assert_int_equal(stat(scratch_path("other"), &st), -1);
}

static void test_settings_change_while_it_listens(void **state)
{
        int fd = bound("tcp://127.0.0.1:0?backlog=17&defer_accept=5&keepalive=1");
        const struct hot__address other = parsed("tcp://:1?backlog=33&fastopen=7&nodelay=1");

        (void)state;
        assert_int_equal(hot__listener_apply(fd, &other, false), 0);
        assert_int_equal(backlog_of(fd), 33);
        assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_FASTOPEN), 7);
        assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 1);
        assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT), 0);
        assert_int_equal(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
        close(fd);
}

static void test_what_a_service_manager_has_made_stays_unless_it_is_asked_for(void **state)
{
        int fd = bound("tcp://127.0.0.1:0?backlog=17&defer_accept=5&keepalive=1");
        const struct hot__address other = parsed("tcp://:1?nodelay=1");

        (void)state;
        assert_int_equal(hot__listener_apply(fd, &other, true), 0);
        assert_int_equal(backlog_of(fd), 17);
        assert_true(option_of(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT) >= 5);
        assert_int_equal(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
        assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 1);
        close(fd);
}

/* What a release may do to the listener before it fails. */
static void spoil(int fd)
{
        struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
        const struct sock_fprog program = {.len = 1, .filter = code};
        const int on = 1, off = 0;

        assert_int_equal(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK), 0);
        assert_int_equal(listen(fd, 1), 0);
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)), 0);
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
        assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &off, sizeof(off)), 0);
        /* What a newer kernel does not let this user do, a release of his cannot have done either. */
        if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0) {
                assert_int_equal(errno, EPERM);
                print_message("without a filter: this user may attach none to a TCP socket\n");
        }
}

static void test_what_was_spoiled_is_put_back(void **state)
{
        const struct hot__address address =
                parsed("tcp://127.0.0.1:0?backlog=17&defer_accept=5&rcvbuf=50000");
        struct hot__tuning tuning = {0};
        int fd;

        (void)state;
        assert_int_equal(hot__listener_bind(&address, &fd), 0);
        hot__tuning_restore(fd, &tuning); /* nothing is remembered: nothing is done */
        hot__tuning_capture(fd, &address.settings, &tuning);
        spoil(fd);
        hot__tuning_restore(fd, &tuning);
        assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
        assert_int_equal(backlog_of(fd), 17);
        assert_int_equal(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
        assert_int_equal(option_of(fd, SOL_SOCKET, SO_REUSEPORT), 0);
        assert_true(option_of(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT) >= 5);
        assert_int_equal(option_of(fd, SOL_SOCKET, SO_RCVBUF), 100000);
        close(connect_tcp(AF_INET, "127.0.0.1", port_of(fd))); /* no filter drops it */
        close(fd);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_a_listener_is_bound_with_its_settings),
                hot_test(test_all_addresses_may_be_ipv6_alone),
                hot_test(test_a_device_is_bound_to),
                scratch_test(test_a_path_has_its_mode_and_owner),
                hot_test(test_settings_change_while_it_listens),
                hot_test(test_what_a_service_manager_has_made_stays_unless_it_is_asked_for),
                hot_test(test_what_was_spoiled_is_put_back),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
