/* SPDX-License-Identifier: MIT */
#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "fdcheck.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

#define A10  "aaaaaaaaaa"
#define A32  A10 A10 A10 "aa"
#define A100 A10 A10 A10 A10 A10 A10 A10 A10 A10 A10
#define X10  "\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01"
#define X107 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 "\\x01\\x01\\x01\\x01\\x01\\x01\\x01"

struct accepted {
        const char *text;
        enum hot__address_kind kind;
        const char *host, *service, *path;
        const char *canonical;
};

#define TCP  HOT__ADDRESS_TCP
#define UDP  HOT__ADDRESS_UDP
#define UNIX HOT__ADDRESS_UNIX

static const struct accepted accepted[] = {
        /* every host */
        {":9999", TCP, "", "9999", "", "tcp://:9999"},
        {"tcp://:9999", TCP, "", "9999", "", "tcp://:9999"},
        {"127.0.0.1:80", TCP, "127.0.0.1", "80", "", "tcp://127.0.0.1:80"},
        {"tcp://0.0.0.0:80", TCP, "0.0.0.0", "80", "", "tcp://0.0.0.0:80"},
        {"[::1]:80", TCP, "::1", "80", "", "tcp://[::1]:80"},
        {"tcp://[::]:80", TCP, "::", "80", "", "tcp://[::]:80"},
        {"localhost:80", TCP, "localhost", "80", "", "tcp://localhost:80"},
        {"a-b_c.example.org.:80", TCP, "a-b_c.example.org.", "80", "",
         "tcp://a-b_c.example.org.:80"},
        {"1password.example:80", TCP, "1password.example", "80", "", "tcp://1password.example:80"},
        {"tcp:80", TCP, "tcp", "80", "", "tcp://tcp:80"},
        {"udp://:53", UDP, "", "53", "", "udp://:53"},
        {"udp://[::1]:domain", UDP, "::1", "domain", "", "udp://[::1]:domain"},
        {"udp://LOCALHOST:53", UDP, "localhost", "53", "", "udp://localhost:53"},

        /* hosts in normal form */
        {"tcp://EXAMPLE.Org:80", TCP, "example.org", "80", "", "tcp://example.org:80"},
        {"[0:0:0:0:0:0:0:1]:80", TCP, "::1", "80", "", "tcp://[::1]:80"},
        {"[2001:DB8::00FF]:80", TCP, "2001:db8::ff", "80", "", "tcp://[2001:db8::ff]:80"},
        {"[::ffff:127.0.0.1]:80", TCP, "::ffff:127.0.0.1", "80", "", "tcp://[::ffff:127.0.0.1]:80"},
        {"[fe80::1%eth0]:80", TCP, "fe80::1%eth0", "80", "", "tcp://[fe80::1%eth0]:80"},
        {"[FE80:0::1%2]:80", TCP, "fe80::1%2", "80", "", "tcp://[fe80::1%2]:80"},
        {"[fe80::1%br-1.200_x]:80", TCP, "fe80::1%br-1.200_x", "80", "",
         "tcp://[fe80::1%br-1.200_x]:80"},

        /* ports */
        {":0", TCP, "", "0", "", "tcp://:0"},
        {":65535", TCP, "", "65535", "", "tcp://:65535"},
        {":0080", TCP, "", "80", "", "tcp://:80"},
        {":00000000000000000000000000000080", TCP, "", "80", "", "tcp://:80"},
        {":http", TCP, "", "http", "", "tcp://:http"},
        {":http-alt", TCP, "", "http-alt", "", "tcp://:http-alt"},
        {":3com-tsmux", TCP, "", "3com-tsmux", "", "tcp://:3com-tsmux"},
        {":" A32, TCP, "", A32, "", "tcp://:" A32},

        /* UNIX */
        {"unix:/x", UNIX, "", "", "/x", "unix:/x"},
        {"unix:/run/x.sock", UNIX, "", "", "/run/x.sock", "unix:/run/x.sock"},
        {"unix:///run//x.sock", UNIX, "", "", "/run/x.sock", "unix:/run/x.sock"},
        {"unix:/run/a b:c@d%e", UNIX, "", "", "/run/a b:c@d%e", "unix:/run/a b:c@d%e"},
        {"unix:/run/\xc3\xa4", UNIX, "", "", "/run/\xc3\xa4", "unix:/run/\xc3\xa4"},
        {"unix:/a\\x5cb", UNIX, "", "", "/a\\b", "unix:/a\\x5cb"},
        {"unix:/a\\x0A\\x3f", UNIX, "", "", "/a\n?", "unix:/a\\x0a\\x3f"},
        {"unix:/a\\x41", UNIX, "", "", "/aA", "unix:/aA"},
        {"unix:/" A100 "aaaaaa", UNIX, "", "", "/" A100 "aaaaaa", "unix:/" A100 "aaaaaa"},
        {"unix:@y", UNIX, "", "", "@y", "unix:@y"},
        {"unix:@/run//y", UNIX, "", "", "@/run//y", "unix:@/run//y"},
        {"unix:@a/", UNIX, "", "", "@a/", "unix:@a/"},
        {"unix:@@", UNIX, "", "", "@@", "unix:@@"},
        {"unix:@\xff", UNIX, "", "", "@\xff", "unix:@\\xff"},
        {"unix:@\\xFF\\x01", UNIX, "", "", "@\xff\x01", "unix:@\\xff\\x01"},
        {"unix:@" A100 "aaaaaaa", UNIX, "", "", "@" A100 "aaaaaaa", "unix:@" A100 "aaaaaaa"},

        /* settings */
        {"tcp://[::]:443?v6only=1&backlog=04096", TCP, "::", "443", "",
         "tcp://[::]:443?backlog=4096&v6only=1"},
        {":80?device=eth0", TCP, "", "80", "", "tcp://:80?device=eth0"},
        {"udp://:53?reuseport=2", UDP, "", "53", "", "udp://:53?reuseport=2"},
        {"unix:/x?owner=www-data&mode=660", UNIX, "", "", "/x", "unix:/x?mode=0660&owner=www-data"},
        {"unix:@x?backlog=5", UNIX, "", "", "@x", "unix:@x?backlog=5"},
};

