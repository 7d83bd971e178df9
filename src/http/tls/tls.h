/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_TLS_H
#define HOT_HTTP_TLS_H

/*
 * TLS as the server offers it: certificates and their keys, versions and ciphers, protocols, whom to ask for
 * a certificate, and the keys of tickets. One connection's side of it is tls_session.
 *
 * What is read from files is a set of contexts, one for each set of names. The set is replaced as a whole
 * (hot__tls_load()), so that a file that cannot be read changes nothing, and lives as long as a connection
 * that began with it. The listener knows nothing of all this: it is a plain descriptor, and restarts treat
 * it as such.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

#include <hotstart/http.h>

#include "log.h"
#include "tickets.h"

struct hot__tls_contexts;

struct hot__tls {
        bool on; /* the server was asked for TLS */

        /* set up by the host, read-only while serving; all strings owned */
        struct hot__tls_files {
                char *certificate, *key;
        } * files;
        size_t n_files;
        struct hot__tls_settings {
                int min_version; /* TLS1_2_VERSION… */
                unsigned int ticket_s;
                enum hot_http_client_certificate client;
                bool no_http2;
                char *client_ca, *ciphers, *ciphersuites;
        } set;
        SSL_CTX *own; /* the host's, a reference; instead of files */

        /* while serving */
        long kernel;                     /* has the kernel TLS? For `hotstart status` */
        SSL_CTX_keylog_cb_func log_keys; /* the own context's, or NULL */
        BIO_METHOD *bio;
        struct hot__tickets tickets;
        bool has_tickets;
        pthread_mutex_t lock; /* of .contexts */
        struct hot__tls_contexts *contexts;
        const struct hot__log *log;
};

int hot__tls_init(struct hot__tls *tls, const struct hot__log *log);
void hot__tls_done(struct hot__tls *tls);

/* Of the setting up: a pair of PEM files. Returns 0 or -ENOMEM. */
int hot__tls_add_files(struct hot__tls *tls, const char *certificate, const char *key);

/* What serving needs beside the certificates. Returns 0 or a negative errno. */
int hot__tls_open(struct hot__tls *tls);

/*
 * Read the files, and have the connections that come from now on use what they say. Thread-safe. Says on the
 * log what is wrong. Returns 0, or a negative errno: what was read before is used on.
 */
int hot__tls_load(struct hot__tls *tls);

/* The keys of tickets to the next generation, and from the one before; see tls_state.c. */
void hot__tls_save(struct hot__tls *tls, struct hot *hot);
void hot__tls_restore(struct hot__tls *tls, struct hot *hot);

/* A reference to the contexts of now, or NULL. Thread-safe, as the other one. */
struct hot__tls_contexts *hot__tls_contexts_get(struct hot__tls *tls);
void hot__tls_contexts_put(struct hot__tls_contexts *contexts);

/* Where every handshake begins; the client's server name may lead it to another one. */
SSL_CTX *hot__tls_contexts_first(const struct hot__tls_contexts *contexts);
SSL_CTX *hot__tls_contexts_find(const struct hot__tls_contexts *contexts, const char *server_name);

#endif
