/* SPDX-License-Identifier: MIT */
#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "fd.h"

/*
 * The channel between two generations, and the only door to sendmsg(2) and recvmsg(2).
 *
 * What it leans on:
 *   - SOCK_SEQPACKET delivers a message whole, alone, and with exactly its own descriptors; SOCK_STREAM
 *     would merge earlier bytes with a read that carries descriptors.
 *   - A message that is read short still delivers its descriptors, and one whose descriptors do not all
 *     fit (RLIMIT_NOFILE, a security module) is delivered with some of them and MSG_CTRUNC. So whatever
 *     arrived is taken into the message first, and judged after that: an error then closes it all.
 *   - Padding lets the kernel put more descriptors into a control buffer than it was sized for, so they
 *     are counted, never assumed.
 *   - With SO_PASSCRED every message carries SCM_CREDENTIALS of its sender. SO_PEERCRED would name who
 *     made the pair, at both ends.
 *   - A message of no bytes reads like end of file, except that it has control data. We send none.
 */

/* Since Linux 6.5; not in the C library's headers yet. */
#define SCM_PIDFD_TYPE 0x04

/* One more than we take, so that the kernel's own maximum is refused by count and not as truncated. */
#define RECEIVED_FDS_MAX 253

union send_control {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * HOT__MESSAGE_FDS)];
};

union receive_control {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int) * RECEIVED_FDS_MAX)];
};

struct hot__pending {
        struct hot__pending *next;
        size_t len;
        size_t n_fds;
        uint8_t *bytes; /* in the same allocation, behind fds */
        int fds[];      /* owned */
};

static int enable(int fd, int option)
{
        const int on = 1;

        return setsockopt(fd, SOL_SOCKET, option, &on, sizeof(on)) < 0 ? -errno : 0;
}

int hot__channel_pair(struct hot__channel *ret_ours, int *ret_theirs)
{
        CLEANUP(hot__fd_closep) int ours = -EBADF;
        CLEANUP(hot__fd_closep) int theirs = -EBADF;
        int pair[2], r;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
                return -errno;
        ours = hot__fd_take_above_stdio(pair[0]);
        theirs = hot__fd_take_above_stdio(pair[1]);
        if (ours < 0 || theirs < 0)
                return ours < 0 ? ours : theirs;
        /* On both ends now, before the first message: one sent earlier would have no credentials. */
        r = enable(ours, SO_PASSCRED);
        if (r == 0)
                r = enable(theirs, SO_PASSCRED);
        if (r < 0)
                return r;
        *ret_ours = (struct hot__channel){.fd = hot__fd_take(&ours)};
        *ret_theirs = hot__fd_take(&theirs);
        return 0;
}

static int get_option(int fd, int option)
{
        int value;
        socklen_t len = sizeof(value);

        return getsockopt(fd, SOL_SOCKET, option, &value, &len) < 0 ? -errno : value;
}

/* Asks only: what is not our channel must be left as it was. */
static int verify_inherited(int fd, uid_t uid)
{
        struct sockaddr_storage peer;
        socklen_t peer_len = sizeof(peer);
        struct ucred cred;
        socklen_t cred_len = sizeof(cred);
        int domain, type;

        domain = get_option(fd, SO_DOMAIN);
        if (domain < 0)
                return domain;
        type = get_option(fd, SO_TYPE);
        if (type < 0)
                return type;
        if (domain != AF_UNIX || type != SOCK_SEQPACKET)
                return -EPROTOTYPE;
        if (getpeername(fd, (struct sockaddr *)&peer, &peer_len) < 0)
                return -errno;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &cred_len) < 0)
                return -errno;
        return cred.uid == uid ? 0 : -EPERM;
}

static int set_nonblocking(int fd)
{
        int flags = fcntl(fd, F_GETFL);

        if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
                return -errno;
        return 0;
}

int hot__channel_init_inherited(struct hot__channel *ret, int fd, uid_t uid)
{
        int r = verify_inherited(fd, uid);

        if (r == 0)
                r = set_nonblocking(fd);
        if (r == 0)
                r = enable(fd, SO_PASSCRED);
        if (r == 0)
                r = hot__fd_set_cloexec(fd, true);
        if (r == 0)
                *ret = (struct hot__channel){.fd = fd};
        return r;
}

