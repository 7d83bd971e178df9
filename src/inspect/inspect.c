/* SPDX-License-Identifier: MIT */
/*
 * A snapshot: the identity of one process and a row for each of its descriptors. Addresses are filled in
 * last, from a dump of the sockets of this network namespace: a socket that was made and closed again
 * between the two has none.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <hotstart/inspect.h>

#include "proc.h"
#include "row.h"
#include "socket.h"
#include "table.h"

struct hot_inspect {
        struct hot__proc process;
        struct hot__row *rows;
        size_t n_rows;
        size_t room;
};

static int append_row(struct hot_inspect *inspect, struct hot__row *row)
{
        struct hot__row *larger;

        if (inspect->n_rows == inspect->room) {
                inspect->room = inspect->room ? inspect->room * 2 : 32;
                larger = realloc(inspect->rows, inspect->room * sizeof(*larger));
                if (!larger)
                        return -ENOMEM;
                inspect->rows = larger;
        }
        inspect->rows[inspect->n_rows++] = *row;
        return 0;
}

static int read_row(struct hot_inspect *inspect, const struct hot__table *table, int fd,
                    const char *target)
{
        struct hot__row row;
        int r = hot__table_read(table, fd, target, &row);

        if (r == -ESRCH) /* closed meanwhile; a process that ended shows at the next step */
                return 0;
        if (r < 0)
                return r;
        r = append_row(inspect, &row);
        if (r < 0)
                hot__row_done(&row);
        return r;
}

static int compare_rows(const void *a, const void *b)
{
        const struct hot__row *x = a, *y = b;

        return (x->public.fd > y->public.fd) - (x->public.fd < y->public.fd);
}

static int read_rows(struct hot_inspect *inspect)
{
        struct hot__table table;
        char target[PATH_MAX];
        int fd, r = hot__table_open(&inspect->process, &table);

        if (r < 0)
                return r;
        while ((r = hot__table_next(&table, &fd, target)) > 0) {
                r = read_row(inspect, &table, fd, target);
                if (r < 0)
                        break;
        }
        hot__table_done(&table);
        /* Of a process that ends meanwhile only the rows so far are there, and nothing says so. */
        if (r == 0)
                r = hot__proc_check(&inspect->process);
        if (r == 0 && inspect->n_rows > 0)
                qsort(inspect->rows, inspect->n_rows, sizeof(*inspect->rows), compare_rows);
        return r;
}

/* Give the rows that are this socket what is known of it. */
static int note_socket(const struct hot__socket *socket, void *data)
{
        struct hot_inspect *inspect = data;
        int r = 0;

        for (size_t i = 0; i < inspect->n_rows && r == 0; i++)
                if (inspect->rows[i].public.kind == HOT_INSPECT_SOCKET &&
                    inspect->rows[i].public.inode == socket->inode)
                        r = hot__socket_describe(socket, &inspect->rows[i]);
        return r;
}

static int read_addresses(struct hot_inspect *inspect)
{
        for (size_t i = 0; i < inspect->n_rows; i++)
                if (inspect->rows[i].public.kind == HOT_INSPECT_SOCKET)
                        return hot__socket_dump_all(note_socket, inspect);
        return 0;
}

int hot_inspect_read(pid_t pid, unsigned int details, struct hot_inspect **ret_inspect)
{
        struct hot_inspect *inspect = calloc(1, sizeof(*inspect));
        int r;

        if (!inspect)
                return -ENOMEM;
        r = hot__proc_open(pid, &inspect->process);
        if (r < 0) {
                free(inspect);
                return r;
        }
        r = read_rows(inspect);
        /* Once its memory is gone, a dying process is nobody's to read but root's. */
        if ((r == -EACCES || r == -EPERM) && hot__proc_check(&inspect->process) == -ESRCH)
                r = -ESRCH;
        hot__proc_done(&inspect->process);
        if (r == 0 && (details & HOT_INSPECT_ADDRESSES))
                r = read_addresses(inspect);
        if (r < 0) {
                hot_inspect_free(inspect);
                return r;
        }
        *ret_inspect = inspect;
        return 0;
}

void hot_inspect_free(struct hot_inspect *inspect)
{
        if (!inspect)
                return;
        for (size_t i = 0; i < inspect->n_rows; i++)
                hot__row_done(&inspect->rows[i]);
        free(inspect->rows);
        hot__proc_done(&inspect->process);
        free(inspect);
}

pid_t hot_inspect_pid(const struct hot_inspect *inspect)
{
        return inspect->process.pid;
}

pid_t hot_inspect_parent(const struct hot_inspect *inspect)
{
        return inspect->process.parent;
}

uid_t hot_inspect_uid(const struct hot_inspect *inspect)
{
        return inspect->process.uid;
}

const char *hot_inspect_name(const struct hot_inspect *inspect)
{
        return inspect->process.name;
}

size_t hot_inspect_count(const struct hot_inspect *inspect)
{
        return inspect->n_rows;
}

const struct hot_inspect_fd *hot_inspect_at(const struct hot_inspect *inspect, size_t index)
{
        return index < inspect->n_rows ? &inspect->rows[index].public : NULL;
}

const struct hot_inspect_fd *hot_inspect_find(const struct hot_inspect *inspect, int fd)
{
        for (size_t i = 0; i < inspect->n_rows; i++)
                if (inspect->rows[i].public.fd == fd)
                        return &inspect->rows[i].public;
        return NULL;
}

static int watches_inode(const struct hot_inspect_fd *row, uint64_t inode)
{
        for (size_t i = 0; i < row->n_watches; i++)
                if (row->watches[i].inode == inode)
                        return 1;
        return 0;
}

int hot_inspect_watched(const struct hot_inspect *inspect, uint64_t inode, int from)
{
        for (size_t i = 0; i < inspect->n_rows; i++)
                if (inspect->rows[i].public.fd >= from &&
                    watches_inode(&inspect->rows[i].public, inode))
                        return inspect->rows[i].public.fd;
        return -ENOENT;
}
