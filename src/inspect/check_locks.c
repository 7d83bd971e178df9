/* SPDX-License-Identifier: MIT */
/*
 * Locks that a restart loses. A process' own lock (fcntl F_SETLK) is neither inherited nor handed over, goes
 * with its process, and with any close of the file in it; what flock(2) and F_OFD_SETLK lock belongs to the
 * description and goes with its last holder.
 */
#include "findings.h"

/* Does a process of this generation own a lock of the process' kind through this row? */
static bool owns_lock(const struct hot_snapshot *snapshot, const struct hot_inspect_fd *row,
                      unsigned int server, uint64_t generation)
{
        const struct hot_inspect *owner;

        for (size_t i = 0; i < row->n_locks; i++) {
                if (row->locks[i].kind != HOT_INSPECT_LOCK_POSIX)
                        return true;
                owner = hot_snapshot_find(snapshot, row->locks[i].pid);
                if (owner && owner->public.server == server &&
                    owner->public.generation == generation)
                        return true;
        }
        return false;
}

/* The row of the newest generation that has this file open without a lock, or NULL if one has the lock or
 * none has the file. */
static const struct hot_inspect *find_unlocked(const struct hot__check *check,
                                               const struct hot_inspect *inspect,
                                               const struct hot_inspect_fd *row)
{
        uint64_t newest = hot__check_newest(check->snapshot, inspect->public.server);
        const struct hot_inspect *found = NULL;

        for (size_t i = 0; i < check->snapshot->n_processes; i++) {
                const struct hot_inspect *other = check->snapshot->processes[i];

                if (other->public.server != inspect->public.server ||
                    other->public.generation != newest)
                        continue;
                for (size_t k = other->n_files; k < other->n_rows; k++) {
                        const struct hot_inspect_fd *candidate = &other->rows[k].public;

                        if (candidate->inode != row->inode || candidate->device != row->device)
                                continue;
                        if (owns_lock(check->snapshot, candidate, inspect->public.server, newest))
                                return NULL;
                        found = other;
                }
        }
        return found;
}

/* A process' own lock goes with it. The lock of a description goes with its last holder. */
static void check_locks(struct hot__check *check, const struct hot_inspect *inspect,
                        const struct hot_inspect_fd *row)
{
        char who[HOT__WHO_MAX], successor[HOT__WHO_MAX];
        const struct hot_inspect *other;

        if (inspect->public.server == 0 ||
            inspect->public.generation ==
                    hot__check_newest(check->snapshot, inspect->public.server))
                return;
        for (size_t i = 0; i < row->n_locks; i++) {
                if (row->locks[i].kind != HOT_INSPECT_LOCK_POSIX ||
                    row->locks[i].pid != inspect->public.pid)
                        continue;
                other = find_unlocked(check, inspect, row);
                if (!other)
                        return;
                hot__check_add(check, HOT_FINDING_LOCK_LOST, HOT_FINDING_ERROR, inspect, row->fd,
                               "%s alone owns the lock of %s (descriptor %d): %s has the file open "
                               "without it, and nobody has it when the first exits",
                               hot__check_who(inspect, who), hot__check_name(row), row->fd,
                               hot__check_who(other, successor));
                return;
        }
}

/* Is the file of an earlier row open in the server now, and is it locked? */
static const struct hot_inspect *find_open(const struct hot_snapshot *snapshot,
                                           const struct hot_inspect_fd *row, bool *ret_locked)
{
        const struct hot_inspect *found = NULL;

        *ret_locked = false;
        for (size_t i = 0; i < snapshot->n_processes; i++)
                for (size_t k = 0; k < snapshot->processes[i]->n_rows; k++) {
                        const struct hot_inspect_fd *now = &snapshot->processes[i]->rows[k].public;

                        if (now->inode != row->inode || now->device != row->device ||
                            now->role != HOT_INSPECT_DESCRIPTOR)
                                continue;
                        *ret_locked |= now->n_locks > 0;
                        if (!found && snapshot->processes[i]->public.server != 0)
                                found = snapshot->processes[i];
                }
        return found;
}

/* A process loses its lock with any close of the file, and a server with a restart that does not take it. */
static void check_earlier_locks(struct hot__check *check, const struct hot_inspect *inspect)
{
        const struct hot_inspect *holder;
        char who[HOT__WHO_MAX];
        bool locked;

        for (size_t i = inspect->n_files; i < inspect->n_rows; i++) {
                const struct hot_inspect_fd *row = &inspect->rows[i].public;

                if (row->n_locks == 0)
                        continue;
                holder = find_open(check->snapshot, row, &locked);
                if (holder && !locked && hot__check_wants(check, holder))
                        hot__check_add(check, HOT_FINDING_LOCK_LOST, HOT_FINDING_ERROR, holder, -1,
                                       "%s has %s open, which was locked before and is not now",
                                       hot__check_who(holder, who), hot__check_name(row));
        }
}

void hot__check_locks(struct hot__check *check)
{
        for (size_t i = 0; i < check->snapshot->n_processes; i++) {
                const struct hot_inspect *inspect = check->snapshot->processes[i];

                if (!hot__check_wants(check, inspect))
                        continue;
                for (size_t k = inspect->n_files; k < inspect->n_rows; k++)
                        check_locks(check, inspect, &inspect->rows[k].public);
        }
        for (size_t i = 0; check->before && i < check->before->n_processes; i++)
                if (check->before->processes[i]->public.server != 0)
                        check_earlier_locks(check, check->before->processes[i]);
}
