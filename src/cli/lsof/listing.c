/* SPDX-License-Identifier: MIT */
/*
 * The snapshot is told what is wanted as early as it can know: a process by who it is, a descriptor by its
 * number, a file by its kind; and of each only what its row shows.
 */
#include "listing.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "endpoints.h"
#include "memory.h"
#include "select.h"

static int want_process(const struct hot_inspect_process *process, void *data)
{
        struct lsof_maker *maker = data;
        unsigned int selected;

        return lsof_select_process(maker->request, process, &selected) ||
               maker->request->endpoints != LSOF_NO_ENDS;
}

static int want_number(const struct hot_inspect_process *process, int fd, void *data)
{
        const struct lsof_maker *maker = data;

        (void)process;
        return lsof_numbers_match(&maker->request->numbers, NULL, fd);
}

static unsigned int sockets_detail(const struct lsof_request *request)
{
        return lsof_select_listeners_only(request) ? HOT_INSPECT_LISTENERS : HOT_INSPECT_ADDRESSES;
}

static int want_row(const struct hot_inspect_process *process, const struct hot_inspect_fd *file,
                    unsigned int *details, void *data)
{
        struct lsof_maker *maker = data;
        unsigned int selected = 0;

        if (!S_ISSOCK(file->mode) && file->error == 0 &&
            lsof_request_wants(maker->request, LSOF_BY_SOCKET)) {
                lsof_select_process(maker->request, process, &selected);
                if (lsof_select_sockets_only(maker->request, selected))
                        return 0;
        }
        *details = lsof_make_details(maker, file);
        if (*details & HOT_INSPECT_ADDRESSES)
                *details = (*details & ~(unsigned int)HOT_INSPECT_ADDRESSES) |
                           sockets_detail(maker->request);
        return 1;
}

static bool wants_sockets_only(const struct lsof_request *request)
{
        return lsof_request_wants(request, LSOF_BY_SOCKET) &&
               lsof_select_sockets_only(request, LSOF_BY_ANYTHING);
}

/* Files without a number are not read where nobody asks for them: maps are the dearest part of a process. */
static bool wants_files(const struct lsof_request *request)
{
        static const char *const roles[] = {"cwd", "rtd", "txt", "mem", "DEL"};

        if (wants_sockets_only(request))
                return false;
        if (!lsof_select_numbers_first(request))
                return true;
        for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++)
                if (lsof_numbers_match(&request->numbers, roles[i], -1))
                        return true;
        return false;
}

/* The only processes that can be asked for, if they are asked for by number. */
static size_t list_pids(const struct lsof_request *request, pid_t **ret_pids)
{
        const struct lsof_ids *ids = &request->pids;
        size_t n = 0;

        if (request->all_processes || request->endpoints != LSOF_NO_ENDS ||
            !lsof_request_wants(request, LSOF_BY_PID) ||
            (!request->and_ && request->selectors != LSOF_BY_PID))
                return 0;
        *ret_pids = lsof_new(ids->n, sizeof(pid_t));
        for (size_t i = 0; i < ids->n; i++)
                if (!ids->ids[i].excluded)
                        (*ret_pids)[n++] = ids->ids[i].id;
        return n;
}

static int read_snapshot(struct lsof_maker *maker, struct hot_snapshot **ret_snapshot)
{
        struct lsof_request *request = maker->request;
        pid_t *pids = NULL;
        struct hot_inspect_query query = {
                .size = sizeof(query),
                .details = HOT_INSPECT_TARGET | sockets_detail(request),
                .n_pids = list_pids(request, &pids),
                .data = maker,
                .want_process = want_process,
                .want_number = lsof_select_numbers_first(request) ? want_number : NULL,
                .want_row = want_row,
        };
        int r;

        query.pids = pids;
        /* A file may be locked through a descriptor that is not wanted: then only the table tells. */
        lsof_locks_begin(&maker->locks,
                         wants_sockets_only(request) || (query.n_pids > 0 && !query.want_number));
        if (wants_files(request))
                query.details |= HOT_INSPECT_FILES;
        r = hot_snapshot_read(&query, ret_snapshot);
        free(pids);
        return r;
}

/* The one process' rows, as they come. */
struct collector {
        struct lsof_maker *maker;
        const struct hot_inspect_process *identity;
        unsigned int selected;
        struct lsof_process process;
};

/* Take a row, or drop it. */
static void collect(struct collector *collector, struct lsof_row *row)
{
        struct lsof_process *process = &collector->process;
        struct lsof_request *request = collector->maker->request;

        lsof_select_row(request, collector->selected, row);
        if (row->selected & LSOF_BY_INTERNET && !row->excluded)
                request->internet.any_found = true;
        if (row->selected & LSOF_BY_NFS)
                request->nfs_found = true;
        if (!lsof_select_wants(request, row) && row->end == LSOF_END_NONE) {
                lsof_row_done(row);
                return;
        }
        process->rows = lsof_grow(process->rows, process->n_rows, sizeof(*row));
        process->rows[process->n_rows++] = *row;
}

