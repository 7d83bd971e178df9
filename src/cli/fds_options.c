/* SPDX-License-Identifier: MIT */
/*
 * The options of `hotstart fds`. Selections of different kinds are ANDed, the members of one are ORed.
 */
#include "fds.h"
#include "verb.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

enum {
        OPTION_JSONL = 256,
        OPTION_SAME,
        OPTION_CHECK,
        OPTION_SNAPSHOT,
        OPTION_DIFF,
        OPTION_WATCH,
        OPTION_COUNT,
        OPTION_ALL,
        OPTION_FILES,
        OPTION_GROWTH,
        OPTION_LIMIT,
        OPTION_NO_HEADINGS,
};

static const struct option long_options[] = {
        {"pid", required_argument, NULL, 'p'},
        {"command", required_argument, NULL, 'c'},
        {"user", required_argument, NULL, 'u'},
        {"fd", required_argument, NULL, 'd'},
        {"kind", required_argument, NULL, 'k'},
        {"generation", required_argument, NULL, 'g'},
        {"listen", optional_argument, NULL, 'l'},
        {"columns", required_argument, NULL, 'o'},
        {"json", no_argument, NULL, 'j'},
        {"jsonl", no_argument, NULL, OPTION_JSONL},
        {"tree", no_argument, NULL, 't'},
        {"same", no_argument, NULL, OPTION_SAME},
        {"check", no_argument, NULL, OPTION_CHECK},
        {"snapshot", required_argument, NULL, OPTION_SNAPSHOT},
        {"diff", required_argument, NULL, OPTION_DIFF},
        {"watch", optional_argument, NULL, OPTION_WATCH},
        {"count", required_argument, NULL, OPTION_COUNT},
        {"all", no_argument, NULL, OPTION_ALL},
        {"files", no_argument, NULL, OPTION_FILES},
        {"growth", required_argument, NULL, OPTION_GROWTH},
        {"limit", required_argument, NULL, OPTION_LIMIT},
        {"no-headings", no_argument, NULL, OPTION_NO_HEADINGS},
        {NULL, 0, NULL, 0},
};

/* Digits only, from @min to @max. */
static bool parse_number(const char *text, unsigned long min, unsigned long max, unsigned long *ret)
{
        unsigned long number;
        char *end;

        if (!isdigit((unsigned char)*text))
                return false;
        errno = 0;
        number = strtoul(text, &end, 10);
        if (errno != 0 || *end || number < min || number > max)
                return false;
        *ret = number;
        return true;
}

static void *grow(void *array, size_t n, size_t size)
{
        return reallocarray(array, n + 1, size);
}

static int no_memory(void)
{
        fputs("hotstart: fds: out of memory\n", stderr);
        return EXIT_SYSTEM;
}

/* ---- members of lists; each returns 0 or an exit status ---- */

static int add_pid(struct fds_options *options, const char *text)
{
        unsigned long pid;
        pid_t *larger;

        if (!parse_number(text, 1, INT_MAX, &pid))
                return wrong_use("fds: not a process id: %s", text);
        for (size_t i = 0; i < options->n_pids; i++)
                if (options->pids[i] == (pid_t)pid)
                        return 0;
        larger = grow(options->pids, options->n_pids, sizeof(*larger));
        if (!larger)
                return no_memory();
        options->pids = larger;
        larger[options->n_pids++] = (pid_t)pid;
        return 0;
}

static int add_user(struct fds_options *options, const char *text)
{
        unsigned long number;
        const struct passwd *entry;
        uid_t *larger;

        if (!parse_number(text, 0, UINT_MAX - 1, &number)) {
                entry = getpwnam(text);
                if (!entry)
                        return wrong_use("fds: no such user: %s", text);
                number = entry->pw_uid;
        }
        larger = grow(options->uids, options->n_uids, sizeof(*larger));
        if (!larger)
                return no_memory();
        options->uids = larger;
        larger[options->n_uids++] = (uid_t)number;
        return 0;
}

static int add_numbers(struct fds_options *options, const char *text)
{
        unsigned long first, last;
        char copy[32], *dash;
        struct fds_range *larger;

        if (strlen(text) >= sizeof(copy))
                return wrong_use("fds: not a descriptor number or range: %s", text);
        strcpy(copy, text);
        dash = strchr(copy, '-');
        if (dash)
                *dash++ = '\0';
        if (!parse_number(copy, 0, INT_MAX, &first) ||
            !parse_number(dash ? dash : copy, 0, INT_MAX, &last))
                return wrong_use("fds: not a descriptor number or range: %s", text);
        if (last < first)
                return wrong_use("fds: a range goes from low to high: %s", text);
        larger = grow(options->numbers, options->n_numbers, sizeof(*larger));
        if (!larger)
                return no_memory();
        options->numbers = larger;
        larger[options->n_numbers++] = (struct fds_range){(int)first, (int)last};
        return 0;
}

