/* SPDX-License-Identifier: MIT */
#include "transport.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>

/* What is used of OpenSSL: each member is named after its function, and set once. */
#define FUNCTIONS(X)             \
        X(ERR_clear_error)       \
        X(SSL_CTX_ctrl)          \
        X(SSL_CTX_free)          \
        X(SSL_CTX_new)           \
        X(SSL_CTX_set_options)   \
        X(SSL_CTX_set_verify)    \
        X(SSL_do_handshake)      \
        X(SSL_free)              \
        X(SSL_get_error)         \
        X(SSL_is_init_finished)  \
        X(SSL_new)               \
        X(SSL_read)              \
        X(SSL_set_connect_state) \
        X(SSL_set_fd)            \
        X(SSL_shutdown)          \
        X(SSL_write)             \
        X(TLS_client_method)

#define MEMBER(name) __typeof__(&(name)) name;

static struct {
        void *library;
        FUNCTIONS(MEMBER)
} openssl;

/* dlsym(3) gives a pointer to an object; POSIX says that it may be taken for one to a function. */
#define FIND(name)                                            \
        do {                                                  \
                void *found = dlsym(library, #name);          \
                                                              \
                if (!found)                                   \
                        return -ELIBACC;                      \
                memcpy(&openssl.name, &found, sizeof(found)); \
        } while (0);

static int load(void)
{
        void *library;

        if (openssl.library)
                return 0;
        library = dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL);
        if (!library)
                return -ELIBACC;
        FUNCTIONS(FIND)
        openssl.library = library;
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

SSL *hot__transport_open(SSL_CTX *context, int fd)
{
        SSL *tls = openssl.SSL_new(context);

        if (!tls)
                return NULL;
        if (openssl.SSL_set_fd(tls, fd) != 1)
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
