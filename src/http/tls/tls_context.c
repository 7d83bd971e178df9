/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "tls.h"
#include "tls_context.h"
#include "tls_ledger.h"
#include "tls_session.h"

/* Forward secrecy and authenticated encryption, which is what RFC 9113 section 9.2 wants as well. */
#define CIPHERS_1_2 "ECDHE+AESGCM:ECDHE+CHACHA20"

static const unsigned char session_context[] = "hotstart";
static const unsigned char protocols[] = "\x02h2\x08http/1.1";
static const unsigned char protocols_1[] = "\x08http/1.1";

/* A key that needs a passphrase is an error: there is nobody to ask. */
static int no_passphrase(char *buffer, int size, int writing, void *data)
{
        (void)buffer, (void)size, (void)writing, (void)data;
        return -1;
}

static int choose_protocol(SSL *ssl, const unsigned char **ret_name, unsigned char *ret_len,
                           const unsigned char *offered, unsigned int offered_len, void *data)
{
        const struct hot__tls_session *session = SSL_get_app_data(ssl);
        const unsigned char *ours = session->tls->set.no_http2 ? protocols_1 : protocols;
        size_t len = session->tls->set.no_http2 ? sizeof(protocols_1) - 1 : sizeof(protocols) - 1;
        unsigned char *name;

        (void)data;
        if (SSL_select_next_proto(&name, ret_len, ours, (unsigned int)len, offered, offered_len) !=
            OPENSSL_NPN_NEGOTIATED)
                return SSL_TLSEXT_ERR_ALERT_FATAL; /* RFC 7301 section 3.2 */
        *ret_name = name;
        return SSL_TLSEXT_ERR_OK;
}

static int choose_certificate(SSL *ssl, int *alert, void *data)
{
        const struct hot__tls_session *session = SSL_get_app_data(ssl);
        const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
        SSL_CTX *ctx;

        (void)alert, (void)data;
        if (!name)
                return SSL_TLSEXT_ERR_OK;
        ctx = hot__tls_contexts_find(session->contexts, name);
        return !ctx || SSL_set_SSL_CTX(ssl, ctx) ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int set_ticket_key(EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, unsigned char *iv, int encrypt,
                          struct hot__ticket_key *key)
{
        OSSL_PARAM parameters[] = {
                OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof(key->mac)),
                OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA256"}, 0),
                OSSL_PARAM_construct_end(),
        };

        return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->aes, iv, encrypt) == 1 &&
               EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

/* SSL_CTX_set_tlsext_ticket_key_evp_cb(3): 0 goes on without a ticket, 2 gives the client a new one. */
static int use_ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                          EVP_MAC_CTX *mac, int encrypt)
{
        const struct hot__tls_session *session = SSL_get_app_data(ssl);
        struct hot__tickets *tickets = &session->tls->tickets;
        struct hot__ticket_key key;
        int age = HOT__TICKET_CURRENT;
        int r = 0;

        if (encrypt && hot__tickets_current(tickets, hot__tickets_now(), &key) < 0)
                return 0;
        if (encrypt && RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
                return 0;
        if (encrypt)
                memcpy(name, key.name, sizeof(key.name));
        else
                age = hot__tickets_find(tickets, hot__tickets_now(), name, &key);
        if (age < 0)
                return 0;
        if (set_ticket_key(cipher, mac, iv, encrypt, &key))
                r = age == HOT__TICKET_CURRENT ? 1 : 2;
        OPENSSL_cleanse(&key, sizeof(key));
        return r;
}

/* Where the kernel has TLS, its keys are needed to let it go on (tls_ledger). The host may log them as well. */
static void note_keys(const SSL *ssl, const char *line)
{
        const struct hot__tls_session *session = SSL_get_app_data(ssl);

        if (session->ledger)
                hot__tls_ledger_note(session->ledger, line);
        if (session->tls->log_keys)
                session->tls->log_keys(ssl, line);
}

void hot__tls_context_prepare(const struct hot__tls *tls, SSL_CTX *ctx)
{
        SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
        SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, use_ticket_key);
        if (tls->kernel)
                SSL_CTX_set_keylog_callback(ctx, note_keys);
}

static int set_client_certificates(SSL_CTX *ctx, const struct hot__tls_settings *set)
{
        int mode = SSL_VERIFY_PEER;
        STACK_OF(X509_NAME) * names;

        if (set->client == HOT_HTTP_CLIENT_CERTIFICATE_NONE)
                return 1;
        if (set->client == HOT_HTTP_CLIENT_CERTIFICATE_REQUIRED)
                mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
        SSL_CTX_set_verify(ctx, mode, NULL);
        names = SSL_load_client_CA_file(set->client_ca);
        if (!names)
                return 0;
        SSL_CTX_set_client_CA_list(ctx, names);
        return SSL_CTX_load_verify_file(ctx, set->client_ca);
}

SSL_CTX *hot__tls_context_new(const struct hot__tls *tls)
{
        SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
        const struct hot__tls_settings *set = &tls->set;

        if (!ctx)
                return NULL;
        SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                         SSL_OP_PRIORITIZE_CHACHA | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_IGNORE_UNEXPECTED_EOF);
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_timeout(ctx, (long)set->ticket_s);
        SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
        SSL_CTX_set_tlsext_servername_callback(ctx, choose_certificate);
        hot__tls_context_prepare(tls, ctx);
        if (SSL_CTX_set_min_proto_version(ctx, set->min_version) &&
            SSL_CTX_set_session_id_context(ctx, session_context, sizeof(session_context) - 1) &&
            SSL_CTX_set_cipher_list(ctx, set->ciphers ? set->ciphers : CIPHERS_1_2) &&
            (!set->ciphersuites || SSL_CTX_set_ciphersuites(ctx, set->ciphersuites)) &&
            set_client_certificates(ctx, set))
                return ctx;
        SSL_CTX_free(ctx);
        return NULL;
}

int hot__tls_context_use(SSL_CTX *ctx, const struct hot__tls_files *files)
{
        if (SSL_CTX_use_certificate_chain_file(ctx, files->certificate) != 1 ||
            SSL_CTX_use_PrivateKey_file(ctx, files->key, SSL_FILETYPE_PEM) != 1 ||
            SSL_CTX_check_private_key(ctx) != 1)
                return -EINVAL;
        return 0;
}

static int same_names(const X509 *a, const X509 *b)
{
        int at_a = X509_get_ext_by_NID(a, NID_subject_alt_name, -1);
        int at_b = X509_get_ext_by_NID(b, NID_subject_alt_name, -1);

        if (at_a < 0 || at_b < 0)
                return at_a < 0 && at_b < 0 &&
                       !X509_NAME_cmp(X509_get_subject_name(a), X509_get_subject_name(b));
        return !ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data(X509_get_ext(a, at_a)),
                                      X509_EXTENSION_get_data(X509_get_ext(b, at_b)));
}

int hot__tls_context_is_complement(SSL_CTX *a, SSL_CTX *b)
{
        X509 *one = SSL_CTX_get0_certificate(a);
        X509 *other = SSL_CTX_get0_certificate(b);

        return same_names(one, other) && EVP_PKEY_get_base_id(X509_get0_pubkey(one)) !=
                                                 EVP_PKEY_get_base_id(X509_get0_pubkey(other));
}

int hot__tls_context_serves(SSL_CTX *ctx, const char *server_name)
{
        return X509_check_host(SSL_CTX_get0_certificate(ctx), server_name, strlen(server_name), 0,
                               NULL) == 1;
}
