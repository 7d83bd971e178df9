/* SPDX-License-Identifier: MIT */
/*
 * TCP_INFO of a listening socket has its backlog in tcpi_sacked (and its queue in tcpi_unacked); nothing
 * but sock_diag tells a UNIX socket's, so there the backlog that was asked for has to do. listen(2) on a
 * listening socket changes the backlog and nothing else.
 *
 * TCP_DEFER_ACCEPT is kept as a number of retransmissions and told in seconds again: what is read can be
 * written back. SO_RCVBUF and SO_SNDBUF are doubled when they are written.
 */
#include "tuning.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

/* Which sockets have an option. */
enum whose {
        EVERY,
        INTERNET,
        INTERNET_6,
        TCP,
};

struct option {
        enum hot__setting setting;
        enum whose whose;
        int level, name;
};

static const struct option before_bind[] = {
        {HOT__SETTING_REUSEPORT, INTERNET, SOL_SOCKET, SO_REUSEPORT},
        {HOT__SETTING_V6ONLY, INTERNET_6, IPPROTO_IPV6, IPV6_V6ONLY},
        {HOT__SETTING_FREEBIND, INTERNET, IPPROTO_IP, IP_FREEBIND},
        {HOT__SETTING_TRANSPARENT, INTERNET, IPPROTO_IP, IP_TRANSPARENT},
        {HOT__SETTING_RCVBUF, EVERY, SOL_SOCKET, SO_RCVBUF},
        {HOT__SETTING_SNDBUF, EVERY, SOL_SOCKET, SO_SNDBUF},
};

/* What can change while it listens, and is remembered. */
static const struct option tuned[HOT__N_TUNED] = {
        {HOT__SETTING_REUSEPORT, INTERNET, SOL_SOCKET, SO_REUSEPORT},
        {HOT__SETTING_RCVBUF, EVERY, SOL_SOCKET, SO_RCVBUF},
        {HOT__SETTING_SNDBUF, EVERY, SOL_SOCKET, SO_SNDBUF},
        {HOT__SETTING_KEEPALIVE, TCP, SOL_SOCKET, SO_KEEPALIVE},
        {HOT__SETTING_NODELAY, TCP, IPPROTO_TCP, TCP_NODELAY},
        {HOT__SETTING_FASTOPEN, TCP, IPPROTO_TCP, TCP_FASTOPEN},
        {HOT__SETTING_DEFER_ACCEPT, TCP, IPPROTO_TCP, TCP_DEFER_ACCEPT},
};

static int get_int(int fd, int level, int name, int *ret)
{
        socklen_t len = sizeof(*ret);

        return getsockopt(fd, level, name, ret, &len) < 0 ? -errno : 0;
}

static int set_int(int fd, int level, int name, int value)
{
        return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

static bool has(int fd, enum whose whose)
{
        int domain = 0, protocol = 0;

        if (whose == EVERY)
                return true;
        get_int(fd, SOL_SOCKET, SO_DOMAIN, &domain);
        get_int(fd, SOL_SOCKET, SO_PROTOCOL, &protocol);
        if (domain != AF_INET && domain != AF_INET6)
                return false;
        if (whose == INTERNET_6)
                return domain == AF_INET6;
        return whose == INTERNET || protocol == IPPROTO_TCP;
}

static bool is_buffer(const struct option *option)
{
        return option->level == SOL_SOCKET &&
               (option->name == SO_RCVBUF || option->name == SO_SNDBUF);
}

/* For reuseport the number is of members; the option is on or off. */
static int value_of(const struct hot__settings *settings, const struct option *option)
{
        if (option->setting == HOT__SETTING_REUSEPORT)
                return 1;
        return (int)hot__settings_number(settings, option->setting, 0);
}

static int bind_to_device(int fd, const char *device)
{
        if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device) + 1) < 0)
                return -errno;
        return 0;
}

int hot__tuning_before_bind(int fd, const struct hot__settings *settings)
{
        for (size_t i = 0; i < sizeof(before_bind) / sizeof(before_bind[0]); i++) {
                const struct option *option = &before_bind[i];
                int r;

                if (!hot__settings_has(settings, option->setting) || !has(fd, option->whose))
                        continue;
                r = set_int(fd, option->level, option->name, value_of(settings, option));
                if (r < 0)
                        return r;
        }
        if (hot__settings_has(settings, HOT__SETTING_DEVICE))
                return bind_to_device(fd, hot__settings_text(settings, HOT__SETTING_DEVICE));
        return 0;
}

