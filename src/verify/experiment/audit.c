/* SPDX-License-Identifier: MIT */
#include "audit.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "listing.h"

__attribute__((format(printf, 3, 4))) static void append(char *text, size_t size,
                                                         const char *format, ...)
{
        size_t used = text ? strlen(text) : 0;
        va_list arguments;

        if (used >= size)
                return;
        va_start(arguments, format);
        vsnprintf(text + used, size - used, format, arguments);
        va_end(arguments);
}

static const char *stray(const struct hot_inspect_fd *fd)
{
        if (fd->kind == HOT_INSPECT_TCP && fd->peer[0])
                return "a connection";
        if (fd->kind == HOT_INSPECT_SOCKET)
                return "a socket without any address, as a connection that has ended";
        if (fd->kind == HOT_INSPECT_PIDFD && fd->pid == -1)
                return "a pidfd of a process that has ended";
        if (fd->kind == HOT_INSPECT_UNIX && strcmp(fd->state, "CONNECTED") == 0 &&
            fd->peer_inode == 0)
                return "a socket whose other end is gone";
        return NULL;
}

static int want_process(const struct hot_inspect_process *process, void *data)
{
        (void)process;
        (void)data;
        return 1;
}

/* Copies of listeners that nothing waits on, stale epoll entries, descriptors in flight, … */
static unsigned int audit_findings(const struct hot_inspect *process, char *text, size_t size)
{
        const struct hot_check_policy policy = {.size = sizeof(policy),
                                                .want_process = want_process};
        const struct hot_finding *finding;
        struct hot_findings *findings;
        unsigned int n = 0;

        if (hot_snapshot_check(hot_inspect_snapshot(process), NULL, &policy, &findings) < 0) {
                append(text, size, "the findings could not be looked for");
                return 1;
        }
        while ((finding = hot_findings_at(findings, n)))
                append(text, size, "%s%s", n++ > 0 ? ", " : "", finding->text);
        hot_findings_free(findings);
        return n;
}

unsigned int audit_strays(const struct hot_inspect *process, char *text, size_t size)
{
        const struct hot_inspect_fd *fd;
        unsigned int n = audit_findings(process, text, size);

        for (size_t i = 0; (fd = hot_inspect_at(process, i)); i++) {
                if (!stray(fd))
                        continue;
                append(text, size, "%sdescriptor %d of %d is %s", n++ > 0 ? ", " : "", fd->fd,
                       hot_inspect_pid(process), stray(fd));
        }
        return n;
}

static bool alike(const struct hot_inspect_fd *a, const struct hot_inspect_fd *b)
{
        return a->kind == b->kind && a->access == b->access && a->cloexec == b->cloexec &&
               a->type == b->type && a->listening == b->listening;
}

static void describe(char *text, size_t size, const struct hot_inspect_fd *fd)
{
        if (fd)
                append(text, size, "%s (%c, %sCLOEXEC)", hot_inspect_kind_name(fd->kind),
                       listing_mode(fd), fd->cloexec ? "" : "no ");
        else
                append(text, size, "closed");
}

static void differ(char *text, size_t size, int number, const struct hot_inspect_fd *before,
                   const struct hot_inspect_fd *after)
{
        append(text, size, "%sdescriptor %d was ", text && text[0] ? ", " : "", number);
        describe(text, size, before);
        append(text, size, " and is ");
        describe(text, size, after);
}

unsigned int audit_differences(const struct hot_inspect *before, const struct hot_inspect *after,
                               char *text, size_t size)
{
        const struct hot_inspect_fd *fd, *other;
        unsigned int n = 0;

        for (size_t i = 0; (fd = hot_inspect_at(before, i)); i++) {
                other = hot_inspect_find(after, fd->fd);
                if (other && alike(fd, other))
                        continue;
                differ(text, size, fd->fd, fd, other);
                n++;
        }
        for (size_t i = 0; (fd = hot_inspect_at(after, i)); i++)
                if (!hot_inspect_find(before, fd->fd)) {
                        differ(text, size, fd->fd, NULL, fd);
                        n++;
                }
        return n;
}
