/* SPDX-License-Identifier: MIT */
/*
 * Reading what the options select, and no more. Where generations are asked for, processes that are not
 * selected matter: they are found in a first, cheap reading of everything (no names, no fdinfo, listeners
 * only), and the second reads the selected ones and all servers in full.
 */
#include "fds.h"
#include "verb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static bool has_pid(const pid_t *pids, size_t n, pid_t pid)
{
        for (size_t i = 0; i < n; i++)
                if (pids[i] == pid)
                        return true;
        return false;
}

static bool has_command(const struct fds_options *options, const char *name)
{
        for (size_t i = 0; i < options->n_commands; i++)
                if (strncmp(name, options->commands[i], strlen(options->commands[i])) == 0)
                        return true;
        return options->n_commands == 0;
}

static bool has_user(const struct fds_options *options, uid_t uid)
{
        for (size_t i = 0; i < options->n_uids; i++)
                if (options->uids[i] == uid)
                        return true;
        return options->n_uids == 0;
}

/* By what is known before anything is read of it. */
static bool is_selected(const struct fds_options *options,
                        const struct hot_inspect_process *process)
{
        if (options->n_pids > 0 && !has_pid(options->pids, options->n_pids, process->pid))
                return false;
        return has_command(options, process->name) && has_user(options, process->uid);
}

static bool selects_processes(const struct fds_options *options)
{
        return options->n_pids > 0 || options->n_commands > 0 || options->n_uids > 0;
}

static uint64_t newest_of(const struct hot_snapshot *snapshot, unsigned int server)
{
        const struct hot_inspect *inspect;
        uint64_t newest = 0;

        for (size_t i = 0; (inspect = hot_snapshot_at(snapshot, i)); i++) {
                const struct hot_inspect_process *process = hot_inspect_identity(inspect);

                if (process->server == server && process->generation > newest)
                        newest = process->generation;
        }
        return newest;
}

static bool has_generation(const struct fds_options *options, const struct hot_snapshot *snapshot,
                           const struct hot_inspect_process *process)
{
        switch (options->generation) {
        case FDS_GENERATION_ANY:
                return true;
        case FDS_GENERATION_NUMBER:
                return process->generation == options->generation_number;
        case FDS_GENERATION_OLD:
                return process->generation > 0 &&
                       process->generation < newest_of(snapshot, process->server);
        case FDS_GENERATION_NEW:
                return process->generation > 0 &&
                       process->generation == newest_of(snapshot, process->server);
        }
        return false;
}

bool fds_wants_process(const struct fds_options *options, const struct hot_snapshot *snapshot,
                       const struct hot_inspect_process *process)
{
        return is_selected(options, process) && has_generation(options, snapshot, process);
}

static bool has_number(const struct fds_options *options, int fd)
{
        for (size_t i = 0; i < options->n_numbers; i++)
                if (fd >= options->numbers[i].first && fd <= options->numbers[i].last)
                        return true;
        return options->n_numbers == 0;
}

static bool has_port(const struct fds_options *options, const struct hot_inspect_fd *row)
{
        const char *colon = strrchr(row->local, ':');

        return options->port == 0 ||
               (row->family != AF_UNIX && colon && strtol(colon + 1, NULL, 10) == options->port);
}

bool fds_wants_row(const struct fds_options *options, const struct hot_inspect_fd *row)
{
        if (row->role == HOT_INSPECT_DESCRIPTOR ? !has_number(options, row->fd)
                                                : options->n_numbers > 0)
                return false;
        if (options->kinds != 0 && !(options->kinds >> row->kind & 1))
                return false;
        return !options->listen || (row->listening && has_port(options, row));
}

/* ---- while reading ---- */

static int want_process(const struct hot_inspect_process *process, void *data)
{
        return is_selected(data, process);
}

static int want_number(const struct hot_inspect_process *process, int fd, void *data)
{
        (void)process;
        return has_number(data, fd);
}

static bool is_of_sockets(int kind)
{
        return kind == HOT_INSPECT_TCP || kind == HOT_INSPECT_UDP || kind == HOT_INSPECT_UNIX ||
               kind == HOT_INSPECT_SOCKET;
}

