/* SPDX-License-Identifier: MIT */
#include "memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "fd.h"

/* Linux 6.3: memory that can never be executed. vm.memfd_noexec=2 refuses any other. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

/* What the receiver leans on; and that the author takes none of it back. */
#define SEALS_NEEDED (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define SEALS        (SEALS_NEEDED | F_SEAL_SEAL)

static int create(const char *name)
{
        int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

        if (fd < 0 && errno == EINVAL)
                fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
        return fd < 0 ? -errno : hot__fd_take_above_stdio(fd);
}

/* One write(2) moves 2 GiB at most, and less where memory is short. */
static int write_all(int fd, const void *bytes, size_t len)
{
        const char *at = bytes;

        while (len > 0) {
                ssize_t n = write(fd, at, len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : -ENOSPC;
                at += n;
                len -= (size_t)n;
        }
        return 0;
}

int hot__memfd_seal(const char *name, const void *bytes, size_t len, int *ret_fd)
{
        CLEANUP(hot__fd_closep) int fd = -EBADF;
        char short_name[200]; /* the kernel refuses more than 249 characters */
        int r;

        snprintf(short_name, sizeof(short_name), "hotstart:%s", name);
        fd = create(short_name);
        if (fd < 0)
                return fd;
        r = write_all(fd, bytes, len);
        if (r < 0)
                return r;
        if (fcntl(fd, F_ADD_SEALS, SEALS) < 0)
                return -errno;
        *ret_fd = hot__fd_take(&fd);
        return 0;
}

/* How many bytes may be read for ever, or a negative errno. */
static int64_t sealed_size(int fd)
{
        int seals = fcntl(fd, F_GET_SEALS);
        struct statfs fs;
        struct stat st;

        if (seals < 0)
                return -errno;
        if ((seals & SEALS_NEEDED) != SEALS_NEEDED)
                return -EPERM;
        if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
                return -errno;
        return fs.f_type == TMPFS_MAGIC ? (int64_t)st.st_size : -EINVAL;
}

int hot__memfd_map(int fd, const void **ret_bytes, size_t *ret_len)
{
        int64_t size = sealed_size(fd);
        const void *bytes = "";

        if (size < 0)
                return (int)size;
        if ((uint64_t)size > PTRDIFF_MAX)
                return -EFBIG;
        /* Private: before Linux 6.7 a shared mapping of what is sealed against writing is refused. */
        if (size > 0)
                bytes = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes == MAP_FAILED)
                return -errno;
        *ret_bytes = bytes;
        *ret_len = (size_t)size;
        return 0;
}

void hot__memfd_unmap(const void *bytes, size_t len)
{
        if (len > 0)
                munmap((void *)(uintptr_t)bytes, len);
}
