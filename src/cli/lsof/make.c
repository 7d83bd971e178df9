/* SPDX-License-Identifier: MIT */
#include "make.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "endpoints.h"
#include "memory.h"
#include "watches.h"

enum { TEXT_MAX = PATH_MAX + 64 };

static char *format(const char *text, ...) __attribute__((format(printf, 1, 2)));

static char *format(const char *text, ...)
{
        char buffer[TEXT_MAX];
        va_list arguments;

        va_start(arguments, text);
        vsnprintf(buffer, sizeof(buffer), text, arguments);
        va_end(arguments);
        return lsof_copy(buffer);
}

static bool is_socket(const struct hot_inspect_fd *file)
{
        return S_ISSOCK(file->mode);
}

static bool is_device(const struct hot_inspect_fd *file)
{
        return S_ISCHR(file->mode) || S_ISBLK(file->mode);
}

/* Its fdinfo says what it is made of. */
static bool is_told_by_status(const struct hot_inspect_fd *file)
{
        return file->kind == HOT_INSPECT_EPOLL || file->kind == HOT_INSPECT_EVENTFD ||
               file->kind == HOT_INSPECT_PIDFD;
}

/* /dev/null, which most processes have: the kernel keeps its offset at 0. */
static bool is_null(const struct hot_inspect_fd *file)
{
        return S_ISCHR(file->mode) && file->raw_device == makedev(1, 3);
}

static bool needs_status(struct lsof_maker *maker, const struct hot_inspect_fd *file)
{
        const struct lsof_request *request = maker->request;

        if (request->show_flags || is_told_by_status(file))
                return true;
        if (is_socket(file))
                return false;
        if (is_device(file) && !is_null(file) &&
            (!request->size_only || request->endpoints != LSOF_NO_ENDS))
                return true;
        return request->offset_only || lsof_locks_ask(&maker->locks, file->device, file->inode);
}

unsigned int lsof_make_details(struct lsof_maker *maker, const struct hot_inspect_fd *file)
{
        unsigned int details = HOT_INSPECT_TARGET | HOT_INSPECT_ACCESS;

        if (file->role != HOT_INSPECT_DESCRIPTOR)
                return HOT_INSPECT_TARGET;
        if (file->kind == HOT_INSPECT_SOCKET)
                details = HOT_INSPECT_ADDRESSES;
        return details | (needs_status(maker, file) ? HOT_INSPECT_STATUS : 0);
}

static char access_letter(const struct hot_inspect_fd *file)
{
        if (file->role != HOT_INSPECT_DESCRIPTOR || !*file->target)
                return is_socket(file) ? 'u' : ' ';
        if (file->access == O_RDONLY)
                return 'r';
        return file->access == O_WRONLY ? 'w' : 'u';
}

static void set_role(const struct hot_inspect_fd *file, struct lsof_row *row)
{
        static const char *const roles[] = {
                [HOT_INSPECT_CWD] = "cwd",
                [HOT_INSPECT_ROOT] = "rtd",
                [HOT_INSPECT_PROGRAM] = "txt",
                [HOT_INSPECT_MAPPED] = "mem",
        };

        row->role = roles[file->role];
        row->number = file->fd;
}

static void set_lock(struct lsof_maker *maker, const struct hot_inspect_process *process,
                     const struct hot_inspect_fd *file, struct lsof_row *row)
{
        row->lock = lsof_locks_letter(&maker->locks, process->pid, file->device, file->inode);
        if (row->lock == ' ' && (file->details & HOT_INSPECT_STATUS))
                row->lock = lsof_locks_letter_of(file->locks, file->n_locks);
}

static void set_extent(const struct lsof_request *request, const struct hot_inspect_fd *file,
                       struct lsof_row *row)
{
        bool has_place = is_device(file) || S_ISFIFO(file->mode) || is_socket(file);

        row->size = file->size;
        row->offset = file->details & HOT_INSPECT_STATUS ? file->offset : 0;
        if (has_place)
                row->has_offset = !request->size_only;
        else if (request->offset_only)
                row->has_offset = true;
        else
                row->has_size = true;
        row->has_offset = row->has_offset && file->role == HOT_INSPECT_DESCRIPTOR;
}

static bool is_anonymous(const struct hot_inspect_fd *file)
{
        return (file->mode & S_IFMT) == 0 && strncmp(file->target, "anon_inode:", 11) == 0;
}

static bool is_queue(struct lsof_maker *maker, const struct hot_inspect_fd *file)
{
        dev_t device;

        return major(file->device) == 0 && lsof_mounts_queues(&maker->request->mounts, &device) &&
               device == file->device;
}