/* Which socket it is shows later. */
static int want_row(const struct hot_inspect_process *process, const struct hot_inspect_fd *row,
                    unsigned int *details, void *data)
{
        const struct fds_options *options = data;
        uint64_t sockets = UINT64_C(1) << HOT_INSPECT_TCP | UINT64_C(1) << HOT_INSPECT_UDP |
                           UINT64_C(1) << HOT_INSPECT_UNIX | UINT64_C(1) << HOT_INSPECT_SOCKET;

        (void)process;
        (void)details;
        if (is_of_sockets(row->kind))
                return options->kinds == 0 || (options->kinds & sockets);
        if (options->listen)
                return 0;
        return options->kinds == 0 || (options->kinds >> row->kind & 1);
}

static int read_selected(const struct fds_options *options, unsigned int details,
                         struct hot_snapshot **ret_snapshot)
{
        struct fds_options *data = (struct fds_options *)(uintptr_t)options;
        struct hot_inspect_query query = {
                .size = sizeof(query),
                .details = details,
                .pids = options->pids,
                .n_pids = options->n_pids,
                .data = data,
                .want_process = want_process,
                .want_number = options->n_numbers > 0 ? want_number : NULL,
                .want_row = options->kinds != 0 || options->listen ? want_row : NULL,
        };

        return hot_snapshot_read(&query, ret_snapshot);
}

/* ---- with context ---- */

static const struct hot_inspect_process *identity_at(const struct hot_snapshot *snapshot, size_t i)
{
        const struct hot_inspect *inspect = hot_snapshot_at(snapshot, i);

        return inspect ? hot_inspect_identity(inspect) : NULL;
}

static const struct hot_inspect_process *identity_of(const struct hot_snapshot *snapshot, pid_t pid)
{
        const struct hot_inspect *inspect = hot_snapshot_find(snapshot, pid);

        return inspect ? hot_inspect_identity(inspect) : NULL;
}

/* A selected process, one of a server, or the parent or a child of a selected one: who may share with it. */
static bool is_context(const struct fds_options *options, const struct hot_snapshot *all,
                       const struct hot_inspect_process *process)
{
        const struct hot_inspect_process *parent = identity_of(all, process->parent), *other;

        if (process->server != 0 || (selects_processes(options) && is_selected(options, process)))
                return true;
        if (!selects_processes(options))
                return parent && parent->server != 0;
        if (parent && is_selected(options, parent))
                return true;
        for (size_t i = 0; (other = identity_at(all, i)); i++)
                if (other->parent == process->pid && is_selected(options, other))
                        return true;
        return false;
}

static int read_with_context(const struct fds_options *options, unsigned int details,
                             struct hot_snapshot **ret_snapshot)
{
        struct hot_inspect_query query = {.size = sizeof(query),
                                          .details = HOT_INSPECT_GENERATIONS};
        const struct hot_inspect_process *process;
        struct hot_snapshot *all;
        pid_t *pids;
        size_t n = 0;
        int r = hot_snapshot_read(&query, &all);

        if (r < 0)
                return r;
        /* One more, so that nobody is never everybody. */
        pids = calloc(hot_snapshot_count(all) + options->n_pids + 1, sizeof(*pids));
        for (size_t i = 0; pids && (process = identity_at(all, i)); i++)
                if (is_context(options, all, process))
                        pids[n++] = process->pid;
        /* What is not there is for the second reading to notice. */
        for (size_t i = 0; pids && i < options->n_pids; i++)
                if (!has_pid(pids, n, options->pids[i]))
                        pids[n++] = options->pids[i];
        hot_snapshot_free(all);
        if (!pids)
                return -ENOMEM;
        if (n == 0)
                pids[n++] = 0; /* no process has this number */
        query.details = details;
        query.pids = pids;
        query.n_pids = n;
        r = hot_snapshot_read(&query, ret_snapshot);
        free(pids);
        return r;
}

/* Do these columns say something of a listener only, and nothing of who has it? */
static bool is_of_listeners(const struct fds_options *options)
{
        static const char *const names[] = {"kind",    "state", "name",   "local", "queue",
                                            "backlog", "drops", "cookie", "inode", "netns"};
        size_t n = 0;

        if (!options->listen || options->mode != FDS_LIST || options->format != FDS_TEXT ||
            selects_processes(options) || options->n_numbers > 0 || options->snapshot_file ||
            options->watch_ms > 0 || options->generation != FDS_GENERATION_ANY)
                return false;
        for (size_t i = 0; i < options->n_columns; i++)
                for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++)
                        n += strcmp(options->columns[i]->name, names[k]) == 0;
        return n == options->n_columns;
}

