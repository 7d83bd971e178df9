/* SPDX-License-Identifier: MIT */
/*
 * fds: what processes have open, across generations. Reads a snapshot with the details that what is shown
 * needs, shows it in one of its forms, and says by its exit status what came of it:
 *
 *   0  something was found (--check: nothing is wrong)
 *   1  nothing was found (--check: something is wrong)
 *   2  wrong use
 *   3  what was printed is incomplete, or a system error
 */
#include "fds.h"
#include "verb.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EVERYTHING                                                                              \
        (HOT_INSPECT_TARGET | HOT_INSPECT_ACCESS | HOT_INSPECT_STATUS | HOT_INSPECT_ADDRESSES | \
         HOT_INSPECT_DESCRIPTIONS | HOT_INSPECT_GENERATIONS)

static const char *const list_columns[] = {"command", "pid",   "user", "fd", "mode",
                                           "kind",    "state", "name", NULL};
static const char *const listen_columns[] = {"command", "pid",   "fd",    "kind",
                                             "name",    "queue", "drops", NULL};
static const char *const same_columns[] = {"description", "kind", "name", "holders", NULL};
static const char *const diff_columns[] = {"command", "pid",   "generation", "fd", "mode",
                                           "kind",    "state", "name",       NULL};

static void choose_columns(struct fds_options *options)
{
        const char *const *names = options->mode == FDS_SAME   ? same_columns
                                   : options->mode == FDS_DIFF ? diff_columns
                                   : options->watch_ms > 0     ? diff_columns
                                   : options->listen           ? listen_columns
                                                               : list_columns;

        if (options->n_columns > 0)
                return;
        for (; *names; names++)
                options->columns[options->n_columns++] = fds_column_find(*names);
}

static int print_columns(void)
{
        for (const struct fds_column *column = fds_columns; column->name; column++)
                printf("%-12s %s\n", column->name, column->help);
        return 0;
}

/* What has to be read for what is shown. */
static unsigned int details_of(const struct fds_options *options)
{
        unsigned int details = 0;

        if (options->format != FDS_TEXT || options->mode == FDS_TREE ||
            options->mode == FDS_CHECK || options->mode == FDS_DIFF || options->snapshot_file)
                return EVERYTHING;
        for (size_t i = 0; i < options->n_columns; i++)
                details |= options->columns[i]->details;
        if (options->mode == FDS_SAME)
                details |= HOT_INSPECT_DESCRIPTIONS | HOT_INSPECT_ACCESS;
        if (options->generation != FDS_GENERATION_ANY)
                details |= HOT_INSPECT_GENERATIONS;
        /* Which socket it is decides whether it is selected. */
        if (options->kinds != 0)
                details |= HOT_INSPECT_ADDRESSES;
        if (options->listen)
                details = (details & ~(unsigned int)HOT_INSPECT_ADDRESSES) | HOT_INSPECT_LISTENERS;
        return details;
}

static int failed(const char *what, const char *why)
{
        fprintf(stderr, "hotstart: fds: %s: %s\n", what, why);
        return EXIT_SYSTEM;
}

static bool has_gap(const struct hot_snapshot *snapshot, pid_t pid)
{
        const struct hot_inspect_gap *gap;

        for (size_t i = 0; (gap = hot_snapshot_gap(snapshot, i)); i++)
                if (gap->pid == pid)
                        return true;
        return false;
}

/* Numbers that were asked for and are none: each is said once. */
static void report_missing(const struct fds_options *options, const struct hot_snapshot *snapshot)
{
        for (size_t i = 0; i < options->n_pids; i++)
                if (!hot_snapshot_find(snapshot, options->pids[i]) &&
                    !has_gap(snapshot, options->pids[i]) &&
                    hot_inspect_parent_of(options->pids[i]) == -ESRCH)
                        fprintf(stderr, "hotstart: fds: pid %d: no such process\n",
                                options->pids[i]);
}

static long show(const struct fds_view *view)
{
        if (view->options->format != FDS_TEXT)
                return fds_json(view);
        switch (view->options->mode) {
        case FDS_TREE:
                return fds_tree(view);
        case FDS_SAME:
                return fds_same(view);
        case FDS_CHECK:
                return fds_check(view);
        case FDS_DIFF:
                return fds_diff(view);
        case FDS_LIST:
                break;
        }
        return fds_list(view);
}

static int status_of(const struct fds_options *options, long n, bool incomplete)
{
        bool bad = options->mode == FDS_CHECK ? n > 0 : n == 0;

        /* A finding is one, whatever else could not be read. That there is none needs all of it. */
        if (options->mode == FDS_CHECK && bad)
                return 1;
        if (incomplete)
                return EXIT_SYSTEM;
        return bad ? 1 : 0;
}

