/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "waybill.h"

#define VERSION 1

enum {
        AT_VERSION = 0,
        AT_PHASE = 1,
        AT_FLAGS = 2,
        AT_FAMILY = 3,
        AT_PORT = 4,
        AT_TRANSPORT = 6,
        AT_SINCE = 8,
        AT_ADDRESS = 16,
};

/* The numbers of address families are the kernel's, and not the same on every machine's. */
static const struct {
        uint8_t number, family;
        uint8_t address_len;
} families[] = {
        {0, AF_UNSPEC, 0},
        {1, AF_UNIX, 0},
        {4, AF_INET, 4},
        {6, AF_INET6, 16},
};

#define N_FAMILIES (sizeof(families) / sizeof(families[0]))

static void put(uint8_t *bytes, uint64_t number, size_t len)
{
        for (size_t i = 0; i < len; i++)
                bytes[i] = (uint8_t)(number >> 8 * i);
}

static uint64_t get(const uint8_t *bytes, size_t len)
{
        uint64_t number = 0;

        for (size_t i = 0; i < len; i++)
                number |= (uint64_t)bytes[i] << 8 * i;
        return number;
}

void hot__waybill_encode(const struct hot__waybill *bill, uint8_t bytes[HOT__WAYBILL_SIZE])
{
        size_t i = 0;

        while (i < N_FAMILIES - 1 && families[i].family != bill->peer.family)
                i++;
        if (families[i].family != bill->peer.family)
                i = 0; /* one that has no name here */
        memset(bytes, 0, HOT__WAYBILL_SIZE);
        bytes[AT_VERSION] = VERSION;
        bytes[AT_PHASE] = bill->phase;
        bytes[AT_FLAGS] = bill->flags;
        bytes[AT_FAMILY] = families[i].number;
        if (families[i].address_len)
                put(bytes + AT_PORT, bill->peer.port, 2);
        put(bytes + AT_TRANSPORT, bill->transport_len, 2);
        put(bytes + AT_SINCE, bill->since, 8);
        memcpy(bytes + AT_ADDRESS, bill->peer.address, families[i].address_len);
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
        while (len > 0 && bytes[len - 1] == 0)
                len--;
        return len == 0;
}

static int get_peer(struct hot__peer *ret, const uint8_t *bytes)
{
        size_t i = 0;

        while (i < N_FAMILIES && families[i].number != bytes[AT_FAMILY])
                i++;
        if (i == N_FAMILIES)
                return -EPROTO;
        if (!is_zero(bytes + AT_ADDRESS + families[i].address_len,
                     sizeof(ret->address) - families[i].address_len))
                return -EPROTO;
        if (!families[i].address_len && !is_zero(bytes + AT_PORT, 2))
                return -EPROTO;
        ret->family = families[i].family;
        ret->port = (uint16_t)get(bytes + AT_PORT, 2);
        memcpy(ret->address, bytes + AT_ADDRESS, sizeof(ret->address));
        return 0;
}

int hot__waybill_decode(struct hot__waybill *ret, const uint8_t *bytes, size_t len)
{
        struct hot__waybill bill = {0};

        if (len > 0 && bytes[AT_VERSION] != VERSION)
                return -EPROTONOSUPPORT;
        if (len < HOT__WAYBILL_SIZE || bytes[AT_FLAGS] & ~HOT__WAYBILL_SPOKEN ||
            get_peer(&bill.peer, bytes) < 0)
                return -EPROTO;
        bill.phase = bytes[AT_PHASE];
        bill.flags = bytes[AT_FLAGS];
        bill.transport_len = (uint16_t)get(bytes + AT_TRANSPORT, 2);
        bill.since = get(bytes + AT_SINCE, 8);
        if (bill.transport_len > len - HOT__WAYBILL_SIZE)
                return -EPROTO;
        *ret = bill;
        return 0;
}