static const char *const rejected[] = {
        /* nothing, or no port */
        "", ":", "tcp://", "udp://", "unix:", "80", "localhost", "localhost:", "127.0.0.1", "[::1]",
        "[::1]:", "tcp://:", "[]:80", "[", "]", "[]", "[:80", "[::1",
        /* hosts */
        "::1:80", ":::80", "tcp://::1:80", "fe80::1%eth0:80", "a:b:80", "[127.0.0.1]:80",
        "[localhost]:80", "[::1]80", "[::1] :80", "[::g]:80", "[1::2::3]:80", "[::1]]:80",
        "[[::1]]:80", "x[::1]:80", "[fe80::1%]:80", "[fe80::1%eth0%1]:80", "[fe80::1%e th]:80",
        "[fe80::1%abcdefghijklmnop]:80", "[%eth0]:80", "127.1:80", "1:80", "256.0.0.1:80",
        "1.2.3.4.5:80", "010.0.0.1:80", "0x7f000001:80", "0x7f.0.0.0X1:80", ".:80", ".a:80",
        "a..b:80", "*:80", "a b:80", " a:80", "a :80", "user@host:80", "a/b:80", "\xc3\xa4:80",
        "a\tb:80", "a\n:80", "http://localhost:80", "TCP://:80", "tcp://tcp://:80",
        /* ports */
        ":65536", ":99999", ":4294967376", ":18446744073709551696", ":-1", ":+80", ": 80", ":80 ",
        ":80/", ":80/tcp", ":8 0", ":80\n", ":-http", ":http-", ":ht_tp", ":-", ":a" A32,
        ":000000000000000000000000000000080", ":\xc3\xa4",
        /* settings that are none: test_settings.c has the rest */
        ":80?", "unix:@x?", "a?b:80", ":80?backlog=5?fastopen=1", "unix:/x?backlog=1/y",
        /* UNIX */
        "unix:x", "unix:./x", "unix:80", "unix:@", "unix:/", "unix://", "unix:/run/", "unix: /x",
        "unix:/a\nb", "unix:/a\x7f", "unix:@a\x01", "unix:/a\\", "unix:/a\\b", "unix:/a\\x",
        "unix:/a\\x4", "unix:/a\\x4g", "unix:/a\\x00", "unix:@a\\x00b", "unix:/a\\n",
        "unix:/" A100 "aaaaaaa", "unix:@" A100 "aaaaaaaa", "UNIX:/x"};

static void test_address_parses_what_it_documents(void **state)
{
        (void)state;
        for (size_t i = 0; i < N_OF(accepted); i++) {
                const struct accepted *row = &accepted[i];
                struct hot__address address;

                if (hot__address_parse(row->text, &address) != 0)
                        fail_msg("rejected \"%s\"", row->text);
                assert_int_equal(address.kind, row->kind);
                assert_string_equal(address.host, row->host);
                assert_string_equal(address.service, row->service);
                assert_string_equal(address.path, row->path);
        }
}

