/* SPDX-License-Identifier: MIT */
/*
 * The columns of `hotstart fds`: what each is called, what it needs to be read, and what it prints. What is
 * not known is an empty cell: never a zero, never a guess.
 */
#include "fds.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "decimal.h"

#define NEEDS_SOCKETS     HOT_INSPECT_ADDRESSES
#define NEEDS_STATUS      HOT_INSPECT_STATUS
#define NEEDS_GENERATIONS HOT_INSPECT_GENERATIONS

__attribute__((format(printf, 2, 3))) static void put(char text[FDS_CELL_MAX], const char *format,
                                                      ...);

static void put(char text[FDS_CELL_MAX], const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, FDS_CELL_MAX, format, arguments);
        va_end(arguments);
}

/* As put() with "%s", which is most of what there is to print. */
static void put_text(char text[FDS_CELL_MAX], const char *value)
{
        size_t len = strlen(value);

        if (len >= FDS_CELL_MAX)
                len = FDS_CELL_MAX - 1;
        memcpy(text, value, len);
        text[len] = '\0';
}

static void put_unless_zero(char text[FDS_CELL_MAX], uint64_t number)
{
        if (number != 0)
                hot__decimal(text, number);
}

/* What a process or a file is called may hold what a terminal obeys, or ends a line. */
static void put_name(char text[FDS_CELL_MAX], const char *name)
{
        size_t at = 0;

        for (; *name && at + 5 < FDS_CELL_MAX; name++) {
                unsigned char byte = (unsigned char)*name;

                if (byte < ' ' || byte == 0x7f || byte == '\\')
                        at += (size_t)sprintf(text + at, byte == '\\' ? "\\\\" : "\\x%02x", byte);
                else
                        text[at++] = (char)byte;
        }
        text[at] = '\0';
}

const char *fds_user(uid_t uid)
{
        static char name[64];
        static uid_t last = (uid_t)-1;
        const struct passwd *entry;

        if (uid == last)
                return name;
        last = uid;
        entry = getpwuid(uid);
        if (entry)
                snprintf(name, sizeof(name), "%s", entry->pw_name);
        else
                snprintf(name, sizeof(name), "%u", uid);
        return name;
}

char fds_mode_letter(const struct hot_inspect_fd *row)
{
        if (row->role != HOT_INSPECT_DESCRIPTOR)
                return ' ';
        switch (row->access) {
        case O_RDONLY:
                return 'r';
        case O_WRONLY:
                return 'w';
        case O_RDWR:
                return 'u';
        }
        return '-';
}

static void name_watches(const struct hot_inspect_fd *row, char text[FDS_CELL_MAX])
{
        size_t used = strlen(text);

        for (size_t i = 0; i < row->n_watches && used + 16 < FDS_CELL_MAX; i++)
                used += (size_t)snprintf(text + used, FDS_CELL_MAX - used, "%s%d",
                                         i == 0 ? " of " : ",", row->watches[i].fd);
}

void fds_name(const struct hot_inspect_fd *row, char text[FDS_CELL_MAX])
{
        text[0] = '\0';
        if (*row->peer)
                stpcpy(stpcpy(stpcpy(text, row->local), "->"), row->peer);
        else if (*row->local)
                put_name(text, row->local);
        else
                put_name(text, row->target);
        if (row->kind == HOT_INSPECT_EPOLL)
                name_watches(row, text);
        if (row->kind == HOT_INSPECT_PIDFD && row->pid != 0) {
                size_t used = strlen(text);

                snprintf(text + used, FDS_CELL_MAX - used, row->pid > 0 ? " of %d" : " of none",
                         row->pid);
        }
}

/* ---- of the process ---- */

static void print_command(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        put_name(text, cell->process->name);
}

static void print_pid(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        hot__decimal(text, (uint64_t)cell->process->pid);
}

static void print_ppid(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        hot__decimal(text, (uint64_t)cell->process->parent);
}

static void print_pgid(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        hot__decimal(text, (uint64_t)cell->process->group);
}

static void print_user(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        put_text(text, fds_user(cell->process->uid));
}

static void print_server(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        put_unless_zero(text, cell->process->server);
}

static void print_generation(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        put_unless_zero(text, cell->process->generation);
}

static void print_program(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        put_name(text, cell->process->program);
}

static void print_limit(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        if (cell->process->limit != UINT64_MAX)
                put_unless_zero(text, cell->process->limit);
        else
                put(text, "unlimited");
}

