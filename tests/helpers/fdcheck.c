/* SPDX-License-Identifier: MIT */
/*
 * A picture of the process before a test, one after it, and what differs.
 *
 * A descriptor is what fstat(2) says (device, inode, kind), its status flags and FD_CLOEXEC: closing one
 * and opening another under the same number is a difference. Children are asked of /proc, which lists
 * zombies too, so that those which were there before do not hide new ones.
 */
#include "fdcheck.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_FDS      4096
#define MAX_CHILDREN 256

struct descriptor {
        int number;
        int fd_flags;
        int status_flags;
        mode_t mode;
        dev_t device;
        ino_t inode;
        char what[64]; /* for people: where the link in /proc/self/fd leads */
};

struct picture {
        size_t n_fds;
        struct descriptor fds[MAX_FDS];
        size_t n_children;
        pid_t children[MAX_CHILDREN];
        sigset_t mask;
        struct sigaction actions[NSIG];
};

static struct picture before, after;
static const struct fdcheck_fixture *fixture;

static void give_up(const char *what)
{
        print_error("fdcheck: %s: %s\n", what, strerror(errno));
        abort();
}

static int by_number(const void *a, const void *b)
{
        const struct descriptor *x = a, *y = b;

        return (x->number > y->number) - (x->number < y->number);
}

static void look_at_descriptor(int dir, const char *name, struct descriptor *ret)
{
        struct stat st;
        ssize_t n;

        memset(ret, 0, sizeof(*ret));
        ret->number = atoi(name);
        if (fstat(ret->number, &st) < 0)
                give_up("fstat");
        ret->fd_flags = fcntl(ret->number, F_GETFD);
        ret->status_flags = fcntl(ret->number, F_GETFL);
        ret->mode = st.st_mode & S_IFMT;
        ret->device = st.st_dev;
        ret->inode = st.st_ino;
        n = readlinkat(dir, name, ret->what, sizeof(ret->what) - 1);
        if (n < 0)
                give_up("readlink");
}

static void look_at_descriptors(struct picture *picture)
{
        DIR *directory = opendir("/proc/self/fd");
        const struct dirent *entry;

        if (!directory)
                give_up("/proc/self/fd");
        picture->n_fds = 0;
        while ((entry = readdir(directory))) {
                if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(directory))
                        continue;
                if (picture->n_fds == MAX_FDS) {
                        errno = EMFILE;
                        give_up("more descriptors than the check has room for");
                }
                look_at_descriptor(dirfd(directory), entry->d_name,
                                   &picture->fds[picture->n_fds++]);
        }
        closedir(directory);
        qsort(picture->fds, picture->n_fds, sizeof(picture->fds[0]), by_number);
}

/* The children that one thread has started. */
static void look_at_children_of(const char *thread, struct picture *picture)
{
        char path[PATH_MAX];
        FILE *file;
        int pid;

        snprintf(path, sizeof(path), "/proc/self/task/%s/children", thread);
        file = fopen(path, "re");
        if (!file)
                give_up(path);
        while (fscanf(file, "%d", &pid) == 1)
                if (picture->n_children < MAX_CHILDREN)
                        picture->children[picture->n_children++] = pid;
        fclose(file);
}

static void look_at_children(struct picture *picture)
{
        DIR *directory = opendir("/proc/self/task");
        const struct dirent *entry;

        if (!directory)
                give_up("/proc/self/task");
        picture->n_children = 0;
        while ((entry = readdir(directory)))
                if (entry->d_name[0] != '.')
                        look_at_children_of(entry->d_name, picture);
        closedir(directory);
}

static void look_at_signals(struct picture *picture)
{
        sigprocmask(SIG_SETMASK, NULL, &picture->mask);
        memset(picture->actions, 0, sizeof(picture->actions));
        /* The two that the C library keeps to itself are EINVAL, before and after. */
        for (int i = 1; i < NSIG; i++)
                (void)sigaction(i, NULL, &picture->actions[i]);
}

static void look(struct picture *picture)
{
        look_at_descriptors(picture);
        look_at_children(picture);
        look_at_signals(picture);
}

