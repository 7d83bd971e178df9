/* SPDX-License-Identifier: MIT */
/*
 * Makers of what never had a name: epolls, timers, memory, namespaces.
 */
#include "mkfds.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/landlock.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

static int watch(int epoll, int fd)
{
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

        return fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : epoll;
}

static int make_epoll_empty(void)
{
        return made(epoll_create1(EPOLL_CLOEXEC));
}

static int make_epoll(void)
{
        int epoll = make_epoll_empty();

        for (int i = 0; i < 3 && epoll >= 0; i++)
                epoll = watch(epoll, eventfd(0, EFD_CLOEXEC));
        return epoll;
}

/* More than lsof shows. */
static int make_epoll_crowded(void)
{
        int epoll = make_epoll_empty();
        int fd = eventfd(0, EFD_CLOEXEC);

        for (int i = 0; i < 40 && epoll >= 0; i++)
                epoll = watch(epoll, fcntl(fd, F_DUPFD_CLOEXEC, 500 + i * 3));
        return epoll;
}

static int make_eventfd(void)
{
        return made(eventfd(7, EFD_CLOEXEC | EFD_NONBLOCK));
}

static int make_timerfd(void)
{
        return made(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
}

static int make_signalfd(void)
{
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGUSR2);
        return made(signalfd(-1, &set, SFD_CLOEXEC));
}

static int make_inotify(void)
{
        int fd = made(inotify_init1(IN_CLOEXEC));

        return fd < 0 || inotify_add_watch(fd, ".", IN_CREATE) >= 0 ? fd : -errno;
}

static int make_fanotify(void)
{
        return made(fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC, O_RDONLY));
}

static int make_pidfd(void)
{
        return made(syscall(SYS_pidfd_open, getpid(), 0));
}

static int make_memfd(void)
{
        int fd = made(memfd_create("a memfd", MFD_CLOEXEC));

        return fd < 0 || ftruncate(fd, 8192) == 0 ? fd : -errno;
}

static int make_memfd_secret(void)
{
        return made(syscall(SYS_memfd_secret, O_CLOEXEC));
}

static int make_userfaultfd(void)
{
        return made(syscall(SYS_userfaultfd, O_CLOEXEC));
}

static int make_io_uring(void)
{
        struct io_uring_params parameters = {0};

        return made(syscall(SYS_io_uring_setup, 4, &parameters));
}

static int make_perf(void)
{
        struct perf_event_attr attr = {
                .type = PERF_TYPE_SOFTWARE,
                .size = sizeof(attr),
                .config = PERF_COUNT_SW_TASK_CLOCK,
                .exclude_kernel = 1,
                .disabled = 1,
        };

        return made(syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC));
}

static int make_bpf_map(void)
{
        union bpf_attr attr = {
                .map_type = BPF_MAP_TYPE_ARRAY,
                .key_size = 4,
                .value_size = 4,
                .max_entries = 1,
        };

        return made(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)));
}

static int make_landlock(void)
{
        struct landlock_ruleset_attr attr = {.handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE};

        return made(syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0));
}

static int make_namespace(void)
{
        return made(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
}

static int make_mount(void)
{
        return made(syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC));
}

const struct maker makers_of_anonymous[] = {
        {"epoll-empty", make_epoll_empty},
        {"epoll", make_epoll},
        {"epoll-crowded", make_epoll_crowded},
        {"eventfd", make_eventfd},
        {"timerfd", make_timerfd},
        {"signalfd", make_signalfd},
        {"inotify", make_inotify},
        {"fanotify", make_fanotify},
        {"pidfd", make_pidfd},
        {"memfd", make_memfd},
        {"memfd-secret", make_memfd_secret},
        {"userfaultfd", make_userfaultfd},
        {"io-uring", make_io_uring},
        {"perf", make_perf},
        {"bpf-map", make_bpf_map},
        {"landlock", make_landlock},
        {"namespace", make_namespace},
        {"mount", make_mount},
        {NULL, NULL},
};
