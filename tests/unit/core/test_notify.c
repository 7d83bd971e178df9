/* SPDX-License-Identifier: MIT */
/* Against a real service manager's end: a bound datagram socket that reads what systemd would. */
#include "notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fdcheck.h"
#include "scratch.h"
#include "sockets.h"

static struct hot__notify notify_at(const char *socket_path)
{
        struct hot__notify notify;

        assert_int_equal(hot__notify_init(&notify, socket_path), 0);
        return notify;
}

static int manage_abstract(const char *name)
{
        struct sockaddr_un un = {.sun_family = AF_UNIX};
        size_t n = strlen(name);
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        memcpy(un.sun_path + 1, name + 1, n - 1);
        assert_int_equal(bind(fd, (const struct sockaddr *)&un,
                              (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)),
                         0);
        return fd;
}

/* One datagram. Returns the descriptor that came with it, or -EBADF. */
static int receive(int manager, const char *expected)
{
        union {
                struct cmsghdr align;
                char bytes[CMSG_SPACE(sizeof(int))];
        } control;
        char text[4096];
        struct iovec iov = {text, sizeof(text) - 1};
        struct msghdr header = {.msg_iov = &iov,
                                .msg_iovlen = 1,
                                .msg_control = &control,
                                .msg_controllen = sizeof(control)};
        ssize_t n = recvmsg(manager, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        const struct cmsghdr *cmsg;
        int fd = -EBADF;

        assert_true(n >= 0);
        assert_int_equal(header.msg_flags & (MSG_TRUNC | MSG_CTRUNC), 0);
        text[n] = '\0';
        assert_string_equal(text, expected);
        cmsg = CMSG_FIRSTHDR(&header);
        if (cmsg) {
                assert_int_equal(cmsg->cmsg_type, SCM_RIGHTS);
                assert_int_equal(cmsg->cmsg_len, CMSG_LEN(sizeof(int)));
                memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
        }
        return fd;
}

static void expect_silence(int manager)
{
        char byte;

        assert_int_equal(recv(manager, &byte, 1, MSG_DONTWAIT), -1);
        assert_int_equal(errno, EAGAIN);
}

static bool hangs_up(int fd)
{
        struct pollfd pollfd = {.fd = fd};

        assert_true(poll(&pollfd, 1, 0) >= 0);
        return pollfd.revents & POLLHUP;
}

static void test_notify_reaches_a_path(void **state)
{
        const char *path = scratch_path("notify");
        int manager = bind_unix(path, SOCK_DGRAM);
        struct hot__notify notify = notify_at(path);

        (void)state;
        assert_int_equal(hot__notify_send(&notify, "READY=1\nSTATUS=serving"), 0);
        assert_int_equal(receive(manager, "READY=1\nSTATUS=serving"), -EBADF);
        assert_int_equal(hot__notify_send(&notify, "STOPPING=1"), 0);
        assert_int_equal(receive(manager, "STOPPING=1"), -EBADF);
        expect_silence(manager);
        close(manager);
}

static void test_notify_reaches_an_abstract_name(void **state)
{
        char name[64];
        struct hot__notify notify;
        int manager;

        (void)state;
        snprintf(name, sizeof(name), "@hotstart-test-notify-%d", getpid());
        manager = manage_abstract(name);
        notify = notify_at(name);
        assert_int_equal(hot__notify_send(&notify, "READY=1"), 0);
        assert_int_equal(receive(manager, "READY=1"), -EBADF);
        close(manager);
        assert_int_equal(hot__notify_send(&notify, "READY=1"), -ECONNREFUSED);
}

static void test_notify_reaches_the_longest_names(void **state)
{
        char name[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];
        int manager;
        struct hot__notify notify;

        (void)state;
        memset(name, 'n', sizeof(name));
        name[sizeof(name) - 1] = '\0'; /* 108 bytes with the '@' */
        name[snprintf(name, sizeof(name), "@hotstart-test-%d", getpid())] = 'n';
        manager = manage_abstract(name);
        notify = notify_at(name);
        assert_int_equal(hot__notify_send(&notify, "READY=1"), 0);
        assert_int_equal(receive(manager, "READY=1"), -EBADF);
        close(manager);

        name[sizeof(name) - 2] = '\0'; /* 107 bytes of a path */
        memcpy(name, scratch_directory(), strlen(scratch_directory()));
        name[strlen(scratch_directory())] = '/';
        manager = bind_unix(name, SOCK_DGRAM);
        notify = notify_at(name);
        assert_int_equal(hot__notify_send(&notify, "READY=1"), 0);
        assert_int_equal(receive(manager, "READY=1"), -EBADF);
        close(manager);
}

static void test_notify_does_nothing_without_a_manager(void **state)
{
        static const char *const none[] = {NULL, ""};
        int fd = -4711;

        (void)state;
        for (size_t i = 0; i < 2; i++) {
                struct hot__notify notify = notify_at(none[i]);

                assert_int_equal(hot__notify_send(&notify, "READY=1"), 0);
                assert_int_equal(hot__notify_barrier(&notify, &fd), 0);
                assert_int_equal(fd, -EBADF);
        }
}

static void test_notify_refuses_what_is_no_address(void **state)
{
        static const char *const bad[] = {"notify", "./notify", "/", "@", "vsock:2:1"};
        struct hot__notify notify, untouched;
        char path[sizeof(notify.address.sun_path) + 2];

        (void)state;
        memset(&notify, 0x5a, sizeof(notify));
        untouched = notify;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                assert_int_equal(hot__notify_init(&notify, bad[i]), -EINVAL);
        memset(path, 'n', sizeof(path));
        path[0] = '@';
        path[sizeof(path) - 1] = '\0'; /* 109 bytes */
        assert_int_equal(hot__notify_init(&notify, path), -EINVAL);
        path[0] = '/';
        path[sizeof(path) - 2] = '\0'; /* 108 bytes, and a zero */
        assert_int_equal(hot__notify_init(&notify, path), -EINVAL);
        assert_memory_equal(&notify, &untouched, sizeof(notify));
}

static void test_notify_says_that_nobody_listens(void **state)
{
        const char *path = scratch_path("notify");
        struct hot__notify notify = notify_at(path);
        int manager, fd = -4711;

        (void)state;
        assert_int_equal(hot__notify_send(&notify, "READY=1"), -ENOENT);
        manager = bind_unix(path, SOCK_DGRAM);
        close(manager);
        assert_int_equal(hot__notify_send(&notify, "READY=1"), -ECONNREFUSED);
        assert_int_equal(hot__notify_barrier(&notify, &fd), -ECONNREFUSED);
        assert_int_equal(fd, -4711);
}

static void test_notify_finds_a_manager_that_came_back(void **state)
{
        const char *path = scratch_path("notify");
        struct hot__notify notify = notify_at(path);
        int manager = bind_unix(path, SOCK_DGRAM);

        (void)state;
        assert_int_equal(hot__notify_send(&notify, "READY=1"), 0);
        close(manager);
        assert_int_equal(unlink(path), 0);
        manager = bind_unix(path, SOCK_DGRAM);
        assert_int_equal(hot__notify_send(&notify, "READY=1"), 0);
        assert_int_equal(receive(manager, "READY=1"), -EBADF);
        close(manager);
}

static void test_notify_says_that_a_message_is_too_long(void **state)
{
        const size_t size = (size_t)16 << 20;
        const char *path = scratch_path("notify");
        struct hot__notify notify = notify_at(path);
        int manager = bind_unix(path, SOCK_DGRAM);
        char *lines = malloc(size);

        (void)state;
        assert_non_null(lines);
        memset(lines, 'x', size);
        lines[size - 1] = '\0';
        assert_int_equal(hot__notify_send(&notify, lines), -EMSGSIZE);
        expect_silence(manager);
        free(lines);
        close(manager);
}

/* Fill the manager's queue. Returns how many messages that took. */
static unsigned int fill(struct hot__notify *notify)
{
        unsigned int sent = 0;
        int r;

        while ((r = hot__notify_send(notify, "WATCHDOG=1")) == HOT__NOTIFY_SENT)
                sent++;
        assert_int_equal(r, HOT__NOTIFY_LATER);
        assert_true(sent > 0);
        return sent;
}

/* A manager that does not read must not stop a server, and hears later what it missed, in order. */
static void test_notify_keeps_what_a_busy_manager_has_no_room_for(void **state)
{
        const char *path = scratch_path("notify");
        struct hot__notify notify = notify_at(path);
        int manager = bind_unix(path, SOCK_DGRAM), fd, theirs;
        unsigned int n = fill(&notify) + 1;

        (void)state;
        assert_int_equal(hot__notify_send(&notify, "MAINPID=1"), HOT__NOTIFY_LATER);
        assert_int_equal(hot__notify_barrier(&notify, &fd), HOT__NOTIFY_LATER);
        assert_int_equal(hot__notify_flush(&notify), HOT__NOTIFY_LATER);
        while (n-- > 0) {
                assert_int_equal(receive(manager, "WATCHDOG=1"), -EBADF);
                hot__notify_flush(&notify);
        }
        assert_false(hangs_up(fd));
        assert_int_equal(hot__notify_flush(&notify), HOT__NOTIFY_SENT);
        assert_int_equal(receive(manager, "MAINPID=1"), -EBADF);
        theirs = receive(manager, "BARRIER=1");
        assert_true(theirs >= 0);
        assert_false(hangs_up(fd));
        close(theirs);
        assert_true(hangs_up(fd));
        close(fd);
        close(manager);
}

static void test_notify_keeps_no_more_than_a_few(void **state)
{
        const char *path = scratch_path("notify");
        struct hot__notify notify = notify_at(path);
        int manager = bind_unix(path, SOCK_DGRAM), r;
        unsigned int kept = 1;

        (void)state;
        fill(&notify);
        while ((r = hot__notify_send(&notify, "READY=1")) == HOT__NOTIFY_LATER)
                kept++;
        assert_int_equal(r, -ENOBUFS);
        assert_in_range(kept, 16, 64);
        hot__notify_done(&notify);
        assert_int_equal(hot__notify_flush(&notify), HOT__NOTIFY_SENT);
        hot__notify_done(&notify);
        close(manager);
}

/* What waited for one that is gone is dropped: it would be news of yesterday. */
static void test_notify_drops_what_nobody_reads(void **state)
{
        const char *path = scratch_path("notify");
        struct hot__notify notify = notify_at(path);
        int manager = bind_unix(path, SOCK_DGRAM), fd;

        (void)state;
        fill(&notify);
        assert_int_equal(hot__notify_barrier(&notify, &fd), HOT__NOTIFY_LATER);
        close(manager);
        assert_int_equal(hot__notify_flush(&notify), HOT__NOTIFY_SENT);
        assert_true(hangs_up(fd));
        close(fd);
}

static void test_notify_barrier_hangs_up_when_the_manager_is_through(void **state)
{
        const char *path = scratch_path("notify");
        struct hot__notify notify = notify_at(path);
        int manager = bind_unix(path, SOCK_DGRAM), fd, theirs;

        (void)state;
        assert_int_equal(hot__notify_send(&notify, "MAINPID=1"), 0);
        assert_int_equal(hot__notify_barrier(&notify, &fd), 0);
        assert_true(fd >= 3);
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
        assert_false(hangs_up(fd)); /* still in the queue */
        assert_int_equal(receive(manager, "MAINPID=1"), -EBADF);
        assert_false(hangs_up(fd));
        theirs = receive(manager, "BARRIER=1");
        assert_true(theirs >= 0);
        assert_false(hangs_up(fd)); /* received, not closed */
        close(theirs);
        assert_true(hangs_up(fd));
        close(fd);
        close(manager);
}

/* Nobody waits for ever: the kernel drops what a dead manager has not read. */
static void test_notify_barrier_hangs_up_when_the_manager_dies(void **state)
{
        const char *path = scratch_path("notify");
        struct hot__notify notify = notify_at(path);
        int manager = bind_unix(path, SOCK_DGRAM), fd;
        struct pollfd pollfd = {0};

        (void)state;
        assert_int_equal(hot__notify_barrier(&notify, &fd), 0);
        close(manager);
        pollfd.fd = fd;
        assert_int_equal(poll(&pollfd, 1, -1), 1);
        assert_true(pollfd.revents & POLLHUP);
        close(fd);
}

static void test_notify_barrier_keeps_its_number_off_stdio(void **state)
{
        const char *path = scratch_path("notify");
        struct hot__notify notify = notify_at(path);
        int manager = bind_unix(path, SOCK_DGRAM), status, fd;
        pid_t pid = fork();

        (void)state;
        if (pid == 0) {
                close(0);
                close(1);
                close(2);
                _exit(hot__notify_barrier(&notify, &fd) == 0 && fd >= 3 && fcntl(0, F_GETFD) < 0 &&
                                      fcntl(1, F_GETFD) < 0 && fcntl(2, F_GETFD) < 0
                              ? 0
                              : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        close(manager);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(test_notify_reaches_a_path),
                scratch_test(test_notify_reaches_an_abstract_name),
                scratch_test(test_notify_reaches_the_longest_names),
                scratch_test(test_notify_does_nothing_without_a_manager),
                scratch_test(test_notify_refuses_what_is_no_address),
                scratch_test(test_notify_says_that_nobody_listens),
                scratch_test(test_notify_finds_a_manager_that_came_back),
                scratch_test(test_notify_says_that_a_message_is_too_long),
                scratch_test(test_notify_keeps_what_a_busy_manager_has_no_room_for),
                scratch_test(test_notify_keeps_no_more_than_a_few),
                scratch_test(test_notify_drops_what_nobody_reads),
                scratch_test(test_notify_barrier_hangs_up_when_the_manager_is_through),
                scratch_test(test_notify_barrier_hangs_up_when_the_manager_dies),
                scratch_test(test_notify_barrier_keeps_its_number_off_stdio),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