static void print_open(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        put_unless_zero(text, cell->process->n_open);
}

static void print_start(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        hot__decimal(text, cell->process->start);
}

/* ---- of the descriptor ---- */

static void print_fd(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        static const char *const roles[] = {
                [HOT_INSPECT_CWD] = "cwd",
                [HOT_INSPECT_ROOT] = "root",
                [HOT_INSPECT_PROGRAM] = "program",
                [HOT_INSPECT_MAPPED] = "mapped",
        };

        if (cell->row->role == HOT_INSPECT_DESCRIPTOR)
                hot__decimal(text, (uint64_t)cell->row->fd);
        else
                put_text(text, roles[cell->row->role]);
}

static void print_mode(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        text[0] = fds_mode_letter(cell->row);
        text[1] = '\0';
}

static void print_kind(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        put_text(text, hot_inspect_kind_name(cell->row->kind));
}

static void print_state(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        put_text(text, cell->row->state);
}

static void print_name(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        fds_name(cell->row, text);
        if (cell->row->error < 0) {
                size_t used = strlen(text);

                snprintf(text + used, FDS_CELL_MAX - used, "%s(%s: %s)", used > 0 ? " " : "",
                         cell->row->step, strerror(-cell->row->error));
        }
}

static void print_target(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        put_name(text, cell->row->target);
}

static void print_local(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        put_text(text, cell->row->local);
}

static void print_peer(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        if (*cell->row->peer)
                put_text(text, cell->row->peer);
        else if (cell->row->peer_inode != 0)
                put(text, "socket:[%llu]", (unsigned long long)cell->row->peer_inode);
}

static bool is_known_socket(const struct hot_inspect_fd *row)
{
        return *row->state != '\0';
}

/* A listener's: connections that wait, of how many may; another socket's: bytes in and out. */
static void print_queue(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        if (!is_known_socket(cell->row))
                return;
        text = hot__decimal(text, cell->row->receive_queue);
        *text++ = '/';
        hot__decimal(text, cell->row->send_queue);
}

static void print_backlog(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        if (cell->row->listening)
                put(text, "%u", cell->row->send_queue);
}

static void print_drops(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        if (cell->row->listening && cell->row->kind == HOT_INSPECT_TCP)
                put(text, "%u", cell->row->drops);
}

static void print_cloexec(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        if (cell->row->details & HOT_INSPECT_STATUS && cell->row->role == HOT_INSPECT_DESCRIPTOR)
                put_text(text, cell->row->cloexec ? "yes" : "no");
}

static void print_flags(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        if (cell->row->details & HOT_INSPECT_STATUS && cell->row->role == HOT_INSPECT_DESCRIPTOR)
                put(text, "0%o", (unsigned int)cell->row->flags);
}

static void print_offset(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        if (cell->row->details & HOT_INSPECT_STATUS && cell->row->role == HOT_INSPECT_DESCRIPTOR)
                hot__decimal(text, cell->row->offset);
}

static void print_device(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        bool special =
                cell->row->kind == HOT_INSPECT_CHARACTER || cell->row->kind == HOT_INSPECT_BLOCK;
        uint64_t device = special ? cell->row->raw_device : cell->row->device;

        put(text, "%u:%u", major(device), minor(device));
}

static void print_inode(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        put_unless_zero(text, cell->row->inode);
}

static void print_size(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        if (cell->row->kind == HOT_INSPECT_FILE || cell->row->kind == HOT_INSPECT_MEMFD)
                hot__decimal(text, cell->row->size);
}

static void print_cookie(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        if (cell->row->cookie != 0)
                put(text, "%llx", (unsigned long long)cell->row->cookie);
}

static void print_netns(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        put_unless_zero(text, cell->row->netns);
}

static void print_mount(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        put_unless_zero(text, (uint64_t)cell->row->mount_id);
}

static void print_in_flight(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        put_unless_zero(text, cell->row->in_flight);
}

static void print_locks(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        static const char *const kinds[] = {
                [HOT_INSPECT_LOCK_POSIX] = "process",
                [HOT_INSPECT_LOCK_FLOCK] = "flock",
                [HOT_INSPECT_LOCK_OFD] = "description",
                [HOT_INSPECT_LOCK_LEASE] = "lease",
        };
        size_t used = 0;

        for (size_t i = 0; i < cell->row->n_locks && used + 64 < FDS_CELL_MAX; i++)
                used += (size_t)snprintf(text + used, FDS_CELL_MAX - used, "%s%s %s",
                                         i > 0 ? ", " : "", kinds[cell->row->locks[i].kind],
                                         cell->row->locks[i].write ? "write" : "read");
}

