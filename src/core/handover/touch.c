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

/* Of what the kernel tells, as far as we need it. */
#define INFO_LEN (offsetof(struct tcp_info, tcpi_bytes_retrans) + sizeof(uint64_t))

static bool look(int fd, struct tcp_info *ret, struct hot__touch *ret_touch)
{
        socklen_t len = INFO_LEN;
        int waiting;

        if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, ret, &len) < 0 || len < INFO_LEN ||
            ioctl(fd, SIOCINQ, &waiting) < 0)
                return false;
        *ret_touch = (struct hot__touch){
                .known = true,
                .read = ret->tcpi_bytes_received - (__u64)waiting,
                .written = ret->tcpi_bytes_sent - ret->tcpi_bytes_retrans + ret->tcpi_notsent_bytes,
        };
        return ret->tcpi_state == STATE_ESTABLISHED || ret->tcpi_state == STATE_CLOSE_WAIT;
}

struct hot__touch hot__touch_of(int fd)
{
        struct hot__touch touch;
        struct tcp_info info;

        return look(fd, &info, &touch) ? touch : (struct hot__touch){.known = false};
}

/* The peer's end counts as one byte received, and is not among those that wait. */
bool hot__touch_is_same(int fd, const struct hot__touch *before)
{
        struct hot__touch now;
        struct tcp_info info;

        if (!before->known || !look(fd, &info, &now) || now.written != before->written)
                return false;
        return now.read == before->read ||
               (info.tcpi_state == STATE_CLOSE_WAIT && now.read == before->read + 1);
}
