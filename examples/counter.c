/* SPDX-License-Identifier: MIT */
#include "counter.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Sealed against shrinking: what is mapped there stays there, whatever another release does. */
static int create(struct hot *hot, const char *name)
{
        int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING), r = 0;

        if (fd < 0)
                return -errno;
        if (ftruncate(fd, sizeof(uint64_t)) < 0 ||
            fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0)
                r = -errno;
        if (r == 0)
                r = hot_keep(hot, name, fd);
        close(fd);
        return r < 0 ? r : hot_kept(hot, name);
}

int counter_open(struct counter *counter, struct hot *hot, const char *name)
{
        int fd = hot_kept(hot, name), seals;
        struct stat st;
        void *memory;

        if (fd == -ENOENT)
                fd = create(hot, name);
        if (fd < 0)
                return fd;
        seals = fcntl(fd, F_GET_SEALS);
        if (seals < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!(seals & F_SEAL_SHRINK) || st.st_size < (off_t)sizeof(uint64_t))
                return -EINVAL;
        memory = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (memory == MAP_FAILED)
                return -errno;
        counter->value = memory;
        return 0;
}

void counter_add(const struct counter *counter)
{
        atomic_fetch_add_explicit(counter->value, 1, memory_order_relaxed);
}

uint64_t counter_read(const struct counter *counter)
{
        return atomic_load_explicit(counter->value, memory_order_relaxed);
}
