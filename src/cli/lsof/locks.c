/* SPDX-License-Identifier: MIT */
#include "locks.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "memory.h"

/* Where lsof takes a lock to end for the whole file; the kernel says EOF. */
#define WHOLE_FILE 0x7fffffffULL

static char letter(bool write, unsigned long long start, unsigned long long end)
{
        bool whole = start == 0 && (end == WHOLE_FILE || end == UINT64_MAX);

        if (write)
                return whole ? 'W' : 'w';
        return whole ? 'R' : 'r';
}

/* "1: POSIX  ADVISORY  WRITE 14737 fe:00:11110338 0 EOF"; "1: -> POSIX …" waits for it. */
static bool parse(const char *line, struct lsof_lock *lock)
{
        char kind[16], access[16], end[24];
        unsigned int device_major, device_minor;
        unsigned long long inode, start, last = UINT64_MAX;
        int pid;

        if (sscanf(line, "%*d: %15s %*s %15s %d %x:%x:%llu %llu %23s", kind, access, &pid,
                   &device_major, &device_minor, &inode, &start, end) != 8)
                return false;
        if (strcmp(end, "EOF") != 0 && sscanf(end, "%llu", &last) != 1)
                return false;
        if (*access != 'R' && *access != 'W')
                return false;
        *lock = (struct lsof_lock){
                .pid = pid,
                .device = makedev(device_major, device_minor),
                .inode = inode,
                .letter = letter(*access == 'W', start, last),
        };
        return true;
}

void lsof_locks_read(struct lsof_locks *locks)
{
        FILE *file = fopen("/proc/locks", "re");
        struct lsof_lock lock;
        char line[256];

        locks->n = 0;
        if (!file)
                return;
        while (fgets(line, sizeof(line), file))
                if (parse(line, &lock)) {
                        locks->locks = lsof_grow(locks->locks, locks->n, sizeof(lock));
                        locks->locks[locks->n++] = lock;
                }
        fclose(file);
}

/* The last lock that the kernel lists is the one that is shown. */
static const struct lsof_lock *find(const struct lsof_locks *locks, pid_t pid, dev_t device,
                                    ino_t inode)
{
        for (size_t i = locks->n; i-- > 0;)
                if (locks->locks[i].pid == pid && locks->locks[i].device == device &&
                    locks->locks[i].inode == inode)
                        return &locks->locks[i];
        return NULL;
}

char lsof_locks_letter(const struct lsof_locks *locks, pid_t pid, dev_t device, ino_t inode)
{
        const struct lsof_lock *lock = find(locks, pid, device, inode);

        return lock ? lock->letter : ' ';
}

bool lsof_locks_has(const struct lsof_locks *locks, dev_t device, ino_t inode)
{
        for (size_t i = 0; i < locks->n; i++)
                if (locks->locks[i].device == device && locks->locks[i].inode == inode)
                        return true;
        return false;
}

char lsof_locks_letter_of(const struct hot_inspect_lock *locks, size_t n)
{
        return n == 0 ? ' ' : letter(locks[n - 1].write, locks[n - 1].start, locks[n - 1].end);
}
