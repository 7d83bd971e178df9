/* SPDX-License-Identifier: MIT */
#include "fdcheck.h"
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static char directory[] = "/tmp/test_program.XXXXXX";
static char home[PATH_MAX];

static int enter(void **state)
{
        (void)state;
        strcpy(directory + strlen(directory) - 6, "XXXXXX");
        return getcwd(home, sizeof(home)) && mkdtemp(directory) && chdir(directory) == 0 ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
        (void)st, (void)flag, (void)ftw;
        return remove(path);
}

static int leave(void **state)
{
        (void)state;
        return chdir(home) == 0 ? nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS) : -1;
}

static void make_file(const char *path, mode_t mode)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(fchmod(fd, mode), 0);
        close(fd);
}

static void capture(struct hot__program *program, const char *name, char *const *environment)
{
        char copy[PATH_MAX], *argv[] = {copy, NULL};

        strcpy(copy, name);
        assert_int_equal(hot__program_capture(program, name, argv, environment), 0);
}

static void test_own_arguments_are_found(void **state)
{
        struct hot__program program;
        struct hot__file_id id;
        struct stat self;
        char path[PATH_MAX], name[] = "no-such-name-anywhere", *lie[] = {name, NULL};

        (void)state;
        assert_int_equal(hot__program_capture(&program, NULL, NULL, environ), 0);
        assert_non_null(strstr(program.argv[0], "test_program"));
        hot__program_done(&program);

        /* An argv[0] that is a lie: what was executed counts. */
        assert_int_equal(hot__program_capture(&program, NULL, lie, environ), 0);
        assert_string_equal(program.argv[0], "no-such-name-anywhere");
        assert_int_equal(stat("/proc/self/exe", &self), 0);
        assert_int_equal(hot__program_resolve(&program, path, &id), 0);
        assert_int_equal(id.ino, self.st_ino);
        hot__program_done(&program);
}

static void test_relative_name_follows_symlinks_as_they_are_now(void **state)
{
        struct hot__program program;
        struct hot__file_id one, two;
        char path[PATH_MAX], expected[PATH_MAX];

        (void)state;
        assert_int_equal(mkdir("release-1", 0755) | mkdir("release-2", 0755), 0);
        make_file("release-1/server", 0755);
        make_file("release-2/server", 0755);
        assert_int_equal(symlink("release-1", "current"), 0);
        capture(&program, "current/server", environ);
        assert_int_equal(hot__program_resolve(&program, path, &one), 0);

        assert_int_equal(symlink("release-2", "next") | rename("next", "current"), 0);
        assert_int_equal(chdir("/"), 0);
        assert_true(hot__program_has_moved(&program));
        assert_int_equal(hot__program_resolve(&program, path, &two), 0);
        assert_false(hot__file_id_equal(&one, &two));
        snprintf(expected, sizeof(expected), "%s/current/server", directory);
        assert_string_equal(path, expected);
        assert_int_equal(chdir(directory), 0);
        assert_false(hot__program_has_moved(&program));
        hot__program_done(&program);
}

static void test_replaced_program_is_another_file(void **state)
{
        struct hot__program program;
        struct hot__file_id before, after;
        char path[PATH_MAX];

        (void)state;
        make_file("server", 0755);
        capture(&program, "./server", environ);
        assert_int_equal(hot__program_resolve(&program, path, &before), 0);
        assert_int_equal(hot__program_resolve(&program, path, &after), 0);
        assert_true(hot__file_id_equal(&before, &after));
        make_file("server.new", 0755);
        assert_int_equal(rename("server.new", "server"), 0);
        assert_int_equal(hot__program_resolve(&program, path, &after), 0);
        assert_false(hot__file_id_equal(&before, &after));
        hot__program_done(&program);
}

static void test_what_cannot_be_run_says_why(void **state)
{
        struct hot__program program;
        struct hot__file_id id;
        char path[PATH_MAX] = "untouched";

        (void)state;
        make_file("server", 0644);
        capture(&program, "./server", environ);
        assert_int_equal(hot__program_resolve(&program, path, &id), -EACCES);
        assert_int_equal(unlink("server"), 0);
        assert_int_equal(hot__program_resolve(&program, path, &id), -ENOENT);
        assert_int_equal(mkdir("server", 0755), 0);
        assert_int_equal(hot__program_resolve(&program, path, &id), -EISDIR);
        assert_int_equal(rmdir("server") | mkfifo("server", 0755), 0);
        assert_int_equal(hot__program_resolve(&program, path, &id), -EACCES);
        assert_string_equal(path, "untouched");
        hot__program_done(&program);
}

static void test_path_is_searched_as_it_was_at_the_start(void **state)
{
        char one[PATH_MAX + 8], *environment[] = {one, NULL};
        char path[PATH_MAX], expected[PATH_MAX];
        struct hot__program program;
        struct hot__file_id id;

        (void)state;
        assert_int_equal(mkdir("a", 0755) | mkdir("b", 0755), 0);
        make_file("a/server", 0644); /* found first, but may not be executed: the search goes on */
        make_file("b/server", 0755);
        snprintf(one, sizeof(one), "PATH=/nowhere::%s/a:b", directory);
        capture(&program, "server", environment);
        assert_int_equal(hot__program_resolve(&program, path, &id), 0);
        snprintf(expected, sizeof(expected), "%s/b/server", directory);
        assert_string_equal(path, expected);
        assert_int_equal(unlink("b/server"), 0);
        assert_int_equal(hot__program_resolve(&program, path, &id), -EACCES);
        /* An empty part of PATH is the start directory. */
        make_file("server", 0755);
        assert_int_equal(hot__program_resolve(&program, path, &id), 0);
        hot__program_done(&program);
}

static void test_dialects_do_not_reach_the_base_environment(void **state)
{
        char a[] = "A=1", b[] = "HOT_CONTINUE=1", c[] = "LISTEN_FDS=1", d[] = "D=2";
        char *environment[] = {a, b, c, d, NULL}, name[] = "x", *argv[] = {name, NULL};
        struct hot__program program;

        (void)state;
        assert_int_equal(hot__program_capture(&program, NULL, argv, environment), 0);
        assert_string_equal(program.environment[0], "A=1");
        assert_string_equal(program.environment[1], "D=2");
        assert_null(program.environment[2]);
        hot__program_done(&program);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_own_arguments_are_found),
                hot_test_with(test_relative_name_follows_symlinks_as_they_are_now, enter, leave),
                hot_test_with(test_replaced_program_is_another_file, enter, leave),
                hot_test_with(test_what_cannot_be_run_says_why, enter, leave),
                hot_test_with(test_path_is_searched_as_it_was_at_the_start, enter, leave),
                hot_test(test_dialects_do_not_reach_the_base_environment),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
