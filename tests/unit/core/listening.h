/* SPDX-License-Identifier: MIT */
#ifndef LISTENING_H
#define LISTENING_H

/* Listeners at UNIX paths, for the tests of who a path belongs to. */

#include <errno.h>
#include <string.h>

#include "fdcheck.h"
#include "listener.h"

static inline struct hot__address address_of(const char *path)
{
        struct hot__address address = {.kind = HOT__ADDRESS_UNIX};

        assert_true(strlen(path) < sizeof(address.path));
        memcpy(address.path, path, strlen(path) + 1);
        return address;
}

static inline int try_listen(const char *path, int *ret_fd)
{
        const struct hot__address address = address_of(path);

        return hot__listener_bind(&address, ret_fd);
}

static inline int listening(const char *path)
{
        int fd = -EBADF;

        assert_int_equal(try_listen(path, &fd), 0);
        assert_true(fd >= 3);
        return fd;
}

static inline bool is_at(int fd, const char *path)
{
        const struct hot__address address = address_of(path);

        return hot__listener_is_at(fd, &address);
}

#endif