/* The kernel's word of a buffer is twice what it was told. */
static int set_tuned(int fd, const struct option *option, int value)
{
        int now = 0;

        if (get_int(fd, option->level, option->name, &now) == 0 && now == value)
                return 0;
        return set_int(fd, option->level, option->name, value);
}

int hot__tuning_before_listen(int fd, const struct hot__settings *settings)
{
        for (size_t i = 0; i < HOT__N_TUNED; i++) {
                int r;

                if (!hot__settings_has(settings, tuned[i].setting) || !has(fd, tuned[i].whose) ||
                    is_buffer(&tuned[i]))
                        continue;
                r = set_tuned(fd, &tuned[i], value_of(settings, &tuned[i]));
                if (r < 0)
                        return r;
        }
        return 0;
}

/* listen(2) cuts the backlog to net.core.somaxconn of our network namespace, so asking for more than
 * anybody configures gives exactly that. */
int hot__tuning_backlog(const struct hot__settings *settings)
{
        return (int)hot__settings_number(settings, HOT__SETTING_BACKLOG, INT_MAX);
}

static bool listens(int fd)
{
        int value = 0;

        return get_int(fd, SOL_SOCKET, SO_ACCEPTCONN, &value) == 0 && value;
}

/* -1 where the kernel does not tell. */
static int backlog_of(int fd)
{
        struct tcp_info info = {0};
        socklen_t len = sizeof(info);

        if (!has(fd, TCP) || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
                return -1;
        return (int)info.tcpi_sacked;
}

int hot__tuning_apply(int fd, const struct hot__settings *settings, bool keep)
{
        int first = 0, r;

        for (size_t i = 0; i < HOT__N_TUNED; i++) {
                bool given = hot__settings_has(settings, tuned[i].setting);

                if (!has(fd, tuned[i].whose) ||
                    (!given &&
                     (keep || is_buffer(&tuned[i]) || tuned[i].setting == HOT__SETTING_REUSEPORT)))
                        continue;
                r = set_tuned(fd, &tuned[i], given ? value_of(settings, &tuned[i]) : 0);
                first = first < 0 ? first : r;
        }
        if (listens(fd) && (!keep || hot__settings_has(settings, HOT__SETTING_BACKLOG)) &&
            listen(fd, hot__tuning_backlog(settings)) < 0 && first == 0)
                first = -errno;
        return first;
}

static int filter_of(int fd)
{
        socklen_t len = 0;

        if (getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, NULL, &len) < 0)
                return -1;
        return (int)len;
}

void hot__tuning_capture(int fd, const struct hot__settings *settings, struct hot__tuning *ret)
{
        struct hot__tuning tuning = {.known = true, .backlog = -1, .filter = filter_of(fd)};

        tuning.flags = fcntl(fd, F_GETFL);
        if (listens(fd)) {
                tuning.backlog = backlog_of(fd);
                if (tuning.backlog < 0)
                        tuning.backlog = hot__tuning_backlog(settings);
        }
        for (size_t i = 0; i < HOT__N_TUNED; i++)
                if (has(fd, tuned[i].whose) &&
                    get_int(fd, tuned[i].level, tuned[i].name, &tuning.values[i]) == 0)
                        tuning.has |= 1U << i;
        *ret = tuning;
}

void hot__tuning_restore(int fd, const struct hot__tuning *tuning)
{
        int off = 0;

        if (!tuning->known)
                return;
        if (tuning->flags >= 0 && fcntl(fd, F_GETFL) != tuning->flags)
                (void)fcntl(fd, F_SETFL, tuning->flags);
        if (tuning->filter == 0 && filter_of(fd) > 0)
                (void)setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &off, sizeof(off));
        for (size_t i = 0; i < HOT__N_TUNED; i++) {
                int now = 0, value = tuning->values[i];

                if (!(tuning->has & 1U << i) ||
                    get_int(fd, tuned[i].level, tuned[i].name, &now) < 0 || now == value)
                        continue;
                (void)set_int(fd, tuned[i].level, tuned[i].name,
                              is_buffer(&tuned[i]) ? value / 2 : value);
        }
        if (tuning->backlog >= 0 && backlog_of(fd) != tuning->backlog)
                (void)listen(fd, tuning->backlog);
}