/* Sending */

static int send_now(int fd, const struct msghdr *plain, const int *fds, size_t n_fds)
{
        struct msghdr header = *plain;
        union send_control control;
        ssize_t n;

        if (n_fds > 0) {
                memset(&control, 0, sizeof(control));
                header.msg_control = &control;
                header.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
                control.align.cmsg_level = SOL_SOCKET;
                control.align.cmsg_type = SCM_RIGHTS;
                control.align.cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
                memcpy(CMSG_DATA(&control.align), fds, sizeof(int) * n_fds);
        }
        /* A peer that died with unread frames is ECONNRESET once, and EPIPE from then on. */
        do
                n = sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
        while (n < 0 && (errno == EINTR || errno == ECONNRESET));
        return n < 0 ? -errno : 0;
}

static int send_message(int fd, const void *bytes, size_t len, const int *fds, size_t n_fds)
{
        struct iovec iov = {.iov_len = len};
        const struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};

        memcpy(&iov.iov_base, &bytes, sizeof(bytes)); /* sendmsg() reads only */
        return send_now(fd, &header, fds, n_fds);
}

static void pending_free(struct hot__pending *pending)
{
        for (size_t i = 0; i < pending->n_fds; i++)
                hot__fd_close(pending->fds[i]);
        free(pending);
}

static int pending_new(const void *bytes, size_t len, const int *fds, size_t n_fds,
                       struct hot__pending **ret)
{
        struct hot__pending *pending = malloc(sizeof(*pending) + n_fds * sizeof(int) + len);

        if (!pending)
                return -ENOMEM;
        *pending = (struct hot__pending){.len = len};
        pending->bytes = (uint8_t *)(pending->fds + n_fds);
        memcpy(pending->bytes, bytes, len);
        for (; pending->n_fds < n_fds; pending->n_fds++) {
                int copy = fcntl(fds[pending->n_fds], F_DUPFD_CLOEXEC, 3);

                if (copy < 0) {
                        int r = -errno;

                        pending_free(pending);
                        return r;
                }
                pending->fds[pending->n_fds] = copy;
        }
        *ret = pending;
        return 0;
}

static int enqueue(struct hot__channel *channel, const void *bytes, size_t len, const int *fds,
                   size_t n_fds)
{
        struct hot__pending *pending = NULL;
        int r = pending_new(bytes, len, fds, n_fds, &pending);

        if (r < 0)
                return r;
        if (channel->last)
                channel->last->next = pending;
        else
                channel->first = pending;
        channel->last = pending;
        return 0;
}

static void drop_first(struct hot__channel *channel)
{
        struct hot__pending *first = channel->first;

        channel->first = first->next;
        if (!channel->first)
                channel->last = NULL;
        pending_free(first);
}

int hot__channel_flush(struct hot__channel *channel)
{
        while (channel->first) {
                const struct hot__pending *first = channel->first;
                int r = send_message(channel->fd, first->bytes, first->len, first->fds,
                                     first->n_fds);

                if (r == -EAGAIN)
                        return 1;
                if (r < 0)
                        return r;
                drop_first(channel);
        }
        return 0;
}

int hot__channel_send(struct hot__channel *channel, const void *bytes, size_t len, const int *fds,
                      size_t n_fds)
{
        int r;

        if (len == 0 || n_fds > HOT__MESSAGE_FDS)
                return -EINVAL;
        if (len > HOT__FRAME_MAX)
                return -EMSGSIZE;
        r = hot__channel_flush(channel);
        if (r == 0)
                r = send_message(channel->fd, bytes, len, fds, n_fds);
        if (r == 1 || r == -EAGAIN)
                r = enqueue(channel, bytes, len, fds, n_fds);
        return r;
}

