/* SPDX-License-Identifier: MIT */
/*
 * Sessions over the kernel: in the process where they began, and in others, to which the descriptor is passed.
 * Needs TLS of the kernel; tests/qemu runs it where there is one.
 */
#include "ktls.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/err.h>

#include "fdcheck.h"
#include "socket.h"
#include "tls_move.h"
#include "tls_pair.h"

#define HOPS 10

struct suite {
        int version;
        const char *cipher;
};

static const struct suite suites[] = {
        {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256"},
        {TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384"},
        {TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305"},
        {TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256"},
        {TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384"},
        {TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256"},
};

#define N_SUITES     (sizeof(suites) / sizeof(suites[0]))
#define FIRST_OF_1_3 3

static void open_suite(struct pair *pair, const struct suite *suite)
{
        const struct pair_terms terms = {
                .version = suite->version, .cipher = suite->cipher, .tcp = true};

        pair_open(pair, &terms);
        pair_shake_hands(pair);
        pair_ask(pair, "question");
        pair_answer(pair, "answer");
}

static void await(int fd, short events)
{
        assert_int_equal(poll(&(struct pollfd){.fd = fd, .events = events}, 1, -1), 1);
}

static void to_kernel(struct pair *pair)
{
        assert_int_equal(hot__tls_session_pin(pair->session), HOT__TLS_PIN_NONE);
        assert_int_equal(hot__tls_session_to_kernel(pair->session), 0);
        assert_null(pair->session->ssl);
        assert_int_equal(hot__tls_session_pin(pair->session), HOT__TLS_PIN_NONE);
        assert_int_equal(hot__tls_session_to_kernel(pair->session), 0);
}

/* What the client's next SSL_read() fails with. */
static int next_error(struct pair *pair)
{
        char byte;
        int r;

        while ((r = SSL_read(pair->ssl, &byte, 1)) < 0 &&
               SSL_get_error(pair->ssl, r) == SSL_ERROR_WANT_READ)
                pair_await_down(pair);
        return SSL_get_error(pair->ssl, r);
}

static ssize_t read_once(struct pair *pair, void *buffer, size_t size)
{
        await(pair->session->wire.fd, POLLIN);
        return hot__tls_session_read(pair->session, buffer, size);
}

/* -- where it began -- */

/* As after a hand-over that was refused. */
static void test_it_goes_on_where_it_is(void **state)
{
        static struct pair pair;

        (void)state;
        for (size_t i = 0; i < N_SUITES; i++) {
                open_suite(&pair, &suites[i]);
                to_kernel(&pair);
                for (int n = 0; n < 50; n++) {
                        pair_ask(&pair, "another question");
                        pair_answer(&pair, "another answer");
                        pair_forget(&pair);
                }
                pair_close(&pair);
        }
}

static void update_of_client(struct pair *pair, int kind)
{
        char byte;

        assert_int_equal(SSL_key_update(pair->ssl, kind), 1);
        assert_int_equal(SSL_do_handshake(pair->ssl), 1);
        pair_carry_up(pair, SIZE_MAX);
        assert_int_equal(hot__tls_session_read(pair->session, &byte, 1), -EAGAIN);
}

static void update_of_server(struct pair *pair)
{
        assert_int_equal(SSL_key_update(pair->session->ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        assert_int_equal(SSL_do_handshake(pair->session->ssl), 1);
}

static void test_keys_that_were_updated_before(void **state)
{
        static struct pair pair;

        (void)state;
        for (size_t i = FIRST_OF_1_3; i < N_SUITES; i++)
                for (int who = 1; who < 8; who++) {
                        open_suite(&pair, &suites[i]);
                        if (who & 1)
                                update_of_client(&pair, SSL_KEY_UPDATE_NOT_REQUESTED);
                        if (who & 2)
                                update_of_server(&pair);
                        if (who & 4)
                                update_of_client(&pair, SSL_KEY_UPDATE_REQUESTED);
                        pair_ask(&pair, "behind");
                        pair_answer(&pair, "behind");
                        to_kernel(&pair);
                        pair_ask(&pair, "over the kernel");
                        pair_answer(&pair, "over the kernel");
                        pair_close(&pair);
                }
}

/* What has arrived, in part or whole, and nobody has read, is the kernel's to open. */
static void test_what_has_arrived_before_is_read_after(void **state)
{
        static struct pair pair;
        char got[64];

        (void)state;
        for (size_t i = 0; i < N_SUITES; i++)
                for (size_t part = 1; part < 22; part += 7) {
                        open_suite(&pair, &suites[i]);
                        assert_int_equal(SSL_write(pair.ssl, "one", 3), 3);
                        pair_carry_up(&pair, SIZE_MAX);
                        assert_int_equal(SSL_write(pair.ssl, "two", 3), 3);
                        pair_carry_up(&pair, part);
                        to_kernel(&pair);
                        assert_true(hot__tls_session_has_input(pair.session));
                        assert_int_equal(read_once(&pair, got, sizeof(got)), 3);
                        pair_carry_up(&pair, SIZE_MAX);
                        assert_int_equal(read_once(&pair, got, 2), 2);
                        assert_int_equal(read_once(&pair, got + 2, sizeof(got)), 1);
                        assert_memory_equal(got, "two", 3);
                        assert_false(hot__tls_session_has_input(pair.session));
                        pair_close(&pair);
                }
}

static void test_a_peer_that_has_gone_is_not_attached(void **state)
{
        static struct pair pair;
        char got[64];

        (void)state;
        for (size_t i = 0; i < N_SUITES; i++) {
                open_suite(&pair, &suites[i]);
                assert_int_equal(shutdown(pair.fd, SHUT_WR), 0);
                await(pair.session->wire.fd, POLLIN);
                assert_int_equal(hot__tls_session_to_kernel(pair.session), -EAGAIN);
                assert_int_equal(hot__tls_session_pin(pair.session), HOT__TLS_PIN_ENDING);
                assert_true(hot__tls_session_read(pair.session, got, sizeof(got)) <= 0);
                pair_close(&pair);
        }
}

static void test_no_more_is_said_by_both(void **state)
{
        static struct pair pair;
        char byte;

        (void)state;
        for (size_t i = 0; i < N_SUITES; i++) {
                open_suite(&pair, &suites[i]);
                to_kernel(&pair);
                SSL_shutdown(pair.ssl);
                pair_carry_up(&pair, SIZE_MAX);
                await(pair.session->wire.fd, POLLIN);
                assert_false(hot__tls_session_has_input(pair.session));
                assert_int_equal(hot__tls_session_read(pair.session, &byte, 1), 0);
                assert_int_equal(hot__tls_session_read(pair.session, &byte, 1), 0);
                assert_int_equal(hot__tls_session_pin(pair.session), HOT__TLS_PIN_ENDING);
                assert_int_equal(hot__tls_session_finish(pair.session), 0);
                assert_int_equal(hot__tls_session_finish(pair.session), 0);
                assert_int_equal(next_error(&pair), SSL_ERROR_ZERO_RETURN);
                pair_close(&pair);
        }
}

/* The answer under way can be sent; then it ends, with the words for it. */
static void test_a_key_update_ends_it_politely(void **state)
{
        static struct pair pair;
        char got[64];

        (void)state;
        for (size_t i = FIRST_OF_1_3; i < N_SUITES; i++)
                for (int kind = 0; kind < 2; kind++) {
                        open_suite(&pair, &suites[i]);
                        to_kernel(&pair);
                        pair_ask(&pair, "question");
                        SSL_key_update(pair.ssl, kind ? SSL_KEY_UPDATE_REQUESTED
                                                      : SSL_KEY_UPDATE_NOT_REQUESTED);
                        SSL_do_handshake(pair.ssl);
                        SSL_write(pair.ssl, "unreadable", 10);
                        pair_carry_up(&pair, SIZE_MAX);
                        assert_int_equal(read_once(&pair, got, sizeof(got)), -EKEYEXPIRED);
                        assert_int_equal(hot__tls_session_read(pair.session, got, sizeof(got)),
                                         -EKEYEXPIRED);
                        assert_int_equal(hot__tls_session_pin(pair.session),
                                         HOT__TLS_PIN_KEY_UPDATE);
                        pair_answer(&pair, "answer");
                        assert_int_equal(hot__tls_session_finish(pair.session), 0);
                        assert_int_equal(next_error(&pair), SSL_ERROR_ZERO_RETURN);
                        pair_close(&pair);
                }
}

static void test_negotiating_anew_is_declined(void **state)
{
        static struct pair pair;
        char byte;

        (void)state;
        open_suite(&pair, &suites[0]);
        to_kernel(&pair);
        SSL_renegotiate(pair.ssl);
        SSL_do_handshake(pair.ssl);
        pair_carry_up(&pair, SIZE_MAX);
        assert_int_equal(read_once(&pair, &byte, 1), -EAGAIN);
        assert_int_equal(next_error(&pair), SSL_ERROR_SSL);
        assert_int_equal(ERR_GET_REASON(ERR_get_error()), SSL_R_NO_RENEGOTIATION);
        assert_int_equal(hot__tls_session_pin(pair.session), HOT__TLS_PIN_NONE);
        pair_close(&pair);
}

static void test_a_forged_record_is_told_and_final(void **state)
{
        static struct pair pair;
        char got[64];
        unsigned char record[5 + 64] = {23, 3, 3, 0, 64};

        (void)state;
        for (size_t i = 0; i < N_SUITES; i++) {
                open_suite(&pair, &suites[i]);
                to_kernel(&pair);
                assert_int_equal(send(pair.fd, record, sizeof(record), 0), sizeof(record));
                assert_int_equal(read_once(&pair, got, sizeof(got)), -EPROTO);
                assert_int_equal(hot__tls_session_pin(pair.session), HOT__TLS_PIN_ENDING);
                assert_int_equal(next_error(&pair), SSL_ERROR_SSL);
                assert_int_equal(ERR_GET_REASON(ERR_get_error()), SSL_R_SSLV3_ALERT_BAD_RECORD_MAC);
                pair_close(&pair);
        }
}

/* -- much at once -- */

/* Returns what the client has got when no more comes, 0 if it was not told that. */
static size_t read_to_the_end(struct pair *pair)
{
        static char got[100000];
        size_t sum = 0;
        int r;

        for (;;) {
                pair_forget(pair);
                r = SSL_read(pair->ssl, got, sizeof(got));
                if (r > 0)
                        sum += (size_t)r;
                else if (SSL_get_error(pair->ssl, r) != SSL_ERROR_WANT_READ)
                        break;
                else
                        pair_await_down(pair);
        }
        return SSL_get_error(pair->ssl, r) == SSL_ERROR_ZERO_RETURN ? sum : 0;
}

/* The end must not overtake the records that TCP had no room for. The client reads in another process. */
static void test_the_end_comes_behind_all_records(void **state)
{
        static struct pair pair;
        static char piece[70000];

        (void)state;
        for (size_t i = 0; i < N_SUITES; i++) {
                size_t sent = 0;
                ssize_t n;
                int status;
                pid_t pid;

                open_suite(&pair, &suites[i]);
                setsockopt(pair.session->wire.fd, SOL_SOCKET, SO_SNDBUF, &(int){10000 * (int)i},
                           sizeof(int));
                to_kernel(&pair);
                while ((n = hot__tls_session_send(pair.session, piece, sizeof(piece), false)) > 0)
                        sent += (size_t)n;
                assert_int_equal(n, -EAGAIN);
                pid = fork();
                if (pid == 0)
                        _exit(read_to_the_end(&pair) != sent);
                while (hot__tls_session_finish(pair.session) == -EAGAIN)
                        await(pair.session->wire.fd, POLLOUT);
                hot__socket_half_close(pair.session->wire.fd);
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_int_equal(status, 0);
                pair_close(&pair);
        }
}

static void test_a_file_is_sent_by_the_kernel(void **state)
{
        static struct pair pair;
        size_t size = 3000001;

        (void)state;
        for (size_t i = 0; i < N_SUITES; i++) {
                int file = memfd_create("file", MFD_CLOEXEC);
                off_t offset = 0;
                int status;
                pid_t pid;

                assert_int_equal(ftruncate(file, (off_t)size), 0);
                open_suite(&pair, &suites[i]);
                assert_int_equal(hot__tls_session_send_file(pair.session, file, &offset, 10),
                                 -EOPNOTSUPP);
                to_kernel(&pair);
                pid = fork();
                if (pid == 0)
                        _exit(read_to_the_end(&pair) != size);
                while ((size_t)offset < size) {
                        ssize_t n = hot__tls_session_send_file(pair.session, file, &offset,
                                                               size - (size_t)offset);

                        assert_true(n > 0 || n == -EAGAIN);
                        await(pair.session->wire.fd, POLLOUT);
                }
                while (hot__tls_session_finish(pair.session) == -EAGAIN)
                        await(pair.session->wire.fd, POLLOUT);
                hot__socket_half_close(pair.session->wire.fd);
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_int_equal(status, 0);
                close(file);
                pair_close(&pair);
        }
}

/* -- other processes -- */

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
                assert_int_equal(next_error(pair), SSL_ERROR_ZERO_RETURN);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        close(fds[0]);
        close(fds[1]);
}

static void test_it_lives_through_many_processes(void **state)
{
        static struct pair pair;

        (void)state;
        for (size_t i = 0; i < N_SUITES; i++) {
                open_suite(&pair, &suites[i]);
                if (i >= FIRST_OF_1_3)
                        update_of_client(&pair, SSL_KEY_UPDATE_REQUESTED);
                to_kernel(&pair);
                for (int number = 1; number <= HOPS; number++)
                        live_through(&pair, number);
                pair_close(&pair);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_it_goes_on_where_it_is),
                hot_test(test_keys_that_were_updated_before),
                hot_test(test_what_has_arrived_before_is_read_after),
                hot_test(test_a_peer_that_has_gone_is_not_attached),
                hot_test(test_no_more_is_said_by_both),
                hot_test(test_a_key_update_ends_it_politely),
                hot_test(test_negotiating_anew_is_declined),
                hot_test(test_a_forged_record_is_told_and_final),
                hot_test(test_the_end_comes_behind_all_records),
                hot_test(test_a_file_is_sent_by_the_kernel),
                hot_test(test_it_lives_through_many_processes),
        };

        if (!hot__socket_has_kernel_tls()) {
                printf("this kernel has no TLS\n");
                return 77;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}
