/* SPDX-License-Identifier: MIT */
#ifndef BOUND_H
#define BOUND_H

/* Listeners bound to an address in text, for the tests of listeners. */

#include <errno.h>

#include "fdcheck.h"
#include "listener.h"

static inline struct hot__address parsed(const char *text)
{
        struct hot__address address;

        if (hot__address_parse(text, &address) != 0)
                fail_msg("\"%s\" is no address", text);
        return address;
}

static inline int try_bind(const char *text, int *ret_fd)
{
        const struct hot__address address = parsed(text);

        return hot__listener_bind(&address, ret_fd);
}

static inline int bound(const char *text)
{
        int fd = -EBADF;

        assert_int_equal(try_bind(text, &fd), 0);
        assert_true(fd >= 3);
        return fd;
}

#endif
