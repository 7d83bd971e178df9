/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_WAYBILL_H
#define HOT_HTTP_WAYBILL_H

/*
 * What goes with every connection that moves, whatever it speaks: who is at its other end, and how long it has
 * been what it is, so that neither has to be asked of the kernel and no deadline begins anew. It comes first in
 * the state that travels; what the transport and the kind have to say of themselves follows it. Pure.
 *
 *      0  version, 1
 *      1  phase, the kind's
 *      2  flags
 *      3  family of the peer: 0 not known, 1 UNIX, 4, 6
 *      4  port of the peer, 16 bits, the low byte first, as all numbers here
 *      6  length of the transport's part, 16 bits
 *      8  since when, CLOCK_MONOTONIC ms, 64 bits
 *     16  address of the peer, 16 bytes; behind an IPv4 address zeroes
 */

#include <stddef.h>
#include <stdint.h>

#include "peer.h"

#define HOT__WAYBILL_SIZE 32

#define HOT__WAYBILL_SPOKEN 0x1 /* it is known not to be HTTP/2 without TLS */

struct hot__waybill {
        struct hot__peer peer;
        uint64_t since;
        uint16_t transport_len;
        uint8_t phase, flags;
};

void hot__waybill_encode(const struct hot__waybill *bill, uint8_t bytes[HOT__WAYBILL_SIZE]);

/* @bytes begin with it. Returns 0, -EPROTONOSUPPORT (another version) or -EPROTO. */
int hot__waybill_decode(struct hot__waybill *ret, const uint8_t *bytes, size_t len);

#endif
