/* SPDX-License-Identifier: MIT */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "dialect.h"
#include "fd.h"

static char **copy_strings(char *const *strings, bool (*skip)(const char *entry))
{
        size_t n = 0;
        char **copy;

        while (strings[n])
                n++;
        copy = calloc(n + 1, sizeof(char *));
        for (size_t i = 0, k = 0; copy && i < n; i++) {
                if (skip && skip(strings[i]))
                        continue;
                copy[k] = strdup(strings[i]);
                if (!copy[k++]) {
                        for (size_t j = 0; j < k; j++)
                                free(copy[j]);
                        free(copy);
                        return NULL;
                }
        }
        return copy;
}

static void free_strings(char **strings)
{
        for (size_t i = 0; strings && strings[i]; i++)
                free(strings[i]);
        free(strings);
}

/* All of a file that has no size of its own. The caller frees; a zero follows the end. */
static int read_whole(const char *path, char **ret_text, size_t *ret_len)
{
        CLEANUP(hot__fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
        size_t len = 0, size = 0;
        char *text = NULL;

        if (fd < 0)
                return -errno;
        for (;;) {
                ssize_t n;

                if (size - len < 2) {
                        char *larger = realloc(text, size += 4096);

                        if (!larger) {
                                free(text);
                                return -ENOMEM;
                        }
                        text = larger;
                }
                n = read(fd, text + len, size - len - 1);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0) {
                        n = -errno;
                        free(text);
                        return (int)n;
                }
                if (n == 0)
                        break;
                len += (size_t)n;
        }
        text[len] = 0;
        *ret_text = text;
        *ret_len = len;
        return 0;
}

/* The arguments of this process, as the kernel has them. */
static int read_own_arguments(char ***ret_argv)
{
        char *text = NULL, **argv;
        size_t len = 0, n = 0;
        int r = read_whole("/proc/self/cmdline", &text, &len);

        if (r < 0)
                return r;
        for (size_t i = 0; i < len; i++)
                n += text[i] == 0;
        argv = calloc(n + 1, sizeof(char *));
        for (size_t i = 0, at = 0; argv && i < n; i++, at += strlen(text + at) + 1)
                argv[i] = text + at;
        *ret_argv = argv ? copy_strings(argv, NULL) : NULL;
        free(argv);
        free(text);
        return *ret_argv ? 0 : -ENOMEM;
}