static int add_kind(struct fds_options *options, const char *text)
{
        for (int kind = 0; kind < 64; kind++)
                if (strcmp(text, hot_inspect_kind_name(kind)) == 0 && strcmp(text, "?") != 0) {
                        options->kinds |= UINT64_C(1) << kind;
                        return 0;
                }
        return wrong_use("fds: no such kind of descriptor: %s", text);
}

static int add_column(struct fds_options *options, const char *text)
{
        const struct fds_column *column = fds_column_find(text);

        if (!column)
                return wrong_use("fds: no such column: %s (`--columns help` lists them)", text);
        if (options->n_columns == FDS_COLUMNS_MAX)
                return wrong_use("fds: too many columns");
        options->columns[options->n_columns++] = column;
        return 0;
}

/* Every member of "a,b,c", none of which may be empty. */
static int add_list(struct fds_options *options, const char *text,
                    int (*add)(struct fds_options *options, const char *text))
{
        char *copy = strdup(text), *rest = copy, *member;
        int r = 0;

        if (!copy)
                return no_memory();
        while (r == 0 && (member = strsep(&rest, ",")))
                r = add(options, member);
        free(copy);
        return r;
}

static int add_command(struct fds_options *options, const char *text)
{
        const char **larger = grow(options->commands, options->n_commands, sizeof(*larger));

        if (!larger)
                return no_memory();
        options->commands = larger;
        larger[options->n_commands++] = text;
        return 0;
}

/* ---- single values ---- */

static int set_generation(struct fds_options *options, const char *text)
{
        unsigned long number;

        if (strcmp(text, "old") == 0) {
                options->generation = FDS_GENERATION_OLD;
        } else if (strcmp(text, "new") == 0) {
                options->generation = FDS_GENERATION_NEW;
        } else if (parse_number(text, 1, ULONG_MAX, &number)) {
                options->generation = FDS_GENERATION_NUMBER;
                options->generation_number = number;
        } else {
                return wrong_use("fds: not a generation (a number, old or new): %s", text);
        }
        return 0;
}

static int set_listen(struct fds_options *options, const char *text)
{
        unsigned long port;

        options->listen = true;
        if (!text)
                return 0;
        if (!parse_number(text, 1, 65535, &port))
                return wrong_use("fds: not a port: %s", text);
        options->port = (int)port;
        return 0;
}

static int set_watch(struct fds_options *options, const char *text)
{
        double seconds = 1;
        char *end;

        if (text) {
                seconds = strtod(text, &end);
                if (!isdigit((unsigned char)*text) || *end || !(seconds >= 0.001) ||
                    seconds > 86400)
                        return wrong_use("fds: not a number of seconds: %s", text);
        }
        options->watch_ms = (unsigned int)(seconds * 1000);
        return 0;
}

static int set_unsigned(unsigned int *value, const char *what, const char *text, unsigned long max)
{
        unsigned long number;

        if (!parse_number(text, 1, max, &number))
                return wrong_use("fds: not a %s: %s", what, text);
        *value = (unsigned int)number;
        return 0;
}

static int set_count(struct fds_options *options, const char *text)
{
        if (!parse_number(text, 1, ULONG_MAX, &options->count))
                return wrong_use("fds: not a count: %s", text);
        return 0;
}

/* Both with --diff and --check: the findings, with what was before at hand. */
static int set_mode(struct fds_options *options, enum fds_mode mode)
{
        if (options->mode == FDS_CHECK && mode == FDS_DIFF)
                return 0;
        if (options->mode != FDS_LIST && options->mode != mode &&
            (options->mode != FDS_DIFF || mode != FDS_CHECK))
                return wrong_use("fds: one of --tree, --same, --check and --diff at a time");
        options->mode = mode;
        return 0;
}

static int set_diff(struct fds_options *options, const char *file)
{
        options->diff_files[options->n_diff_files++] = file;
        return set_mode(options, FDS_DIFF);
}

