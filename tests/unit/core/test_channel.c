/* SPDX-License-Identifier: MIT */
/*
 * The channel: messages between two ends, their order, their sender and their end; and datagrams. What
 * becomes of descriptors in detail is test_rights.c. Each test runs under fdcheck.
 */
#include <stdlib.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "fd.h"
#include "pair.h"

/* Messages */

static void test_both_ends_are_private_and_do_not_block(void **state)
{
        const int fds[] = {ours.fd, theirs.fd};

        (void)state;
        for (size_t i = 0; i < 2; i++) {
                assert_true(fds[i] > 2);
                assert_int_equal(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
                assert_true(fcntl(fds[i], F_GETFL) & O_NONBLOCK);
        }
        assert_received_nothing();
}

static void test_what_cannot_be_a_message_is_not_sent(void **state)
{
        static uint8_t bytes[HOT__FRAME_MAX + 1];
        int bad = -1;

        (void)state;
        assert_int_equal(hot__channel_send(&ours, bytes, 0, NULL, 0), -EINVAL);
        assert_int_equal(hot__channel_send(&ours, bytes, sizeof(bytes), NULL, 0), -EMSGSIZE);
        assert_int_equal(hot__channel_send(&ours, bytes, 1, &bad, 1), -EBADF);
        assert_received_nothing();
        assert_int_equal(hot__channel_send(&ours, bytes, HOT__FRAME_MAX, NULL, 0), 0);
        assert_int_equal(hot__channel_receive(&theirs, &message), HOT__RECEIVED_MESSAGE);
        assert_int_equal(message.len, HOT__FRAME_MAX);
}

/* Messages that are refused */

static void test_an_empty_message_is_not_the_end(void **state)
{
        int fds[2] = {ours.fd, theirs.fd};

        (void)state;
        assert_int_equal(send_raw(ours.fd, "", 0, NULL, 0), 0);
        assert_int_equal(send_raw(ours.fd, "", 0, fds, 2), 0);
        assert_int_equal(hot__channel_receive(&theirs, &message), -EPROTO);
        assert_int_equal(hot__channel_receive(&theirs, &message), -EPROTO);
        assert_received_nothing();
}

static void test_a_message_without_credentials_is_refused(void **state)
{
        int pair[2], fds[2] = {ours.fd, theirs.fd};
        struct hot__channel bare;

        (void)state;
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        bare = (struct hot__channel){.fd = pair[0]};
        assert_int_equal(send_raw(pair[1], "x", 1, fds, 2), 1);
        assert_int_equal(hot__channel_receive(&bare, &message), -EPROTO);
        assert_int_equal(message.n_fds, 0);
        hot__channel_done(&bare);
        close(pair[1]);
}

/* The end */

static void test_the_end_comes_after_the_last_message_and_stays(void **state)
{
        (void)state;
        assert_int_equal(hot__channel_send(&ours, "last", 4, NULL, 0), 0);
        hot__channel_done(&ours);
        hot__channel_done(&ours);
        assert_received("last", 0);
        assert_int_equal(hot__channel_receive(&theirs, &message), HOT__RECEIVED_EOF);
        assert_int_equal(hot__channel_receive(&theirs, &message), HOT__RECEIVED_EOF);
        assert_int_equal(hot__channel_send(&theirs, "x", 1, NULL, 0), -EPIPE);
}

/* Dies with a frame of theirs in its queue, after it has sent two of its own. */
static void die_with_unread_frames(void)
{
        assert_int_equal(hot__channel_send(&theirs, "never read", 10, NULL, 0), 0);
        assert_int_equal(hot__channel_send(&ours, "one", 3, NULL, 0), 0);
        assert_int_equal(hot__channel_send(&ours, "two", 3, &theirs.fd, 1), 0);
        hot__channel_done(&ours);
}

static void test_frames_come_after_a_connection_reset(void **state)
{
        char byte;

        (void)state;
        die_with_unread_frames();
        /* The kernel's order, without the channel: the reset first, and only once. */
        assert_int_equal(recv(theirs.fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK), -1);
        assert_int_equal(errno, ECONNRESET);
        assert_int_equal(recv(theirs.fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK), 1);
        hot__channel_done(&theirs);

        open_pair(state);
        die_with_unread_frames();
        assert_received("one", 0);
        assert_received("two", 1);
        hot__message_done(&message);
        assert_int_equal(hot__channel_receive(&theirs, &message), HOT__RECEIVED_EOF);
}

static void test_sending_to_a_peer_that_reset_is_a_broken_pipe(void **state)
{
        (void)state;
        die_with_unread_frames();
        assert_int_equal(hot__channel_send(&theirs, "x", 1, NULL, 0), -EPIPE);
        assert_received("one", 0);
}

/* Who sent it */

static void test_credentials_name_the_sender_and_not_who_made_the_pair(void **state)
{
        struct ucred maker;
        socklen_t len = sizeof(maker);
        int status;
        pid_t child = fork();

        (void)state;
        assert_true(child >= 0);
        if (child == 0)
                _exit(hot__channel_send(&ours, "child", 5, NULL, 0) == 0 ? 0 : 1);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_int_equal(hot__channel_send(&ours, "parent", 6, NULL, 0), 0);
        assert_received("child", 0);
        assert_int_equal(message.pid, child);
        assert_int_equal(message.uid, getuid());
        assert_received("parent", 0);
        assert_int_equal(message.pid, getpid());
        assert_int_equal(getsockopt(theirs.fd, SOL_SOCKET, SO_PEERCRED, &maker, &len), 0);
        assert_int_equal(maker.pid, getpid());
}

static void test_both_ends_get_credentials_from_the_first_message_on(void **state)
{
        struct hot__channel first, second;
        int fd;

        (void)state;
        assert_int_equal(hot__channel_pair(&first, &fd), 0);
        assert_int_equal(hot__channel_send(&first, "before it is opened", 19, NULL, 0), 0);
        assert_int_equal(hot__channel_init_inherited(&second, fd, getuid()), 0);
        assert_int_equal(hot__channel_receive(&second, &message), HOT__RECEIVED_MESSAGE);
        assert_int_equal(message.pid, getpid());
        assert_int_equal(hot__channel_send(&second, "answer", 6, NULL, 0), 0);
        assert_int_equal(hot__channel_receive(&first, &message), HOT__RECEIVED_MESSAGE);
        assert_int_equal(message.pid, getpid());
        hot__channel_done(&first);
        hot__channel_done(&second);
}

/* A full socket */

#define BULK 30000

/* Numbered messages until one has to wait; returns how many were given. */
static uint32_t send_until_queued(void)
{
        static uint8_t bytes[BULK];
        uint32_t n = 0;

        while (!ours.first) {
                memcpy(bytes, &n, sizeof(n));
                assert_int_equal(hot__channel_send(&ours, bytes, sizeof(bytes), NULL, 0), 0);
                n++;
                assert_true(n < 10000);
        }
        return n;
}

static void assert_received_number(uint32_t number)
{
        uint32_t got;

        assert_int_equal(hot__channel_receive(&theirs, &message), HOT__RECEIVED_MESSAGE);
        memcpy(&got, message.bytes, sizeof(got));
        assert_int_equal(got, number);
}

static void test_what_waits_keeps_its_order_and_has_its_own_descriptors(void **state)
{
        uint32_t bulk = send_until_queued(), number;
        int pipe_fds[2];
        char byte = 0;

        (void)state;
        for (number = bulk; number < bulk + 20; number++) {
                assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
                assert_int_equal(write(pipe_fds[1], &number, 1), 1);
                assert_int_equal(hot__channel_send(&ours, &number, sizeof(number), pipe_fds, 1), 0);
                close(pipe_fds[0]);
                close(pipe_fds[1]);
        }
        assert_int_equal(hot__channel_flush(&ours), 1);
        for (number = 0; number < bulk + 20; number++) {
                assert_received_number(number);
                assert_int_equal(message.n_fds, number < bulk ? 0 : 1);
                if (message.n_fds == 1) {
                        assert_int_equal(read(message.fds[0], &byte, 1), 1);
                        assert_int_equal((uint8_t)byte, (uint8_t)number);
                }
                hot__message_done(&message);
                assert_in_range(hot__channel_flush(&ours), 0, 1);
        }
        assert_int_equal(hot__channel_flush(&ours), 0);
        assert_null(ours.first);
        assert_received_nothing();
}

static void test_a_message_does_not_overtake_one_that_waits(void **state)
{
        uint32_t bulk = send_until_queued(), number = bulk;

        (void)state;
        for (uint32_t i = 0; i < bulk - 1; i++)
                assert_received_number(i);
        assert_received_nothing();
        /* There is room again, and nobody has flushed. */
        assert_int_equal(hot__channel_send(&ours, &number, sizeof(number), NULL, 0), 0);
        assert_received_number(bulk - 1);
        assert_received_number(bulk);
}

static void test_what_never_left_is_dropped_with_its_descriptors(void **state)
{
        (void)state;
        send_until_queued();
        assert_int_equal(hot__channel_send(&ours, "x", 1, &theirs.fd, 1), 0);
        hot__channel_done(&ours);
        assert_null(ours.first);
        assert_null(ours.last);
}

static void test_a_descriptor_that_cannot_be_copied_is_not_queued(void **state)
{
        uint32_t bulk = send_until_queued();
        int fds[3] = {theirs.fd, theirs.fd, theirs.fd}, got;
        struct rlimit saved;

        (void)state;
        limit_fds(2, &saved);
        got = hot__channel_send(&ours, "x", 1, fds, 3);
        restore_limit(&saved);
        assert_int_equal(got, -EMFILE);
        for (uint32_t i = 0; i < bulk; i++) {
                assert_received_number(i);
                assert_in_range(hot__channel_flush(&ours), 0, 1);
        }
        assert_received_nothing();
}

static void test_a_peer_that_dies_with_messages_waiting_is_a_broken_pipe(void **state)
{
        (void)state;
        send_until_queued();
        hot__channel_done(&theirs);
        assert_int_equal(hot__channel_flush(&ours), -EPIPE);
        assert_int_equal(hot__channel_send(&ours, "x", 1, NULL, 0), -EPIPE);
        assert_non_null(ours.first);
}

/* Inherited ends */

struct flags {
        int descriptor, status, passcred;
};

static struct flags flags_of(int fd)
{
        struct flags flags = {fcntl(fd, F_GETFD), fcntl(fd, F_GETFL), -1};
        socklen_t len = sizeof(flags.passcred);

        getsockopt(fd, SOL_SOCKET, SO_PASSCRED, &flags.passcred, &len);
        return flags;
}

static void assert_left_alone(int fd, uid_t uid, int error)
{
        struct hot__channel channel = {.fd = 4711};
        struct flags before = flags_of(fd), after;

        assert_int_equal(hot__channel_init_inherited(&channel, fd, uid), error);
        assert_int_equal(channel.fd, 4711);
        after = flags_of(fd);
        assert_int_equal(after.descriptor, before.descriptor);
        assert_int_equal(after.status, before.status);
        assert_int_equal(after.passcred, before.passcred);
}

static void test_what_is_no_channel_is_left_as_it_was(void **state)
{
        int pipe_fds[2], stream[2], pair[2], tcp, lonely, file;

        (void)state;
        assert_int_equal(pipe(pipe_fds), 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, stream), 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
        tcp = socket(AF_INET, SOCK_STREAM, 0);
        lonely = socket(AF_UNIX, SOCK_SEQPACKET, 0);
        file = open("/dev/null", O_RDONLY);
        assert_true(tcp >= 0 && lonely >= 0 && file >= 0);

        assert_left_alone(pipe_fds[0], getuid(), -ENOTSOCK);
        assert_left_alone(file, getuid(), -ENOTSOCK);
        assert_left_alone(stream[0], getuid(), -EPROTOTYPE);
        assert_left_alone(tcp, getuid(), -EPROTOTYPE);
        assert_left_alone(lonely, getuid(), -ENOTCONN);
        assert_left_alone(pair[0], getuid() + 1, -EPERM);

        close(file);
        assert_left_alone(file, getuid(), -EBADF);
        assert_left_alone(-EBADF, getuid(), -EBADF);
        close(lonely);
        close(tcp);
        for (int i = 0; i < 2; i++) {
                close(pipe_fds[i]);
                close(stream[i]);
                close(pair[i]);
        }
}

static void test_an_inherited_end_is_made_ours(void **state)
{
        struct hot__channel channel;
        struct flags flags;
        int pair[2];

        (void)state;
        /* As exec leaves it: without FD_CLOEXEC; and the other generation has gone already. */
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
        close(pair[1]);
        assert_int_equal(hot__channel_init_inherited(&channel, pair[0], getuid()), 0);
        assert_int_equal(channel.fd, pair[0]);
        flags = flags_of(pair[0]);
        assert_int_equal(flags.descriptor, FD_CLOEXEC);
        assert_true(flags.status & O_NONBLOCK);
        assert_int_equal(flags.passcred, 1);
        assert_int_equal(hot__channel_receive(&channel, &message), HOT__RECEIVED_EOF);
        hot__channel_done(&channel);
}

/* Datagrams */

static int open_receiver(struct sockaddr_un *ret_address, socklen_t *ret_len)
{
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
        sa_family_t family = AF_UNIX;

        assert_true(fd >= 0);
        /* The kernel picks a free abstract name. */
        assert_int_equal(bind(fd, (struct sockaddr *)&family, sizeof(family)), 0);
        *ret_len = sizeof(*ret_address);
        assert_int_equal(getsockname(fd, (struct sockaddr *)ret_address, ret_len), 0);
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
        return fd;
}

static void test_a_datagram_arrives_with_its_descriptors(void **state)
{
        struct sockaddr_un address;
        struct hot__channel receiver;
        socklen_t len;

        (void)state;
        receiver = (struct hot__channel){.fd = open_receiver(&address, &len)};
        assert_int_equal(
                hot__datagram_send((struct sockaddr *)&address, len, "READY=1", 7, NULL, 0), 0);
        assert_int_equal(
                hot__datagram_send((struct sockaddr *)&address, len, "BARRIER=1", 9, &ours.fd, 1),
                0);
        assert_int_equal(hot__channel_receive(&receiver, &message), HOT__RECEIVED_MESSAGE);
        assert_memory_equal(message.bytes, "READY=1", 7);
        assert_int_equal(message.n_fds, 0);
        assert_int_equal(message.pid, getpid());
        assert_int_equal(hot__channel_receive(&receiver, &message), HOT__RECEIVED_MESSAGE);
        assert_memory_equal(message.bytes, "BARRIER=1", 9);
        assert_int_equal(message.n_fds, 1);
        hot__message_done(&message);
        hot__channel_done(&receiver);
}

static void test_a_datagram_that_cannot_be_sent_says_why(void **state)
{
        struct sockaddr_un address;
        const struct sockaddr *to = (struct sockaddr *)&address;
        int fds[HOT__MESSAGE_FDS + 1], fd, r = 0;
        socklen_t len;

        (void)state;
        fd = open_receiver(&address, &len);
        fill_fds(fds, HOT__MESSAGE_FDS + 1, fd);
        assert_int_equal(hot__datagram_send(to, len, "", 0, NULL, 0), -EINVAL);
        assert_int_equal(hot__datagram_send(to, len, "x", 1, fds, HOT__MESSAGE_FDS + 1), -EINVAL);
        assert_int_equal(
                hot__datagram_send(to, sizeof(struct sockaddr_storage) + 1, "x", 1, NULL, 0),
                -EINVAL);
        /* A receiver that is behind does not block us. */
        for (int i = 0; r == 0 && i < 100000; i++)
                r = hot__datagram_send(to, len, "x", 1, NULL, 0);
        assert_int_equal(r, -EAGAIN);
        close(fd);
        assert_int_equal(hot__datagram_send(to, len, "x", 1, NULL, 0), -ECONNREFUSED);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                channel_test(test_both_ends_are_private_and_do_not_block),
                channel_test(test_what_cannot_be_a_message_is_not_sent),
                channel_test(test_an_empty_message_is_not_the_end),
                channel_test(test_a_message_without_credentials_is_refused),
                channel_test(test_the_end_comes_after_the_last_message_and_stays),
                channel_test(test_frames_come_after_a_connection_reset),
                channel_test(test_sending_to_a_peer_that_reset_is_a_broken_pipe),
                channel_test(test_credentials_name_the_sender_and_not_who_made_the_pair),
                channel_test(test_both_ends_get_credentials_from_the_first_message_on),
                channel_test(test_what_waits_keeps_its_order_and_has_its_own_descriptors),
                channel_test(test_a_message_does_not_overtake_one_that_waits),
                channel_test(test_what_never_left_is_dropped_with_its_descriptors),
                channel_test(test_a_descriptor_that_cannot_be_copied_is_not_queued),
                channel_test(test_a_peer_that_dies_with_messages_waiting_is_a_broken_pipe),
                channel_test(test_what_is_no_channel_is_left_as_it_was),
                channel_test(test_an_inherited_end_is_made_ours),
                channel_test(test_a_datagram_arrives_with_its_descriptors),
                channel_test(test_a_datagram_that_cannot_be_sent_says_why),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
