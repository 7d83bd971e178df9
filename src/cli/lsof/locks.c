/* SPDX-License-Identifier: MIT */
#include "locks.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "memory.h"

/* Where lsof takes a lock to end for the whole file; the kernel says EOF. */
#define WHOLE_FILE 0x7fffffffULL

/* So many files can be asked in less than half the time that the table takes. */
#define ASKED_MAX 500

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

/* What cannot be read is not locked. */
static void read_table(struct lsof_locks *locks)
{
        FILE *file = fopen("/proc/locks", "re");
        struct lsof_lock lock;
        char line[256];

        locks->is_read = true;
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

/* By anybody: it may be a description's, and so everybody's who has that. */
static bool is_locked(const struct lsof_locks *locks, dev_t device, ino_t inode)
{
        for (size_t i = 0; i < locks->n; i++)
                if (locks->locks[i].device == device && locks->locks[i].inode == inode)
                        return true;
        return false;
}

void lsof_locks_begin(struct lsof_locks *locks, bool few)
{
        locks->is_read = false;
        locks->n = locks->n_asked = 0;
        if (!few)
                read_table(locks);
}

bool lsof_locks_ask(struct lsof_locks *locks, dev_t device, ino_t inode)
{
        if (!locks->is_read && locks->n_asked < ASKED_MAX) {
                locks->n_asked++;
                return true;
        }
        if (!locks->is_read)
                read_table(locks);
        return is_locked(locks, device, inode);
}

static bool has_lock(const struct hot_inspect *inspect)
{
        for (size_t i = 0; i < hot_inspect_count(inspect); i++)
                if (hot_inspect_at(inspect, i)->n_locks > 0)
                        return true;
        return false;
}

void lsof_locks_settle(struct lsof_locks *locks, const struct hot_snapshot *snapshot)
{
        for (size_t i = 0; !locks->is_read && i < hot_snapshot_count(snapshot); i++)
                if (has_lock(hot_snapshot_at(snapshot, i)))
                        read_table(locks);
}

char lsof_locks_letter_of(const struct hot_inspect_lock *locks, size_t n)
{
        return n == 0 ? ' ' : letter(locks[n - 1].write, locks[n - 1].start, locks[n - 1].end);
}
