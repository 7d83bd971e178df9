/* SPDX-License-Identifier: MIT */
/*
 * Descriptors in messages (SCM_RIGHTS), and everything the kernel may do to them. Each test runs under
 * fdcheck, so "closes what it rejects" is part of every one of them.
 */
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "fd.h"
#include "pair.h"

static void assert_same_file(int a, int b)
{
        struct stat sa, sb;

        assert_int_equal(fstat(a, &sa), 0);
        assert_int_equal(fstat(b, &sb), 0);
        assert_int_equal(sa.st_dev, sb.st_dev);
        assert_int_equal(sa.st_ino, sb.st_ino);
}

static void test_messages_keep_their_order_and_their_own_descriptors(void **state)
{
        int pipe_fds[2];

        (void)state;
        assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
        assert_int_equal(hot__channel_send(&ours, "first", 5, NULL, 0), 0);
        assert_int_equal(hot__channel_send(&ours, "second", 6, pipe_fds, 2), 0);
        assert_int_equal(hot__channel_send(&ours, "third", 5, NULL, 0), 0);
        assert_received("first", 0);
        assert_received("second", 2);
        for (int i = 0; i < 2; i++) {
                assert_same_file(message.fds[i], pipe_fds[i]);
                assert_int_equal(fcntl(message.fds[i], F_GETFL), fcntl(pipe_fds[i], F_GETFL));
                assert_int_equal(fcntl(message.fds[i], F_GETFD), FD_CLOEXEC);
        }
        hot__message_done(&message);
        assert_received("third", 0);
        assert_received_nothing();
        close(pipe_fds[0]);
        close(pipe_fds[1]);
}

static void test_a_stolen_descriptor_is_no_longer_the_messages(void **state)
{
        int fds[2] = {theirs.fd, theirs.fd}, stolen;

        (void)state;
        assert_int_equal(hot__channel_send(&ours, "x", 1, fds, 2), 0);
        assert_received("x", 2);
        stolen = hot__message_steal_fd(&message, 1);
        assert_true(stolen > 2);
        assert_int_equal(hot__message_steal_fd(&message, 1), -EBADF);
        assert_int_equal(hot__message_steal_fd(&message, 2), -EBADF);
        hot__message_done(&message);
        hot__message_done(&message);
        assert_true(hot__fd_is_open(stolen));
        close(stolen);
}

static void test_received_descriptors_stay_out_of_stdio(void **state)
{
        int saved = fcntl(0, F_DUPFD_CLOEXEC, 3), flags = fcntl(0, F_GETFD), got;

        (void)state;
        assert_true(saved > 2);
        assert_int_equal(hot__channel_send(&ours, "x", 1, &saved, 1), 0);
        close(0);
        got = hot__channel_receive(&theirs, &message);
        assert_false(hot__fd_is_open(0));
        assert_int_equal(dup2(saved, 0), 0);
        assert_int_equal(fcntl(0, F_SETFD, flags), 0);
        assert_int_equal(got, HOT__RECEIVED_MESSAGE);
        assert_true(message.fds[0] > 2);
        assert_int_equal(fcntl(message.fds[0], F_GETFD), FD_CLOEXEC);
        hot__message_done(&message);
        close(saved);
}

static void test_252_descriptors_pass_and_253_are_refused(void **state)
{
        int fds[HOT__MESSAGE_FDS + 1];

        (void)state;
        fill_fds(fds, HOT__MESSAGE_FDS + 1, ours.fd);
        assert_int_equal(hot__channel_send(&ours, "x", 1, fds, HOT__MESSAGE_FDS + 1), -EINVAL);
        assert_received_nothing();
        assert_int_equal(hot__channel_send(&ours, "x", 1, fds, HOT__MESSAGE_FDS), 0);
        assert_received("x", HOT__MESSAGE_FDS);
        hot__message_done(&message);
}

/* Messages that are refused */

static void test_more_descriptors_than_we_take_are_all_closed(void **state)
{
        int fds[254];

        (void)state;
        fill_fds(fds, 254, ours.fd);
        assert_int_equal(send_raw(ours.fd, "x", 1, fds, 254), -1);
        assert_int_equal(errno, EINVAL);
        assert_int_equal(send_raw(ours.fd, "x", 1, fds, 253), 1);
        assert_int_equal(hot__channel_receive(&theirs, &message), -EPROTO);
        assert_int_equal(message.n_fds, 0);
        assert_received_nothing();
}

static void test_a_truncated_message_loses_its_descriptors_too(void **state)
{
        static const uint8_t bytes[HOT__FRAME_MAX + 1];
        int fds[2] = {ours.fd, theirs.fd};

        (void)state;
        assert_int_equal(send_raw(ours.fd, bytes, sizeof(bytes), fds, 2), sizeof(bytes));
        assert_int_equal(hot__channel_receive(&theirs, &message), -EXFULL);
        assert_int_equal(message.n_fds, 0);
        assert_received_nothing();
}

static void test_lost_descriptors_are_an_error_and_the_rest_is_closed(void **state)
{
        struct rlimit saved;
        int fds[3] = {ours.fd, ours.fd, ours.fd}, got;

        (void)state;
        for (unsigned int room = 0; room < 3; room++) {
                assert_int_equal(hot__channel_send(&ours, "x", 1, fds, 3), 0);
                assert_int_equal(hot__channel_send(&ours, "after", 5, NULL, 0), 0);
                limit_fds(room, &saved);
                got = hot__channel_receive(&theirs, &message);
                restore_limit(&saved);
                assert_int_equal(got, -ECHRNG);
                assert_int_equal(message.n_fds, 0);
                assert_received("after", 0);
        }
}

