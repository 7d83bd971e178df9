/* SPDX-License-Identifier: MIT */
/*
 * Every kind of descriptor, on descriptors that the test makes in its own process.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <hotstart/inspect.h>

#include "fdcheck.h"

static struct hot_inspect *read_self(void)
{
        struct hot_inspect *self = NULL;

        assert_int_equal(hot_inspect_read(getpid(), HOT_INSPECT_ADDRESSES, &self), 0);
        return self;
}

static const struct hot_inspect_fd *find(const struct hot_inspect *self, int fd, int kind)
{
        const struct hot_inspect_fd *row = hot_inspect_find(self, fd);
        struct stat st;

        assert_non_null(row);
        assert_int_equal(row->fd, fd);
        assert_int_equal(row->kind, kind);
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(row->inode, st.st_ino);
        assert_int_equal(row->device, st.st_dev);
        assert_int_equal(row->cloexec, (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
        return row;
}

/* What has no address: one descriptor of each kind, with FD_CLOEXEC and without. */
static void test_every_kind_without_address(void **state)
{
        char path[] = "/tmp/hot-inspect-XXXXXX";
        int ends[2], devnull = open("/dev/null", O_WRONLY), file = mkostemp(path, O_CLOEXEC);
        sigset_t signals;
        struct hot_inspect *self;
        const struct hot_inspect_fd *row;

        (void)state;
        sigemptyset(&signals);
        assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
        {
                const struct {
                        int fd, kind, access;
                } cases[] = {
                        {devnull, HOT_INSPECT_CHARACTER, O_WRONLY},
                        {file, HOT_INSPECT_FILE, O_RDWR},
                        {open(path, O_PATH | O_CLOEXEC), HOT_INSPECT_FILE, O_PATH},
                        {open("/", O_RDONLY | O_DIRECTORY), HOT_INSPECT_DIRECTORY, O_RDONLY},
                        {ends[0], HOT_INSPECT_PIPE, O_RDONLY},
                        {ends[1], HOT_INSPECT_PIPE, O_WRONLY},
                        {memfd_create("test", MFD_CLOEXEC), HOT_INSPECT_MEMFD, O_RDWR},
                        {epoll_create1(0), HOT_INSPECT_EPOLL, O_RDWR},
                        {eventfd(0, EFD_CLOEXEC), HOT_INSPECT_EVENTFD, O_RDWR},
                        {timerfd_create(CLOCK_MONOTONIC, 0), HOT_INSPECT_TIMERFD, O_RDWR},
                        {signalfd(-1, &signals, SFD_CLOEXEC), HOT_INSPECT_SIGNALFD, O_RDWR},
                        {inotify_init1(IN_CLOEXEC), HOT_INSPECT_INOTIFY, O_RDONLY},
                        {(int)syscall(SYS_pidfd_open, getpid(), 0), HOT_INSPECT_PIDFD, O_RDWR},
                };
                const size_t n = sizeof(cases) / sizeof(*cases);

                self = read_self();
                for (size_t i = 0; i < n; i++) {
                        row = find(self, cases[i].fd, cases[i].kind);
                        assert_int_equal(row->access, cases[i].access);
                        assert_string_equal(row->local, "");
                        assert_int_equal(row->listening, 0);
                }
                assert_int_equal(find(self, cases[n - 1].fd, HOT_INSPECT_PIDFD)->pid, getpid());
                assert_string_equal(find(self, file, HOT_INSPECT_FILE)->target, path);
                assert_true(find(self, ends[0], HOT_INSPECT_PIPE)->flags & O_NONBLOCK);
                hot_inspect_free(self);
                for (size_t i = 0; i < n; i++)
                        close(cases[i].fd);
        }
        unlink(path);
}

static void test_fifo_with_a_path(void **state)
{
        char directory[] = "/tmp/hot-inspect-XXXXXX", path[64];
        struct hot_inspect *self;
        int fd;

        (void)state;
        assert_non_null(mkdtemp(directory));
        snprintf(path, sizeof(path), "%s/fifo", directory);
        assert_int_equal(mkfifo(path, 0600), 0);
        fd = open(path, O_RDWR | O_CLOEXEC);
        self = read_self();
        assert_string_equal(find(self, fd, HOT_INSPECT_FIFO)->target, path);
        hot_inspect_free(self);
        close(fd);
        unlink(path);
        rmdir(directory);
}

