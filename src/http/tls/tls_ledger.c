/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "tls_ledger.h"

#define CLIENTS "CLIENT_TRAFFIC_SECRET_0 "
#define SERVERS "SERVER_TRAFFIC_SECRET_0 "

static void see_message(SSL *ssl, struct hot__tls_count *count, int type)
{
        if (SSL_version(ssl) != TLS1_3_VERSION)
                return;
        if (type == SSL3_MT_FINISHED || type == SSL3_MT_KEY_UPDATE)
                count->sequence = 0;
        if (type == SSL3_MT_KEY_UPDATE && count->secret.len)
                hot__tls_secret_update(SSL_get_current_cipher(ssl), &count->secret);
}

/* A ChangeCipherSpec is a record of its own. In TLS 1.3 it changes nothing: it is there for middleboxes. */
static void see_record(const SSL *ssl, struct hot__tls_count *count, int type)
{
        count->records++;
        count->sequence++;
        if (type == SSL3_RT_CHANGE_CIPHER_SPEC && SSL_version(ssl) != TLS1_3_VERSION)
                count->sequence = 0;
}

static void see(int sent, int version, int type, const void *bytes, size_t len, SSL *ssl,
                void *data)
{
        struct hot__tls_ledger *ledger = data;
        struct hot__tls_count *count = sent ? &ledger->out : &ledger->in;

        (void)version;
        if (len == 0)
                return;
        if (type == SSL3_RT_HEADER)
                see_record(ssl, count, *(const unsigned char *)bytes);
        else if (type == SSL3_RT_HANDSHAKE)
                see_message(ssl, count, *(const unsigned char *)bytes);
}

struct hot__tls_ledger *hot__tls_ledger_new(SSL *ssl)
{
        struct hot__tls_ledger *ledger = calloc(1, sizeof(*ledger));

        if (!ledger)
                return NULL;
        SSL_set_msg_callback(ssl, see);
        SSL_set_msg_callback_arg(ssl, ledger);
        return ledger;
}

static int digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The second word: the first is the client's random number. */
static void take_secret(struct hot__tls_secret *secret, const char *words)
{
        const char *at = strchr(words, ' ');

        hot__tls_secret_wipe(secret);
        for (at = at ? at + 1 : ""; *at; at += 2) {
                int high = digit(at[0]), low = high < 0 ? -1 : digit(at[1]);

                if (low < 0 || secret->len == sizeof(secret->bytes)) {
                        hot__tls_secret_wipe(secret);
                        return;
                }
                secret->bytes[secret->len++] = (unsigned char)(high << 4 | low);
        }
}

void hot__tls_ledger_note(struct hot__tls_ledger *ledger, const char *line)
{
        if (!strncmp(line, CLIENTS, strlen(CLIENTS)))
                take_secret(&ledger->in.secret, line + strlen(CLIENTS));
        else if (!strncmp(line, SERVERS, strlen(SERVERS)))
                take_secret(&ledger->out.secret, line + strlen(SERVERS));
}

static int keys_of(const struct hot__tls_count *count, SSL *ssl, bool of_client,
                   struct hot__tls_keys *keys)
{
        int r;

        *keys = (struct hot__tls_keys){0};
        if (SSL_version(ssl) == TLS1_3_VERSION)
                r = hot__tls_keys_from_secret(SSL_get_current_cipher(ssl), &count->secret, keys);
        else
                r = hot__tls_keys_from_master(ssl, of_client, keys);
        keys->sequence = count->sequence;
        return r;
}

int hot__tls_ledger_keys(const struct hot__tls_ledger *ledger, SSL *ssl, struct hot__tls_keys *in,
                         struct hot__tls_keys *out)
{
        int r = keys_of(&ledger->in, ssl, true, in);
        int s = keys_of(&ledger->out, ssl, false, out);

        return r < 0 ? r : s;
}

void hot__tls_ledger_free(struct hot__tls_ledger *ledger)
{
        if (ledger)
                OPENSSL_cleanse(ledger, sizeof(*ledger));
        free(ledger);
}
