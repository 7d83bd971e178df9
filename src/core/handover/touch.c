/* SPDX-License-Identifier: MIT */
#include "touch.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* As in the kernel's tcp_states.h; netinet/tcp.h has them, and an older struct tcp_info. */
enum { STATE_ESTABLISHED = 1, STATE_CLOSE_WAIT = 8 };

static bool look(int fd, struct tcp_info *ret, uint64_t *ret_waiting, uint64_t *ret_unsent)
{
        socklen_t len = sizeof(*ret);
        int waiting, unsent;

        if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, ret, &len) < 0 ||
            len < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof(ret->tcpi_bytes_received))
                return false;
        if (ioctl(fd, SIOCINQ, &waiting) < 0 || ioctl(fd, SIOCOUTQ, &unsent) < 0)
                return false;
        *ret_waiting = (uint64_t)waiting;
        *ret_unsent = (uint64_t)unsent;
        return ret->tcpi_state == STATE_ESTABLISHED || ret->tcpi_state == STATE_CLOSE_WAIT;
}

struct hot__touch hot__touch_of(int fd)
{
        struct tcp_info info;
        uint64_t waiting, unsent;

        if (!look(fd, &info, &waiting, &unsent))
                return (struct hot__touch){.known = false};
        return (struct hot__touch){
                .known = true,
                .read = info.tcpi_bytes_received - waiting,
                .written = info.tcpi_bytes_acked + unsent,
        };
}

/* The peer's end counts as one byte received, and is not among those that wait. */
bool hot__touch_is_same(int fd, const struct hot__touch *before)
{
        struct tcp_info info;
        uint64_t waiting, unsent, read;

        if (!before->known || !look(fd, &info, &waiting, &unsent))
                return false;
        read = info.tcpi_bytes_received - waiting;
        if (info.tcpi_bytes_acked + unsent != before->written)
                return false;
        return read == before->read ||
               (info.tcpi_state == STATE_CLOSE_WAIT && read == before->read + 1);
}
