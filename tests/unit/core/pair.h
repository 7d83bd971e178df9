/* SPDX-License-Identifier: MIT */
#ifndef TEST_PAIR_H
#define TEST_PAIR_H

/*
 * Two ends of a channel, and what tests of it do again and again.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "channel.h"
#include "fdcheck.h"

static struct hot__channel ours, theirs;
static struct hot__message message;

static int open_pair(void **state)
{
        int fd;

        (void)state;
        assert_int_equal(hot__channel_pair(&ours, &fd), 0);
        assert_int_equal(hot__channel_init_inherited(&theirs, fd, getuid()), 0);
        return 0;
}

static int close_pair(void **state)
{
        (void)state;
        hot__channel_done(&ours);
        hot__channel_done(&theirs);
        return 0;
}

/* What another program might send, past all checks of ours. */
static ssize_t send_raw(int fd, const void *bytes, size_t len, const int *fds, size_t n_fds)
{
        _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * 254)] = {0};
        struct cmsghdr *cmsg = (struct cmsghdr *)control;
        char copy[HOT__FRAME_MAX + 1];
        struct iovec iov = {.iov_base = copy, .iov_len = len};
        struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};

        assert_true(len <= sizeof(copy));
        memcpy(copy, bytes, len);
        if (n_fds > 0) {
                *cmsg = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int) * n_fds),
                                         .cmsg_level = SOL_SOCKET,
                                         .cmsg_type = SCM_RIGHTS};
                memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * n_fds);
                header.msg_control = control;
                header.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
        }
        return sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void fill_fds(int *fds, size_t n, int fd)
{
        for (size_t i = 0; i < n; i++)
                fds[i] = fd;
}

/* From now on only @n more descriptors can be opened. */
static void limit_fds(unsigned int n, struct rlimit *ret_saved)
{
        struct rlimit limit;
        int held[64];

        assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
        *ret_saved = limit;
        assert_true(n < 64);
        for (unsigned int i = 0; i <= n; i++)
                assert_true((held[i] = fcntl(ours.fd, F_DUPFD_CLOEXEC, 0)) >= 0);
        limit.rlim_cur = (rlim_t)held[n]; /* the lowest n free numbers are below */
        for (unsigned int i = 0; i <= n; i++)
                close(held[i]);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void restore_limit(const struct rlimit *saved)
{
        assert_int_equal(setrlimit(RLIMIT_NOFILE, saved), 0);
}

static void assert_received(const char *bytes, size_t n_fds)
{
        assert_int_equal(hot__channel_receive(&theirs, &message), HOT__RECEIVED_MESSAGE);
        assert_int_equal(message.len, strlen(bytes));
        assert_memory_equal(message.bytes, bytes, message.len);
        assert_int_equal(message.n_fds, n_fds);
}

static void assert_received_nothing(void)
{
        assert_int_equal(hot__channel_receive(&theirs, &message), HOT__RECEIVED_NOTHING);
}

#define channel_test(function) hot_test_with(function, open_pair, close_pair)

#endif
