/* SPDX-License-Identifier: MIT */
#include "tls_pair.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "fdcheck.h"
#include "tls_context.h"
#include "tls_move.h"

/* -- the two ends -- */

static X509 *make_certificate(EVP_PKEY *key, const char *name)
{
        X509 *certificate = X509_new();
        X509_NAME *subject = X509_get_subject_name(certificate);

        X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
        X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
        X509_set_pubkey(certificate, key);
        for (size_t at = 0; at < strlen(name); at += 60)
                X509_NAME_add_entry_by_txt(
                        subject, "OU", MBSTRING_ASC, (const unsigned char *)name + at,
                        (int)(strlen(name + at) < 60 ? strlen(name + at) : 60), -1, 0);
        X509_set_issuer_name(certificate, subject);
        assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
        return certificate;
}

static void certify(SSL_CTX *ctx, const char *name)
{
        EVP_PKEY *key = EVP_EC_gen("P-256");
        X509 *certificate = make_certificate(key, name);

        assert_int_equal(SSL_CTX_use_certificate(ctx, certificate), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
        X509_free(certificate);
        EVP_PKEY_free(key);
}

static int accept_all(int ok, X509_STORE_CTX *store)
{
        (void)ok, (void)store;
        return 1;
}

static void be_certain(SSL_CTX *ctx, const struct pair_terms *terms)
{
        assert_int_equal(SSL_CTX_set_min_proto_version(ctx, terms->version), 1);
        assert_int_equal(SSL_CTX_set_max_proto_version(ctx, terms->version), 1);
        if (terms->version == TLS1_3_VERSION)
                assert_int_equal(SSL_CTX_set_ciphersuites(ctx, terms->cipher), 1);
        else
                assert_int_equal(SSL_CTX_set_cipher_list(ctx, terms->cipher), 1);
}

static void open_server(struct pair *pair, const struct pair_terms *terms, int fd)
{
        SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

        be_certain(ctx, terms);
        certify(ctx, "server");
        if (terms->client)
                SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, accept_all);
        assert_int_equal(hot__tls_init(&pair->tls, &pair->log), 0);
        pair->tls.own = ctx;
        assert_int_equal(hot__tls_open(&pair->tls), 0);
        /* what the kernel says here is not asked for */
        pair->tls.kernel = !terms->unkept;
        hot__tls_context_prepare(&pair->tls, ctx);
        pair->session = hot__tls_session_new(&pair->tls, fd);
        assert_non_null(pair->session);
}

static void open_client(struct pair *pair, const struct pair_terms *terms)
{
        SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

        be_certain(ctx, terms);
        if (terms->client)
                certify(ctx, terms->client);
        pair->ssl = SSL_new(ctx);
        pair->to_client = BIO_new(BIO_s_mem());
        pair->from_client = BIO_new(BIO_s_mem());
        SSL_set_bio(pair->ssl, pair->to_client, pair->from_client);
        SSL_set_connect_state(pair->ssl);
        SSL_set_tlsext_host_name(pair->ssl, (char[]){"one.test"});
        SSL_set_tlsext_max_fragment_length(pair->ssl, terms->fragment);
        SSL_CTX_free(ctx);
}

/* Two ends of a TCP connection, which socketpair(2) does not make. */
static void connect_tcp(int ret_fds[2])
{
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof(address);
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ret_fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
        assert_int_equal(listen(listener, 1), 0);
        assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
        assert_int_equal(connect(ret_fds[1], (struct sockaddr *)&address, len), 0);
        ret_fds[0] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        assert_true(ret_fds[0] >= 0);
        fcntl(ret_fds[1], F_SETFL, O_NONBLOCK);
        close(listener);
}

void pair_open(struct pair *pair, const struct pair_terms *terms)
{
        int fds[2];

        memset(pair, 0, sizeof(*pair));
        if (terms->tcp)
                connect_tcp(fds);
        else
                assert_int_equal(
                        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
        for (int i = 0; i < 2; i++)
                setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        pair->fd = fds[1];
        open_server(pair, terms, fds[0]);
        open_client(pair, terms);
}

void pair_close(struct pair *pair)
{
        if (pair->session)
                close(pair->session->wire.fd);
        close(pair->fd);
        hot__tls_session_free(pair->session);
        hot__tls_done(&pair->tls);
        SSL_free(pair->ssl);
}

/* -- the wire -- */

static void note(struct bytes *bytes, const void *data, size_t len)
{
        if (len > sizeof(bytes->data) - bytes->len)
                len = sizeof(bytes->data) - bytes->len;
        memcpy(bytes->data + bytes->len, data, len);
        bytes->len += len;
}

void pair_forget(struct pair *pair)
{
        pair->up.len = pair->down.len = 0;
}

static void await_input(int fd)
{
        assert_int_equal(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, -1), 1);
}

