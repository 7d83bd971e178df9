/* SPDX-License-Identifier: MIT */
#include "listing.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>

#include "paper.h"

enum column { COMMAND, PID, USER, FD, MODE, CLOEXEC, TYPE, DEVICE, NODE, SAME_AS, NAME, N_COLUMNS };

#define CELL_MAX 96

struct line {
        char cells[N_COLUMNS][CELL_MAX];
        enum ink ink;
};

static const struct line head = {
        .cells = {"COMMAND", "PID", "USER", "FD", "MODE", "CLOEXEC", "TYPE", "DEVICE", "NODE",
                  "SAME AS", "NAME"},
        .ink = INK_BOLD,
};

#define SET(line, column, ...) snprintf((line)->cells[column], CELL_MAX, __VA_ARGS__)

char listing_mode(const struct hot_inspect_fd *fd)
{
        return fd->access == O_RDONLY ? 'r' : fd->access == O_WRONLY ? 'w' : 'u';
}

/* As lsof calls them. */
static const char *type_name(const struct hot_inspect_fd *fd)
{
        switch (fd->kind) {
        case HOT_INSPECT_FILE:
        case HOT_INSPECT_MEMFD:
                return "REG";
        case HOT_INSPECT_DIRECTORY:
                return "DIR";
        case HOT_INSPECT_CHARACTER:
                return "CHR";
        case HOT_INSPECT_BLOCK:
                return "BLK";
        case HOT_INSPECT_FIFO:
        case HOT_INSPECT_PIPE:
                return "FIFO";
        case HOT_INSPECT_TCP:
        case HOT_INSPECT_UDP:
                return fd->local[0] == '[' ? "IPv6" : "IPv4";
        case HOT_INSPECT_UNIX:
                return "unix";
        case HOT_INSPECT_SOCKET:
                return "sock";
        case HOT_INSPECT_UNKNOWN:
                return "unknown";
        }
        return "a_inode";
}

static const char *socket_type_name(int type)
{
        switch (type) {
        case SOCK_STREAM:
                return "STREAM";
        case SOCK_DGRAM:
                return "DGRAM";
        case SOCK_SEQPACKET:
                return "SEQPACKET";
        }
        return "?";
}

/* Who of the listing has the socket with this inode: "5 of 4711"; else its number. */
static void name_peer(struct hot_inspect *const *processes, size_t n, uint64_t inode, char *text,
                      size_t size)
{
        const struct hot_inspect_fd *fd;

        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; (fd = hot_inspect_at(processes[i], k)); k++)
                        if (fd->kind == HOT_INSPECT_UNIX && fd->inode == inode) {
                                snprintf(text, size, "%d of %d", fd->fd,
                                         hot_inspect_pid(processes[i]));
                                return;
                        }
        snprintf(text, size, "socket:[%llu]", (unsigned long long)inode);
}

static void name_unix(struct line *line, const struct hot_inspect_fd *fd,
                      struct hot_inspect *const *processes, size_t n)
{
        const char *type = socket_type_name(fd->type);
        char peer[64];

        if (fd->peer_inode == 0) {
                SET(line, NAME, "%s%stype=%s (%s)", fd->local, fd->local[0] ? " " : "", type,
                    fd->state);
                return;
        }
        name_peer(processes, n, fd->peer_inode, peer, sizeof(peer));
        SET(line, NAME, "%s%stype=%s ->%s (%s)", fd->local, fd->local[0] ? " " : "", type, peer,
            fd->state);
}

/* The numbers it watches, as many as fit. */
static void name_epoll(struct line *line, const struct hot_inspect_fd *fd)
{
        char *cell = line->cells[NAME];
        size_t used = (size_t)SET(line, NAME, "[eventpoll:");

        for (size_t i = 0; i < fd->n_watches && used < CELL_MAX - 16; i++)
                used += (size_t)snprintf(cell + used, CELL_MAX - used, "%s%d", i > 0 ? "," : "",
                                         fd->watches[i].fd);
        snprintf(cell + used, CELL_MAX - used, "]");
}

static void set_name(struct line *line, const struct hot_inspect_fd *fd,
                     struct hot_inspect *const *processes, size_t n)
{
        const char *target = fd->target;

        switch (fd->kind) {
        case HOT_INSPECT_TCP:
        case HOT_INSPECT_UDP:
                SET(line, NAME, "%s %s%s%s (%s)", fd->kind == HOT_INSPECT_TCP ? "TCP" : "UDP",
                    fd->local[0] ? fd->local : "*:*", fd->peer[0] ? "->" : "", fd->peer, fd->state);
                return;
        case HOT_INSPECT_UNIX:
                name_unix(line, fd, processes, n);
                return;
        case HOT_INSPECT_EPOLL:
                name_epoll(line, fd);
                return;
        case HOT_INSPECT_PIDFD:
                SET(line, NAME, "[pidfd:%d]", fd->pid);
                return;
        }
        if (strncmp(target, "anon_inode:", 11) == 0)
                target += 11;
        SET(line, NAME, "%.*s", CELL_MAX - 1, target);
}

