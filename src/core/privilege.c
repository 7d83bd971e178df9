/* SPDX-License-Identifier: MIT */
#include "privilege.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fd.h"

/* In every libc, for libcap's sake; no header of theirs declares it. */
int capget(cap_user_header_t header, cap_user_data_t data);

/* ---- what there is ---- */

static int compare_groups(const void *a, const void *b)
{
        gid_t left = *(const gid_t *)a, right = *(const gid_t *)b;

        return (left > right) - (left < right);
}

static int capture_groups(struct hot__privilege *p)
{
        int n = getgroups(0, NULL);

        if (n < 0)
                return -errno;
        p->groups = calloc((size_t)n + 1, sizeof(gid_t));
        if (!p->groups)
                return -ENOMEM;
        n = getgroups(n, p->groups);
        if (n < 0)
                return -errno;
        p->n_groups = (size_t)n;
        qsort(p->groups, p->n_groups, sizeof(gid_t), compare_groups);
        return 0;
}

static uint64_t probe_each(int operation, unsigned long argument)
{
        uint64_t set = 0;

        for (unsigned long capability = 0; capability < 64; capability++) {
                int r = argument ? prctl(operation, argument, capability, 0, 0)
                                 : prctl(operation, capability, 0, 0, 0);

                if (r < 0)
                        break; /* the kernel knows no more than that */
                if (r > 0)
                        set |= UINT64_C(1) << capability;
        }
        return set;
}

static int capture_capabilities(struct hot__privilege *p)
{
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

        if (capget(&header, data) < 0)
                return -errno;
        p->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
        p->inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
        p->ambient = probe_each(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET);
        p->bounding = probe_each(PR_CAPBSET_READ, 0);
        return 0;
}

static unsigned int status_number(const char *status, const char *name)
{
        const char *line = strstr(status, name);

        return line ? (unsigned int)strtoul(line + strlen(name), NULL, 10) : 0;
}

/*
 * From /proc, where it is there to ask: PR_GET_SECCOMP is deadly under a filter that does not know it. In a
 * root directory without /proc nothing else is left.
 */
static void capture_seccomp(struct hot__privilege *p)
{
        CLEANUP(hot__fd_closep) int fd = open("/proc/thread-self/status", O_RDONLY | O_CLOEXEC);
        char status[8192];
        ssize_t n = fd < 0 ? -1 : read(fd, status, sizeof(status) - 1);
        int mode;

        if (n > 0) {
                status[n] = 0;
                p->seccomp_mode = status_number(status, "\nSeccomp:");
                p->seccomp_filters = status_number(status, "\nSeccomp_filters:");
                return;
        }
        mode = prctl(PR_GET_SECCOMP, 0, 0, 0, 0);
        p->seccomp_mode = mode > 0 ? (unsigned int)mode : 0;
}

static int capture(struct hot__privilege *p)
{
        struct stat root;
        int r, bits;

        if (getresuid(&p->uid[0], &p->uid[1], &p->uid[2]) < 0 ||
            getresgid(&p->gid[0], &p->gid[1], &p->gid[2]) < 0 || stat("/", &root) < 0)
                return -errno;
        p->root_dev = root.st_dev;
        p->root_ino = root.st_ino;
        capture_seccomp(p);
        bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
        /* Without the one that exec clears: it is for a change of the user within a program. */
        p->securebits = bits > 0 ? (unsigned int)bits & ~(1U << SECURE_KEEP_CAPS) : 0;
        p->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
        r = capture_capabilities(p);
        return r < 0 ? r : capture_groups(p);
}

int hot__privilege_capture(struct hot__privilege *ret)
{
        struct hot__privilege now = {0};
        int r = capture(&now);

        if (r < 0) {
                hot__privilege_done(&now);
                return r;
        }
        *ret = now;
        return 0;
}

void hot__privilege_done(struct hot__privilege *privilege)
{
        free(privilege->groups);
        *privilege = (struct hot__privilege){0};
}

/* ---- what has changed ---- */

static bool ids_differ(const char *what, const unsigned int *start, const unsigned int *now,
                       char *words, size_t size)
{
        if (memcmp(start, now, HOT__N_IDS * sizeof(*now)) == 0)
                return false;
        snprintf(words, size, "%s ids are %u %u %u, and were %u %u %u at the start", what, now[0],
                 now[1], now[2], start[0], start[1], start[2]);
        return true;
}

static bool set_differs(const char *what, uint64_t start, uint64_t now, char *words, size_t size)
{
        if (start == now)
                return false;
        snprintf(words, size, "%s are %#" PRIx64 ", and were %#" PRIx64 " at the start", what, now,
                 start);
        return true;
}

static bool groups_differ(const struct hot__privilege *start, const struct hot__privilege *now,
                          char *words, size_t size)
{
        if (start->n_groups == now->n_groups &&
            (now->n_groups == 0 ||
             memcmp(start->groups, now->groups, now->n_groups * sizeof(gid_t)) == 0))
                return false;
        snprintf(words, size, "the supplementary groups are not those of the start");
        return true;
}

