/* SPDX-License-Identifier: MIT */
/*
 * Makers of locked files: of every kind of lock that Linux has, on the whole file and on a part of it.
 */
#include "mkfds.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

static int make_file(const char *name)
{
        return made(open(name, O_CREAT | O_RDWR | O_CLOEXEC, 0644));
}

static int lock(const char *name, int command, short type, off_t length)
{
        struct flock part = {.l_type = type, .l_whence = SEEK_SET, .l_len = length};
        int fd = make_file(name);

        if (fd >= 0 && fcntl(fd, command, &part) < 0)
                return -errno;
        return fd;
}

static int make_posix_write(void)
{
        return lock("posix-write", F_SETLK, F_WRLCK, 0);
}

static int make_posix_read(void)
{
        return lock("posix-read", F_SETLK, F_RDLCK, 0);
}

static int make_posix_write_part(void)
{
        return lock("posix-write-part", F_SETLK, F_WRLCK, 10);
}

static int make_posix_read_part(void)
{
        return lock("posix-read-part", F_SETLK, F_RDLCK, 10);
}

static int make_ofd_write(void)
{
        return lock("ofd-write", F_OFD_SETLK, F_WRLCK, 0);
}

static int make_ofd_read_part(void)
{
        return lock("ofd-read-part", F_OFD_SETLK, F_RDLCK, 10);
}

static int make_flock(const char *name, int how)
{
        int fd = make_file(name);

        return fd < 0 || flock(fd, how | LOCK_NB) == 0 ? fd : -errno;
}

static int make_flock_exclusive(void)
{
        return make_flock("flock-exclusive", LOCK_EX);
}

static int make_flock_shared(void)
{
        return make_flock("flock-shared", LOCK_SH);
}

static int make_lease(void)
{
        int fd = make_file("lease");

        if (fd < 0)
                return fd;
        close(fd);
        fd = made(open("lease", O_RDONLY | O_CLOEXEC));
        return fd < 0 || fcntl(fd, F_SETLEASE, F_RDLCK) == 0 ? fd : -errno;
}

const struct maker makers_of_locks[] = {
        {"posix-write", make_posix_write},
        {"posix-read", make_posix_read},
        {"posix-write-part", make_posix_write_part},
        {"posix-read-part", make_posix_read_part},
        {"ofd-write", make_ofd_write},
        {"ofd-read-part", make_ofd_read_part},
        {"flock-exclusive", make_flock_exclusive},
        {"flock-shared", make_flock_shared},
        {"lease", make_lease},
        {NULL, NULL},
};