static const char *type_name(struct lsof_maker *maker, const struct hot_inspect_fd *file)
{
        switch (file->mode & S_IFMT) {
        case S_IFBLK:
                return "BLK";
        case S_IFCHR:
                return "CHR";
        case S_IFDIR:
                return "DIR";
        case S_IFIFO:
                return "FIFO";
        case S_IFLNK:
                return "LINK";
        case S_IFREG:
                return is_queue(maker, file) ? "PSXMQ" : "REG";
        }
        return is_anonymous(file) ? "a_inode" : "0000";
}

/* What is behind "anon_inode:", with what its fdinfo adds. */
static char *anonymous_name(const struct hot_inspect_fd *file, const char *rest)
{
        if (!(file->details & HOT_INSPECT_STATUS))
                return lsof_copy(rest);
        if (strcmp(rest, "[eventfd]") == 0 && file->eventfd >= 0)
                return format("[eventfd:%d]", file->eventfd);
        if (strcmp(rest, "[pidfd]") == 0 && file->pid >= 0)
                return format("[pidfd:%d]", file->pid);
        if (strcmp(rest, "[eventpoll]") == 0 && file->n_watches > 0)
                return lsof_watches_name(file->watches, file->n_watches);
        return lsof_copy(rest);
}

/* A name that is no path is cut at its colon: "pipe:[4711]". */
static char *file_name(const struct hot_inspect_fd *file)
{
        size_t len = *file->target == '/' ? strlen(file->target) : strcspn(file->target, ":");

        if (is_anonymous(file) && file->target[len + 1])
                return anonymous_name(file, file->target + len + 1);
        return format("%.*s", (int)len, file->target);
}

/* A file that is asked for by name is shown by that. */
static bool set_asked_name(struct lsof_files *files, const struct hot_inspect_fd *file,
                           struct lsof_row *row)
{
        const struct lsof_file *asked = lsof_files_match(files, file->device, file->inode);

        if (!asked)
                return false;
        row->selected |= LSOF_BY_NAME;
        if (asked->is_system || is_anonymous(file))
                return false;
        free(row->name);
        row->name = lsof_copy(asked->name);
        return true;
}

static void set_nfs(struct lsof_maker *maker, const struct hot_inspect_fd *file,
                    struct lsof_row *row)
{
        struct lsof_request *request = maker->request;
        const struct lsof_mount *mount = NULL;
        char *name = row->name;

        if (major(file->device) == 0 && *name == '/' && !is_device(file) && !S_ISFIFO(file->mode))
                mount = lsof_mounts_nfs(&request->mounts, file->device, name);
        if (!mount)
                return;
        row->name = format("%s (%s)", name, mount->source);
        free(name);
        if (request->nfs)
                row->selected |= LSOF_BY_NFS;
}

static void set_links(const struct lsof_request *request, uint64_t links, struct lsof_row *row)
{
        if (!request->show_links)
                return;
        row->has_links = true;
        row->links = links;
        if (links < request->links_below)
                row->selected |= LSOF_BY_LINKS;
}

static void set_file(struct lsof_maker *maker, const struct hot_inspect_process *process,
                     const struct hot_inspect_fd *file, struct lsof_row *row)
{
        row->device = file->device;
        row->raw_device = file->raw_device;
        row->has_device = true;
        row->has_raw_device = is_device(file);
        row->inode = file->inode;
        row->node = LSOF_NODE_INODE;
        set_lock(maker, process, file, row);
        set_extent(maker->request, file, row);
        set_links(maker->request, file->links, row);
        strcpy(row->type, type_name(maker, file));
        if (!set_asked_name(&maker->request->files, file, row))
                set_nfs(maker, file, row);
}

static const char *link_name(const struct hot_inspect_fd *file)
{
        static const char *const names[] = {
                [HOT_INSPECT_CWD] = "cwd",
                [HOT_INSPECT_ROOT] = "root",
                [HOT_INSPECT_PROGRAM] = "exe",
        };

        return names[file->role];
}

/* What could not be read has the name of where it would be read. */
static void set_failed(const struct lsof_request *request,
                       const struct hot_inspect_process *process, const struct hot_inspect_fd *file,
                       struct lsof_row *row)
{
        strcpy(row->type, "unknown");
        if (!request->quiet)
                row->note = format("(%s: %s)", *file->target ? "stat" : "readlink",
                                   strerror(-file->error));
        if (*file->target)
                return;
        free(row->name);
        row->name = file->role == HOT_INSPECT_DESCRIPTOR
                            ? format("/proc/%d/fd/%d", process->pid, file->fd)
                            : format("/proc/%d/%s", process->pid, link_name(file));
}

