/* SPDX-License-Identifier: MIT */
#ifndef HOT_PROGRAM_H
#define HOT_PROGRAM_H

/*
 * The program, as it was named when this process was started: its arguments, environment and start
 * directory are those of the start; the file is looked up again at every restart, through whatever
 * symlinks then lead to it.
 */

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

struct hot__program {
        char **argv;
        char **environment; /* without the variables of any dialect */
        char *name;         /* what is looked up: holds a '/', or is searched in PATH */
        char *search_path;  /* PATH at the start */
        char *directory;    /* absolute, without the slash at the end: "" is the root */
        dev_t directory_dev;
        ino_t directory_ino;
};

/* Which file a program was, to tell whether it has been replaced since. */
struct hot__file_id {
        dev_t dev;
        ino_t ino;
        off_t size;
        struct timespec mtime;
};

/*
 * Take down how this process was started. @argv: NULL for /proc/self/cmdline. @name: what to look up at a
 * restart, or NULL.
 *
 * Without one the name is argv[0] if that is what runs here, else what the kernel was told to execute
 * (getauxval(3), AT_EXECFN), else /proc/self/exe's target: argv[0] may be a lie, and a shebang or an
 * emulator may stand between. Returns 0 or a negative errno.
 */
int hot__program_capture(struct hot__program *ret, const char *name, char *const *argv,
                         char *const *environment);

void hot__program_done(struct hot__program *program);

/*
 * Look the program up now. Returns 0 and writes its absolute path and identity, or -ENOENT, -EACCES
 * (no execute permission), -EISDIR, or what the kernel said.
 */
int hot__program_resolve(const struct hot__program *program, char ret_path[PATH_MAX],
                         struct hot__file_id *ret_id);

bool hot__file_id_equal(const struct hot__file_id *a, const struct hot__file_id *b);

/* Has this process left the start directory, so that a child must be sent back there? */
bool hot__program_has_moved(const struct hot__program *program);

#endif
