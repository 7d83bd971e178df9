/* SPDX-License-Identifier: MIT */
#include "transport.h"

#include "lazy.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>

/* What is used of OpenSSL: each member is named after its function, and set once. */
#define FUNCTIONS(X)              \
        X(ERR_clear_error)        \
        X(SSL_CTX_ctrl)           \
        X(SSL_CTX_free)           \
        X(SSL_CTX_new)            \
        X(SSL_CTX_set_options)    \
        X(SSL_CTX_set_verify)     \
        X(SSL_do_handshake)       \
        X(SSL_free)               \
        X(SSL_get0_alpn_selected) \
        X(SSL_get_error)          \
        X(SSL_is_init_finished)   \
        X(SSL_new)                \
        X(SSL_read)               \
        X(SSL_set_alpn_protos)    \
        X(SSL_set_connect_state)  \
        X(SSL_set_fd)             \
        X(SSL_shutdown)           \
        X(SSL_write)              \
        X(TLS_client_method)

static struct {
        void *library;
        FUNCTIONS(HOT__LAZY_MEMBER)
} openssl;

#define FIND(name) HOT__LAZY_FIND(openssl, name)

static int load(void)
{
        if (openssl.library)
                return 0;
        openssl.library = hot__lazy_open("libssl.so.3");
        if (!openssl.library)
                return -ELIBACC;
        FUNCTIONS(FIND)
        return 0;
}

int hot__transport_new(SSL_CTX **ret_context)
{
        const long modes = SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER;
        SSL_CTX *context;
        int r = load();

        if (r < 0)
                return r;
        context = openssl.SSL_CTX_new(openssl.TLS_client_method());
        if (!context)
                return -ENOMEM;
        openssl.SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
        openssl.SSL_CTX_ctrl(context, SSL_CTRL_MODE, modes, NULL);
        /* An end without good-bye is an end: whether it came too early, the answer's length tells. */
        openssl.SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
        *ret_context = context;
        return 0;
}

void hot__transport_free(SSL_CTX *context)
{
        if (context)
                openssl.SSL_CTX_free(context);
}

/* A list of names, each with its length before it, is what TLS wants: here it has one. */
static bool ask_for(SSL *tls, const char *alpn)
{
        unsigned char list[64];
        size_t length = strlen(alpn);

        if (length >= sizeof(list))
                return false;
        list[0] = (unsigned char)length;
        memcpy(list + 1, alpn, length);
        return openssl.SSL_set_alpn_protos(tls, list, (unsigned int)length + 1) == 0;
}

SSL *hot__transport_open(SSL_CTX *context, int fd, const char *alpn)
{
        SSL *tls = openssl.SSL_new(context);

        if (!tls)
                return NULL;
        if (openssl.SSL_set_fd(tls, fd) != 1 || (alpn && !ask_for(tls, alpn)))
                return hot__transport_close(tls);
        openssl.SSL_set_connect_state(tls);
        return tls;
}

SSL *hot__transport_close(SSL *tls)
{
        if (!tls)
                return NULL;
        openssl.ERR_clear_error();
        if (openssl.SSL_is_init_finished(tls))
                (void)openssl.SSL_shutdown(tls);
        openssl.ERR_clear_error();
        openssl.SSL_free(tls);
        return NULL;
}

/* What went wrong, as an errno; 0 for the peer's end. */
static int reason(SSL *tls, int r)
{
        int saved = errno;

        switch (openssl.SSL_get_error(tls, r)) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
                return EAGAIN;
        case SSL_ERROR_ZERO_RETURN:
                return 0;
        case SSL_ERROR_SYSCALL:
                return saved;
        default:
                return EPROTO;
        }
}

int hot__transport_handshake(SSL *tls)
{
        int r, error;

        openssl.ERR_clear_error();
        errno = 0;
        r = openssl.SSL_do_handshake(tls);
        if (r == 1)
                return 1;
        error = reason(tls, r);
        return error == EAGAIN ? 0 : error == 0 ? -EPIPE : -error;
}

bool hot__transport_agreed(SSL *tls, const char *alpn)
{
        const unsigned char *selected;
        unsigned int length;

        if (!alpn)
                return true;
        openssl.SSL_get0_alpn_selected(tls, &selected, &length);
        return length == strlen(alpn) && memcmp(selected, alpn, length) == 0;
}

ssize_t hot__transport_read(SSL *tls, int fd, char *bytes, size_t count)
{
        int r;

        if (!tls)
                return recv(fd, bytes, count, 0);
        openssl.ERR_clear_error();
        errno = 0;
        r = openssl.SSL_read(tls, bytes, count > INT_MAX ? INT_MAX : (int)count);
        if (r > 0)
                return r;
        errno = reason(tls, r);
        return errno == 0 ? 0 : -1;
}

ssize_t hot__transport_write(SSL *tls, int fd, const char *bytes, size_t count)
{
        int r;

        if (!tls)
                return send(fd, bytes, count, MSG_NOSIGNAL);
        openssl.ERR_clear_error();
        errno = 0;
        r = openssl.SSL_write(tls, bytes, count > INT_MAX ? INT_MAX : (int)count);
        if (r > 0)
                return r;
        errno = reason(tls, r);
        if (errno == 0)
                errno = EPIPE;
        return -1;
}
