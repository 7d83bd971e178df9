/* SPDX-License-Identifier: MIT */
/*
 * Sessions over the kernel that are passed from process to process. Needs TLS of the kernel; tests/qemu runs it where
 * there is one.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fdcheck.h"
#include "socket.h"
#include "tls_move.h"
#include "tls_pair.h"

#define HOPS 10

/* The session and its facts, to whoever is at the other end. */
static void send_session(int channel, const struct hot__tls_session *session)
{
        char bytes[HOT__TLS_FACTS_MAX];
        ssize_t len = hot__tls_facts_encode(session->facts, bytes, sizeof(bytes));
        union {
                struct cmsghdr head;
                char space[CMSG_SPACE(sizeof(int))];
        } control = {.head = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
        struct iovec part = {bytes, (size_t)len};
        struct msghdr message = {.msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = &control,
                                 .msg_controllen = sizeof(control)};

        assert_true(len > 0);
        memcpy(CMSG_DATA(&control.head), &session->wire.fd, sizeof(int));
        assert_int_equal(sendmsg(channel, &message, 0), len);
}

/* Its descriptor is the caller's. */
static struct hot__tls_session *receive_session(int channel)
{
        struct hot__tls_session *session = NULL;
        char bytes[HOT__TLS_FACTS_MAX];
        char control[CMSG_SPACE(sizeof(int))];
        struct iovec part = {bytes, sizeof(bytes)};
        struct msghdr message = {.msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = control,
                                 .msg_controllen = sizeof(control)};
        ssize_t len = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
        struct cmsghdr *head = len > 0 ? CMSG_FIRSTHDR(&message) : NULL;
        int fd;

        if (!head)
                return NULL;
        memcpy(&fd, CMSG_DATA(head), sizeof(fd));
        if (hot__tls_session_adopt(fd, bytes, (size_t)len, &session) < 0)
                close(fd);
        return session;
}

/* The next generation: answers with what it was asked and its number, until it is asked to pass on, or no more
 * comes. Returns its exit status. */
static int serve(int channel, int number)
{
        struct hot__tls_session *session = receive_session(channel);
        char asked[64], answer[128];
        ssize_t n;

        if (!session || strcmp(session->facts->server_name, "one.test") != 0)
                return 2;
        for (;;) {
                poll(&(struct pollfd){.fd = session->wire.fd, .events = POLLIN}, 1, -1);
                n = hot__tls_session_read(session, asked, sizeof(asked) - 1);
                if (n == -EAGAIN)
                        continue;
                if (n == 0)
                        return hot__tls_session_finish(session) < 0 ? 3 : 0;
                if (n < 0)
                        return 4;
                asked[n] = 0;
                snprintf(answer, sizeof(answer), "%s by %d", asked, number);
                if (hot__tls_session_send(session, answer, strlen(answer), false) < 0)
                        return 5;
                if (!strcmp(asked, "pass on")) {
                        send_session(channel, session);
                        return 0;
                }
        }
}

static void ask_other(struct pair *pair, const char *text, int number)
{
        char got[256] = "", expected[256];

        snprintf(expected, sizeof(expected), "%s by %d", text, number);
        assert_int_equal(SSL_write(pair->ssl, text, (int)strlen(text)), strlen(text));
        pair_carry_up(pair, SIZE_MAX);
        while (SSL_read(pair->ssl, got, sizeof(got)) <= 0)
                pair_await_down(pair);
        assert_string_equal(got, expected);
}

/* One generation: it gets the session, is asked, and passes it on if it is not the last. */
static void live_through(struct pair *pair, int number)
{
        int fds[2], status;
        pid_t pid;

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
        pid = fork();
        if (pid == 0) {
                close(pair->session->wire.fd);
                _exit(serve(fds[1], number));
        }
        send_session(fds[0], pair->session);
        close(pair->session->wire.fd);
        hot__tls_session_free(pair->session);
        pair->session = NULL;
        for (int n = 0; n < 5; n++)
                ask_other(pair, "question", number);
        if (number < HOPS) {
                ask_other(pair, "pass on", number);
                pair->session = receive_session(fds[0]);
                assert_non_null(pair->session);
        } else {
                SSL_shutdown(pair->ssl);
                pair_carry_up(pair, SIZE_MAX);
                assert_int_equal(pair_next_error(pair), SSL_ERROR_ZERO_RETURN);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        close(fds[0]);
        close(fds[1]);
}

static void update_of_client(struct pair *pair, int kind)
{
        char byte;

        assert_int_equal(SSL_key_update(pair->ssl, kind), 1);
        assert_int_equal(SSL_do_handshake(pair->ssl), 1);
        pair_carry_up(pair, SIZE_MAX);
        assert_int_equal(hot__tls_session_read(pair->session, &byte, 1), -EAGAIN);
}

static void test_it_lives_through_many_processes(void **state)
{
        static struct pair pair;

        (void)state;
        for (size_t i = 0; i < N_PAIR_SUITES; i++) {
                pair_open_suite(&pair, &pair_suites[i], true);
                if (i >= FIRST_PAIR_SUITE_1_3)
                        update_of_client(&pair, SSL_KEY_UPDATE_REQUESTED);
                pair_to_kernel(&pair);
                for (int number = 1; number <= HOPS; number++)
                        live_through(&pair, number);
                pair_close(&pair);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_it_lives_through_many_processes),
        };

        if (!hot__socket_has_kernel_tls()) {
                printf("this kernel has no TLS\n");
                return 77;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}
