/* SPDX-License-Identifier: MIT */
#include "waybill.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "fdcheck.h"

static const uint8_t of_ipv4[HOT__WAYBILL_SIZE] = {
        1,    2,    1, 4,             /* version, phase, flags, family */
        0x34, 0x12, 0, 0,             /* port, length of the transport's part */
        8,    7,    6, 5, 4, 3, 2, 1, /* since */
        192,  0,    2, 1,
};

static void test_bill_is_these_bytes(void **state)
{
        struct hot__waybill bill = {
                .peer = {.family = AF_INET, .port = 0x1234, .address = {192, 0, 2, 1}},
                .since = 0x0102030405060708,
                .phase = 2,
                .flags = HOT__WAYBILL_SPOKEN,
        };
        struct hot__waybill again;
        uint8_t bytes[HOT__WAYBILL_SIZE];

        (void)state;
        hot__waybill_encode(&bill, bytes);
        assert_memory_equal(bytes, of_ipv4, sizeof(bytes));
        assert_int_equal(hot__waybill_decode(&again, bytes, sizeof(bytes)), 0);
        assert_int_equal(again.peer.family, AF_INET);
        assert_int_equal(again.peer.port, 0x1234);
        assert_memory_equal(again.peer.address, bill.peer.address, sizeof(again.peer.address));
        assert_true(again.since == bill.since);
        assert_int_equal(again.phase, 2);
        assert_int_equal(again.flags, HOT__WAYBILL_SPOKEN);
        assert_int_equal(again.transport_len, 0);
}

static void test_each_family_comes_back(void **state)
{
        static const uint8_t families[] = {AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6};

        (void)state;
        for (size_t i = 0; i < sizeof(families); i++) {
                struct hot__waybill bill = {.peer = {.family = families[i]}}, again;
                uint8_t bytes[HOT__WAYBILL_SIZE];

                hot__waybill_encode(&bill, bytes);
                assert_int_equal(hot__waybill_decode(&again, bytes, sizeof(bytes)), 0);
                assert_int_equal(again.peer.family, families[i]);
        }
}

static void test_peer_that_has_no_name_here_is_not_known(void **state)
{
        struct hot__waybill bill = {.peer = {.family = AF_VSOCK, .port = 7, .address = {1}}}, again;
        uint8_t bytes[HOT__WAYBILL_SIZE];

        (void)state;
        hot__waybill_encode(&bill, bytes);
        assert_int_equal(hot__waybill_decode(&again, bytes, sizeof(bytes)), 0);
        assert_int_equal(again.peer.family, AF_UNSPEC);
        assert_int_equal(again.peer.port, 0);
}

/* One byte of a sound bill is another: what is that? */
static void test_what_makes_no_sense_is_refused(void **state)
{
        static const struct {
                size_t at;
                uint8_t byte;
                int result;
        } table[] = {
                {0, 0, -EPROTONOSUPPORT},
                {0, 2, -EPROTONOSUPPORT},
                {2, 2, -EPROTO}, /* a flag that nobody knows */
                {2, 0x81, -EPROTO},
                {3, 2, -EPROTO}, /* a family that nobody knows */
                {3, 255, -EPROTO},
                {3, 0, -EPROTO}, /* without a name, and with an address */
                {3, 1, -EPROTO},
                {20, 1, -EPROTO}, /* behind an IPv4 address */
                {31, 255, -EPROTO},
                {6, 1, -EPROTO}, /* a part of the transport that is not there */
                {7, 255, -EPROTO},
                {1, 255, 0}, /* a phase is the kind's to judge */
                {15, 255, 0},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
                struct hot__waybill bill = {.phase = 77};
                uint8_t bytes[HOT__WAYBILL_SIZE];

                memcpy(bytes, of_ipv4, sizeof(bytes));
                bytes[table[i].at] = table[i].byte;
                assert_int_equal(hot__waybill_decode(&bill, bytes, sizeof(bytes)), table[i].result);
                if (table[i].result < 0)
                        assert_int_equal(bill.phase, 77);
        }
}

static void test_short_bill_is_refused(void **state)
{
        struct hot__waybill bill;

        (void)state;
        for (size_t len = 0; len < HOT__WAYBILL_SIZE; len++)
                assert_int_equal(hot__waybill_decode(&bill, of_ipv4, len), -EPROTO);
}

static void test_transports_part_follows(void **state)
{
        struct hot__waybill bill = {.transport_len = 3}, again;
        uint8_t bytes[HOT__WAYBILL_SIZE + 3] = {0};

        (void)state;
        hot__waybill_encode(&bill, bytes);
        assert_int_equal(hot__waybill_decode(&again, bytes, HOT__WAYBILL_SIZE + 2), -EPROTO);
        assert_int_equal(hot__waybill_decode(&again, bytes, HOT__WAYBILL_SIZE + 3), 0);
        assert_int_equal(again.transport_len, 3);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_bill_is_these_bytes),
                hot_test(test_each_family_comes_back),
                hot_test(test_peer_that_has_no_name_here_is_not_known),
                hot_test(test_what_makes_no_sense_is_refused),
                hot_test(test_short_bill_is_refused),
                hot_test(test_transports_part_follows),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
