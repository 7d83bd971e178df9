/* SPDX-License-Identifier: MIT */
/*
 * Makers of what has a place in a file system, or had one: files, directories, devices, pipes.
 */
#include "mkfds.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pty.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_file(const char *name, int flags, const char *content)
{
        int fd = open(name, O_CREAT | O_RDWR | O_CLOEXEC, 0644);

        if (fd < 0)
                return -errno;
        if (write(fd, content, strlen(content)) < 0)
                return made(-1);
        close(fd);
        return made(open(name, flags | O_CLOEXEC));
}

static int make_read(void)
{
        return make_file("read.txt", O_RDONLY, "0123456789");
}

static int make_write(void)
{
        return make_file("write.txt", O_WRONLY | O_APPEND, "w");
}

static int make_update(void)
{
        return make_file("update.txt", O_RDWR | O_SYNC, "");
}

static int make_seeked(void)
{
        int fd = make_file("seeked.txt", O_RDONLY, "a file that is read in part");

        return fd < 0 || lseek(fd, 7, SEEK_SET) == 7 ? fd : -errno;
}

/* So far in that lsof counts in hexadecimal. */
static int make_far(void)
{
        int fd = make_file("far.bin", O_RDWR, "");

        if (fd >= 0 && (ftruncate(fd, 1LL << 33) < 0 || lseek(fd, 1LL << 32, SEEK_SET) < 0))
                return -errno;
        return fd;
}

static int make_linked(void)
{
        int fd = make_file("linked.txt", O_RDONLY, "two names");

        return fd < 0 || link("linked.txt", "linked.too") == 0 ? fd : -errno;
}

static int make_deleted(void)
{
        int fd = make_file("deleted.txt", O_RDWR, "gone");

        return fd < 0 || unlink("deleted.txt") == 0 ? fd : -errno;
}

static int make_tmpfile(void)
{
        return made(open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
}

static int make_path(void)
{
        return make_file("path.txt", O_PATH, "no access at all");
}

static int make_symlink(void)
{
        if (symlink("read.txt", "symlink") < 0)
                return -errno;
        return made(open("symlink", O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

static int make_directory(void)
{
        if (mkdir("directory", 0755) < 0)
                return -errno;
        return made(open("directory", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int make_newline(void)
{
        return make_file("two\nlines\tand \\", O_RDONLY, "");
}

static int make_utf8(void)
{
        return make_file("\xc3\xa4\xe2\x82\xac", O_RDONLY, "");
}

static int make_latin1(void)
{
        return make_file("latin \xe4\x01\x7f\xff", O_RDONLY, "");
}

/* A file that is there, with a name that says that it is not. */
static int make_liar(void)
{
        return make_file("liar (deleted)", O_RDONLY, "");
}

static int make_null(void)
{
        return made(open("/dev/null", O_WRONLY | O_CLOEXEC));
}

static int make_zero(void)
{
        char bytes[3];
        int fd = made(open("/dev/zero", O_RDWR | O_CLOEXEC));

        return fd < 0 || read(fd, bytes, sizeof(bytes)) == sizeof(bytes) ? fd : -errno;
}

static int make_pty(void)
{
        int master, slave;

        return openpty(&master, &slave, NULL, NULL, NULL) < 0 ? -errno : slave;
}

/* No privilege is needed to point to a device. */
static int make_block(void)
{
        static const char *const devices[] = {"/dev/vda", "/dev/sda", "/dev/nvme0n1", "/dev/loop0"};
        int fd = -ENOENT;

        for (size_t i = 0; i < sizeof(devices) / sizeof(*devices) && fd < 0; i++)
                fd = made(open(devices[i], O_PATH | O_CLOEXEC));
        return fd;
}

static int make_fifo(void)
{
        if (mkfifo("fifo", 0644) < 0)
                return -errno;
        return made(open("fifo", O_RDWR | O_CLOEXEC));
}

static int make_pipe(void)
{
        int ends[2];

        return pipe2(ends, O_CLOEXEC) < 0 ? -errno : ends[1];
}

static int make_socket_path(void)
{
        if (mknod("node.sock", S_IFSOCK | 0644, 0) < 0)
                return -errno;
        return made(open("node.sock", O_PATH | O_CLOEXEC));
}

static int make_mapped(void)
{
        int fd = make_file("mapped.txt", O_RDWR, "mapped and closed");

        if (fd < 0)
                return fd;
        if (mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED)
                return -errno;
        return fd;
}

/* The map outlives the file. */
static int make_mapped_deleted(void)
{
        int fd = make_file("unmapped.txt", O_RDWR, "mapped and deleted");

        if (fd < 0)
                return fd;
        if (mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ||
            unlink("unmapped.txt") < 0)
                return -errno;
        return fd;
}

static int make_proc(void)
{
        return made(open("/proc/self/status", O_RDONLY | O_CLOEXEC));
}

static int make_queue(void)
{
        char name[32];
        mqd_t queue;

        snprintf(name, sizeof(name), "/mkfds-%d", getpid());
        queue = mq_open(name, O_CREAT | O_RDWR, 0600, NULL);
        if (queue < 0)
                return -errno;
        return mq_unlink(name) < 0 ? -errno : (int)queue;
}

static int make_high(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
                limit.rlim_cur = limit.rlim_max;
                setrlimit(RLIMIT_NOFILE, &limit);
        }
        return made(fcntl(STDERR_FILENO, F_DUPFD, 12345));
}

const struct maker makers_of_files[] = {
        {"read", make_read},
        {"write", make_write},
        {"update", make_update},
        {"seeked", make_seeked},
        {"far", make_far},
        {"linked", make_linked},
        {"deleted", make_deleted},
        {"tmpfile", make_tmpfile},
        {"path", make_path},
        {"symlink", make_symlink},
        {"directory", make_directory},
        {"newline", make_newline},
        {"utf8", make_utf8},
        {"latin1", make_latin1},
        {"liar", make_liar},
        {"null", make_null},
        {"zero", make_zero},
        {"pty", make_pty},
        {"block", make_block},
        {"fifo", make_fifo},
        {"pipe", make_pipe},
        {"socket-path", make_socket_path},
        {"mapped", make_mapped},
        {"mapped-deleted", make_mapped_deleted},
        {"proc", make_proc},
        {"queue", make_queue},
        {"high", make_high},
        {NULL, NULL},
};