void pair_carry_up(struct pair *pair, size_t len)
{
        char data[65536];
        int n = BIO_read(pair->from_client, data, (int)(len < sizeof(data) ? len : sizeof(data)));

        if (n <= 0)
                return;
        note(&pair->up, data, (size_t)n);
        assert_int_equal(send(pair->fd, data, (size_t)n, MSG_NOSIGNAL), n);
        if (pair->session && !pair->session->kernel.on)
                await_input(pair->session->wire.fd);
}

void pair_carry_down(struct pair *pair)
{
        char data[65536];
        ssize_t n;

        while ((n = recv(pair->fd, data, sizeof(data), 0)) > 0) {
                note(&pair->down, data, (size_t)n);
                assert_int_equal(BIO_write(pair->to_client, data, (int)n), n);
        }
}

void pair_await_down(struct pair *pair)
{
        await_input(pair->fd);
        pair_carry_down(pair);
}

bool pair_shake(struct pair *pair)
{
        int wants, r = SSL_do_handshake(pair->ssl);
        int s;

        pair_carry_up(pair, SIZE_MAX);
        s = pair->session->facts ? 0 : hot__tls_session_handshake(pair->session, &wants);
        pair_carry_down(pair);
        assert_true(s == 0 || s == -EAGAIN);
        return r == 1 && s == 0;
}

void pair_shake_hands(struct pair *pair)
{
        while (!pair_shake(pair))
                continue;
        /* the tickets that came behind it */
        assert_int_equal(SSL_read(pair->ssl, (char[1]){0}, 1), -1);
}

void pair_ask(struct pair *pair, const char *text)
{
        char got[256] = "";
        size_t len = strlen(text);

        assert_int_equal(SSL_write(pair->ssl, text, (int)len), len);
        pair_carry_up(pair, SIZE_MAX);
        await_input(pair->session->wire.fd);
        assert_int_equal(hot__tls_session_read(pair->session, got, sizeof(got)), len);
        assert_string_equal(got, text);
}

void pair_answer(struct pair *pair, const char *text)
{
        char got[256] = "";
        size_t len = strlen(text);

        assert_int_equal(hot__tls_session_send(pair->session, text, len, false), len);
        do
                pair_await_down(pair);
        while (!SSL_has_pending(pair->ssl) && SSL_peek(pair->ssl, got, 1) <= 0);
        assert_int_equal(SSL_read(pair->ssl, got, sizeof(got)), len);
        assert_string_equal(got, text);
}

