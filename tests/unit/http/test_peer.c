/* SPDX-License-Identifier: MIT */
#include "peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

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

static void test_peer_of_a_name(void **state)
{
        struct sockaddr_storage name = {.ss_family = AF_UNIX};
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&name;
        struct sockaddr_in *in = (struct sockaddr_in *)&name;
        struct hot__peer peer;
        char text[64];

        (void)state;
        hot__peer_set(&peer, &name);
        assert_string_equal(hot__peer_string(&peer, text, sizeof(text)), "unix");
        *in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(4711)};
        assert_int_equal(inet_pton(AF_INET, "192.0.2.7", &in->sin_addr), 1);
        hot__peer_set(&peer, &name);
        assert_string_equal(hot__peer_string(&peer, text, sizeof(text)), "192.0.2.7");
        assert_int_equal(peer.port, 4711);
        *in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(4712)};
        assert_int_equal(inet_pton(AF_INET6, "2001:db8::7", &in6->sin6_addr), 1);
        hot__peer_set(&peer, &name);
        assert_string_equal(hot__peer_string(&peer, text, sizeof(text)), "2001:db8::7");
        assert_int_equal(peer.port, 4712);
        name.ss_family = AF_UNSPEC;
        hot__peer_set(&peer, &name);
        assert_string_equal(hot__peer_string(&peer, text, sizeof(text)), "-");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_peer_is_shown_as_it_is_known),
                hot_test(test_peer_of_a_name),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