#define SO_PASSPIDFD_NUMBER 76 /* Linux 6.5 */

static void test_a_pidfd_that_was_not_asked_for_is_closed(void **state)
{
        int on = 1;

        (void)state;
        if (setsockopt(theirs.fd, SOL_SOCKET, SO_PASSPIDFD_NUMBER, &on, sizeof(on)) < 0) {
                print_message("skipped: this kernel has no SO_PASSPIDFD\n");
                skip();
        }
        assert_int_equal(hot__channel_send(&ours, "x", 1, &ours.fd, 1), 0);
        assert_received("x", 1);
        hot__message_done(&message);
}

/* Until it fails. Without privileges: the limit does not hold for root. */
static int send_too_many(void)
{
        struct rlimit limit = {.rlim_cur = 128, .rlim_max = 128};
        int fds[100], r = 0;

        fill_fds(fds, 100, ours.fd);
        if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
                return -errno;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
                return -errno;
        for (int i = 0; r == 0 && i < 10; i++)
                r = hot__channel_send(&ours, "x", 1, fds, 100);
        return r;
}

static void test_descriptors_in_flight_count_against_the_senders_limit(void **state)
{
        pid_t child = fork();
        int status;

        (void)state;
        assert_true(child >= 0);
        if (child == 0)
                _exit(-send_too_many());
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), ETOOMANYREFS);
        while (hot__channel_receive(&theirs, &message) == HOT__RECEIVED_MESSAGE)
                hot__message_done(&message);
}

/* What the kernel does with a control buffer for one descriptor: why the channel counts. */

static size_t receive_raw(int fd, size_t control_len, int *ret_flags)
{
        _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
        char byte;
        struct iovec iov = {.iov_base = &byte, .iov_len = 1};
        struct msghdr header = {.msg_iov = &iov,
                                .msg_iovlen = 1,
                                .msg_control = control,
                                .msg_controllen = control_len};
        struct cmsghdr *cmsg = (struct cmsghdr *)control;
        size_t n;
        int got;

        assert_int_equal(recvmsg(fd, &header, MSG_CMSG_CLOEXEC), 1);
        *ret_flags = header.msg_flags;
        if (header.msg_controllen < sizeof(*cmsg))
                return 0;
        assert_int_equal(cmsg->cmsg_type, SCM_RIGHTS);
        n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
                memcpy(&got, CMSG_DATA(cmsg) + i * sizeof(got), sizeof(got));
                assert_int_equal(close(got), 0);
        }
        return n;
}

static void test_the_kernel_puts_two_descriptors_where_one_fits(void **state)
{
        int pair[2], fds[2] = {ours.fd, theirs.fd}, flags;
        size_t padded = (CMSG_SPACE(sizeof(int)) - CMSG_LEN(0)) / sizeof(int);

        (void)state;
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        for (int i = 0; i < 3; i++)
                assert_int_equal(send_raw(pair[0], "x", 1, fds, 2), 1);
        assert_int_equal(receive_raw(pair[1], CMSG_SPACE(sizeof(int)), &flags), padded);
        assert_int_equal(!!(flags & MSG_CTRUNC), padded < 2);
        assert_int_equal(receive_raw(pair[1], CMSG_LEN(sizeof(int)), &flags), 1);
        assert_true(flags & MSG_CTRUNC);
        assert_int_equal(receive_raw(pair[1], 0, &flags), 0);
        assert_true(flags & MSG_CTRUNC);
        close(pair[0]);
        close(pair[1]);
}

static void test_a_stream_merges_what_a_channel_keeps_apart(void **state)
{
        int pair[2];
        char bytes[8];

        (void)state;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        assert_int_equal(send_raw(pair[0], "a", 1, NULL, 0), 1);
        assert_int_equal(send_raw(pair[0], "x", 1, &ours.fd, 1), 1);
        assert_int_equal(recv(pair[1], bytes, sizeof(bytes), MSG_DONTWAIT), 2);
        assert_memory_equal(bytes, "ax", 2);
        close(pair[0]);
        close(pair[1]);

        assert_int_equal(send_raw(ours.fd, "a", 1, NULL, 0), 1);
        assert_int_equal(send_raw(ours.fd, "x", 1, &ours.fd, 1), 1);
        assert_received("a", 0);
        assert_received("x", 1);
        hot__message_done(&message);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                channel_test(test_messages_keep_their_order_and_their_own_descriptors),
                channel_test(test_a_stolen_descriptor_is_no_longer_the_messages),
                channel_test(test_received_descriptors_stay_out_of_stdio),
                channel_test(test_252_descriptors_pass_and_253_are_refused),
                channel_test(test_more_descriptors_than_we_take_are_all_closed),
                channel_test(test_a_truncated_message_loses_its_descriptors_too),
                channel_test(test_lost_descriptors_are_an_error_and_the_rest_is_closed),
                channel_test(test_a_pidfd_that_was_not_asked_for_is_closed),
                channel_test(test_descriptors_in_flight_count_against_the_senders_limit),
                channel_test(test_the_kernel_puts_two_descriptors_where_one_fits),
                channel_test(test_a_stream_merges_what_a_channel_keeps_apart),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