static bool is_same(const struct stat *st, const struct hot_inspect_fd *file)
{
        return st->st_dev == file->device && st->st_ino == file->inode;
}

static char *mismatch(const struct stat *st, const struct hot_inspect_fd *file)
{
        unsigned long long inode = st->st_ino;

        if (st->st_dev == file->device)
                return format("(path inode=%llu)", inode);
        if (st->st_ino == file->inode)
                return format("(path dev=%u,%u)", major(st->st_dev), minor(st->st_dev));
        return format("(path dev=%u,%u,inode=%llu)", major(st->st_dev), minor(st->st_dev), inode);
}

/* Does the kernel say that its name is gone? Then its name goes without that. */
static bool strip_deleted(char *name)
{
        static const char suffix[] = " (deleted)";
        size_t len = strlen(name), n = sizeof(suffix) - 1;

        if (len <= n || strcmp(name + len - n, suffix) != 0)
                return false;
        name[len - n] = '\0';
        return true;
}

/*
 * A map has a name, a device and an inode; all else is that of the file that has the name now, if it is
 * the same one.
 */
static void set_map(struct lsof_maker *maker, const struct hot_inspect_process *process,
                    const struct hot_inspect_fd *file, struct lsof_row *row)
{
        bool deleted = strip_deleted(row->name);
        struct hot_inspect_fd known = *file;
        struct stat st;
        int r;

        if (file->mode != 0 && !deleted) {
                set_file(maker, process, file, row);
                return;
        }
        r = stat(row->name, &st) < 0 ? -errno : 0;
        known.mode = S_IFREG;
        if (r == 0 && is_same(&st, file)) {
                known.mode = st.st_mode;
                known.raw_device = st.st_rdev;
                known.size = (uint64_t)st.st_size;
                known.links = st.st_nlink;
                set_file(maker, process, &known, row);
                return;
        }
        if (deleted)
                row->role = "DEL";
        else if (!maker->request->quiet)
                row->note = r < 0 ? format("(stat: %s)", strerror(-r)) : mismatch(&st, file);
        set_file(maker, process, &known, row);
        row->has_size = row->has_links = false;
        row->selected &= ~(unsigned int)LSOF_BY_LINKS;
}

static void set_flags(const struct lsof_request *request, const struct hot_inspect_fd *file,
                      struct lsof_row *row)
{
        if (!request->show_flags || !(file->details & HOT_INSPECT_STATUS))
                return;
        row->has_flags = true;
        row->flags = (unsigned int)file->flags | (file->cloexec ? O_CLOEXEC : 0);
}

static void set_end(const struct lsof_request *request, const struct hot_inspect_fd *file,
                    struct lsof_row *row)
{
        if (request->endpoints != LSOF_NO_ENDS && file->role == HOT_INSPECT_DESCRIPTOR)
                lsof_endpoints_set(file, row);
}

void lsof_make_row(struct lsof_maker *maker, const struct hot_inspect_process *process,
                   const struct hot_inspect_fd *file, struct lsof_row *ret_row)
{
        *ret_row = (struct lsof_row){.access = access_letter(file), .lock = ' '};
        set_role(file, ret_row);
        set_flags(maker->request, file, ret_row);
        if (is_socket(file)) {
                set_extent(maker->request, file, ret_row);
                lsof_make_socket(maker, process, file, ret_row);
                set_end(maker->request, file, ret_row);
                return;
        }
        if (file->role == HOT_INSPECT_MAPPED) {
                ret_row->name = lsof_copy(file->target);
                set_map(maker, process, file, ret_row);
                return;
        }
        ret_row->name = file_name(file);
        if (file->error < 0)
                set_failed(maker->request, process, file, ret_row);
        else
                set_file(maker, process, file, ret_row);
        set_end(maker->request, file, ret_row);
}

void lsof_make_unlisted(const struct hot_inspect_process *process, struct lsof_row *ret_row)
{
        *ret_row = (struct lsof_row){.role = "NOFD", .number = -1, .access = ' ', .lock = ' '};
        ret_row->name = lsof_copy("");
        ret_row->note =
                format("/proc/%d/fd (opendir: %s)", process->pid, strerror(-process->error));
}

void lsof_make_no_program(const struct hot_inspect_process *process, struct lsof_row *ret_row)
{
        *ret_row = (struct lsof_row){.role = "txt", .number = -1, .access = ' ', .lock = ' '};
        strcpy(ret_row->type, "unknown");
        ret_row->name = format("/proc/%d/exe", process->pid);
        if (process->uid != 0)
                ret_row->note = format("(readlink: %s)", strerror(ENOENT));
}