static int take_selection(struct fds_options *options, int option)
{
        switch (option) {
        case 'p':
                return add_list(options, optarg, add_pid);
        case 'c':
                return add_command(options, optarg);
        case 'u':
                return add_list(options, optarg, add_user);
        case 'd':
                return add_list(options, optarg, add_numbers);
        case 'k':
                return add_list(options, optarg, add_kind);
        case 'g':
                return set_generation(options, optarg);
        case 'l':
                return set_listen(options, optarg);
        }
        return -1;
}

static int take_mode(struct fds_options *options, int option)
{
        switch (option) {
        case 't':
                return set_mode(options, FDS_TREE);
        case OPTION_SAME:
                return set_mode(options, FDS_SAME);
        case OPTION_CHECK:
                return set_mode(options, FDS_CHECK);
        case OPTION_DIFF:
                if (options->n_diff_files > 0)
                        return wrong_use("fds: --diff is given once; a second file follows it");
                return set_diff(options, optarg);
        case OPTION_WATCH:
                return set_watch(options, optarg);
        case OPTION_SNAPSHOT:
                options->snapshot_file = optarg;
                return 0;
        }
        return -1;
}

static int take_presentation(struct fds_options *options, int option)
{
        switch (option) {
        case 'o':
                return add_list(options, optarg, add_column);
        case 'j':
                options->format = FDS_JSON;
                return 0;
        case OPTION_JSONL:
                options->format = FDS_JSONL;
                return 0;
        case OPTION_COUNT:
                return set_count(options, optarg);
        case OPTION_ALL:
                options->all = true;
                return 0;
        case OPTION_FILES:
                options->files = true;
                return 0;
        case OPTION_GROWTH:
                return set_unsigned(&options->growth, "number of descriptors", optarg, UINT_MAX);
        case OPTION_LIMIT:
                return set_unsigned(&options->limit_percent, "percentage", optarg, 100);
        case OPTION_NO_HEADINGS:
                options->headings = false;
                return 0;
        }
        return -1;
}

static int take_option(struct fds_options *options, int option, char **argv)
{
        int r;

        if (option == '?')
                return wrong_use("fds: no such option: %s", argv[optind - 1]);
        if (option == ':')
                return wrong_use("fds: %s wants a value", argv[optind - 1]);
        r = take_selection(options, option);
        if (r < 0)
                r = take_mode(options, option);
        return r < 0 ? take_presentation(options, option) : r;
}

/* What follows the options: the second file of --diff. */
static int take_operands(struct fds_options *options, int argc, char **argv)
{
        if (options->n_diff_files == 1 && argc - optind == 1)
                options->diff_files[options->n_diff_files++] = argv[optind++];
        if (optind < argc)
                return wrong_use("fds: no argument is expected here: %s", argv[optind]);
        return 0;
}

static int check_together(const struct fds_options *options)
{
        bool json = options->format != FDS_TEXT;

        if (options->watch_ms > 0 && (options->n_diff_files > 0 || options->snapshot_file))
                return wrong_use("fds: --watch compares with itself; no --diff, no --snapshot");
        if (options->count > 0 && options->watch_ms == 0)
                return wrong_use("fds: --count is of --watch");
        if (options->snapshot_file && options->n_diff_files == 2)
                return wrong_use("fds: --snapshot takes what is there now, --diff has two files");
        if (json && (options->mode == FDS_TREE || options->n_columns > 0))
                return wrong_use("fds: --json has everything; no --tree, no --columns");
        if (options->n_columns > 0 && (options->mode == FDS_CHECK || options->mode == FDS_TREE))
                return wrong_use("fds: --columns is for lists, not for --tree and --check");
        return 0;
}

int fds_options_parse(int argc, char **argv, struct fds_options *ret)
{
        struct fds_options options = {.headings = true};
        int option, r = 0;

        opterr = 0;
        optind = 0; /* GNU: start anew */
        while (r == 0 &&
               (option = getopt_long(argc, argv, ":p:c:u:d:k:g:l::o:jt", long_options, NULL)) != -1)
                r = take_option(&options, option, argv);
        if (r == 0)
                r = take_operands(&options, argc, argv);
        if (r == 0)
                r = check_together(&options);
        if (r != 0) {
                fds_options_done(&options);
                return r;
        }
        *ret = options;
        return 0;
}

void fds_options_done(struct fds_options *options)
{
        free(options->pids);
        free(options->commands);
        free(options->uids);
        free(options->numbers);
        *options = (struct fds_options){0};
}