int fds_read(const struct fds_options *options, unsigned int details,
             struct hot_snapshot **ret_snapshot)
{
        bool narrow = selects_processes(options) || options->mode == FDS_TREE ||
                      options->mode == FDS_CHECK;

        if (is_of_listeners(options))
                return hot_snapshot_listeners(ret_snapshot);
        if (options->files)
                details |= HOT_INSPECT_FILES | HOT_INSPECT_TARGET;
        if (!(details & HOT_INSPECT_GENERATIONS))
                return read_selected(options, details, ret_snapshot);
        if (narrow)
                return read_with_context(options, details, ret_snapshot);
        return hot_snapshot_read(
                &(struct hot_inspect_query){.size = sizeof(struct hot_inspect_query),
                                            .details = details},
                ret_snapshot);
}

/* ---- what could not be read ---- */

bool fds_is_gap(const struct fds_options *options, const struct hot_snapshot *snapshot,
                const struct hot_inspect_gap *gap)
{
        const struct hot_inspect_process *process = identity_of(snapshot, gap->pid);

        return gap->pid == 0 || !process || is_selected(options, process);
}

static bool is_reported(const struct fds_options *options, const struct hot_snapshot *snapshot,
                        size_t at)
{
        const struct hot_inspect_gap *gap = hot_snapshot_gap(snapshot, at), *earlier;

        for (size_t i = 0; i < at; i++) {
                earlier = hot_snapshot_gap(snapshot, i);
                if (fds_is_gap(options, snapshot, earlier) && earlier->error == gap->error &&
                    strcmp(earlier->step, gap->step) == 0)
                        return true;
        }
        return false;
}

static const char *what_of(const char *step)
{
        static const struct {
                const char *step, *what;
        } steps[] = {
                {"open", "cannot look at"},
                {"opendir", "cannot read the descriptors of"},
                {"readlink", "cannot read the name of a file of"},
                {"stat", "cannot look at a file of"},
                {"lstat", "cannot read the access mode of a descriptor of"},
                {"fdinfo", "cannot read the status of a descriptor of"},
                {"maps", "cannot read the mapped files of"},
                {"namespace", "cannot tell the network namespace of"},
                {"setns", "cannot enter the network namespace of"},
                {"sock_diag", "cannot ask for sockets"},
                {"kcmp", "cannot compare descriptors, so only sockets are told to be the same"},
                {"hidepid", "cannot see the processes of others"},
        };

        for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
                if (strcmp(steps[i].step, step) == 0)
                        return steps[i].what;
        return step;
}

/* Up to three pids of all gaps that are like this one, and how many more there are. */
static void print_pids(const struct fds_options *options, const struct hot_snapshot *snapshot,
                       const struct hot_inspect_gap *like)
{
        const struct hot_inspect_gap *gap;
        pid_t last = 0;
        size_t n = 0;

        for (size_t i = 0; (gap = hot_snapshot_gap(snapshot, i)); i++) {
                if (gap->pid == 0 || gap->pid == last || !fds_is_gap(options, snapshot, gap) ||
                    gap->error != like->error || strcmp(gap->step, like->step) != 0)
                        continue;
                if (n < 3)
                        fprintf(stderr, "%s%d", n == 0 ? " pid " : ", ", gap->pid);
                last = gap->pid;
                n++;
        }
        if (n > 3)
                fprintf(stderr, " and %zu more", n - 3);
}

bool fds_report_gaps(const struct fds_options *options, const struct hot_snapshot *snapshot)
{
        const struct hot_inspect_gap *gap;
        bool any = false;

        for (size_t i = 0; (gap = hot_snapshot_gap(snapshot, i)); i++) {
                if (!fds_is_gap(options, snapshot, gap) || is_reported(options, snapshot, i))
                        continue;
                any = true;
                fprintf(stderr, "hotstart: fds: incomplete: %s", what_of(gap->step));
                print_pids(options, snapshot, gap);
                fprintf(stderr, ": %s%s\n", strerror(-gap->error),
                        gap->error == -EACCES || gap->error == -EPERM
                                ? " (run as root or as their user)"
                                : "");
        }
        return any;
}
