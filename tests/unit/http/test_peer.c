/* SPDX-License-Identifier: MIT */
#include "peer.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fdcheck.h"

static void test_peer_is_shown_as_it_is_known(void **state)
{
        struct hot__peer peer = {.family = AF_INET};
        char text[64];

        (void)state;
        assert_int_equal(inet_pton(AF_INET, "192.0.2.1", peer.address), 1);
        assert_string_equal(hot__peer_string(&peer, text, sizeof(text)), "192.0.2.1");
        peer.family = AF_INET6;
        assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", peer.address), 1);
        assert_string_equal(hot__peer_string(&peer, text, sizeof(text)), "2001:db8::1");
        assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.2", peer.address), 1);
        assert_string_equal(hot__peer_string(&peer, text, sizeof(text)), "192.0.2.2");
        peer.family = 0;
        assert_string_equal(hot__peer_string(&peer, text, sizeof(text)), "-");
}

static void test_peer_of_a_socket(void **state)
{
        struct hot__peer peer;
        char text[64];
        int pair[2];

        (void)state;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        hot__peer_get(&peer, pair[0]);
        assert_string_equal(hot__peer_string(&peer, text, sizeof(text)), "unix");
        close(pair[0]);
        close(pair[1]);
        hot__peer_get(&peer, -1);
        assert_string_equal(hot__peer_string(&peer, text, sizeof(text)), "-");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_peer_is_shown_as_it_is_known),
                hot_test(test_peer_of_a_socket),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