static bool switches_differ(const struct hot__privilege *start, const struct hot__privilege *now,
                            char *words, size_t size)
{
        const char *what = NULL;

        if (start->root_dev != now->root_dev || start->root_ino != now->root_ino)
                what = "the root directory is not that of the start";
        else if (start->no_new_privs != now->no_new_privs)
                what = "no_new_privs was set after the start";
        else if (start->seccomp_mode != now->seccomp_mode ||
                 start->seccomp_filters != now->seccomp_filters)
                what = "a seccomp filter was installed after the start";
        if (what)
                snprintf(words, size, "%s", what);
        return what != NULL;
}

bool hot__privilege_differs(const struct hot__privilege *start, const struct hot__privilege *now,
                            char *words, size_t size)
{
        *words = 0;
        return ids_differ("user", start->uid, now->uid, words, size) ||
               ids_differ("group", start->gid, now->gid, words, size) ||
               groups_differ(start, now, words, size) || switches_differ(start, now, words, size) ||
               set_differs("permitted capabilities", start->permitted, now->permitted, words,
                           size) ||
               set_differs("inheritable capabilities", start->inheritable, now->inheritable, words,
                           size) ||
               set_differs("ambient capabilities", start->ambient, now->ambient, words, size) ||
               set_differs("bounding capabilities", start->bounding, now->bounding, words, size) ||
               set_differs("securebits", start->securebits, now->securebits, words, size);
}

/* ---- what an exec makes of it ---- */

static uint32_t little(const unsigned char *bytes)
{
        uint32_t value;

        memcpy(&value, bytes, sizeof(value));
        return le32toh(value);
}

/* The attribute security.capability: {magic, {permitted, inheritable} for each 32, root id}, see
 * linux/capability.h. A shorter one than its magic says has no effect in the kernel either. */
static void read_capabilities(const char *path, struct hot__privilege_file *file)
{
        unsigned char bytes[XATTR_CAPS_SZ_3];
        ssize_t n = getxattr(path, "security.capability", bytes, sizeof(bytes));
        uint32_t revision = n >= 4 ? little(bytes) & VFS_CAP_REVISION_MASK : 0;

        if (revision == VFS_CAP_REVISION_1 && n >= (ssize_t)XATTR_CAPS_SZ_1) {
                file->permitted = little(bytes + 4);
                file->inheritable = little(bytes + 8);
        } else if ((revision == VFS_CAP_REVISION_2 && n >= (ssize_t)XATTR_CAPS_SZ_2) ||
                   (revision == VFS_CAP_REVISION_3 && n >= (ssize_t)XATTR_CAPS_SZ_3)) {
                file->permitted = little(bytes + 4) | (uint64_t)little(bytes + 12) << 32;
                file->inheritable = little(bytes + 8) | (uint64_t)little(bytes + 16) << 32;
        } else {
                return;
        }
        file->has_capabilities = true;
}

int hot__privilege_file_read(const char *path, struct hot__privilege_file *ret)
{
        struct hot__privilege_file file = {0};
        struct statvfs fs;
        struct stat st;

        if (stat(path, &st) < 0 || statvfs(path, &fs) < 0)
                return -errno;
        file.uid = st.st_uid;
        file.gid = st.st_gid;
        if (!(fs.f_flag & ST_NOSUID)) {
                file.set_uid = st.st_mode & S_ISUID;
                /* Without the group's x it is a mark for mandatory locking. */
                file.set_gid = (st.st_mode & S_ISGID) && (st.st_mode & S_IXGRP);
                read_capabilities(path, &file);
        }
        *ret = file;
        return 0;
}

/* The permitted set after exec: capabilities(7), "Transformation of capabilities during execve()". */
static uint64_t permitted_after(const struct hot__privilege *now,
                                const struct hot__privilege_file *file)
{
        bool root = now->uid[HOT__ID_REAL] == 0 || now->uid[HOT__ID_EFFECTIVE] == 0;
        uint64_t permitted;

        if (root && !(now->securebits & (1U << SECURE_NOROOT)))
                return now->inheritable | now->bounding;
        permitted = (file->permitted & now->bounding) | (file->inheritable & now->inheritable);
        if (now->no_new_privs)
                permitted &= now->permitted;
        return file->has_capabilities ? permitted : permitted | now->ambient;
}

bool hot__privilege_is_lost_by(const struct hot__privilege *now,
                               const struct hot__privilege_file *file, char *words, size_t size)
{
        bool bits_count = !now->no_new_privs;
        uid_t uid = file->set_uid && bits_count ? file->uid : now->uid[HOT__ID_EFFECTIVE];
        gid_t gid = file->set_gid && bits_count ? file->gid : now->gid[HOT__ID_EFFECTIVE];
        uint64_t lost;

        *words = 0;
        if (uid != now->uid[HOT__ID_REAL] || gid != now->gid[HOT__ID_REAL]) {
                snprintf(
                        words, size,
                        "it would run with real and effective ids %u %u and %u %u, and ignore what "
                        "it inherits",
                        now->uid[HOT__ID_REAL], uid, now->gid[HOT__ID_REAL], gid);
                return true;
        }
        /* What is out of the bounding set was given up for every exec to come. */
        lost = now->permitted & now->bounding & ~permitted_after(now, file);
        if (lost)
                snprintf(words, size, "exec would take the capabilities %#" PRIx64 " away", lost);
        return lost != 0;
}
