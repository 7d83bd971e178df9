/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "socket.h"
#include "tls_bio.h"

static void count(const struct hot__tls_wire *wire, struct hot__tls_records *records,
                  const void *bytes, ssize_t n)
{
        if (wire->counted && n > 0)
                hot__tls_records_pass(records, bytes, (size_t)n);
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
        struct hot__tls_wire *wire = BIO_get_data(bio);
        ssize_t n = hot__socket_read(wire->fd, buffer, size);

        wire->took_all = n == -EAGAIN || (n > 0 && (size_t)n < size);
        count(wire, &wire->in, buffer, n);
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
        struct hot__tls_wire *wire = BIO_get_data(bio);
        ssize_t n = hot__socket_send(wire->fd, data, len, false);

        count(wire, &wire->out, data, n);
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

BIO *hot__tls_bio_new(const BIO_METHOD *method, struct hot__tls_wire *wire)
{
        BIO *bio = BIO_new(method);

        if (!bio)
                return NULL;
        BIO_set_data(bio, wire);
        BIO_set_init(bio, 1);
        return bio;
}