static int bind_loopback(int family, int type, char text[64])
{
        struct sockaddr_in v4 = {.sin_family = AF_INET};
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
        int fd = socket(family, type | SOCK_CLOEXEC, 0);
        socklen_t len = sizeof(v6);

        v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (family == AF_INET) {
                assert_int_equal(bind(fd, (struct sockaddr *)&v4, sizeof(v4)), 0);
                len = sizeof(v4);
                assert_int_equal(getsockname(fd, (struct sockaddr *)&v4, &len), 0);
                snprintf(text, 64, "127.0.0.1:%u", ntohs(v4.sin_port));
                return fd;
        }
        if (bind(fd, (struct sockaddr *)&v6, sizeof(v6)) < 0) {
                close(fd);
                return -EADDRNOTAVAIL;
        }
        assert_int_equal(getsockname(fd, (struct sockaddr *)&v6, &len), 0);
        snprintf(text, 64, "[::1]:%u", ntohs(v6.sin6_port));
        return fd;
}

static int connect_to(int listener)
{
        struct sockaddr_storage address;
        socklen_t len = sizeof(address);
        int fd;

        assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
        fd = socket(address.ss_family, SOCK_STREAM, 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&address, len), 0);
        return fd;
}

/* A listener with its queue, both ends of an accepted connection, and what is unread in one. */
static void test_tcp_listener_and_connection(void **state)
{
        char local[64];
        int listener = bind_loopback(AF_INET, SOCK_STREAM, local), accepted, first, second;
        const struct hot_inspect_fd *row, *other;
        struct hot_inspect *self;

        (void)state;
        assert_int_equal(listen(listener, 7), 0);
        first = connect_to(listener);
        accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        second = connect_to(listener);
        assert_int_equal(send(first, "12345", 5, 0), 5);
        assert_int_equal(poll(&(struct pollfd){accepted, POLLIN, 0}, 1, -1), 1);

        self = read_self();
        row = find(self, listener, HOT_INSPECT_TCP);
        assert_int_equal(row->listening, 1);
        assert_int_equal(row->type, SOCK_STREAM);
        assert_string_equal(row->state, "LISTEN");
        assert_string_equal(row->local, local);
        assert_string_equal(row->peer, "");
        assert_int_equal(row->receive_queue, 1);
        assert_int_equal(row->send_queue, 7);

        row = find(self, accepted, HOT_INSPECT_TCP);
        other = find(self, first, HOT_INSPECT_TCP);
        assert_string_equal(row->state, "ESTABLISHED");
        assert_string_equal(row->local, local);
        assert_string_equal(row->peer, other->local);
        assert_string_equal(other->peer, local);
        assert_int_equal(row->receive_queue, 5);
        assert_int_equal(row->listening, 0);
        hot_inspect_free(self);
        close(first);
        close(second);
        close(accepted);
        close(listener);
}

static void test_tcp6_listener(void **state)
{
        char local[64];
        int listener = bind_loopback(AF_INET6, SOCK_STREAM, local);
        struct hot_inspect *self;

        (void)state;
        if (listener < 0)
                skip(); /* no IPv6 here */
        assert_int_equal(listen(listener, 1), 0);
        self = read_self();
        assert_string_equal(find(self, listener, HOT_INSPECT_TCP)->local, local);
        hot_inspect_free(self);
        close(listener);
}

static void test_udp_socket(void **state)
{
        char local[64];
        int fd = bind_loopback(AF_INET, SOCK_DGRAM, local);
        const struct hot_inspect_fd *row;
        struct hot_inspect *self = read_self();

        (void)state;
        row = find(self, fd, HOT_INSPECT_UDP);
        assert_string_equal(row->local, local);
        assert_string_equal(row->state, "UNCONNECTED");
        assert_int_equal(row->listening, 0);
        hot_inspect_free(self);
        close(fd);
}