const struct pair_suite pair_suites[N_PAIR_SUITES] = {
        {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256"},
        {TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384"},
        {TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305"},
        {TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256"},
        {TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384"},
        {TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256"},
};

void pair_open_suite(struct pair *pair, const struct pair_suite *suite, bool tcp)
{
        const struct pair_terms terms = {
                .version = suite->version, .cipher = suite->cipher, .tcp = tcp};

        pair_open(pair, &terms);
        pair_shake_hands(pair);
}

void pair_to_kernel(struct pair *pair)
{
        assert_int_equal(hot__tls_session_pin(pair->session), HOT__PIN_NOT);
        assert_int_equal(hot__tls_session_to_kernel(pair->session), 0);
        assert_null(pair->session->ssl);
        assert_int_equal(hot__tls_session_pin(pair->session), HOT__PIN_NOT);
        assert_int_equal(hot__tls_session_to_kernel(pair->session), 0);
}

int pair_next_error(struct pair *pair)
{
        char byte;
        int r;

        while ((r = SSL_read(pair->ssl, &byte, 1)) < 0 &&
               SSL_get_error(pair->ssl, r) == SSL_ERROR_WANT_READ)
                pair_await_down(pair);
        return SSL_get_error(pair->ssl, r);
}

/* -- records -- */

struct form {
        unsigned char nonce[12];
        unsigned char more[13]; /* additional data */
        int n_more;
        size_t explicit; /* bytes of the nonce in the record */
};

static bool is_gcm_1_2(const struct hot__tls_keys *keys)
{
        return keys->version == TLS1_2_VERSION && keys->cipher != HOT__TLS_CIPHER_CHACHA20_POLY1305;
}

static const EVP_CIPHER *evp_of(const struct hot__tls_keys *keys)
{
        return keys->cipher == HOT__TLS_CIPHER_AES_128_GCM   ? EVP_aes_128_gcm()
               : keys->cipher == HOT__TLS_CIPHER_AES_256_GCM ? EVP_aes_256_gcm()
                                                             : EVP_chacha20_poly1305();
}

/* @len: of the whole record, of which @record is at least the header. */
static void make_form(struct form *form, const struct hot__tls_keys *keys,
                      const unsigned char *record, size_t len)
{
        size_t plain = len - 5 - 16 - (is_gcm_1_2(keys) ? 8 : 0);

        *form = (struct form){0};
        memcpy(form->nonce, keys->iv, 12);
        if (is_gcm_1_2(keys))
                form->explicit = 8;
        for (int i = 0; i < 8; i++) {
                unsigned char byte = (unsigned char)(keys->sequence >> (56 - 8 * i));

                form->more[i] = byte;
                if (!form->explicit)
                        form->nonce[4 + i] ^= byte;
        }
        form->n_more = keys->version == TLS1_3_VERSION ? 5 : 13;
        if (keys->version == TLS1_3_VERSION) {
                memcpy(form->more, record, 5);
                return;
        }
        memcpy(form->more + 8, record, 3);
        form->more[11] = (unsigned char)(plain >> 8);
        form->more[12] = (unsigned char)plain;
}

static void step_on(struct hot__tls_keys *keys)
{
        keys->sequence++;
        for (int i = 11; is_gcm_1_2(keys) && i >= 4 && ++keys->iv[i] == 0; i--)
                continue;
}

size_t seal_record(struct hot__tls_keys *keys, const char *text, unsigned char *ret_record)
{
        size_t inner = strlen(text) + (keys->version == TLS1_3_VERSION);
        size_t head = is_gcm_1_2(keys) ? 13 : 5;
        size_t len = head + inner + 16;
        EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
        unsigned char plain[256];
        struct form form;
        int n;

        memcpy(ret_record,
               (unsigned char[]){23, 3, 3, (unsigned char)((len - 5) >> 8),
                                 (unsigned char)(len - 5)},
               5);
        make_form(&form, keys, ret_record, len);
        memcpy(ret_record + 5, form.nonce + 4, form.explicit);
        memcpy(plain, text, strlen(text));
        plain[strlen(text)] = 23;
        assert_int_equal(EVP_EncryptInit_ex(ctx, evp_of(keys), NULL, keys->key, form.nonce), 1);
        assert_int_equal(EVP_EncryptUpdate(ctx, NULL, &n, form.more, form.n_more), 1);
        assert_int_equal(EVP_EncryptUpdate(ctx, ret_record + head, &n, plain, (int)inner), 1);
        assert_int_equal(EVP_EncryptFinal_ex(ctx, ret_record + head + n, &n), 1);
        assert_int_equal(
                EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, ret_record + head + inner), 1);
        EVP_CIPHER_CTX_free(ctx);
        step_on(keys);
        return len;
}

/* Returns the record's length. */
size_t open_record(struct hot__tls_keys *keys, const unsigned char *record, char *ret_text,
                   size_t size)
{
        size_t len = 5 + ((size_t)record[3] << 8 | record[4]);
        size_t head = is_gcm_1_2(keys) ? 13 : 5;
        size_t inner = len - head - 16;
        EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
        unsigned char tag[16];
        struct form form;
        int n;

        assert_true(inner < size);
        make_form(&form, keys, record, len);
        memcpy(form.nonce + 4, form.explicit ? record + 5 : form.nonce + 4, 8);
        memcpy(tag, record + len - 16, 16);
        assert_int_equal(EVP_DecryptInit_ex(ctx, evp_of(keys), NULL, keys->key, form.nonce), 1);
        assert_int_equal(EVP_DecryptUpdate(ctx, NULL, &n, form.more, form.n_more), 1);
        assert_int_equal(
                EVP_DecryptUpdate(ctx, (unsigned char *)ret_text, &n, record + head, (int)inner),
                1);
        assert_int_equal(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, 16, tag), 1);
        assert_int_equal(EVP_DecryptFinal_ex(ctx, (unsigned char *)ret_text + n, &n), 1);
        EVP_CIPHER_CTX_free(ctx);
        ret_text[keys->version == TLS1_3_VERSION ? inner - 1 : inner] = 0;
        step_on(keys);
        return len;
}
