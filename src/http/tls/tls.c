/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "socket.h"
#include "tls.h"
#include "tls_bio.h"
#include "tls_context.h"

#define TICKET_S_DEFAULT 28800

struct hot__tls_contexts {
        atomic_uint shares;
        size_t n;
        SSL_CTX *ctx[];
};

int hot__tls_init(struct hot__tls *tls, const struct hot__log *log)
{
        *tls = (struct hot__tls){.log = log};
        tls->set.min_version = TLS1_2_VERSION;
        tls->set.ticket_s = TICKET_S_DEFAULT;
        return -pthread_mutex_init(&tls->lock, NULL);
}

void hot__tls_done(struct hot__tls *tls)
{
        if (tls->contexts)
                hot__tls_contexts_put(tls->contexts);
        if (tls->has_tickets)
                hot__tickets_done(&tls->tickets);
        for (size_t i = 0; i < tls->n_files; i++) {
                free(tls->files[i].certificate);
                free(tls->files[i].key);
        }
        free(tls->files);
        free(tls->set.client_ca);
        free(tls->set.ciphers);
        free(tls->set.ciphersuites);
        SSL_CTX_free(tls->own);
        BIO_meth_free(tls->bio);
        pthread_mutex_destroy(&tls->lock);
}

int hot__tls_add_files(struct hot__tls *tls, const char *certificate, const char *key)
{
        struct hot__tls_files *grown = realloc(tls->files, (tls->n_files + 1) * sizeof(*grown));
        struct hot__tls_files files;

        if (!grown)
                return -ENOMEM;
        tls->files = grown;
        files = (struct hot__tls_files){strdup(certificate), strdup(key)};
        if (!files.certificate || !files.key) {
                free(files.certificate);
                free(files.key);
                return -ENOMEM;
        }
        tls->files[tls->n_files++] = files;
        return 0;
}

/* -- contexts -- */

static struct hot__tls_contexts *contexts_new(size_t room)
{
        struct hot__tls_contexts *contexts =
                calloc(1, sizeof(*contexts) + room * sizeof(*contexts->ctx));

        if (contexts)
                atomic_store(&contexts->shares, 1);
        return contexts;
}

void hot__tls_contexts_put(struct hot__tls_contexts *contexts)
{
        if (atomic_fetch_sub(&contexts->shares, 1) != 1)
                return;
        for (size_t i = 0; i < contexts->n; i++)
                SSL_CTX_free(contexts->ctx[i]);
        free(contexts);
}

struct hot__tls_contexts *hot__tls_contexts_get(struct hot__tls *tls)
{
        struct hot__tls_contexts *contexts;

        pthread_mutex_lock(&tls->lock);
        contexts = tls->contexts;
        atomic_fetch_add(&contexts->shares, 1);
        pthread_mutex_unlock(&tls->lock);
        return contexts;
}

SSL_CTX *hot__tls_contexts_first(const struct hot__tls_contexts *contexts)
{
        return contexts->ctx[0];
}

SSL_CTX *hot__tls_contexts_find(const struct hot__tls_contexts *contexts, const char *server_name)
{
        for (size_t i = 0; i < contexts->n; i++)
                if (hot__tls_context_serves(contexts->ctx[i], server_name))
                        return contexts->ctx[i];
        return NULL;
}

/* -- reading the files -- */

static void log_openssl(const struct hot__tls *tls, const char *subject)
{
        char text[256] = "out of memory";
        unsigned long error = ERR_peek_error();

        if (error)
                ERR_error_string_n(error, text, sizeof(text));
        hot__log(tls->log, "tls: %s: %s", subject, text);
        ERR_clear_error();
}

/* An RSA and an ECDSA certificate for the same names are one context: OpenSSL takes what the client can. */
static int add_context(struct hot__tls_contexts *contexts, SSL_CTX *ctx,
                       const struct hot__tls_files *files)
{
        for (size_t i = 0; i < contexts->n; i++) {
                if (!hot__tls_context_is_complement(contexts->ctx[i], ctx))
                        continue;
                SSL_CTX_free(ctx);
                return hot__tls_context_use(contexts->ctx[i], files);
        }
        contexts->ctx[contexts->n++] = ctx;
        return 0;
}

static int read_files(const struct hot__tls *tls, struct hot__tls_contexts *contexts)
{
        for (size_t i = 0; i < tls->n_files; i++) {
                SSL_CTX *ctx = hot__tls_context_new(tls);
                int r;

                if (!ctx) {
                        log_openssl(tls, tls->set.client_ca ? tls->set.client_ca : "options");
                        return -EINVAL;
                }
                r = hot__tls_context_use(ctx, &tls->files[i]);
                if (r == 0)
                        r = add_context(contexts, ctx, &tls->files[i]);
                else
                        SSL_CTX_free(ctx);
                if (r < 0) {
                        log_openssl(tls, tls->files[i].certificate);
                        return r;
                }
        }
        return 0;
}

static void replace(struct hot__tls *tls, struct hot__tls_contexts *contexts)
{
        struct hot__tls_contexts *before;

        pthread_mutex_lock(&tls->lock);
        before = tls->contexts;
        tls->contexts = contexts;
        pthread_mutex_unlock(&tls->lock);
        if (before)
                hot__tls_contexts_put(before);
}

int hot__tls_load(struct hot__tls *tls)
{
        struct hot__tls_contexts *contexts = contexts_new(tls->own ? 1 : tls->n_files);
        int r = 0;

        if (!contexts)
                return -ENOMEM;
        ERR_clear_error();
        if (tls->own) {
                SSL_CTX_up_ref(tls->own);
                contexts->ctx[contexts->n++] = tls->own;
        } else {
                r = read_files(tls, contexts);
        }
        if (r < 0)
                hot__tls_contexts_put(contexts);
        else
                replace(tls, contexts);
        return r;
}

/* Another server may have prepared it before. */
static void prepare_own(struct hot__tls *tls)
{
        SSL_CTX_keylog_cb_func before = SSL_CTX_get_keylog_callback(tls->own);

        hot__tls_context_prepare(tls, tls->own);
        if (before != SSL_CTX_get_keylog_callback(tls->own))
                tls->log_keys = before;
}

int hot__tls_open(struct hot__tls *tls)
{
        int r;

        if (!tls->own && !tls->n_files) {
                hot__log(tls->log, "tls: no certificate was given");
                return -ENOKEY;
        }
        tls->kernel = hot__socket_has_kernel_tls();
        tls->bio = hot__tls_bio_method();
        if (!tls->bio)
                return -ENOMEM;
        r = hot__tickets_init(&tls->tickets, tls->set.ticket_s);
        if (r < 0)
                return r;
        tls->has_tickets = true;
        if (tls->own)
                prepare_own(tls);
        return hot__tls_load(tls);
}
