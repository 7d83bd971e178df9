/* SPDX-License-Identifier: MIT */
/*
 * A session that leaves OpenSSL: its keys are checked as the kernel would use them, by opening what the client
 * sends and making what the client takes. No TLS of the kernel is needed for that.
 */
#include "tls_move.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fdcheck.h"
#include "tls_pair.h"

/* The client says something: do these keys open it, record for record? */
static void check_incoming(struct pair *pair, struct hot__tls_keys *in)
{
        static const char *const texts[] = {"one", "two, and longer", "3"};
        const unsigned char *at;

        pair_forget(pair);
        for (size_t i = 0; i < 3; i++)
                assert_true(SSL_write(pair->ssl, texts[i], (int)strlen(texts[i])) > 0);
        pair_carry_up(pair, SIZE_MAX);
        at = pair->up.data;
        for (size_t i = 0; i < 3; i++) {
                char text[256];

                at += open_record(in, at, text, sizeof(text));
                assert_string_equal(text, texts[i]);
        }
        assert_ptr_equal(at, pair->up.data + pair->up.len);
}

/* Does the client take what is made with these? */
static void check_outgoing(struct pair *pair, struct hot__tls_keys *out)
{
        static const char *const texts[] = {"answer", "another", "a third one"};

        for (size_t i = 0; i < 3; i++) {
                unsigned char record[512];
                size_t len = seal_record(out, texts[i], record);
                char got[256] = "";

                assert_int_equal(BIO_write(pair->to_client, record, (int)len), len);
                assert_int_equal(SSL_read(pair->ssl, got, sizeof(got)), strlen(texts[i]));
                assert_string_equal(got, texts[i]);
        }
}

static void check_keys(struct pair *pair)
{
        struct hot__tls_keys in, out;

        assert_int_equal(hot__tls_session_pin(pair->session), HOT__PIN_NOT);
        assert_int_equal(hot__tls_session_keys(pair->session, &in, &out), 0);
        check_incoming(pair, &in);
        check_outgoing(pair, &out);
}

static void test_keys_open_and_make_records_right_after_the_handshake(void **state)
{
        static struct pair pair;

        (void)state;
        for (size_t i = 0; i < N_PAIR_SUITES; i++) {
                pair_open_suite(&pair, &pair_suites[i], false);
                check_keys(&pair);
                pair_close(&pair);
        }
}

static void test_keys_open_and_make_records_after_a_conversation(void **state)
{
        static struct pair pair;

        (void)state;
        for (size_t i = 0; i < N_PAIR_SUITES; i++) {
                pair_open_suite(&pair, &pair_suites[i], false);
                for (int n = 0; n < 300; n++) {
                        pair_ask(&pair, "question");
                        if (n % 3)
                                pair_answer(&pair, "answer");
                        pair_forget(&pair);
                }
                check_keys(&pair);
                pair_close(&pair);
        }
}