static void test_address_settings_are_no_part_of_the_place(void **state)
{
        static const char *const same[][2] = {
                {"tcp://:80?backlog=5&reuseport=4&v6only=1", "tcp://:80"},
                {"tcp://:80?device=lo&backlog=5", "tcp://:80?device=lo"},
                {"unix:/x?mode=0600&owner=a&group=b", "unix:/x"},
                {"udp://[::1]:53?rcvbuf=5", "udp://[::1]:53"},
        };

        (void)state;
        for (size_t i = 0; i < N_OF(same); i++) {
                struct hot__address address;
                char text[HOT__ADDRESS_MAX];

                assert_int_equal(hot__address_parse(same[i][0], &address), 0);
                assert_int_equal(hot__address_format_place(&address, text, sizeof(text)), 0);
                assert_string_equal(text, same[i][1]);
        }
}

static void test_address_prints_the_canonical_form(void **state)
{
        (void)state;
        for (size_t i = 0; i < N_OF(accepted); i++) {
                struct hot__address address;
                char text[HOT__ADDRESS_FULL_MAX];

                assert_int_equal(hot__address_parse(accepted[i].text, &address), 0);
                assert_int_equal(hot__address_format(&address, text, sizeof(text)), 0);
                assert_string_equal(text, accepted[i].canonical);
        }
}

static void test_address_survives_the_round_trip(void **state)
{
        (void)state;
        for (size_t i = 0; i < N_OF(accepted); i++) {
                struct hot__address first, second;
                char text[HOT__ADDRESS_MAX];

                memset(&first, 0, sizeof(first));
                memset(&second, 0, sizeof(second));
                assert_int_equal(hot__address_parse(accepted[i].text, &first), 0);
                assert_int_equal(hot__address_format(&first, text, sizeof(text)), 0);
                assert_int_equal(hot__address_parse(text, &second), 0);
                assert_memory_equal(&first, &second, sizeof(first));
        }
}

static void test_address_rejects_everything_else(void **state)
{
        struct hot__address address, untouched;

        (void)state;
        memset(&address, 0x5a, sizeof(address));
        untouched = address;
        for (size_t i = 0; i < N_OF(rejected); i++) {
                if (hot__address_parse(rejected[i], &address) != -EINVAL)
                        fail_msg("accepted \"%s\"", rejected[i]);
                assert_memory_equal(&address, &untouched, sizeof(address));
        }
}

/* Every length around the limit of a host name: accepted up to it, refused and not cut beyond. */
static void test_address_bounds_the_host(void **state)
{
        (void)state;
        for (size_t n = 250; n < 260; n++) {
                struct hot__address address;
                char text[300];

                memset(text, 'h', n);
                snprintf(text + n, sizeof(text) - n, ":80");
                assert_int_equal(hot__address_parse(text, &address), n <= 255 ? 0 : -EINVAL);
                if (n <= 255)
                        assert_int_equal(strlen(address.host), n);
        }
}

/* Whatever a single byte does to an address, what is accepted prints and parses to itself again. */
static void test_address_is_stable_under_any_byte(void **state)
{
        static const char *const seeds[] = {"tcp://[fe80::1%eth0]:80", "udp://a.b:http",
                                            "unix:/a/b", "unix:@ab"};
        unsigned int stable = 0;

        (void)state;
        for (size_t s = 0; s < N_OF(seeds); s++) {
                for (size_t at = 0; at < strlen(seeds[s]); at++) {
                        for (int byte = 0; byte < 256; byte++) {
                                struct hot__address address;
                                char text[64], first[HOT__ADDRESS_MAX], second[HOT__ADDRESS_MAX];

                                snprintf(text, sizeof(text), "%s", seeds[s]);
                                text[at] = (char)byte;
                                if (hot__address_parse(text, &address) != 0)
                                        continue;
                                assert_int_equal(
                                        hot__address_format(&address, first, sizeof(first)), 0);
                                assert_int_equal(hot__address_parse(first, &address), 0);
                                assert_int_equal(
                                        hot__address_format(&address, second, sizeof(second)), 0);
                                assert_string_equal(first, second);
                                stable++;
                        }
                }
        }
        assert_true(stable > 1000);
}

static void test_address_needs_room_to_print(void **state)
{
        struct hot__address address;
        char text[16];

        (void)state;
        assert_int_equal(hot__address_parse(":9999", &address), 0);
        memset(text, 'x', sizeof(text));
        assert_int_equal(hot__address_format(&address, text, strlen("tcp://:9999")), -ENOSPC);
        assert_int_equal(hot__address_format(&address, text, 0), -ENOSPC);
        assert_int_equal(text[0], 'x');
        assert_int_equal(hot__address_format(&address, text, strlen("tcp://:9999") + 1), 0);
        assert_string_equal(text, "tcp://:9999");
}

static void test_address_max_is_room_for_any(void **state)
{
        struct hot__address address;
        char text[HOT__ADDRESS_MAX];

        (void)state;
        assert_int_equal(hot__address_parse("unix:@" X107, &address), 0);
        assert_int_equal(hot__address_format(&address, text, sizeof(text)), 0);
        assert_string_equal(text, "unix:@" X107);
}

