/* SPDX-License-Identifier: MIT */
#ifndef HOT_MEMFD_H
#define HOT_MEMFD_H

/*
 * Sealed memory: bytes that travel as a descriptor and that nobody can change any more, their author
 * included. So the receiver may read them in place, as long as it likes, whoever sent them.
 *
 * Leans on memfd_create(2) and F_ADD_SEALS (Linux 3.17). A mapping of what may still shrink is a SIGBUS in
 * waiting, and one of what may still be written changes after it was checked: neither is ever mapped.
 */

#include <stddef.h>

/*
 * Copy @bytes into new sealed memory. @name is for /proc/PID/fd; what does not fit is cut off.
 *
 * Ownership: *ret_fd is given to the caller. Returns 0, -ENOMEM, -EFBIG, or what memfd_create(2), write(2)
 * or fcntl(2) said.
 */
int hot__memfd_seal(const char *name, const void *bytes, size_t len, int *ret_fd);

/*
 * Map what another process sealed, for reading. *ret_bytes is never NULL, and stays until
 * hot__memfd_unmap(); @fd may be closed before.
 *
 * Returns 0, -EPERM (it is not sealed against writing, growing and shrinking), -EINVAL (it is no ordinary
 * memory: a file, a pipe, huge pages, which may be missing when they are touched), -EFBIG (more than an
 * address space) or what mmap(2) said.
 */
int hot__memfd_map(int fd, const void **ret_bytes, size_t *ret_len);

void hot__memfd_unmap(const void *bytes, size_t len);

#endif
