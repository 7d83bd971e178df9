/* SPDX-License-Identifier: MIT */
/*
 * mkfds: a process that has one of every kind of descriptor that Linux knows.
 *
 *     mkfds [--threads] [--loopback] [--only NAME | --without NAME]... DIRECTORY
 *
 * Makes its files in DIRECTORY, which must exist, and stays until its standard input ends. Prints a line
 * "pid PID", "NAME FD" for each that it made, "NAME - WHY" for each that this kernel or this user may not have,
 * and "ready" at the end: from then on nothing about it changes, so that two listings of it are comparable.
 * Descriptors are made in the order of the tables, the lowest free number each. With --loopback it brings up
 * the loopback interface first, in a network namespace of its own.
 */
#include "mkfds.h"

#include <errno.h>
#include <net/if.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES_MAX = 32 };

struct names {
        const char *names[NAMES_MAX];
        size_t n;
};

struct wish {
        const char *directory;
        struct names only, without;
        bool threads, loopback;
};

static const struct maker *const tables[] = {
        makers_of_files,   makers_of_locks,     makers_of_sockets,
        makers_of_packets, makers_of_anonymous, NULL,
};

int made(long result)
{
        return result < 0 ? -errno : (int)result;
}

static bool has(const struct names *names, const char *name)
{
        for (size_t i = 0; i < names->n; i++)
                if (strcmp(names->names[i], name) == 0)
                        return true;
        return false;
}

static bool is_wanted(const struct wish *wish, const char *name)
{
        return !has(&wish->without, name) && (wish->only.n == 0 || has(&wish->only, name));
}

static void make_one(const struct maker *maker)
{
        int fd = maker->make();

        if (fd < 0)
                printf("%s - %s\n", maker->name, strerror(-fd));
        else
                printf("%s %d\n", maker->name, fd);
}

static void make_all(const struct wish *wish)
{
        for (size_t i = 0; tables[i]; i++)
                for (const struct maker *maker = tables[i]; maker->name; maker++)
                        if (is_wanted(wish, maker->name))
                                make_one(maker);
}

static bool add(struct names *names, const char *name)
{
        if (!name || names->n == NAMES_MAX)
                return false;
        names->names[names->n++] = name;
        return true;
}

static bool read_word(char **word, struct wish *wish)
{
        if (strcmp(*word, "--only") == 0)
                return add(&wish->only, word[1]);
        if (strcmp(*word, "--without") == 0)
                return add(&wish->without, word[1]);
        wish->directory = *word;
        return **word != '-';
}

static bool read_wish(int argc, char **argv, struct wish *wish)
{
        for (int i = 1; i < argc; i++) {
                if (strcmp(argv[i], "--threads") == 0)
                        wish->threads = true;
                else if (strcmp(argv[i], "--loopback") == 0)
                        wish->loopback = true;
                else if (!read_word(&argv[i], wish))
                        return false;
                else if (argv[i] != wish->directory)
                        i++;
        }
        return wish->directory != NULL;
}

static void *stand(void *barrier)
{
        prctl(PR_SET_NAME, "a worker");
        pthread_barrier_wait(barrier);
        for (;;)
                pause();
        return NULL;
}

/* Threads that exist, with the name that they keep, once this returns. */
static int start_threads(void)
{
        static pthread_barrier_t barrier;
        pthread_t thread;
        int r = pthread_barrier_init(&barrier, NULL, 3);

        for (int i = 0; i < 2 && r == 0; i++)
                r = pthread_create(&thread, NULL, stand, &barrier);
        if (r == 0)
                pthread_barrier_wait(&barrier);
        return r;
}

static int bring_up_loopback(void)
{
        struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        int r = fd < 0 ? fd : ioctl(fd, SIOCSIFFLAGS, &request);

        if (fd >= 0)
                close(fd);
        return r;
}

static void wait_for_end_of_input(void)
{
        char byte;

        while (read(STDIN_FILENO, &byte, 1) > 0)
                ;
}

int main(int argc, char **argv)
{
        struct wish wish = {0};

        if (!read_wish(argc, argv, &wish)) {
                fputs("usage: mkfds [--threads] [--loopback] [--only NAME | --without NAME]... "
                      "DIRECTORY\n",
                      stderr);
                return 2;
        }
        if (chdir(wish.directory) < 0) {
                perror(wish.directory);
                return 1;
        }
        umask(022);
        prctl(PR_SET_PDEATHSIG, 9);
        if (wish.loopback && bring_up_loopback() < 0) {
                perror("lo");
                return 1;
        }
        printf("pid %d\n", getpid());
        make_all(&wish);
        if (wish.threads && start_threads() != 0)
                return 1;
        puts("ready");
        if (fflush(stdout) != 0)
                return 1;
        wait_for_end_of_input();
        return 0;
}