static int listen_unix(const char *name, size_t len)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        memcpy(address.sun_path, name, len);
        assert_int_equal(bind(fd, (struct sockaddr *)&address,
                              (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
                         0);
        assert_int_equal(listen(fd, 3), 0);
        return fd;
}

static void test_unix_listeners(void **state)
{
        char directory[] = "/tmp/hot-inspect-XXXXXX", path[64], name[64], expected[80];
        int by_path, abstract;
        const struct hot_inspect_fd *row;
        struct hot_inspect *self;

        (void)state;
        assert_non_null(mkdtemp(directory));
        snprintf(path, sizeof(path), "%s/socket", directory);
        by_path = listen_unix(path, strlen(path) + 1);
        snprintf(name, sizeof(name), "%chot-inspect-%d", 0, getpid());
        abstract = listen_unix(name, 1 + strlen(name + 1));
        snprintf(expected, sizeof(expected), "@%s", name + 1);

        self = read_self();
        row = find(self, by_path, HOT_INSPECT_UNIX);
        assert_string_equal(row->local, path);
        assert_string_equal(row->state, "LISTEN");
        assert_int_equal(row->listening, 1);
        assert_int_equal(row->send_queue, 3);
        assert_string_equal(find(self, abstract, HOT_INSPECT_UNIX)->local, expected);
        hot_inspect_free(self);
        close(by_path);
        close(abstract);
        unlink(path);
        rmdir(directory);
}

/* Each end knows the other by its inode; when that is closed it knows none. */
static void test_unix_pair_knows_its_peer(void **state)
{
        const struct hot_inspect_fd *first, *second;
        struct hot_inspect *self;
        int ends[2];

        (void)state;
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
        self = read_self();
        first = find(self, ends[0], HOT_INSPECT_UNIX);
        second = find(self, ends[1], HOT_INSPECT_UNIX);
        assert_int_equal(first->type, SOCK_SEQPACKET);
        assert_string_equal(first->state, "CONNECTED");
        assert_int_equal(first->peer_inode, second->inode);
        assert_int_equal(second->peer_inode, first->inode);
        hot_inspect_free(self);

        close(ends[1]);
        self = read_self();
        assert_int_equal(find(self, ends[0], HOT_INSPECT_UNIX)->peer_inode, 0);
        hot_inspect_free(self);
        close(ends[0]);
}

/* An epoll tells what it watches by the inode: also when the number means something else by now. */
static void test_epoll_and_what_it_watches(void **state)
{
        char local[64];
        int listener = bind_loopback(AF_INET, SOCK_STREAM, local), copy;
        int epolls[2] = {epoll_create1(EPOLL_CLOEXEC), epoll_create1(EPOLL_CLOEXEC)};
        struct epoll_event event = {.events = EPOLLIN};
        struct hot_inspect *self;
        uint64_t inode;

        (void)state;
        assert_int_equal(listen(listener, 1), 0);
        assert_int_equal(epoll_ctl(epolls[1], EPOLL_CTL_ADD, listener, &event), 0);
        self = read_self();
        inode = find(self, listener, HOT_INSPECT_TCP)->inode;
        assert_int_equal(find(self, epolls[0], HOT_INSPECT_EPOLL)->n_watches, 0);
        assert_int_equal(find(self, epolls[1], HOT_INSPECT_EPOLL)->n_watches, 1);
        assert_int_equal(find(self, epolls[1], HOT_INSPECT_EPOLL)->watches[0].fd, listener);
        assert_int_equal(find(self, epolls[1], HOT_INSPECT_EPOLL)->watches[0].inode, inode);
        assert_int_equal(hot_inspect_watched(self, inode, 0), epolls[1]);
        assert_int_equal(hot_inspect_watched(self, inode, epolls[1] + 1), -ENOENT);
        assert_int_equal(hot_inspect_watched(self, inode + 1, 0), -ENOENT);
        hot_inspect_free(self);

        copy = dup(listener);
        close(listener); /* the copy keeps the open file, and so the stale entry */
        self = read_self();
        assert_null(hot_inspect_find(self, listener));
        assert_int_equal(hot_inspect_watched(self, inode, 0), epolls[1]);
        hot_inspect_free(self);
        close(copy);
        close(epolls[0]);
        close(epolls[1]);
}

static void test_without_addresses_a_socket_is_a_socket(void **state)
{
        char local[64];
        int fd = bind_loopback(AF_INET, SOCK_STREAM, local);
        const struct hot_inspect_fd *row;
        struct hot_inspect *self;

        (void)state;
        assert_int_equal(hot_inspect_read(getpid(), 0, &self), 0);
        row = find(self, fd, HOT_INSPECT_SOCKET);
        assert_string_equal(row->local, "");
        assert_string_equal(row->state, "");
        hot_inspect_free(self);
        close(fd);
}

/* In order, each number once, exactly those that are open: more of them than a first guess has room for. */
static void test_table_is_complete_and_in_order(void **state)
{
        struct hot_inspect *self;
        int fds[200], last = -1;
        size_t n;

        (void)state;
        for (size_t i = 0; i < 200; i++)
                fds[i] = eventfd(0, EFD_CLOEXEC);
        self = read_self();
        n = hot_inspect_count(self);
        assert_null(hot_inspect_at(self, n));
        for (size_t i = 0; i < n; i++) {
                assert_true(hot_inspect_at(self, i)->fd > last);
                last = hot_inspect_at(self, i)->fd;
        }
        for (size_t i = 0; i < 200; i++) {
                find(self, fds[i], HOT_INSPECT_EVENTFD);
                close(fds[i]);
        }
        hot_inspect_free(self);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_every_kind_without_address),
                hot_test(test_fifo_with_a_path),
                hot_test(test_tcp_listener_and_connection),
                hot_test(test_tcp6_listener),
                hot_test(test_udp_socket),
                hot_test(test_unix_listeners),
                hot_test(test_unix_pair_knows_its_peer),
                hot_test(test_epoll_and_what_it_watches),
                hot_test(test_without_addresses_a_socket_is_a_socket),
                hot_test(test_table_is_complete_and_in_order),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
