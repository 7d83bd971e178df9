/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdint.h>

#include "socket.h"
#include "tls_bio.h"

static int fd_of(BIO *bio)
{
        return (int)(intptr_t)BIO_get_data(bio);
}

/* errno is what SSL_ERROR_SYSCALL is asked for later. */
static int finish(ssize_t n, size_t *ret_done)
{
        if (n < 0) {
                errno = (int)-n;
                return n == -EAGAIN ? 0 : -1;
        }
        *ret_done = (size_t)n;
        return n > 0;
}

static int bio_read(BIO *bio, char *buffer, size_t size, size_t *ret_read)
{
        ssize_t n = hot__socket_read(fd_of(bio), buffer, size);

        BIO_clear_retry_flags(bio);
        if (n == -EAGAIN)
                BIO_set_retry_read(bio);
        else if (n == 0)
                BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
        *ret_read = 0;
        return finish(n, ret_read);
}

static int bio_write(BIO *bio, const char *data, size_t len, size_t *ret_written)
{
        ssize_t n = hot__socket_send(fd_of(bio), data, len, false);

        BIO_clear_retry_flags(bio);
        if (n == -EAGAIN)
                BIO_set_retry_write(bio);
        *ret_written = 0;
        return finish(n, ret_written);
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
        (void)number, (void)pointer;
        switch (command) {
        case BIO_CTRL_FLUSH:
                return 1;
        case BIO_CTRL_EOF:
                return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
        default:
                return 0;
        }
}

BIO_METHOD *hot__tls_bio_method(void)
{
        BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "hotstart");

        if (!method)
                return NULL;
        BIO_meth_set_read_ex(method, bio_read);
        BIO_meth_set_write_ex(method, bio_write);
        BIO_meth_set_ctrl(method, bio_ctrl);
        return method;
}

BIO *hot__tls_bio_new(const BIO_METHOD *method, int fd)
{
        BIO *bio = BIO_new(method);

        if (!bio)
                return NULL;
        BIO_set_data(bio, (void *)(intptr_t)fd);
        BIO_set_init(bio, 1);
        return bio;
}