static int check(const char *path, struct hot__file_id *ret_id)
{
        struct stat st;

        if (stat(path, &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                return -EISDIR;
        if (!S_ISREG(st.st_mode))
                return -EACCES;
        if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0)
                return -errno;
        *ret_id = (struct hot__file_id){
                .dev = st.st_dev, .ino = st.st_ino, .size = st.st_size, .mtime = st.st_mtim};
        return 0;
}

/* @directory/@name, both made absolute against the start directory. */
static int check_in(const struct hot__program *program, const char *directory, size_t directory_len,
                    const char *name, char ret_path[PATH_MAX], struct hot__file_id *ret_id)
{
        bool rooted = directory_len > 0 ? *directory == '/' : *name == '/';
        char path[PATH_MAX];
        int n, r;

        n = snprintf(path, sizeof(path), "%s%s%.*s%s%s", rooted ? "" : program->directory,
                     rooted ? "" : "/", (int)directory_len, directory,
                     directory_len > 0 && directory[directory_len - 1] != '/' ? "/" : "", name);
        if (n < 0 || (size_t)n >= sizeof(path))
                return -ENAMETOOLONG;
        r = check(path, ret_id);
        if (r == 0)
                memcpy(ret_path, path, (size_t)n + 1);
        return r;
}

/* As execvp(3) searches: a file that may not be executed is remembered, and the search goes on. */
static int search(const struct hot__program *program, const char *name, char ret_path[PATH_MAX],
                  struct hot__file_id *ret_id)
{
        int result = -ENOENT;

        if (!*name)
                return -ENOENT;
        if (strchr(name, '/'))
                return check_in(program, "", 0, name, ret_path, ret_id);
        for (const char *p = program->search_path; p; p = strchr(p, ':'), p = p ? p + 1 : NULL) {
                size_t len = (size_t)(strchrnul(p, ':') - p);
                int r = len > 0 ? check_in(program, p, len, name, ret_path, ret_id)
                                : check_in(program, "./", 2, name, ret_path, ret_id);

                if (r == 0)
                        return 0;
                if (r != -ENOENT && r != -ENOTDIR)
                        result = r;
        }
        return result;
}

int hot__program_resolve(const struct hot__program *program, char ret_path[PATH_MAX],
                         struct hot__file_id *ret_id)
{
        return search(program, program->name, ret_path, ret_id);
}

bool hot__file_id_equal(const struct hot__file_id *a, const struct hot__file_id *b)
{
        return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
               a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec;
}

/* Does @name, looked up the way a restart will do it, lead to the file that runs here? */
static bool names_us(const struct hot__program *program, const char *name, const struct stat *self)
{
        char path[PATH_MAX];
        struct hot__file_id id;

        return search(program, name, path, &id) == 0 && id.dev == self->st_dev &&
               id.ino == self->st_ino;
}

static int choose_name(struct hot__program *program)
{
        const char *executed = (const char *)getauxval(AT_EXECFN), *name = program->argv[0];
        char path[PATH_MAX], target[PATH_MAX];
        struct hot__file_id id;
        struct stat self;
        ssize_t len;

        if (stat("/proc/self/exe", &self) < 0) {
                /* No /proc: there is nothing to compare with. */
        } else if (!names_us(program, name, &self)) {
                len = readlink("/proc/self/exe", target, sizeof(target) - 1);
                target[len > 0 ? len : 0] = 0;
                if (executed && names_us(program, executed, &self))
                        name = executed;
                else if (search(program, name, path, &id) < 0 && len > 0)
                        name = target;
        }
        program->name = strdup(name);
        return program->name ? 0 : -ENOMEM;
}

static int capture_directory(struct hot__program *program)
{
        char path[PATH_MAX];
        struct stat st;

        /* By path, not by descriptor: a directory kept open from before a chroot(2) escapes it. */
        if (!getcwd(path, sizeof(path)) || path[0] != '/' || stat(".", &st) < 0) {
                path[0] = 0;
        } else {
                program->directory_dev = st.st_dev;
                program->directory_ino = st.st_ino;
        }
        program->directory = strdup(strcmp(path, "/") == 0 ? "" : path);
        return program->directory ? 0 : -ENOMEM;
}

bool hot__program_has_moved(const struct hot__program *program)
{
        struct stat st;

        return stat(".", &st) < 0 || st.st_dev != program->directory_dev ||
               st.st_ino != program->directory_ino;
}

static const char *search_path_of(char *const *environment)
{
        for (; *environment; environment++)
                if (strncmp(*environment, "PATH=", 5) == 0)
                        return *environment + 5;
        return "/usr/bin:/bin";
}

static int capture(struct hot__program *program, const char *name, char *const *argv,
                   char *const *environment)
{
        int r = 0;

        if (argv)
                program->argv = copy_strings(argv, NULL);
        else
                r = read_own_arguments(&program->argv);
        if (r < 0)
                return r;
        program->environment = copy_strings(environment, hot__dialect_owns);
        program->search_path = strdup(search_path_of(environment));
        if (!program->argv || !program->environment || !program->search_path)
                return -ENOMEM;
        if (!program->argv[0])
                return -EINVAL;
        r = capture_directory(program);
        if (r < 0 || !name)
                return r < 0 ? r : choose_name(program);
        program->name = strdup(name);
        return program->name ? 0 : -ENOMEM;
}

int hot__program_capture(struct hot__program *ret, const char *name, char *const *argv,
                         char *const *environment)
{
        struct hot__program program = {0};
        int r = capture(&program, name, argv, environment);

        if (r < 0) {
                hot__program_done(&program);
                return r;
        }
        *ret = program;
        return 0;
}

void hot__program_done(struct hot__program *program)
{
        free_strings(program->argv);
        free_strings(program->environment);
        free(program->name);
        free(program->search_path);
        free(program->directory);
        *program = (struct hot__program){0};
}