static bool is_same_descriptor(const struct descriptor *a, const struct descriptor *b)
{
        return a->mode == b->mode && a->device == b->device && a->inode == b->inode;
}

static int compare_descriptor(const struct descriptor *was, const struct descriptor *is)
{
        if (!is_same_descriptor(was, is)) {
                print_error("fdcheck: descriptor %d was %s and is %s now\n", was->number, was->what,
                            is->what);
                return 1;
        }
        if (was->fd_flags != is->fd_flags || was->status_flags != is->status_flags) {
                print_error("fdcheck: flags of descriptor %d (%s) changed: FD %#x, %#x, "
                            "FL %#x, %#x\n",
                            was->number, was->what, (unsigned int)was->fd_flags,
                            (unsigned int)is->fd_flags, (unsigned int)was->status_flags,
                            (unsigned int)is->status_flags);
                return 1;
        }
        return 0;
}

static int compare_descriptors(void)
{
        size_t i = 0, j = 0;
        int differences = 0;

        while (i < before.n_fds || j < after.n_fds) {
                const struct descriptor *was = i < before.n_fds ? &before.fds[i] : NULL;
                const struct descriptor *is = j < after.n_fds ? &after.fds[j] : NULL;

                if (!is || (was && was->number < is->number)) {
                        print_error("fdcheck: descriptor %d (%s) was closed\n", was->number,
                                    was->what);
                        differences++;
                        i++;
                } else if (!was || is->number < was->number) {
                        print_error("fdcheck: descriptor %d (%s) leaked\n", is->number, is->what);
                        differences++;
                        j++;
                } else {
                        differences += compare_descriptor(was, is);
                        i++;
                        j++;
                }
        }
        return differences;
}

static bool has_child(const struct picture *picture, pid_t pid)
{
        for (size_t i = 0; i < picture->n_children; i++)
                if (picture->children[i] == pid)
                        return true;
        return false;
}

/* A child left behind is ended and reaped, so that it cannot disturb the tests that follow. */
static int compare_children(void)
{
        int differences = 0;

        for (size_t i = 0; i < after.n_children; i++) {
                pid_t pid = after.children[i];
                siginfo_t info = {0};

                if (has_child(&before, pid))
                        continue;
                (void)waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT);
                print_error("fdcheck: child %d was left behind %s\n", pid,
                            info.si_pid == pid ? "as a zombie" : "alive");
                (void)kill(pid, SIGKILL);
                (void)waitpid(pid, NULL, 0);
                differences++;
        }
        return differences;
}

/* The C library's own flag, SA_RESTORER, is added whenever an action is put back. */
static int own_flags(const struct sigaction *action)
{
        return action->sa_flags & ~0x04000000;
}

static bool is_same_action(const struct sigaction *a, const struct sigaction *b)
{
        /* sa_handler and sa_sigaction are one union. */
        if (a->sa_handler != b->sa_handler || own_flags(a) != own_flags(b))
                return false;
        for (int i = 1; i < NSIG; i++)
                if (sigismember(&a->sa_mask, i) != sigismember(&b->sa_mask, i))
                        return false;
        return true;
}

static int compare_signals(void)
{
        int differences = 0;

        for (int i = 1; i < NSIG; i++) {
                if (sigismember(&before.mask, i) != sigismember(&after.mask, i)) {
                        print_error("fdcheck: signal %d is %s now\n", i,
                                    sigismember(&after.mask, i) ? "blocked" : "not blocked");
                        differences++;
                }
                if (!is_same_action(&before.actions[i], &after.actions[i])) {
                        print_error("fdcheck: the disposition of signal %d changed\n", i);
                        differences++;
                }
        }
        return differences;
}

int fdcheck_setup(void **state)
{
        fixture = *state;
        *state = NULL;
        look(&before);
        return fixture && fixture->setup ? fixture->setup(state) : 0;
}

int fdcheck_teardown(void **state)
{
        int r = fixture && fixture->teardown ? fixture->teardown(state) : 0;
        int differences;

        look(&after);
        differences = compare_descriptors();
        differences += compare_children();
        differences += compare_signals();
        return r == 0 && differences == 0 ? 0 : -1;
}