static void expect_in(const char *literal, uint16_t port, int type, const char *expected)
{
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
        char text[HOT__ADDRESS_MAX];

        assert_int_equal(inet_pton(AF_INET, literal, &in.sin_addr), 1);
        assert_int_equal(hot__address_format_sockaddr((const struct sockaddr *)&in, sizeof(in),
                                                      type, text, sizeof(text)),
                         0);
        assert_string_equal(text, expected);
}

static void expect_in6(const char *literal, uint32_t scope, int type, const char *expected)
{
        struct sockaddr_in6 in6 = {
                .sin6_family = AF_INET6, .sin6_port = htons(80), .sin6_scope_id = scope};
        char text[HOT__ADDRESS_MAX];

        assert_int_equal(inet_pton(AF_INET6, literal, &in6.sin6_addr), 1);
        assert_int_equal(hot__address_format_sockaddr((const struct sockaddr *)&in6, sizeof(in6),
                                                      type, text, sizeof(text)),
                         0);
        assert_string_equal(text, expected);
}

static void test_address_prints_internet_sockets(void **state)
{
        (void)state;
        expect_in("127.0.0.1", 80, SOCK_STREAM, "tcp://127.0.0.1:80");
        expect_in("0.0.0.0", 65535, SOCK_STREAM, "tcp://0.0.0.0:65535");
        expect_in("255.255.255.255", 0, SOCK_DGRAM, "udp://255.255.255.255:0");
        expect_in6("::", 0, SOCK_STREAM, "tcp://[::]:80");
        expect_in6("::1", 0, SOCK_DGRAM, "udp://[::1]:80");
        expect_in6("fe80::1", 2, SOCK_STREAM, "tcp://[fe80::1%2]:80");
        expect_in6("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", UINT32_MAX, SOCK_STREAM,
                   "tcp://[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:80");
}

static void expect_un(const char *name, size_t n, const char *expected)
{
        struct sockaddr_un un = {.sun_family = AF_UNIX};
        char text[HOT__ADDRESS_MAX];

        memcpy(un.sun_path, name, n);
        assert_int_equal(hot__address_format_sockaddr(
                                 (const struct sockaddr *)&un,
                                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n),
                                 SOCK_STREAM, text, sizeof(text)),
                         0);
        assert_string_equal(text, expected);
}

static void test_address_prints_unix_sockets(void **state)
{
        char longest[sizeof(((struct sockaddr_un *)NULL)->sun_path)];

        (void)state;
        expect_un("", 0, "unix:");
        expect_un("/x", 3, "unix:/x");
        expect_un("/x", 2, "unix:/x");
        expect_un("/x\0trailing", 11, "unix:/x");
        expect_un("\0y", 2, "unix:@y");
        expect_un("\0a\0b", 4, "unix:@a\\x00b");
        expect_un("\0\xff\\?", 4, "unix:@\\xff\\x5c\\x3f");
        expect_un("@relative", 10, "unix:\\x40relative");
        memset(longest, 'p', sizeof(longest));
        longest[0] = '/';
        expect_un(longest, sizeof(longest),
                  "unix:/pppppppppppppppppppppppppppppppppppppppppppp"
                  "ppppppppppppppppppppppppppppppppppppppppppppppppppp"
                  "pppppppppppp");
        memset(longest, 0, sizeof(longest));
        expect_un(longest, 3, "unix:@\\x00\\x00");
}

static void test_address_refuses_other_sockets(void **state)
{
        struct sockaddr_in in = {.sin_family = AF_INET};
        struct sockaddr other = {.sa_family = AF_NETLINK};
        char text[HOT__ADDRESS_MAX];

        (void)state;
        assert_int_equal(
                hot__address_format_sockaddr(&other, sizeof(other), SOCK_RAW, text, sizeof(text)),
                -EAFNOSUPPORT);
        assert_int_equal(hot__address_format_sockaddr((const struct sockaddr *)&in, sizeof(in) - 1,
                                                      SOCK_STREAM, text, sizeof(text)),
                         -EINVAL);
        assert_int_equal(hot__address_format_sockaddr((const struct sockaddr *)&in, 0, SOCK_STREAM,
                                                      text, sizeof(text)),
                         -EINVAL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_address_parses_what_it_documents),
                hot_test(test_address_settings_are_no_part_of_the_place),
                hot_test(test_address_prints_the_canonical_form),
                hot_test(test_address_survives_the_round_trip),
                hot_test(test_address_rejects_everything_else),
                hot_test(test_address_bounds_the_host),
                hot_test(test_address_is_stable_under_any_byte),
                hot_test(test_address_needs_room_to_print),
                hot_test(test_address_max_is_room_for_any),
                hot_test(test_address_prints_internet_sockets),
                hot_test(test_address_prints_unix_sockets),
                hot_test(test_address_refuses_other_sockets),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