static bool has_program(const struct hot_inspect *inspect)
{
        for (size_t i = 0; i < hot_inspect_count(inspect); i++)
                if (hot_inspect_at(inspect, i)->role == HOT_INSPECT_PROGRAM)
                        return true;
        return false;
}

/* What could not be read, where nobody wants to know; what is no listener, where only they can be listed. */
static bool is_passed_over(const struct lsof_request *request, const struct hot_inspect_fd *file)
{
        if (file->error < 0)
                return request->quiet && !*file->target;
        return file->kind == HOT_INSPECT_SOCKET && lsof_select_listeners_only(request);
}

/* Files without a number come first, and a program that there is not where it would be: after the root. */
static void collect_rows(struct collector *collector, const struct hot_inspect *inspect, bool files)
{
        bool no_program = files && !has_program(inspect) && !collector->maker->request->quiet;
        const struct hot_inspect_fd *file;
        struct lsof_row row;

        for (size_t i = 0; (file = hot_inspect_at(inspect, i)); i++) {
                if (is_passed_over(collector->maker->request, file))
                        continue;
                if (no_program && file->role != HOT_INSPECT_CWD && file->role != HOT_INSPECT_ROOT) {
                        lsof_make_no_program(collector->identity, &row);
                        collect(collector, &row);
                        no_program = false;
                }
                lsof_make_row(collector->maker, collector->identity, file, &row);
                collect(collector, &row);
        }
        if (no_program) {
                lsof_make_no_program(collector->identity, &row);
                collect(collector, &row);
        }
        if (collector->identity->error < 0 && !collector->maker->request->quiet) {
                lsof_make_unlisted(collector->identity, &row);
                collect(collector, &row);
        }
}

static bool reads_files(const struct lsof_request *request, unsigned int selected)
{
        return wants_files(request) && !lsof_select_sockets_only(request, selected);
}

static void add_process(struct lsof_maker *maker, const struct hot_inspect *inspect,
                        struct lsof_listing *listing)
{
        struct collector collector = {
                .maker = maker,
                .identity = hot_inspect_identity(inspect),
        };

        collector.process.identity = collector.identity;
        if (!lsof_select_process(maker->request, collector.identity, &collector.selected)) {
                if (maker->request->endpoints == LSOF_NO_ENDS)
                        return;
                collector.selected = 0;
        }
        collect_rows(&collector, inspect, reads_files(maker->request, collector.selected));
        if (collector.process.n_rows == 0) {
                free(collector.process.rows);
                return;
        }
        listing->processes = lsof_grow(listing->processes, listing->n, sizeof(collector.process));
        listing->processes[listing->n++] = collector.process;
}

/* Keep the rows that are to be listed; others were there because something may have had its end there. */
static void prune_process(const struct lsof_request *request, struct lsof_process *process)
{
        size_t n = 0;

        for (size_t i = 0; i < process->n_rows; i++) {
                if (lsof_select_wants(request, &process->rows[i]))
                        process->rows[n++] = process->rows[i];
                else
                        lsof_row_done(&process->rows[i]);
        }
        process->n_rows = n;
}

static void prune(const struct lsof_request *request, struct lsof_listing *listing)
{
        size_t n = 0;

        for (size_t i = 0; i < listing->n; i++) {
                prune_process(request, &listing->processes[i]);
                if (listing->processes[i].n_rows > 0)
                        listing->processes[n++] = listing->processes[i];
                else
                        free(listing->processes[i].rows);
        }
        listing->n = n;
}

int lsof_listing_read(struct lsof_maker *maker, struct lsof_listing *ret_listing)
{
        struct lsof_listing listing = {0};
        const struct hot_inspect *inspect;
        int r;

        r = read_snapshot(maker, &listing.snapshot);
        if (r < 0)
                return r;
        lsof_locks_settle(&maker->locks, listing.snapshot);
        for (size_t i = 0; (inspect = hot_snapshot_at(listing.snapshot, i)); i++)
                add_process(maker, inspect, &listing);
        lsof_sockets_done(&maker->sockets);
        if (maker->request->endpoints != LSOF_NO_ENDS) {
                lsof_endpoints_join(maker->request, &listing);
                prune(maker->request, &listing);
        }
        *ret_listing = listing;
        return 0;
}

void lsof_listing_done(struct lsof_listing *listing)
{
        for (size_t i = 0; i < listing->n; i++) {
                for (size_t k = 0; k < listing->processes[i].n_rows; k++)
                        lsof_row_done(&listing->processes[i].rows[k]);
                free(listing->processes[i].rows);
        }
        free(listing->processes);
        hot_snapshot_free(listing->snapshot);
        *listing = (struct lsof_listing){0};
}
