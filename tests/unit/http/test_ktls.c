/* SPDX-License-Identifier: MIT */
/*
 * Sessions over the kernel, in the process where they began. Needs TLS of the kernel; tests/qemu runs it where there
 * is one.
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

/* Both have said something. */
static void open_spoken(struct pair *pair, const struct pair_suite *suite)
{
        pair_open_suite(pair, suite, true);
        pair_ask(pair, "question");
        pair_answer(pair, "answer");
}

static void await(int fd, short events)
{
        assert_int_equal(poll(&(struct pollfd){.fd = fd, .events = events}, 1, -1), 1);
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
        for (size_t i = 0; i < N_PAIR_SUITES; i++) {
                open_spoken(&pair, &pair_suites[i]);
                pair_to_kernel(&pair);
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
        for (size_t i = FIRST_PAIR_SUITE_1_3; i < N_PAIR_SUITES; i++)
                for (int who = 1; who < 8; who++) {
                        open_spoken(&pair, &pair_suites[i]);
                        if (who & 1)
                                update_of_client(&pair, SSL_KEY_UPDATE_NOT_REQUESTED);
                        if (who & 2)
                                update_of_server(&pair);
                        if (who & 4)
                                update_of_client(&pair, SSL_KEY_UPDATE_REQUESTED);
                        pair_ask(&pair, "behind");
                        pair_answer(&pair, "behind");
                        pair_to_kernel(&pair);
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
        for (size_t i = 0; i < N_PAIR_SUITES; i++)
                for (size_t part = 1; part < 22; part += 7) {
                        open_spoken(&pair, &pair_suites[i]);
                        assert_int_equal(SSL_write(pair.ssl, "one", 3), 3);
                        pair_carry_up(&pair, SIZE_MAX);
                        assert_int_equal(SSL_write(pair.ssl, "two", 3), 3);
                        pair_carry_up(&pair, part);
                        pair_to_kernel(&pair);
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
        for (size_t i = 0; i < N_PAIR_SUITES; i++) {
                open_spoken(&pair, &pair_suites[i]);
                assert_int_equal(shutdown(pair.fd, SHUT_WR), 0);
                await(pair.session->wire.fd, POLLIN);
                assert_int_equal(hot__tls_session_to_kernel(pair.session), -EAGAIN);
                assert_int_equal(hot__tls_session_pin(pair.session), HOT__PIN_LEAVING);
                assert_true(hot__tls_session_read(pair.session, got, sizeof(got)) <= 0);
                pair_close(&pair);
        }
}

static void test_no_more_is_said_by_both(void **state)
{
        static struct pair pair;
        char byte;

        (void)state;
        for (size_t i = 0; i < N_PAIR_SUITES; i++) {
                open_spoken(&pair, &pair_suites[i]);
                pair_to_kernel(&pair);
                SSL_shutdown(pair.ssl);
                pair_carry_up(&pair, SIZE_MAX);
                await(pair.session->wire.fd, POLLIN);
                assert_false(hot__tls_session_has_input(pair.session));
                assert_int_equal(hot__tls_session_read(pair.session, &byte, 1), 0);
                assert_int_equal(hot__tls_session_read(pair.session, &byte, 1), 0);
                assert_int_equal(hot__tls_session_pin(pair.session), HOT__PIN_LEAVING);
                assert_int_equal(hot__tls_session_finish(pair.session), 0);
                assert_int_equal(hot__tls_session_finish(pair.session), 0);
                assert_int_equal(pair_next_error(&pair), SSL_ERROR_ZERO_RETURN);
                pair_close(&pair);
        }
}

/* The answer under way can be sent; then it ends, with the words for it. */
static void test_a_key_update_ends_it_politely(void **state)
{
        static struct pair pair;
        char got[64];

        (void)state;
        for (size_t i = FIRST_PAIR_SUITE_1_3; i < N_PAIR_SUITES; i++)
                for (int kind = 0; kind < 2; kind++) {
                        open_spoken(&pair, &pair_suites[i]);
                        pair_to_kernel(&pair);
                        pair_ask(&pair, "question");
                        SSL_key_update(pair.ssl, kind ? SSL_KEY_UPDATE_REQUESTED
                                                      : SSL_KEY_UPDATE_NOT_REQUESTED);
                        SSL_do_handshake(pair.ssl);
                        SSL_write(pair.ssl, "unreadable", 10);
                        pair_carry_up(&pair, SIZE_MAX);
                        assert_int_equal(read_once(&pair, got, sizeof(got)), -EKEYEXPIRED);
                        assert_int_equal(hot__tls_session_read(pair.session, got, sizeof(got)),
                                         -EKEYEXPIRED);
                        assert_int_equal(hot__tls_session_pin(pair.session), HOT__PIN_KEY_UPDATE);
                        pair_answer(&pair, "answer");
                        assert_int_equal(hot__tls_session_finish(pair.session), 0);
                        assert_int_equal(pair_next_error(&pair), SSL_ERROR_ZERO_RETURN);
                        pair_close(&pair);
                }
}

static void test_negotiating_anew_is_declined(void **state)
{
        static struct pair pair;
        char byte;

        (void)state;
        open_spoken(&pair, &pair_suites[0]);
        pair_to_kernel(&pair);
        SSL_renegotiate(pair.ssl);
        SSL_do_handshake(pair.ssl);
        pair_carry_up(&pair, SIZE_MAX);
        assert_int_equal(read_once(&pair, &byte, 1), -EAGAIN);
        assert_int_equal(pair_next_error(&pair), SSL_ERROR_SSL);
        assert_int_equal(ERR_GET_REASON(ERR_get_error()), SSL_R_NO_RENEGOTIATION);
        assert_int_equal(hot__tls_session_pin(pair.session), HOT__PIN_NOT);
        pair_close(&pair);
}

static void test_a_forged_record_is_told_and_final(void **state)
{
        static struct pair pair;
        char got[64];
        unsigned char record[5 + 64] = {23, 3, 3, 0, 64};

        (void)state;
        for (size_t i = 0; i < N_PAIR_SUITES; i++) {
                open_spoken(&pair, &pair_suites[i]);
                pair_to_kernel(&pair);
                assert_int_equal(send(pair.fd, record, sizeof(record), 0), sizeof(record));
                assert_int_equal(read_once(&pair, got, sizeof(got)), -EPROTO);
                assert_int_equal(hot__tls_session_pin(pair.session), HOT__PIN_LEAVING);
                assert_int_equal(pair_next_error(&pair), SSL_ERROR_SSL);
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
        for (size_t i = 0; i < N_PAIR_SUITES; i++) {
                size_t sent = 0;
                ssize_t n;
                int status;
                pid_t pid;

                open_spoken(&pair, &pair_suites[i]);
                setsockopt(pair.session->wire.fd, SOL_SOCKET, SO_SNDBUF, &(int){10000 * (int)i},
                           sizeof(int));
                pair_to_kernel(&pair);
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
        for (size_t i = 0; i < N_PAIR_SUITES; i++) {
                int file = memfd_create("file", MFD_CLOEXEC);
                off_t offset = 0;
                int status;
                pid_t pid;

                assert_int_equal(ftruncate(file, (off_t)size), 0);
                open_spoken(&pair, &pair_suites[i]);
                assert_int_equal(hot__tls_session_send_file(pair.session, file, &offset, 10),
                                 -EOPNOTSUPP);
                pair_to_kernel(&pair);
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
        };

        if (!hot__socket_has_kernel_tls()) {
                printf("this kernel has no TLS\n");
                return 77;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}
