/* SPDX-License-Identifier: MIT */
#include "table.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "proc.h"

void table_take(const struct family *family, bool addresses, struct proof_table *ret)
{
        table_clear(ret);
        ret->memory = 0;
        for (size_t i = 0; i < family->n && ret->n < PROOF_TABLE_MAX; i++) {
                const struct member *member = &family->members[i];

                if (member->gone || member->state == 'Z')
                        continue;
                if (hot_inspect_read(member->pid, addresses ? HOT_INSPECT_ADDRESSES : 0,
                                     &ret->processes[ret->n]) < 0)
                        continue;
                ret->epochs[ret->n++] = member->epoch;
                if (addresses)
                        ret->memory += proc_read_memory(member->pid);
        }
}

void table_clear(struct proof_table *table)
{
        for (size_t i = 0; i < table->n; i++)
                hot_inspect_free(table->processes[i]);
        table->n = 0;
}

bool table_is_connection(const struct hot_inspect_fd *fd)
{
        if (fd->kind == HOT_INSPECT_TCP)
                return !fd->listening;
        /* Accepted from a UNIX listener: it has the listener's name. */
        if (fd->kind == HOT_INSPECT_UNIX)
                return !fd->listening && fd->local[0] != '\0' && fd->type == SOCK_STREAM;
        /* A TCP connection that has ended has no address any more. */
        return fd->kind == HOT_INSPECT_SOCKET;
}

size_t table_size(const struct hot_inspect *process)
{
        const struct hot_inspect_fd *fd;
        size_t n = 0;

        for (size_t i = 0; (fd = hot_inspect_at(process, i)); i++)
                n += !table_is_connection(fd);
        return n;
}

size_t table_connections(const struct hot_inspect *process)
{
        return hot_inspect_count(process) - table_size(process);
}

static const struct hot_inspect *find(const struct proof_table *table, pid_t pid)
{
        for (size_t i = 0; i < table->n; i++)
                if (hot_inspect_pid(table->processes[i]) == pid)
                        return table->processes[i];
        return NULL;
}

const struct hot_inspect *table_counterpart(const struct proof_table *table,
                                            const struct proof_table *other,
                                            const struct hot_inspect *process)
{
        const struct hot_inspect *best = find(table, hot_inspect_pid(process));

        if (best)
                return best;
        for (size_t i = 0; i < table->n; i++) {
                if (find(other, hot_inspect_pid(table->processes[i])))
                        continue;
                if (!best || table_size(table->processes[i]) > table_size(best))
                        best = table->processes[i];
        }
        return best;
}

/* What makes two descriptors of two generations the same kind of thing. */
static bool is_alike(const struct hot_inspect_fd *a, const struct hot_inspect_fd *b)
{
        if (a->kind != b->kind || a->access != b->access || a->listening != b->listening ||
            a->type != b->type)
                return false;
        if (a->listening)
                return strcmp(a->local, b->local) == 0;
        if (a->kind == HOT_INSPECT_FILE || a->kind == HOT_INSPECT_DIRECTORY ||
            a->kind == HOT_INSPECT_CHARACTER)
                return strcmp(a->target, b->target) == 0;
        return true;
}

static size_t count_alike(const struct hot_inspect *process, const struct hot_inspect_fd *model,
                          size_t end)
{
        const struct hot_inspect_fd *fd;
        size_t n = 0;

        for (size_t i = 0; i < end && (fd = hot_inspect_at(process, i)); i++)
                n += is_alike(fd, model);
        return n;
}

/* The first so many of a kind are the ones that were there before: what comes later is new. */
bool table_is_new(const struct hot_inspect *before, const struct hot_inspect *after, size_t index)
{
        const struct hot_inspect_fd *fd = hot_inspect_at(after, index);

        if (table_is_connection(fd))
                return false;
        return count_alike(after, fd, index) >= count_alike(before, fd, SIZE_MAX);
}

static const struct hot_inspect_fd *find_same(const struct hot_inspect *process,
                                              const struct hot_inspect_fd *fd)
{
        const struct hot_inspect_fd *other;

        for (size_t i = 0; (other = hot_inspect_at(process, i)) && other->fd < fd->fd; i++)
                if (other->kind == fd->kind && other->inode == fd->inode &&
                    (fd->listening || hot_inspect_same(hot_inspect_pid(process), fd->fd,
                                                       hot_inspect_pid(process), other->fd) == 1))
                        return other;
        return NULL;
}

static void explain_kind(const struct hot_inspect_fd *fd, char *text, size_t size)
{
        switch (fd->kind) {
        case HOT_INSPECT_PIPE:
                snprintf(text, size, "the %s end of a pipe (%s)",
                         (fd->access & 3) == 0 ? "reading" : "writing", fd->target);
                break;
        case HOT_INSPECT_PIDFD:
                if (fd->pid == -1)
                        snprintf(text, size, "a pidfd of a process that has ended");
                else
                        snprintf(text, size, "a pidfd of process %d", fd->pid);
                break;
        case HOT_INSPECT_UNIX:
                snprintf(text, size, "%s",
                         fd->peer_inode == 0 && !fd->listening
                                 ? "a UNIX socket whose other end is gone"
                                 : "a UNIX socket");
                break;
        default:
                if (fd->target[0] == '/')
                        snprintf(text, size, "%s", fd->target);
                else
                        snprintf(text, size, "one more %s", hot_inspect_kind_name(fd->kind));
                break;
        }
}

void table_explain(const struct hot_inspect *process, const struct hot_inspect_fd *fd, char *text,
                   size_t size)
{
        const struct hot_inspect_fd *same = find_same(process, fd);
        char what[256];
        int pid = hot_inspect_pid(process);

        if (same) {
                snprintf(text, size,
                         "descriptor %d of %d is a second copy of %s %d: it was never closed",
                         fd->fd, pid, fd->listening ? "listener" : "descriptor", same->fd);
        } else if (fd->listening) {
                snprintf(text, size, "descriptor %d of %d is another listener at %s", fd->fd, pid,
                         fd->local);
        } else {
                explain_kind(fd, what, sizeof(what));
                snprintf(text, size, "descriptor %d of %d is %s: it was never closed%s", fd->fd,
                         pid, what, fd->cloexec ? "" : ", and has no FD_CLOEXEC");
        }
}
