/* SPDX-License-Identifier: MIT */
#include "touch.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* As in the kernel's tcp_states.h; netinet/tcp.h has them, and an older struct tcp_info. */
enum { STATE_ESTABLISHED = 1, STATE_CLOSE_WAIT = 8 };

/* Of what the kernel tells, as far as we need it. */
#define INFO_LEN (offsetof(struct tcp_info, tcpi_bytes_retrans) + sizeof(uint64_t))

/* As many as one poll(2) looks at. */
#define LOOK_AT 256

static bool ask_tcp(int fd, struct tcp_info *ret)
{
        socklen_t len = INFO_LEN;

        return getsockopt(fd, IPPROTO_TCP, TCP_INFO, ret, &len) == 0 && len >= INFO_LEN;
}

static struct hot__touch touch_of(const struct tcp_info *info, int waiting)
{
        return (struct hot__touch){
                .known = info->tcpi_state == STATE_ESTABLISHED ||
                         info->tcpi_state == STATE_CLOSE_WAIT,
                .read = info->tcpi_bytes_received - (__u64)waiting,
                .written =
                        info->tcpi_bytes_sent - info->tcpi_bytes_retrans + info->tcpi_notsent_bytes,
        };
}

/* What arrives between two questions would count in one answer only: they are asked until nothing has. */
static struct hot__touch look(int fd, struct tcp_info *ret)
{
        int before, after = -1;

        do {
                before = after;
                if (!ask_tcp(fd, ret) || ioctl(fd, SIOCINQ, &after) < 0)
                        return (struct hot__touch){.known = false};
        } while (after != before);
        return touch_of(ret, after);
}

static void look_at(const struct hot__touching *connections, size_t n)
{
        struct pollfd fds[LOOK_AT];
        struct tcp_info info;
        int r;

        for (size_t i = 0; i < n; i++) {
                int fd = connections[i].fd;

                fds[i] = (struct pollfd){.fd = fd, .events = POLLIN};
                *connections[i].touch = ask_tcp(fd, &info) ? touch_of(&info, 0)
                                                           : (struct hot__touch){.known = false};
        }
        r = poll(fds, n, 0);
        for (size_t i = 0; r != 0 && i < n; i++)
                if (r < 0 || fds[i].revents)
                        *connections[i].touch = look(connections[i].fd, &info);
}

void hot__touch_many(const struct hot__touching *connections, size_t n)
{
        for (size_t at = 0; at < n; at += LOOK_AT)
                look_at(connections + at, n - at < LOOK_AT ? n - at : LOOK_AT);
}

/* The peer's end counts as one byte received, and is not among those that wait. */
bool hot__touch_is_same(int fd, const struct hot__touch *before)
{
        struct tcp_info info;
        struct hot__touch now = look(fd, &info);

        if (!before->known || !now.known || now.written != before->written)
                return false;
        return now.read == before->read ||
               (info.tcpi_state == STATE_CLOSE_WAIT && now.read == before->read + 1);
}
