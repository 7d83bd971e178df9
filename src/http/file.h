/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_FILE_H
#define HOT_HTTP_FILE_H

/*
 * A response's body out of a descriptor. A regular file is sent by sendfile(2) where there is a plain socket
 * below, else it is read into the stream's piece; from anything else is read what there is, and the
 * descriptor is watched while there is nothing.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "loop.h"

struct hot__exchange;

struct hot__file {
        int fd; /* owned */
        off_t offset;
        bool regular;
        bool watched;
        struct hot__watch watch;
        struct hot__exchange *exchange; /* whose body it is */
};

/* Ownership: takes @fd, always. Returns NULL for want of memory. */
struct hot__file *hot__file_take(int fd, bool regular, off_t offset);

/* The producer's callbacks; on the loop's thread. hot__file_done() frees it. */
ssize_t hot__file_produce(void *file, char *buffer, size_t size);
void hot__file_done(void *file);

#endif
