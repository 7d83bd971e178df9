/* SPDX-License-Identifier: MIT */
#include "socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fdcheck.h"
#include "sockets.h"

static int listener_of_our_own(void)
{
        const struct sockaddr_in name = {.sin_family = AF_INET,
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(bind(fd, (const struct sockaddr *)&name, sizeof(name)), 0);
        assert_int_equal(listen(fd, 2), 0);
        return fd;
}

/* Does the kernel send an acknowledgement at once, by itself? Asked of a connection that was accepted. */
static int acknowledges_at_once(int listener)
{
        int client = connect_tcp(AF_INET, "127.0.0.1", port_of(listener)), quick;
        int server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

        assert_true(server >= 0);
        quick = option_of(server, IPPROTO_TCP, TCP_QUICKACK);
        close(client);
        close(server);
        return quick;
}

static void test_connections_inherit_how_they_acknowledge(void **state)
{
        int listener = listener_of_our_own();

        (void)state;
        assert_int_equal(acknowledges_at_once(listener), 1);
        hot__socket_ack_with_answer(listener);
        assert_int_equal(acknowledges_at_once(listener), 0);
        close(listener);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_connections_inherit_how_they_acknowledge),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
