/* SPDX-License-Identifier: MIT */
/*
 * Who holds one open file description: all descriptors of a snapshot by the number of their description.
 */
#include "fds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare_holders(const void *a, const void *b)
{
        const struct fds_holder *x = a, *y = b;

        if (x->description != y->description)
                return x->description < y->description ? -1 : 1;
        if (x->process->generation != y->process->generation)
                return x->process->generation < y->process->generation ? -1 : 1;
        return x->process->pid != y->process->pid ? x->process->pid - y->process->pid
                                                  : x->row->fd - y->row->fd;
}

static size_t count_rows(const struct hot_snapshot *snapshot)
{
        const struct hot_inspect *inspect;
        size_t n = 0;

        for (size_t i = 0; (inspect = hot_snapshot_at(snapshot, i)); i++)
                n += hot_inspect_count(inspect);
        return n;
}

int fds_holders_find(struct fds_view *view)
{
        const struct hot_inspect *inspect;
        const struct hot_inspect_fd *row;

        view->holders = calloc(count_rows(view->snapshot) + 1, sizeof(*view->holders));
        if (!view->holders)
                return -ENOMEM;
        for (size_t i = 0; (inspect = hot_snapshot_at(view->snapshot, i)); i++)
                for (size_t k = 0; (row = hot_inspect_at(inspect, k)); k++)
                        if (row->description != 0)
                                view->holders[view->n_holders++] = (struct fds_holder){
                                        row->description, hot_inspect_identity(inspect), row};
        qsort(view->holders, view->n_holders, sizeof(*view->holders), compare_holders);
        return 0;
}

const struct fds_holder *fds_holders_of(const struct fds_view *view,
                                        const struct hot_inspect_fd *row, size_t *ret_n)
{
        size_t low = 0, high = view->n_holders, middle, end;

        while (low < high) {
                middle = low + (high - low) / 2;
                if (view->holders[middle].description < row->description)
                        low = middle + 1;
                else
                        high = middle;
        }
        for (end = low; end < view->n_holders && view->holders[end].description == row->description;
             end++)
                ;
        *ret_n = row->description == 0 ? 0 : end - low;
        return &view->holders[low];
}

void fds_holders_print(const struct fds_view *view, unsigned int server,
                       const struct hot_inspect_fd *row, char text[FDS_CELL_MAX])
{
        const struct fds_holder *holders;
        size_t n, used = 0;
        int len;

        text[0] = '\0';
        holders = fds_holders_of(view, row, &n);
        for (size_t i = 0; server == 0 && i < n; i++)
                server = holders[i].process->server;
        for (size_t i = 0; n > 1 && i < n && used < FDS_CELL_MAX; i++) {
                const struct hot_inspect_process *process = holders[i].process;

                if (process->generation > 0 && process->server == server)
                        len = snprintf(text + used, FDS_CELL_MAX - used,
                                       "%s%d in generation %llu (pid %d)", i > 0 ? ", " : "",
                                       holders[i].row->fd, (unsigned long long)process->generation,
                                       process->pid);
                else
                        len = snprintf(text + used, FDS_CELL_MAX - used, "%s%d in pid %d (%s)",
                                       i > 0 ? ", " : "", holders[i].row->fd, process->pid,
                                       process->name);
                used += len > 0 ? (size_t)len : 0;
        }
}
