/* SPDX-License-Identifier: MIT */
/*
 * One process of a snapshot, as its reader sees it; and the snapshot of one process.
 */
#include <errno.h>
#include <stdlib.h>

#include <hotstart/inspect.h>

#include "snapshot.h"

int hot_inspect_read(pid_t pid, unsigned int details, struct hot_inspect **ret_inspect)
{
        struct hot_inspect_query query = {
                .size = sizeof(query),
                .details = details | HOT_INSPECT_TARGET | HOT_INSPECT_STATUS,
                .pids = &pid,
                .n_pids = 1,
        };
        struct hot_snapshot *snapshot;
        int r = hot_snapshot_read(&query, &snapshot);

        if (r < 0)
                return r;
        r = snapshot->n_processes == 0 ? -ESRCH : snapshot->processes[0]->public.error;
        if (r < 0) {
                hot_snapshot_free(snapshot);
                return r;
        }
        *ret_inspect = snapshot->processes[0];
        return 0;
}

void hot_inspect_free(struct hot_inspect *inspect)
{
        if (inspect)
                hot_snapshot_free(inspect->snapshot);
}

const struct hot_snapshot *hot_inspect_snapshot(const struct hot_inspect *inspect)
{
        return inspect->snapshot;
}

const struct hot_inspect_process *hot_inspect_identity(const struct hot_inspect *inspect)
{
        return &inspect->public;
}

pid_t hot_inspect_pid(const struct hot_inspect *inspect)
{
        return inspect->public.pid;
}

pid_t hot_inspect_parent(const struct hot_inspect *inspect)
{
        return inspect->public.parent;
}

uid_t hot_inspect_uid(const struct hot_inspect *inspect)
{
        return inspect->public.uid;
}

const char *hot_inspect_name(const struct hot_inspect *inspect)
{
        return inspect->public.name;
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
        size_t low = inspect->n_files, high = inspect->n_rows, middle;

        while (low < high) {
                middle = low + (high - low) / 2;
                if (inspect->rows[middle].public.fd < fd)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low < inspect->n_rows && inspect->rows[low].public.fd == fd
                       ? &inspect->rows[low].public
                       : NULL;
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
