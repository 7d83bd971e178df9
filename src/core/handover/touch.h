/* SPDX-License-Identifier: MIT */
#ifndef HOT_TOUCH_H
#define HOT_TOUCH_H

/*
 * Has anybody read from a TCP connection, or written to it, since we looked? Asked of the kernel, of a copy of its
 * descriptor, whoever holds the others.
 *
 * What was read is what has arrived (tcpi_bytes_received) less what waits to be read (SIOCINQ); what was written
 * is what was sent for the first time (tcpi_bytes_sent less tcpi_bytes_retrans) plus what was not sent yet
 * (tcpi_notsent_bytes). All are needed: with the peer's window full a write moves only the last. TCP alone counts
 * like that (Linux 4.19). The same as acknowledged plus unacknowledged bytes (SIOCOUTQ), for one system call less.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hot__touch {
        bool known; /* it is TCP, and connected */
        uint64_t read, written;
};

/* A connection, and where to note how far it is. */
struct hot__touching {
        int fd;
        struct hot__touch *touch;
};

/*
 * How far each of them is now; not .known where that cannot be told. Nobody may read from them meanwhile: so a
 * look at all of them afterwards says of nearly all that nothing waits, and who has nothing unread has read what
 * has arrived. SIOCINQ locks the socket, and is asked of the others only.
 */
void hot__touch_many(const struct hot__touching *connections, size_t n);

/* Is it still as it was, and alive? A peer that has sent its end meanwhile has touched nothing. */
bool hot__touch_is_same(int fd, const struct hot__touch *before);

#endif
