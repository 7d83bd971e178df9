/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sigpipe.h"
#include "socket.h"

void hot__socket_spare_stdio(void)
{
        int fd;

        do
                fd = open("/dev/null", O_RDWR);
        while (fd >= 0 && fd <= 2);
        if (fd >= 0)
                close(fd);
}

bool hot__socket_has_kernel_tls(void)
{
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int r;

        if (fd < 0)
                return false;
        r = setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", 3);
        r = r < 0 ? errno : 0;
        close(fd);
        return r == ENOTCONN;
}

int hot__socket_dup(int fd)
{
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

        return copy < 0 ? -errno : copy;
}

bool hot__socket_is_stream(int fd)
{
        int type = 0;
        socklen_t len = sizeof(type);

        return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM;
}

int hot__socket_accept(int listener, struct sockaddr_storage *ret_peer)
{
        socklen_t len = sizeof(*ret_peer);
        int fd;

        ret_peer->ss_family = AF_UNSPEC; /* may stay so: not every family has names */
        fd = accept4(listener, (struct sockaddr *)ret_peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0)
                return -errno;
        return fd;
}

void hot__socket_no_delay(int fd)
{
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

void hot__socket_ack_with_answer(int listener)
{
        setsockopt(listener, IPPROTO_TCP, TCP_QUICKACK, &(int){0}, sizeof(int));
}

ssize_t hot__socket_read(int fd, void *buffer, size_t size)
{
        ssize_t n;

        do
                n = recv(fd, buffer, size, 0);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : n;
}

bool hot__socket_has_input(int fd)
{
        char byte;

        return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

bool hot__socket_is_writable(int fd)
{
        struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};

        return poll(&poll_fd, 1, 0) == 1;
}

ssize_t hot__socket_send(int fd, const void *data, size_t len, bool more)
{
        ssize_t n;

        do
                n = send(fd, data, len, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : n;
}

ssize_t hot__socket_read_file(int fd, void *buffer, size_t size, off_t *offset)
{
        ssize_t n;

        do
                n = offset ? pread(fd, buffer, size, *offset) : read(fd, buffer, size);
        while (n < 0 && errno == EINTR);
        if (n > 0 && offset)
                *offset += n;
        return n < 0 ? -errno : n;
}

ssize_t hot__socket_send_file(int fd, int file, off_t *offset, size_t len)
{
        struct hot__sigpipe sigpipe;
        ssize_t n;

        hot__sigpipe_hold(&sigpipe);
        do
                n = sendfile(fd, file, offset, len);
        while (n < 0 && errno == EINTR);
        n = n < 0 ? -errno : n;
        hot__sigpipe_let_go(&sigpipe);
        return n;
}

void hot__socket_write_file(int fd, const void *data, size_t len)
{
        const char *at = data;
        struct hot__sigpipe sigpipe;
        ssize_t n = 0;

        hot__sigpipe_hold(&sigpipe);
        while (len > 0 && ((n = write(fd, at, len)) > 0 || (n < 0 && errno == EINTR))) {
                at += n > 0 ? n : 0;
                len -= n > 0 ? (size_t)n : 0;
        }
        hot__sigpipe_let_go(&sigpipe);
}

int hot__socket_seal(int fd)
{
        return fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0 ? -errno : 0;
}

void hot__socket_unblock(int fd)
{
        int flags = fcntl(fd, F_GETFL);

        if (flags >= 0 && !(flags & O_NONBLOCK))
                fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

void hot__socket_half_close(int fd)
{
        shutdown(fd, SHUT_WR);
}

void hot__socket_shut(int fd)
{
        shutdown(fd, SHUT_RDWR);
}

int hot__socket_close(int fd)
{
        if (fd >= 0)
                close(fd);
        return -EBADF;
}
