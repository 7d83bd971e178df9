/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>

#include "tls_facts.h"

#define HEADER 3 /* tag and length */

enum tag {
        TAG_SERVER_NAME = 1,
        TAG_CRITICAL = 128,
        TAG_VERSION = TAG_CRITICAL,
        TAG_CIPHER,
        TAG_CLIENT,
};

/* Those that are strings. */
static const struct {
        unsigned char tag;
        size_t offset;
} strings[] = {
        {TAG_CIPHER, offsetof(struct hot__tls_facts, cipher)},
        {TAG_SERVER_NAME, offsetof(struct hot__tls_facts, server_name)},
        {TAG_CLIENT, offsetof(struct hot__tls_facts, client)},
};

#define N_STRINGS (sizeof(strings) / sizeof(strings[0]))

static char **string_at(struct hot__tls_facts *facts, size_t i)
{
        return (char **)(void *)((char *)facts + strings[i].offset);
}

static struct hot__tls_facts *facts_new(void)
{
        struct hot__tls_facts *facts = calloc(1, sizeof(*facts));

        if (facts)
                atomic_store(&facts->shares, 1);
        return facts;
}

static char *subject_of(const X509 *certificate)
{
        BIO *bio = BIO_new(BIO_s_mem());
        char *text = NULL, *copy = NULL;
        long len;

        if (bio &&
            X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) >= 0) {
                len = BIO_get_mem_data(bio, &text);
                copy = strndup(text, (size_t)len);
        }
        BIO_free(bio);
        return copy;
}

struct hot__tls_facts *hot__tls_facts_take(const SSL *ssl)
{
        struct hot__tls_facts *facts = facts_new();
        const char *server_name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
        const X509 *client = SSL_get0_peer_certificate(ssl);

        if (!facts)
                return NULL;
        facts->version = SSL_version(ssl);
        facts->cipher = strdup(SSL_get_cipher_name(ssl));
        facts->server_name = server_name ? strdup(server_name) : NULL;
        facts->client = client ? subject_of(client) : NULL;
        /* A client that showed a certificate must not look like one that did not. */
        if (!facts->cipher || (server_name && !facts->server_name) || (client && !facts->client)) {
                hot__tls_facts_put(facts);
                return NULL;
        }
        return facts;
}

const char *hot__tls_facts_version(const struct hot__tls_facts *facts)
{
        return facts->version == TLS1_3_VERSION ? "TLSv1.3" : "TLSv1.2";
}

struct hot__tls_facts *hot__tls_facts_get(struct hot__tls_facts *facts)
{
        if (facts)
                atomic_fetch_add(&facts->shares, 1);
        return facts;
}

void hot__tls_facts_put(struct hot__tls_facts *facts)
{
        if (!facts || atomic_fetch_sub(&facts->shares, 1) != 1)
                return;
        free(facts->cipher);
        free(facts->server_name);
        free(facts->client);
        free(facts);
}

/* -- as bytes -- */

struct target {
        unsigned char *at;
        size_t left;
};

static bool put(struct target *target, unsigned char tag, const void *bytes, size_t len)
{
        if (len > UINT16_MAX || target->left < HEADER + len)
                return false;
        target->at[0] = tag;
        target->at[1] = (unsigned char)(len >> 8);
        target->at[2] = (unsigned char)len;
        memcpy(target->at + HEADER, bytes, len);
        target->at += HEADER + len;
        target->left -= HEADER + len;
        return true;
}

ssize_t hot__tls_facts_encode(const struct hot__tls_facts *facts, void *bytes, size_t size)
{
        unsigned char version[2] = {(unsigned char)(facts->version >> 8),
                                    (unsigned char)facts->version};
        struct target target = {bytes, size};

        if (!put(&target, TAG_VERSION, version, sizeof(version)))
                return -ENOSPC;
        for (size_t i = 0; i < N_STRINGS; i++) {
                const char *string = *string_at((struct hot__tls_facts *)(uintptr_t)facts, i);

                if (string && !put(&target, strings[i].tag, string, strlen(string)))
                        return -ENOSPC;
        }
        return (ssize_t)(size - target.left);
}

static int take_version(struct hot__tls_facts *facts, const unsigned char *bytes, size_t len)
{
        if (len != 2 || facts->version)
                return -EPROTO;
        facts->version = bytes[0] << 8 | bytes[1];
        return facts->version == TLS1_2_VERSION || facts->version == TLS1_3_VERSION ? 0 : -EPROTO;
}

static int take_string(char **string, const unsigned char *bytes, size_t len)
{
        if (*string || memchr(bytes, 0, len))
                return -EPROTO;
        *string = strndup((const char *)bytes, len);
        return *string ? 0 : -ENOMEM;
}

static int take_fact(struct hot__tls_facts *facts, unsigned char tag, const unsigned char *bytes,
                     size_t len)
{
        if (tag == TAG_VERSION)
                return take_version(facts, bytes, len);
        for (size_t i = 0; i < N_STRINGS; i++)
                if (strings[i].tag == tag)
                        return take_string(string_at(facts, i), bytes, len);
        return tag >= TAG_CRITICAL ? -EPROTO : 0;
}

/* Returns how long the first fact is, or -EPROTO. */
static ssize_t take_first(struct hot__tls_facts *facts, const unsigned char *bytes, size_t len)
{
        size_t size = len < HEADER ? 0 : HEADER + ((size_t)bytes[1] << 8 | bytes[2]);
        int r;

        if (size == 0 || size > len)
                return -EPROTO;
        r = take_fact(facts, bytes[0], bytes + HEADER, size - HEADER);
        return r < 0 ? r : (ssize_t)size;
}

int hot__tls_facts_decode(const void *bytes, size_t len, struct hot__tls_facts **ret_facts)
{
        const unsigned char *at = bytes;
        struct hot__tls_facts *facts = facts_new();
        ssize_t n = facts ? 0 : -ENOMEM;

        for (; n >= 0 && len > 0; at += n, len -= (size_t)n) {
                n = take_first(facts, at, len);
                if (n < 0)
                        break;
        }
        if (n >= 0 && (!facts->version || !facts->cipher))
                n = -EPROTO;
        if (n < 0)
                hot__tls_facts_put(facts);
        else
                *ret_facts = facts;
        return n < 0 ? (int)n : 0;
}