static bool is_same(const struct hot_inspect *own, const struct hot_inspect_fd *fd,
                    const struct hot_inspect *other, const struct hot_inspect_fd *candidate)
{
        return candidate->inode == fd->inode &&
               hot_inspect_same(hot_inspect_pid(own), fd->fd, hot_inspect_pid(other),
                                candidate->fd) == 1;
}

/* The number of this open file in @other, the same number if it has several; or -1. */
static int find_same(const struct hot_inspect *own, const struct hot_inspect_fd *fd,
                     const struct hot_inspect *other)
{
        const struct hot_inspect_fd *candidate = hot_inspect_find(other, fd->fd);

        if (candidate && is_same(own, fd, other, candidate))
                return candidate->fd;
        for (size_t i = 0; (candidate = hot_inspect_at(other, i)); i++)
                if (is_same(own, fd, other, candidate))
                        return candidate->fd;
        return -1;
}

static void set_same_as(struct line *line, const struct hot_inspect *own,
                        const struct hot_inspect_fd *fd, struct hot_inspect *const *processes,
                        size_t n)
{
        int number;

        for (size_t i = 0; i < n; i++) {
                if (processes[i] == own)
                        continue;
                number = find_same(own, fd, processes[i]);
                if (number < 0)
                        continue;
                SET(line, SAME_AS, "%d of %d", number, hot_inspect_pid(processes[i]));
                return;
        }
}

static void set_user(struct line *line, uid_t uid)
{
        const struct passwd *user = getpwuid(uid);

        if (user)
                SET(line, USER, "%s", user->pw_name);
        else
                SET(line, USER, "%u", uid);
}

static void set_line(struct line *line, const struct hot_inspect *process,
                     const struct hot_inspect_fd *fd, struct hot_inspect *const *processes,
                     size_t n, uint64_t listener)
{
        *line = (struct line){.ink = fd->inode == listener ? INK_GOOD : INK_PLAIN};
        SET(line, COMMAND, "%s", hot_inspect_name(process));
        SET(line, PID, "%d", hot_inspect_pid(process));
        set_user(line, hot_inspect_uid(process));
        SET(line, FD, "%d", fd->fd);
        SET(line, MODE, "%c", listing_mode(fd));
        SET(line, CLOEXEC, "%s", fd->cloexec ? "yes" : "no");
        SET(line, TYPE, "%s", type_name(fd));
        SET(line, DEVICE, "%u,%u", major(fd->device), minor(fd->device));
        SET(line, NODE, "%llu", (unsigned long long)fd->inode);
        set_same_as(line, process, fd, processes, n);
        set_name(line, fd, processes, n);
}

static void measure(const struct line *line, int widths[N_COLUMNS])
{
        for (size_t i = 0; i < N_COLUMNS; i++)
                if ((int)strlen(line->cells[i]) > widths[i])
                        widths[i] = (int)strlen(line->cells[i]);
}

/* A column that nothing is in (SAME AS, of one process alone) is left out. */
static void print_line(const struct line *line, const int widths[N_COLUMNS], const bool used[])
{
        printf("  %s", paper_ink(line->ink));
        for (size_t i = 0; i < N_COLUMNS - 1; i++)
                if (used[i])
                        printf(i == COMMAND || i == CLOEXEC || i == TYPE || i == SAME_AS ? "%-*s "
                                                                                         : "%*s ",
                               widths[i], line->cells[i]);
        printf("%s%s\n", line->cells[NAME], paper_ink(INK_PLAIN));
}

void listing_print(struct hot_inspect *const *processes, size_t n, uint64_t listener)
{
        int widths[N_COLUMNS] = {0};
        bool used[N_COLUMNS] = {false};
        struct line *lines;
        size_t n_lines = 0;

        for (size_t i = 0; i < n; i++)
                n_lines += hot_inspect_count(processes[i]);
        lines = calloc(n_lines, sizeof(*lines));
        if (!lines)
                return;
        n_lines = 0;
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < hot_inspect_count(processes[i]); k++)
                        set_line(&lines[n_lines++], processes[i], hot_inspect_at(processes[i], k),
                                 processes, n, listener);
        for (size_t i = 0; i < n_lines; i++)
                measure(&lines[i], widths);
        for (size_t i = 0; i < N_COLUMNS; i++)
                used[i] = widths[i] > 0;
        measure(&head, widths);
        print_line(&head, widths, used);
        for (size_t i = 0; i < n_lines; i++)
                print_line(&lines[i], widths, used);
        free(lines);
}
