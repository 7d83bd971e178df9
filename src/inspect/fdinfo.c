/* SPDX-License-Identifier: MIT */
/*
 * fdinfo has lines "key:<blanks>value". Some come for every kind: "flags:" shows the description's flags, but
 * with O_CLOEXEC standing for the descriptor's own FD_CLOEXEC; "lock:" comes once for each lock that was
 * taken through this description. The others belong to a kind. An io_uring's list of registered files is a
 * key "UserFiles" with the count, and a line "<slot>: <name>" for each that is there.
 */
#include "fdinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

/* The kernel's own device number: 12 bits of major, 20 of minor. */
static uint64_t read_device(const char *text)
{
        unsigned long device = strtoul(text, NULL, 16);

        return makedev((unsigned int)(device >> 20), (unsigned int)(device & 0xfffff));
}

/* "tfd:        5 events:       19 data:                5  pos:0 ino:30fa sdev:9" */
static int read_watch(struct hot__row *row, const char *value)
{
        const char *inode = strstr(value, " ino:"), *device = strstr(value, " sdev:");
        struct hot_inspect_watch watch = {.fd = -1}, *larger;

        if (sscanf(value, "%d events: %x", &watch.fd, &watch.events) != 2)
                return 0;
        if (inode)
                watch.inode = strtoull(inode + strlen(" ino:"), NULL, 16);
        if (device)
                watch.device = read_device(device + strlen(" sdev:"));
        larger = hot__row_grow(row->watches, row->public.n_watches, sizeof(*larger));
        if (!larger)
                return -ENOMEM;
        larger[row->public.n_watches++] = watch;
        row->public.watches = row->watches = larger;
        return 0;
}

static int lock_kind(const char *word)
{
        if (strcmp(word, "POSIX") == 0)
                return HOT_INSPECT_LOCK_POSIX;
        if (strcmp(word, "FLOCK") == 0)
                return HOT_INSPECT_LOCK_FLOCK;
        if (strcmp(word, "OFDLCK") == 0)
                return HOT_INSPECT_LOCK_OFD;
        return HOT_INSPECT_LOCK_LEASE;
}

/* "1: POSIX  ADVISORY  WRITE 14737 fe:00:11110338 0 EOF" */
static int read_lock(struct hot__row *row, const char *value)
{
        char kind[16], access[16], end[24];
        struct hot_inspect_lock lock = {0}, *larger;
        unsigned long long start;

        if (sscanf(value, " %*d: %15s %*s %15s %d %*s %llu %23s", kind, access, &lock.pid, &start,
                   end) != 5)
                return 0;
        lock.kind = lock_kind(kind);
        lock.write = strcmp(access, "WRITE") == 0;
        lock.start = start;
        lock.end = strcmp(end, "EOF") == 0 ? UINT64_MAX : strtoull(end, NULL, 10);
        larger = hot__row_grow(row->locks, row->public.n_locks, sizeof(*larger));
        if (!larger)
                return -ENOMEM;
        larger[row->public.n_locks++] = lock;
        row->public.locks = row->locks = larger;
        return 0;
}

/* "    0: socket:[11912957]", taken apart at its first colon. An empty slot is "<none>". */
static int read_held(struct hot__row *row, const char *slot, const char *value,
                     struct hot__arena *arena)
{
        struct hot_inspect_held held = {.slot = (int)strtol(slot, NULL, 10)}, *larger;

        value += strspn(value, " \t");
        if (*value == '\0' || strcmp(value, "<none>") == 0)
                return 0;
        if (strncmp(value, "socket:[", 8) == 0)
                held.inode = strtoull(value + 8, NULL, 10);
        held.target = hot__arena_copy(arena, value, strlen(value));
        larger = hot__row_grow(row->held, row->public.n_held, sizeof(*larger));
        if (!larger || !held.target)
                return -ENOMEM;
        larger[row->public.n_held++] = held;
        row->public.held = row->held = larger;
        return 0;
}

static void read_flags(struct hot_inspect_fd *row, const char *value)
{
        unsigned long flags = strtoul(value, NULL, 8);

        row->cloexec = (flags & O_CLOEXEC) != 0;
        row->flags = (int)(flags & ~(unsigned long)O_CLOEXEC);
        row->access = flags & O_PATH ? O_PATH : (int)(flags & O_ACCMODE);
}

static int read_common(struct hot__row *row, const char *key, const char *value)
{
        if (strcmp(key, "flags") == 0)
                read_flags(&row->public, value);
        else if (strcmp(key, "pos") == 0)
                row->public.offset = strtoull(value, NULL, 10);
        else if (strcmp(key, "mnt_id") == 0)
                row->public.mount_id = (int)strtol(value, NULL, 10);
        else if (strcmp(key, "lock") == 0)
                return read_lock(row, value);
        return 0;
}

static int read_own(struct hot__row *row, const char *key, const char *value)
{
        switch (row->public.kind) {
        case HOT_INSPECT_EPOLL:
                return strcmp(key, "tfd") == 0 ? read_watch(row, value) : 0;
        case HOT_INSPECT_CHARACTER:
                if (strcmp(key, "tty-index") == 0)
                        row->public.terminal = (int)strtol(value, NULL, 10);
                return 0;
        case HOT_INSPECT_EVENTFD:
                if (strcmp(key, "eventfd-id") == 0)
                        row->public.eventfd = (int)strtol(value, NULL, 10);
                return 0;
        case HOT_INSPECT_PIDFD:
                if (strcmp(key, "Pid") == 0)
                        row->public.pid = (pid_t)strtol(value, NULL, 10);
                return 0;
        case HOT_INSPECT_SOCKET:
                if (strcmp(key, "scm_fds") == 0)
                        row->public.in_flight = (unsigned int)strtoul(value, NULL, 10);
                return 0;
        }
        return 0;
}

static bool is_slot(const char *key)
{
        key += strspn(key, " \t");
        return *key >= '0' && *key <= '9';
}

int hot__fdinfo_read(struct hot__row *row, char *text, struct hot__arena *arena)
{
        bool held = false;
        char *line, *value;
        int r = 0;

        while (r == 0 && (line = strsep(&text, "\n"))) {
                value = strchr(line, ':');
                if (!value)
                        continue;
                *value++ = '\0';
                if (row->public.kind == HOT_INSPECT_IO_URING) {
                        if (held && is_slot(line)) {
                                r = read_held(row, line, value, arena);
                                continue;
                        }
                        held = strcmp(line, "UserFiles") == 0;
                }
                r = read_common(row, line, value);
                if (r == 0)
                        r = read_own(row, line, value);
        }
        return r;
}