static void print_held(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        size_t used = 0;

        for (size_t i = 0; i < cell->row->n_held && used + 64 < FDS_CELL_MAX; i++)
                used += (size_t)snprintf(text + used, FDS_CELL_MAX - used, "%s%d: %.40s",
                                         i > 0 ? ", " : "", cell->row->held[i].slot,
                                         cell->row->held[i].target);
}

static void print_description(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        put_unless_zero(text, cell->row->description);
}

static void print_holders(const struct fds_cell *cell, char text[FDS_CELL_MAX])
{
        fds_holders_print(cell->view, cell->process->server, cell->row, text);
}

const struct fds_column fds_columns[] = {
        {"command", "the process' name", 0, false, print_command},
        {"pid", "the process", 0, true, print_pid},
        {"ppid", "its parent", 0, true, print_ppid},
        {"pgid", "its process group", 0, true, print_pgid},
        {"user", "its effective user", 0, false, print_user},
        {"start", "when it started, in clock ticks since boot", 0, true, print_start},
        {"open", "how many descriptors it has", 0, true, print_open},
        {"server", "the server that it is part of", NEEDS_GENERATIONS, true, print_server},
        {"generation", "its generation", NEEDS_GENERATIONS, true, print_generation},
        {"program", "the file that it executes (servers only)", NEEDS_GENERATIONS, false,
         print_program},
        {"limit", "how many descriptors it may have (servers only)", NEEDS_GENERATIONS, true,
         print_limit},
        {"fd", "the descriptor's number, or cwd, root, program, mapped", 0, true, print_fd},
        {"mode", "r, w, u (both), - (neither)", HOT_INSPECT_ACCESS, false, print_mode},
        {"cloexec", "whether it is close-on-exec", NEEDS_STATUS, false, print_cloexec},
        {"flags", "open(2) flags, octal", NEEDS_STATUS, true, print_flags},
        {"kind", "what it is", NEEDS_SOCKETS, false, print_kind},
        {"state", "a socket's state", NEEDS_SOCKETS, false, print_state},
        {"name", "a socket's addresses, or a file's name", NEEDS_SOCKETS | HOT_INSPECT_TARGET,
         false, print_name},
        {"target", "the kernel's name for the file", HOT_INSPECT_TARGET, false, print_target},
        {"local", "a socket's own address", NEEDS_SOCKETS, false, print_local},
        {"peer", "a socket's other end", NEEDS_SOCKETS, false, print_peer},
        {"queue",
         "a listener's waiting connections and backlog, a connection's unread and unsent bytes",
         NEEDS_SOCKETS, true, print_queue},
        {"backlog", "how many connections may wait for a listener", NEEDS_SOCKETS, true,
         print_backlog},
        {"drops", "connections that a full queue has cost", NEEDS_SOCKETS, true, print_drops},
        {"device", "the file system, or the device of a device file", 0, true, print_device},
        {"inode", "the file on it", 0, true, print_inode},
        {"size", "the file's size in bytes", 0, true, print_size},
        {"offset", "the description's position", NEEDS_STATUS, true, print_offset},
        {"mount", "the mount it was opened through", NEEDS_STATUS, true, print_mount},
        {"locks", "what it is locked with", NEEDS_STATUS, false, print_locks},
        {"cookie", "a socket's number that is never used again, in hex", NEEDS_SOCKETS, true,
         print_cookie},
        {"netns", "the network namespace that a socket was found in", NEEDS_SOCKETS, true,
         print_netns},
        {"in-flight", "descriptors sent to a UNIX socket and not received", NEEDS_STATUS, true,
         print_in_flight},
        {"held", "the files that an io_uring holds", NEEDS_STATUS, false, print_held},
        {"description", "the same number: one open file description", HOT_INSPECT_DESCRIPTIONS,
         true, print_description},
        {"holders", "every descriptor of a description that has several",
         HOT_INSPECT_DESCRIPTIONS | NEEDS_GENERATIONS, false, print_holders},
        {NULL, NULL, 0, false, NULL},
};

const struct fds_column *fds_column_find(const char *name)
{
        for (const struct fds_column *column = fds_columns; column->name; column++)
                if (strcmp(column->name, name) == 0)
                        return column;
        return NULL;
}