static int show_view(struct fds_view *view)
{
        int r = fds_holders_find(view);
        long n = r < 0 ? r : show(view);
        bool incomplete;

        free(view->holders);
        view->holders = NULL;
        view->n_holders = 0;
        if (n < 0)
                return failed("cannot show it", strerror((int)-n));
        incomplete = fds_report_gaps(view->options, view->snapshot);
        report_missing(view->options, view->snapshot);
        return status_of(view->options, n, incomplete);
}

/* ---- once ---- */

static int load(const char *path, struct hot_snapshot **ret_snapshot)
{
        char why[160];

        return fds_load(path, ret_snapshot, why) < 0 ? failed(path, why) : 0;
}

static int read_now(const struct fds_options *options, struct hot_snapshot **ret_snapshot)
{
        int r = fds_read(options, details_of(options), ret_snapshot);

        return r < 0 ? failed("cannot read the processes", strerror(-r)) : 0;
}

static int save(const struct fds_view *view)
{
        int r = fds_save(view, view->options->snapshot_file);
        bool incomplete;

        if (r < 0)
                return failed(view->options->snapshot_file, strerror(-r));
        incomplete = fds_report_gaps(view->options, view->snapshot);
        return incomplete ? EXIT_SYSTEM : 0;
}

static int run_once(const struct fds_options *options)
{
        struct hot_snapshot *before = NULL, *now = NULL;
        struct fds_view view = {.options = options};
        int status = 0;

        if (options->n_diff_files > 0)
                status = load(options->diff_files[0], &before);
        if (status == 0)
                status = options->n_diff_files == 2 ? load(options->diff_files[1], &now)
                                                    : read_now(options, &now);
        if (status == 0) {
                view.snapshot = now;
                view.before = before;
                if (options->snapshot_file)
                        status = save(&view);
                if (status != EXIT_SYSTEM && (!options->snapshot_file || options->mode != FDS_LIST))
                        status = show_view(&view);
        }
        hot_snapshot_free(before);
        hot_snapshot_free(now);
        return status;
}

/* ---- again and again ---- */

static void print_head(unsigned long round)
{
        char now[32];
        time_t seconds = time(NULL);
        struct tm local;

        strftime(now, sizeof(now), "%H:%M:%S", localtime_r(&seconds, &local));
        if (isatty(STDOUT_FILENO))
                printf("\033[H\033[J%s\n", now);
        else
                printf("%s%s\n", round > 0 ? "\n" : "", now);
}

/* A reader that went away ends the watch, as a wrong write does. */
static bool wait_for_next(const struct fds_options *options)
{
        if (fflush(stdout) != 0)
                return false;
        poll(&(struct pollfd){STDOUT_FILENO, 0, 0}, 0, (int)options->watch_ms);
        return true;
}

/* The first round shows everything, the others everything with what has changed since the one before marked:
 * a list becomes a comparison with all that stayed. */
static int run_watch(const struct fds_options *options)
{
        struct fds_options again = *options;
        struct hot_snapshot *before = NULL, *now;
        struct fds_view view = {.options = &again};
        int status = 0;

        for (unsigned long round = 0;; round++) {
                if (read_now(&again, &now) != 0) {
                        status = EXIT_SYSTEM;
                        break;
                }
                if (options->mode == FDS_LIST && round > 0) {
                        again.mode = FDS_DIFF;
                        again.all = true;
                }
                view.snapshot = now;
                view.before = before;
                if (options->format == FDS_TEXT)
                        print_head(round);
                status = show_view(&view);
                hot_snapshot_free(before);
                before = now;
                if (round + 1 == options->count || !wait_for_next(options))
                        break;
        }
        hot_snapshot_free(before);
        return status;
}

int verb_fds(int argc, char **argv)
{
        /* Hundreds of kilobytes in pieces of 4096 bytes take as long as making them. */
        static char output[1 << 16];
        struct fds_options options;
        int status;

        setvbuf(stdout, output, _IOFBF, sizeof(output));
        for (int i = 1; i + 1 < argc; i++)
                if ((strcmp(argv[i], "--columns") == 0 || strcmp(argv[i], "-o") == 0) &&
                    strcmp(argv[i + 1], "help") == 0)
                        return print_columns();
        status = fds_options_parse(argc, argv, &options);
        if (status != 0)
                return status;
        choose_columns(&options);
        status = options.watch_ms > 0 ? run_watch(&options) : run_once(&options);
        fds_options_done(&options);
        return status;
}
