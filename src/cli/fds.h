/* SPDX-License-Identifier: MIT */
#ifndef HOT_CLI_FDS_H
#define HOT_CLI_FDS_H

/*
 * `hotstart fds`: what its files share. One file for each: the options, reading, columns, and every form in
 * which a snapshot is shown.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <hotstart/inspect.h>

enum fds_mode {
        FDS_LIST,
        FDS_TREE,
        FDS_SAME,
        FDS_CHECK,
        FDS_DIFF,
};

enum fds_format {
        FDS_TEXT,
        FDS_JSON,
        FDS_JSONL,
};

enum fds_generation {
        FDS_GENERATION_ANY,
        FDS_GENERATION_NUMBER,
        FDS_GENERATION_OLD, /* any but the newest of its server */
        FDS_GENERATION_NEW,
};

#define FDS_COLUMNS_MAX 64

struct fds_range {
        int first, last;
};

struct fds_column;

struct fds_options {
        enum fds_mode mode;
        enum fds_format format;
        pid_t *pids; /* owned, as the arrays that follow */
        size_t n_pids;
        const char **commands; /* prefixes; the texts are the arguments' */
        size_t n_commands;
        uid_t *uids;
        size_t n_uids;
        struct fds_range *numbers;
        size_t n_numbers;
        uint64_t kinds; /* a set of 1 << kind; 0: any */
        bool listen;
        int port; /* of the listener; 0: any */
        enum fds_generation generation;
        uint64_t generation_number;
        const struct fds_column *columns[FDS_COLUMNS_MAX];
        size_t n_columns; /* 0: those of the mode */
        bool headings;
        bool all;   /* what has not changed, too; and everything that --check could look at */
        bool files; /* the current directory, the root, the program, mapped files */
        const char *snapshot_file;
        const char *diff_files[2];
        size_t n_diff_files;
        unsigned int watch_ms; /* 0: once */
        unsigned long count;   /* of --watch; 0: for ever */
        unsigned int growth, limit_percent;
};

/* What is shown: a snapshot, which may have more than was selected, for context. */
struct fds_view {
        const struct fds_options *options;
        const struct hot_snapshot *snapshot;
        const struct hot_snapshot *before; /* of --diff and --watch; or NULL */
        struct fds_holder *holders;        /* owned: see fds_holders.c */
        size_t n_holders;
};

/* ---- fds_options.c ---- */

/* Returns 0, EXIT_USAGE with a message printed, or EXIT_SYSTEM. */
int fds_options_parse(int argc, char **argv, struct fds_options *ret);
void fds_options_done(struct fds_options *options);

/* ---- fds_read.c ---- */

/* Read what the options select with @details (enum hot_inspect_detail), and the context that these need.
 * Returns 0 or a negative errno. */
int fds_read(const struct fds_options *options, unsigned int details,
             struct hot_snapshot **ret_snapshot);

/* Is this selected, and not only context? */
bool fds_wants_process(const struct fds_options *options, const struct hot_snapshot *snapshot,
                       const struct hot_inspect_process *process);
bool fds_wants_row(const struct fds_options *options, const struct hot_inspect_fd *row);

/* Is what could not be read something that was selected? Of context nothing is missed: a user's own server
 * may be the child of root's. */
bool fds_is_gap(const struct fds_options *options, const struct hot_snapshot *snapshot,
                const struct hot_inspect_gap *gap);

/* Say on stderr what could not be read. Returns whether anything could not. */
bool fds_report_gaps(const struct fds_options *options, const struct hot_snapshot *snapshot);

/* ---- fds_columns.c ---- */

/* One cell: a descriptor, or (of what only a process has) a process. */
struct fds_cell {
        const struct fds_view *view;
        const struct hot_inspect_process *process;
        const struct hot_inspect_fd *row; /* NULL: of the process */
};

/* Room for most cells; a name may be longer, and is then cut by nobody but who asks for less. */
#define FDS_CELL_MAX 4352

struct fds_column {
        const char *name; /* as given to --columns; the heading is the same in capitals */
        const char *help;
        unsigned int details; /* what it needs: enum hot_inspect_detail */
        bool right;           /* a number */
        void (*print)(const struct fds_cell *cell, char text[FDS_CELL_MAX]);
};

/* Ends with a column without a name. */
extern const struct fds_column fds_columns[];

const struct fds_column *fds_column_find(const char *name);

/* "r", "w", "u"; "-" for O_PATH. */
char fds_mode_letter(const struct hot_inspect_fd *row);

/* "127.0.0.1:80->127.0.0.1:4711", or what else a file is called. */
void fds_name(const struct hot_inspect_fd *row, char text[FDS_CELL_MAX]);

/* The login name of a user, or the number. */
const char *fds_user(uid_t uid);

/* ---- fds_holders.c ---- */

/* One descriptor of a description. */
struct fds_holder {
        unsigned int description;
        const struct hot_inspect_process *process;
        const struct hot_inspect_fd *row;
};

/* Fill in the view's holders, sorted by description. Returns 0 or -ENOMEM. */
int fds_holders_find(struct fds_view *view);

/* The holders of a row's description: *ret_n of them, 0 if it is not known. */
const struct fds_holder *fds_holders_of(const struct fds_view *view,
                                        const struct hot_inspect_fd *row, size_t *ret_n);

/* "3 in generation 1 (pid 812), 3 in generation 2 (pid 955)"; "" if there is only one. Generations are those of
 * this server (0: of the first that holds it); who is of none, or of another one: "3 in pid 999 (logger)". */
void fds_holders_print(const struct fds_view *view, unsigned int server,
                       const struct hot_inspect_fd *row, char text[FDS_CELL_MAX]);

/* ---- fds_list.c, fds_tree.c, fds_same.c, fds_diff.c, fds_check.c, fds_json.c ---- */

/* Each prints a view, and returns how many things it has printed or a negative errno. */
long fds_list(const struct fds_view *view);
long fds_tree(const struct fds_view *view);
long fds_same(const struct fds_view *view);
long fds_diff(const struct fds_view *view);
long fds_check(const struct fds_view *view);
long fds_json(const struct fds_view *view);

/* A table with the given columns, of cells that are all there. */
long fds_table(const struct fds_options *options, const struct fds_column *const *columns,
               size_t n_columns, const struct fds_cell *cells, size_t n_cells, const char *marks);

/* ---- fds_json.c, fds_save.c, fds_load.c ---- */

/* Write the whole view to a file, or read a snapshot that was written. Return 0 or a negative errno; with
 * -EBADMSG (it is none) and any other failure of loading, *ret_why says where. */
int fds_save(const struct fds_view *view, const char *path);
int fds_load(const char *path, struct hot_snapshot **ret_snapshot, char ret_why[160]);

/* Findings of a view, with the policy of its options. */
int fds_findings(const struct fds_view *view, struct hot_findings **ret_findings);

#endif