int hot__datagram_send(const struct sockaddr *address, socklen_t address_len, const void *bytes,
                       size_t len, const int *fds, size_t n_fds)
{
        CLEANUP(hot__fd_closep) int fd = -EBADF;
        struct sockaddr_storage to;
        struct iovec iov = {.iov_len = len};
        const struct msghdr header = {
                .msg_name = &to, .msg_namelen = address_len, .msg_iov = &iov, .msg_iovlen = 1};

        if (len == 0 || n_fds > HOT__MESSAGE_FDS || address_len > sizeof(to))
                return -EINVAL;
        memcpy(&to, address, address_len);
        memcpy(&iov.iov_base, &bytes, sizeof(bytes));
        fd = socket(address->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        return send_now(fd, &header, fds, n_fds);
}

/* Receiving */

/* Take a descriptor that has just arrived. It is the message's, or it is closed. */
static int take_fd(struct hot__message *message, int fd)
{
        if (message->n_fds == HOT__MESSAGE_FDS) {
                hot__fd_close(fd);
                return -EPROTO;
        }
        fd = hot__fd_take_above_stdio(fd);
        if (fd < 0)
                return fd;
        message->fds[message->n_fds++] = fd;
        return 0;
}

/* Every descriptor is taken, also after an error: the first error is the result. */
static int take_rights(struct hot__message *message, const struct cmsghdr *cmsg)
{
        size_t n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        int fd, r, first = 0;

        for (size_t i = 0; i < n; i++) {
                memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(fd), sizeof(fd));
                r = take_fd(message, fd);
                if (first == 0)
                        first = r;
        }
        return first;
}

static int take_control(struct hot__message *message, struct msghdr *header)
{
        bool has_sender = false;
        int fd, r, first = 0;

        for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(header); cmsg; cmsg = CMSG_NXTHDR(header, cmsg)) {
                if (cmsg->cmsg_level != SOL_SOCKET)
                        continue;
                if (cmsg->cmsg_type == SCM_RIGHTS) {
                        r = take_rights(message, cmsg);
                        if (first == 0)
                                first = r;
                } else if (cmsg->cmsg_type == SCM_CREDENTIALS &&
                           cmsg->cmsg_len == CMSG_LEN(sizeof(struct ucred))) {
                        struct ucred sender;

                        memcpy(&sender, CMSG_DATA(cmsg), sizeof(sender));
                        message->pid = sender.pid;
                        message->uid = sender.uid;
                        has_sender = true;
                } else if (cmsg->cmsg_type == SCM_PIDFD_TYPE &&
                           cmsg->cmsg_len == CMSG_LEN(sizeof(fd))) {
                        /* A descriptor like any other: who made the socket may have asked for it. */
                        memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
                        hot__fd_close(fd);
                }
        }
        if (first == 0 && !has_sender)
                first = -EPROTO;
        return first;
}

/* What has arrived is in @message already. */
static int judge(const struct hot__message *message, const struct msghdr *header, int control)
{
        if (header->msg_flags & MSG_CTRUNC)
                return -ECHRNG;
        if (header->msg_flags & MSG_TRUNC)
                return -EXFULL;
        if (control < 0)
                return control;
        return message->len > 0 ? HOT__RECEIVED_MESSAGE : -EPROTO;
}

int hot__channel_receive(struct hot__channel *channel, struct hot__message *message)
{
        union receive_control control;
        struct iovec iov = {.iov_base = message->bytes, .iov_len = sizeof(message->bytes)};
        struct msghdr header;
        ssize_t n;
        int r;

        message->len = message->n_fds = 0;
        message->pid = 0;
        message->uid = (uid_t)-1;
        do {
                header = (struct msghdr){.msg_iov = &iov,
                                         .msg_iovlen = 1,
                                         .msg_control = &control,
                                         .msg_controllen = sizeof(control)};
                n = recvmsg(channel->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        } while (n < 0 && (errno == EINTR || errno == ECONNRESET));
        if (n < 0)
                return errno == EAGAIN ? HOT__RECEIVED_NOTHING : -errno;
        if (n == 0 && header.msg_controllen == 0)
                return HOT__RECEIVED_EOF;
        message->len = (size_t)n;
        r = take_control(message, &header);
        r = judge(message, &header, r);
        if (r < 0)
                hot__message_done(message);
        return r;
}

int hot__message_steal_fd(struct hot__message *message, size_t index)
{
        return index < message->n_fds ? hot__fd_take(&message->fds[index]) : -EBADF;
}

void hot__message_done(struct hot__message *message)
{
        for (size_t i = 0; i < message->n_fds; i++)
                hot__fd_close(message->fds[i]);
        message->n_fds = 0;
}

void hot__channel_done(struct hot__channel *channel)
{
        while (channel->first)
                drop_first(channel);
        channel->fd = hot__fd_close(channel->fd);
}