static void test_keys_of_a_resumed_session(void **state)
{
        static struct pair pair;

        (void)state;
        for (size_t i = 0; i < N_PAIR_SUITES; i++) {
                SSL_SESSION *ticket;
                struct hot__tls_session *first;
                SSL *ssl;

                pair_open_suite(&pair, &pair_suites[i], false);
                ticket = SSL_get1_session(pair.ssl);
                first = pair.session;
                ssl = pair.ssl;
                pair.session = hot__tls_session_new(&pair.tls, first->wire.fd);
                pair.ssl = SSL_new(SSL_get_SSL_CTX(ssl));
                pair.to_client = BIO_new(BIO_s_mem());
                pair.from_client = BIO_new(BIO_s_mem());
                SSL_set_bio(pair.ssl, pair.to_client, pair.from_client);
                SSL_set_connect_state(pair.ssl);
                SSL_set_tlsext_host_name(pair.ssl, (char[]){"one.test"});
                SSL_set_session(pair.ssl, ticket);
                pair_shake_hands(&pair);
                assert_true(SSL_session_reused(pair.ssl));
                check_keys(&pair);
                hot__tls_session_free(first);
                SSL_SESSION_free(ticket);
                SSL_free(ssl);
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
        pair_carry_down(pair);
        assert_int_equal(SSL_read(pair->ssl, &byte, 1), -1);
}

static void update_of_server(struct pair *pair)
{
        char byte;

        assert_int_equal(SSL_key_update(pair->session->ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        assert_int_equal(SSL_do_handshake(pair->session->ssl), 1);
        pair_carry_down(pair);
        assert_int_equal(SSL_read(pair->ssl, &byte, 1), -1);
}

/* One direction, the other, both, and each of them again behind records of the keys before. */
static void test_keys_after_key_updates(void **state)
{
        static struct pair pair;

        (void)state;
        for (size_t i = FIRST_PAIR_SUITE_1_3; i < N_PAIR_SUITES; i++)
                for (int rounds = 1; rounds <= 3; rounds++)
                        for (int who = 1; who <= 4; who++) {
                                pair_open_suite(&pair, &pair_suites[i], false);
                                for (int n = 0; n < rounds; n++) {
                                        pair_ask(&pair, "before");
                                        pair_answer(&pair, "before");
                                        if (who & 1)
                                                update_of_client(&pair,
                                                                 SSL_KEY_UPDATE_NOT_REQUESTED);
                                        if (who & 2)
                                                update_of_server(&pair);
                                        if (who & 4) /* and the server answers with its own */
                                                update_of_client(&pair, SSL_KEY_UPDATE_REQUESTED);
                                        pair_ask(&pair, "behind");
                                }
                                check_keys(&pair);
                                pair_close(&pair);
                        }
}

/* An explicit nonce that comes twice under one key gives it away. */
static void test_the_next_explicit_nonce_was_never_used(void **state)
{
        static struct pair pair;

        (void)state;
        for (size_t i = 0; i < 2; i++) {
                struct hot__tls_keys in, out;

                pair_open_suite(&pair, &pair_suites[i], false);
                pair_forget(&pair);
                for (int n = 0; n < 50; n++)
                        pair_answer(&pair, "answer");
                assert_int_equal(hot__tls_session_keys(pair.session, &in, &out), 0);
                for (size_t at = 0; at < pair.down.len; at += 5 + 8 + 6 + 16)
                        assert_memory_not_equal(pair.down.data + at + 5, out.iv + 4, 8);
                pair_close(&pair);
        }
}

/* -- pins -- */

static void test_no_byte_of_a_record_is_left_behind(void **state)
{
        static struct pair pair;
        char text[64];

        (void)state;
        for (size_t i = 0; i < N_PAIR_SUITES; i++) {
                pair_open_suite(&pair, &pair_suites[i], false);
                assert_int_equal(SSL_write(pair.ssl, "question", 8), 8);
                while (BIO_ctrl_pending(pair.from_client) > 1) {
                        pair_carry_up(&pair, 1);
                        assert_int_equal(hot__tls_session_read(pair.session, text, sizeof(text)),
                                         -EAGAIN);
                        assert_int_equal(hot__tls_session_pin(pair.session), HOT__PIN_TLS_BUFFERED);
                }
                pair_carry_up(&pair, 1);
                assert_int_equal(hot__tls_session_read(pair.session, text, 3), 3);
                assert_int_equal(hot__tls_session_pin(pair.session), HOT__PIN_TLS_BUFFERED);
                assert_int_equal(hot__tls_session_read(pair.session, text, 5), 5);
                check_keys(&pair);
                pair_close(&pair);
        }
}

static void test_a_second_record_read_ahead_is_not_left_behind(void **state)
{
        static struct pair pair;
        char text[64];

        (void)state;
        for (size_t i = 0; i < N_PAIR_SUITES; i++) {
                pair_open_suite(&pair, &pair_suites[i], false);
                SSL_write(pair.ssl, "one", 3);
                SSL_write(pair.ssl, "two", 3);
                pair_carry_up(&pair, SIZE_MAX);
                assert_int_equal(hot__tls_session_read(pair.session, text, sizeof(text)), 3);
                assert_int_equal(hot__tls_session_pin(pair.session), HOT__PIN_TLS_BUFFERED);
                assert_int_equal(hot__tls_session_read(pair.session, text, sizeof(text)), 3);
                check_keys(&pair);
                pair_close(&pair);
        }
}

static void test_a_record_half_sent_is_not_left_behind(void **state)
{
        static struct pair pair;
        char large[10000] = "";
        ssize_t n;

        (void)state;
        for (size_t i = 0; i < N_PAIR_SUITES; i++) {
                pair_open_suite(&pair, &pair_suites[i], false);
                setsockopt(pair.session->wire.fd, SOL_SOCKET, SO_SNDBUF, &(int){4096}, sizeof(int));
                while ((n = hot__tls_session_send(pair.session, large, sizeof(large), false)) > 0)
                        continue;
                assert_int_equal(n, -EAGAIN);
                assert_int_equal(hot__tls_session_pin(pair.session), HOT__PIN_TLS_BUFFERED);
                do {
                        pair_forget(&pair);
                        pair_carry_down(&pair);
                        while (SSL_read(pair.ssl, large, sizeof(large)) > 0)
                                continue;
                        n = hot__tls_session_send(pair.session, large, sizeof(large), false);
                } while (n < 0);
                pair_carry_down(&pair);
                while (SSL_read(pair.ssl, large, sizeof(large)) > 0)
                        continue;
                check_keys(&pair);
                pair_close(&pair);
        }
}

static enum hot__pin pin_of(struct pair *pair, const struct pair_terms *terms)
{
        pair_open(pair, terms);
        pair_shake_hands(pair);
        pair_ask(pair, "question");
        return hot__tls_session_pin(pair->session);
}

static void test_what_holds_for_good(void **state)
{
        static struct pair pair;
        char name[5000];
        struct pair_terms terms[] = {
                {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256", .unkept = false},
                {TLS1_3_VERSION, "TLS_AES_128_CCM_SHA256", .unkept = false},
                {TLS1_2_VERSION, "ECDHE+AESGCM", .fragment = TLSEXT_max_fragment_length_512},
                {TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256",
                 .fragment = TLSEXT_max_fragment_length_4096},
                {TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256", .unkept = true},
                {TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256", .client = name},
        };
        static const enum hot__pin pins[] = {
                HOT__PIN_TLS_CIPHER,  HOT__PIN_TLS_CIPHER, HOT__PIN_TLS_RECORDS,
                HOT__PIN_TLS_RECORDS, HOT__PIN_TLS,        HOT__PIN_TLS_FACTS,
        };

        (void)state;
        memset(name, 'a', sizeof(name) - 1);
        name[sizeof(name) - 1] = 0;
        for (size_t i = 0; i < sizeof(pins) / sizeof(pins[0]); i++) {
                assert_int_equal(pin_of(&pair, &terms[i]), pins[i]);
                assert_false(hot__pin_passes(pins[i]));
                pair_answer(&pair, "as ever");
                pair_close(&pair);
        }
}

static void test_a_handshake_pins(void **state)
{
        static struct pair pair;
        bool done = false;

        (void)state;
        for (size_t i = 0; i < N_PAIR_SUITES; i++, done = false) {
                const struct pair_terms terms = {.version = pair_suites[i].version,
                                                 .cipher = pair_suites[i].cipher};

                pair_open(&pair, &terms);
                do {
                        assert_int_equal(hot__tls_session_pin(pair.session),
                                         pair.session->facts ? HOT__PIN_NOT
                                                             : HOT__PIN_TLS_HANDSHAKE);
                        done = pair_shake(&pair);
                } while (!done);
                assert_int_equal(hot__tls_session_pin(pair.session), HOT__PIN_NOT);
                pair_close(&pair);
        }
}

static void test_an_end_pins(void **state)
{
        static struct pair pair;
        char byte;

        (void)state;
        pair_open_suite(&pair, &pair_suites[3], false);
        assert_int_equal(hot__tls_session_finish(pair.session), 0);
        assert_int_equal(hot__tls_session_pin(pair.session), HOT__PIN_LEAVING);
        pair_close(&pair);
        pair_open_suite(&pair, &pair_suites[0], false);
        SSL_shutdown(pair.ssl);
        pair_carry_up(&pair, SIZE_MAX);
        assert_int_equal(hot__tls_session_read(pair.session, &byte, 1), 0);
        assert_int_equal(hot__tls_session_pin(pair.session), HOT__PIN_LEAVING);
        pair_close(&pair);
}

/* The host's SSL_CTX may have the callback of its host by the time of the handshake. */
static void test_keys_that_were_not_told_pin(void **state)
{
        static struct pair pair;
        const struct pair_terms terms = {.version = TLS1_3_VERSION,
                                         .cipher = pair_suites[3].cipher};

        (void)state;
        pair_open(&pair, &terms);
        SSL_CTX_set_keylog_callback(pair.tls.own, NULL);
        pair_shake_hands(&pair);
        assert_int_equal(hot__tls_session_pin(pair.session), HOT__PIN_TLS_SECRETS);
        pair_close(&pair);
}

static int n_logged;

static void log_keys(const SSL *ssl, const char *line)
{
        (void)ssl, (void)line;
        n_logged++;
}

static void test_the_host_logs_keys_as_before(void **state)
{
        static struct pair pair;
        const struct pair_terms terms = {.version = TLS1_3_VERSION,
                                         .cipher = pair_suites[3].cipher};

        (void)state;
        pair_open(&pair, &terms);
        pair.tls.log_keys = log_keys;
        pair_shake_hands(&pair);
        assert_true(n_logged > 0);
        check_keys(&pair);
        pair_close(&pair);
}

/* A UNIX socket never has TLS in the kernel. The session goes on as if it had not been asked. */
static void test_a_kernel_that_does_not_take_it_changes_nothing(void **state)
{
        static struct pair pair;

        (void)state;
        for (size_t i = 0; i < N_PAIR_SUITES; i++) {
                pair_open_suite(&pair, &pair_suites[i], false);
                assert_int_equal(hot__tls_session_pin(pair.session), HOT__PIN_NOT);
                assert_int_equal(hot__tls_session_to_kernel(pair.session), -EAGAIN);
                assert_int_equal(hot__tls_session_pin(pair.session), HOT__PIN_TLS);
                pair_ask(&pair, "question");
                pair_answer(&pair, "answer");
                pair_close(&pair);
        }
}

static void test_what_is_not_over_the_kernel_is_not_adopted(void **state)
{
        struct hot__tls_session *session;
        static struct pair pair;
        char bytes[HOT__TLS_FACTS_MAX];
        ssize_t len;

        (void)state;
        pair_open_suite(&pair, &pair_suites[0], false);
        len = hot__tls_facts_encode(pair.session->facts, bytes, sizeof(bytes));
        assert_true(len > 0);
        assert_int_equal(
                hot__tls_session_adopt(pair.session->wire.fd, bytes, (size_t)len, &session),
                -EPROTO);
        pair_close(&pair);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_keys_open_and_make_records_right_after_the_handshake),
                hot_test(test_keys_open_and_make_records_after_a_conversation),
                hot_test(test_keys_of_a_resumed_session),
                hot_test(test_keys_after_key_updates),
                hot_test(test_the_next_explicit_nonce_was_never_used),
                hot_test(test_no_byte_of_a_record_is_left_behind),
                hot_test(test_a_second_record_read_ahead_is_not_left_behind),
                hot_test(test_a_record_half_sent_is_not_left_behind),
                hot_test(test_what_holds_for_good),
                hot_test(test_a_handshake_pins),
                hot_test(test_an_end_pins),
                hot_test(test_keys_that_were_not_told_pin),
                hot_test(test_the_host_logs_keys_as_before),
                hot_test(test_a_kernel_that_does_not_take_it_changes_nothing),
                hot_test(test_what_is_not_over_the_kernel_is_not_adopted),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
