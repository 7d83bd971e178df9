/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "loop.h"
#include "socket.h"
#include "tls.h"
#include "tls_ledger.h"
#include "tls_session.h"

struct hot__tls_session *hot__tls_session_new(struct hot__tls *tls, int fd)
{
        struct hot__tls_session *session = calloc(1, sizeof(*session));
        BIO *bio = NULL;

        if (!session)
                return NULL;
        session->tls = tls;
        session->contexts = hot__tls_contexts_get(tls);
        session->wire = (struct hot__tls_wire){.fd = fd, .counted = tls->kernel};
        session->ssl = SSL_new(hot__tls_contexts_first(session->contexts));
        if (session->ssl && tls->kernel)
                session->ledger = hot__tls_ledger_new(session->ssl);
        if (session->ssl && (session->ledger || !tls->kernel))
                bio = hot__tls_bio_new(tls->bio, &session->wire);
        if (!bio) {
                hot__tls_session_free(session);
                return NULL;
        }
        SSL_set_bio(session->ssl, bio, bio);
        SSL_set_app_data(session->ssl, session);
        SSL_set_accept_state(session->ssl);
        /* A read of the descriptor takes whole records, an idle session keeps no buffers. */
        SSL_set_read_ahead(session->ssl, 1);
        SSL_set_mode(session->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                           SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                           SSL_MODE_RELEASE_BUFFERS);
        return session;
}

void hot__tls_session_free(struct hot__tls_session *session)
{
        if (!session)
                return;
        SSL_free(session->ssl);
        hot__tls_ledger_free(session->ledger);
        if (session->contexts)
                hot__tls_contexts_put(session->contexts);
        hot__tls_facts_put(session->facts);
        free(session);
        ERR_clear_error();
}

/* The outcome @r of a call, as ours. 0 is the peer's end. */
static int outcome(struct hot__tls_session *session, int r)
{
        int error = errno;

        switch (SSL_get_error(session->ssl, r)) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
        case SSL_ERROR_WANT_X509_LOOKUP:
        case SSL_ERROR_WANT_CLIENT_HELLO_CB:
        case SSL_ERROR_WANT_RETRY_VERIFY:
                return -EAGAIN;
        case SSL_ERROR_ZERO_RETURN:
                return 0;
        case SSL_ERROR_SYSCALL:
                session->broken = true;
                return error ? -error : -ECONNRESET;
        default:
                session->broken = true;
                return -EPROTO;
        }
}

int hot__tls_session_handshake(struct hot__tls_session *session, int *ret_wants)
{
        int r;

        ERR_clear_error();
        errno = 0;
        r = SSL_do_handshake(session->ssl);
        if (r == 1) {
                session->facts = hot__tls_facts_take(session->ssl);
                return session->facts ? 0 : -ENOMEM;
        }
        if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST) {
                session->broken = true;
                return -EPROTONOSUPPORT;
        }
        *ret_wants = SSL_want_write(session->ssl) ? HOT__WRITABLE : HOT__READABLE;
        r = outcome(session, r);
        return r == 0 ? -ECONNRESET : r;
}

bool hot__tls_session_is_http2(const struct hot__tls_session *session)
{
        const unsigned char *name;
        unsigned int len;

        SSL_get0_alpn_selected(session->ssl, &name, &len);
        return len == 2 && !memcmp(name, "h2", 2);
}

ssize_t hot__tls_session_read(struct hot__tls_session *session, void *buffer, size_t size)
{
        size_t n;
        int r;

        if (session->kernel.on)
                return hot__ktls_session_read(&session->kernel, buffer, size);
        session->wire.took_all = false;
        ERR_clear_error();
        errno = 0;
        r = SSL_read_ex(session->ssl, buffer, size, &n);
        return r == 1 ? (ssize_t)n : outcome(session, r);
}

bool hot__tls_session_took_all(const struct hot__tls_session *session)
{
        return !session->kernel.on && session->wire.took_all;
}

ssize_t hot__tls_session_send(struct hot__tls_session *session, const void *data, size_t len,
                              bool more)
{
        size_t n;
        int r;

        if (session->kernel.on)
                return hot__ktls_session_send(&session->kernel, data, len, more);
        ERR_clear_error();
        errno = 0;
        r = SSL_write_ex(session->ssl, data, len, &n);
        if (r == 1)
                return (ssize_t)n;
        r = outcome(session, r);
        return r == 0 ? -EPIPE : r;
}

ssize_t hot__tls_session_send_file(struct hot__tls_session *session, int file, off_t *offset,
                                   size_t len)
{
        if (!session->kernel.on)
                return -EOPNOTSUPP;
        return hot__ktls_session_send_file(&session->kernel, file, offset, len);
}

bool hot__tls_session_holds_input(const struct hot__tls_session *session)
{
        return !session->kernel.on && SSL_has_pending(session->ssl) == 1;
}

bool hot__tls_session_has_input(const struct hot__tls_session *session)
{
        if (session->kernel.on)
                return hot__ktls_session_has_input(&session->kernel);
        return hot__tls_session_holds_input(session) || hot__socket_has_input(session->wire.fd);
}

/* What OpenSSL would read is not decrypted any more. */
ssize_t hot__tls_session_discard(struct hot__tls_session *session, void *buffer, size_t size)
{
        if (session->kernel.on)
                return hot__ktls_session_read(&session->kernel, buffer, size);
        return hot__socket_read(session->wire.fd, buffer, size);
}

int hot__tls_session_finish(struct hot__tls_session *session)
{
        int r;

        if (session->kernel.on)
                return hot__ktls_session_finish(&session->kernel);
        if (session->broken || SSL_in_init(session->ssl))
                return 0;
        ERR_clear_error();
        errno = 0;
        r = SSL_shutdown(session->ssl);
        return r < 0 && outcome(session, r) == -EAGAIN ? -EAGAIN : 0;
}
