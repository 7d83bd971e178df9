/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "tls_keys.h"

#define GCM_SALT 4
#define MASTER   48

enum hot__tls_cipher hot__tls_cipher_of(const SSL_CIPHER *cipher)
{
        switch (cipher ? SSL_CIPHER_get_cipher_nid(cipher) : NID_undef) {
        case NID_aes_128_gcm:
                return HOT__TLS_CIPHER_AES_128_GCM;
        case NID_aes_256_gcm:
                return HOT__TLS_CIPHER_AES_256_GCM;
        case NID_chacha20_poly1305:
                return HOT__TLS_CIPHER_CHACHA20_POLY1305;
        default:
                return HOT__TLS_CIPHER_OTHER;
        }
}

static size_t key_size(enum hot__tls_cipher cipher)
{
        return cipher == HOT__TLS_CIPHER_AES_128_GCM ? 16 : 32;
}

static int derive(const char *name, const OSSL_PARAM parameters[], unsigned char *ret, size_t len)
{
        EVP_KDF *kdf = EVP_KDF_fetch(NULL, name, NULL);
        EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
        int r = ctx ? EVP_KDF_derive(ctx, ret, len, parameters) : 0;

        EVP_KDF_CTX_free(ctx);
        EVP_KDF_free(kdf);
        return r == 1 ? 0 : -EIO;
}

static OSSL_PARAM bytes_of(const char *name, const void *bytes, size_t len)
{
        return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)bytes, len);
}

static OSSL_PARAM digest_of(const SSL_CIPHER *cipher)
{
        const char *name = EVP_MD_get0_name(SSL_CIPHER_get_handshake_digest(cipher));

        return OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t)name, 0);
}

/* HKDF-Expand-Label() with an empty context. */
static int expand_label(const SSL_CIPHER *cipher, const struct hot__tls_secret *secret,
                        const char *label, unsigned char *ret, size_t len)
{
        int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
        OSSL_PARAM parameters[] = {
                OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
                digest_of(cipher),
                bytes_of(OSSL_KDF_PARAM_KEY, secret->bytes, secret->len),
                bytes_of(OSSL_KDF_PARAM_PREFIX, "tls13 ", 6),
                bytes_of(OSSL_KDF_PARAM_LABEL, label, strlen(label)),
                OSSL_PARAM_construct_end(),
        };

        return derive(OSSL_KDF_NAME_TLS1_3_KDF, parameters, ret, len);
}

int hot__tls_keys_from_secret(const SSL_CIPHER *cipher, const struct hot__tls_secret *secret,
                              struct hot__tls_keys *keys)
{
        keys->version = TLS1_3_VERSION;
        keys->cipher = hot__tls_cipher_of(cipher);
        if (expand_label(cipher, secret, "key", keys->key, key_size(keys->cipher)) < 0 ||
            expand_label(cipher, secret, "iv", keys->iv, sizeof(keys->iv)) < 0)
                return -EIO;
        return 0;
}

int hot__tls_secret_update(const SSL_CIPHER *cipher, struct hot__tls_secret *secret)
{
        struct hot__tls_secret next = {.len = secret->len};
        int r = expand_label(cipher, secret, "traffic upd", next.bytes, next.len);

        hot__tls_secret_wipe(secret);
        if (r == 0)
                *secret = next;
        hot__tls_secret_wipe(&next);
        return r;
}

/* key_block = PRF(master_secret, "key expansion", server_random + client_random) */
static int expand_master(SSL *ssl, unsigned char *ret, size_t len)
{
        unsigned char master[MASTER], server[SSL3_RANDOM_SIZE], client[SSL3_RANDOM_SIZE];
        size_t n = SSL_SESSION_get_master_key(SSL_get0_session(ssl), master, sizeof(master));
        OSSL_PARAM parameters[] = {
                digest_of(SSL_get_current_cipher(ssl)),
                bytes_of(OSSL_KDF_PARAM_SECRET, master, n),
                bytes_of(OSSL_KDF_PARAM_SEED, "key expansion", 13),
                bytes_of(OSSL_KDF_PARAM_SEED, server, sizeof(server)),
                bytes_of(OSSL_KDF_PARAM_SEED, client, sizeof(client)),
                OSSL_PARAM_construct_end(),
        };
        int r;

        SSL_get_server_random(ssl, server, sizeof(server));
        SSL_get_client_random(ssl, client, sizeof(client));
        r = derive(OSSL_KDF_NAME_TLS1_PRF, parameters, ret, len);
        OPENSSL_cleanse(master, sizeof(master));
        return r;
}

/* The block is: client's key, server's key, client's iv, server's iv. Of GCM's iv only the salt is in it. */
int hot__tls_keys_from_master(SSL *ssl, bool of_client, struct hot__tls_keys *keys)
{
        unsigned char block[2 * (sizeof(keys->key) + sizeof(keys->iv))];
        size_t key, iv;
        int r;

        keys->version = TLS1_2_VERSION;
        keys->cipher = hot__tls_cipher_of(SSL_get_current_cipher(ssl));
        key = key_size(keys->cipher);
        iv = keys->cipher == HOT__TLS_CIPHER_CHACHA20_POLY1305 ? sizeof(keys->iv) : GCM_SALT;
        r = expand_master(ssl, block, 2 * (key + iv));
        memcpy(keys->key, block + (of_client ? 0 : key), key);
        memcpy(keys->iv, block + 2 * key + (of_client ? 0 : iv), iv);
        OPENSSL_cleanse(block, sizeof(block));
        return r;
}

void hot__tls_secret_wipe(struct hot__tls_secret *secret)
{
        OPENSSL_cleanse(secret, sizeof(*secret));
}

void hot__tls_keys_wipe(struct hot__tls_keys *keys)
{
        OPENSSL_cleanse(keys, sizeof(*keys));
}
