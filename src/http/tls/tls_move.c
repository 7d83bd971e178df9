/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ktls.h"
#include "tls_ledger.h"
#include "tls_move.h"

/* -- may it go? -- */

static enum hot__pin kernel_pin(const struct hot__ktls_session *kernel)
{
        if (kernel->key_updated)
                return HOT__PIN_KEY_UPDATE;
        if (kernel->ended || kernel->finished || kernel->broken || kernel->deaf)
                return HOT__PIN_LEAVING;
        return kernel->head_len ? HOT__PIN_TLS_BUFFERED : HOT__PIN_NOT;
}

/*
 * Is every byte that has passed part of a record that OpenSSL has seen, and is none of them kept? Two accounts of
 * the same stream: one of what went over the descriptor, one of what OpenSSL says it has made and opened.
 */
static bool is_settled(const struct hot__tls_session *session)
{
        const struct hot__tls_wire *wire = &session->wire;
        const struct hot__tls_ledger *ledger = session->ledger;

        return hot__tls_records_are_whole(&wire->in) && hot__tls_records_are_whole(&wire->out) &&
               wire->in.n == ledger->in.records && wire->out.n == ledger->out.records &&
               !SSL_has_pending(session->ssl);
}

/* The kernel makes records of up to 16 KiB, and does not compress. */
static bool has_usual_records(SSL *ssl)
{
        return !SSL_get_current_compression(ssl) &&
               SSL_SESSION_get_max_fragment_length(SSL_get0_session(ssl)) ==
                       TLSEXT_max_fragment_length_DISABLED;
}

static bool has_secrets(const struct hot__tls_session *session)
{
        return SSL_version(session->ssl) != TLS1_3_VERSION ||
               (session->ledger->in.secret.len && session->ledger->out.secret.len);
}

/* What holds for the life of the session. */
static enum hot__pin lasting_pin(const struct hot__tls_session *session)
{
        unsigned char bytes[HOT__TLS_FACTS_MAX];
        SSL *ssl = session->ssl;
        int version = SSL_version(ssl);

        if (session->broken || SSL_get_shutdown(ssl))
                return HOT__PIN_LEAVING;
        if (hot__tls_cipher_of(SSL_get_current_cipher(ssl)) == HOT__TLS_CIPHER_OTHER ||
            (version != TLS1_2_VERSION && version != TLS1_3_VERSION))
                return HOT__PIN_TLS_CIPHER;
        if (!has_usual_records(ssl))
                return HOT__PIN_TLS_RECORDS;
        if (!has_secrets(session))
                return HOT__PIN_TLS_SECRETS;
        if (hot__tls_facts_encode(session->facts, bytes, sizeof(bytes)) < 0)
                return HOT__PIN_TLS_FACTS;
        return session->pin;
}

enum hot__pin hot__tls_session_pin(const struct hot__tls_session *session)
{
        enum hot__pin pin;

        if (session->kernel.on)
                return kernel_pin(&session->kernel);
        if (!session->ledger)
                return HOT__PIN_TLS;
        if (!session->facts || SSL_in_init(session->ssl))
                return HOT__PIN_TLS_HANDSHAKE;
        pin = lasting_pin(session);
        if (pin != HOT__PIN_NOT)
                return pin;
        return is_settled(session) ? HOT__PIN_NOT : HOT__PIN_TLS_BUFFERED;
}

/* -- there it goes -- */

/*
 * With TLS 1.2 and GCM every record we send says its nonce, which must never come twice under one key. OpenSSL
 * counts from a number of its own choice: the last record that has passed says where it is.
 */
static void set_next_nonce(const struct hot__tls_records *sent, struct hot__tls_keys *keys)
{
        unsigned char *nonce = keys->iv + sizeof(keys->iv) - HOT__TLS_RECORD_NONCE;

        if (keys->version != TLS1_2_VERSION || keys->cipher == HOT__TLS_CIPHER_CHACHA20_POLY1305)
                return;
        memcpy(nonce, sent->head + HOT__TLS_RECORD_HEADER, HOT__TLS_RECORD_NONCE);
        for (int i = HOT__TLS_RECORD_NONCE - 1; i >= 0 && ++nonce[i] == 0; i--)
                continue;
}

int hot__tls_session_keys(const struct hot__tls_session *session, struct hot__tls_keys *in,
                          struct hot__tls_keys *out)
{
        int r = hot__tls_ledger_keys(session->ledger, session->ssl, in, out);

        set_next_nonce(&session->wire.out, out);
        return r;
}

static void let_go(struct hot__tls_session *session, bool deaf)
{
        hot__ktls_session_begin(&session->kernel, session->wire.fd, session->facts->version);
        session->kernel.deaf = deaf;
        SSL_free(session->ssl);
        session->ssl = NULL;
        hot__tls_ledger_free(session->ledger);
        session->ledger = NULL;
}

static int attach(struct hot__tls_session *session)
{
        struct hot__tls_keys in, out;
        int r = hot__tls_session_keys(session, &in, &out);

        if (r == 0)
                r = hot__ktls_attach(session->wire.fd, &in, &out);
        hot__tls_keys_wipe(&in);
        hot__tls_keys_wipe(&out);
        return r;
}

int hot__tls_session_to_kernel(struct hot__tls_session *session)
{
        int r = session->kernel.on ? 0 : attach(session);

        if (session->kernel.on)
                return 0;
        if (r == 0 || r == -EPERM) {
                let_go(session, r < 0);
                return r;
        }
        session->pin = r == -ENOTCONN ? HOT__PIN_LEAVING
                       : r == -ENOENT ? HOT__PIN_TLS_CIPHER
                       : r == -EIO    ? HOT__PIN_TLS_SECRETS
                                      : HOT__PIN_TLS;
        return -EAGAIN;
}

enum hot__pin hot__tls_session_pack(struct hot__tls_session *session, struct hot__bytes *bytes)
{
        enum hot__pin pin = hot__tls_session_pin(session);
        char facts[HOT__TLS_FACTS_MAX];
        ssize_t len;
        int r;

        if (pin != HOT__PIN_NOT)
                return pin;
        r = hot__tls_session_to_kernel(session);
        if (r < 0)
                return hot__tls_session_pin(session);
        len = hot__tls_facts_encode(session->facts, facts, sizeof(facts));
        if (len < 0)
                return HOT__PIN_TLS_FACTS;
        return hot__bytes_append(bytes, facts, (size_t)len) < 0 ? HOT__PIN_MEMORY : HOT__PIN_NOT;
}

int hot__tls_session_check(const void *bytes, size_t len)
{
        struct hot__tls_facts *facts = NULL;
        int r = hot__tls_facts_decode(bytes, len, &facts);

        hot__tls_facts_put(facts);
        return r;
}

int hot__tls_session_adopt(int fd, const void *bytes, size_t len,
                           struct hot__tls_session **ret_session)
{
        struct hot__tls_session *session;
        int r;

        if (!hot__ktls_is_attached(fd))
                return -EPROTO;
        session = calloc(1, sizeof(*session));
        if (!session)
                return -ENOMEM;
        r = hot__tls_facts_decode(bytes, len, &session->facts);
        if (r < 0) {
                free(session);
                return r;
        }
        session->wire.fd = fd;
        hot__ktls_session_begin(&session->kernel, fd, session->facts->version);
        *ret_session = session;
        return 0;
}
