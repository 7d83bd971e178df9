/* SPDX-License-Identifier: MIT */
#include "hot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "verdict.h"

/*
 * R2 and R3: from the name of the program to a process that runs it, with exactly the descriptors and the
 * environment of a new generation. And the check command, which is the same program with one argument
 * more, and without either.
 */

/* Descriptors of the child: its standard ones, the listeners, the channel, the verdict, the init's. */
static size_t n_child_fds(const struct hot *hot)
{
        return HOT__FIRST_FD + hot->n_listeners + 2 + (hot->init.pid > 0);
}

/* What came of the rights of this process, and would come of them by an exec. */
static int check_privileges(struct hot *hot)
{
        struct hot__privilege_file file;
        struct hot__privilege now;
        char words[256];
        int r = hot__privilege_capture(&now);

        if (r < 0) {
                hot__note_failure(hot, HOT_STEP_PREFLIGHT, HOT_REASON_ERROR, -r, "privileges");
                return r;
        }
        r = hot__privilege_file_read(hot->successor_path, &file);
        if (r < 0)
                hot__note_failure(hot, HOT_STEP_PREFLIGHT, HOT_REASON_ERROR, -r,
                                  hot->successor_path);
        if (r == 0 && (hot__privilege_differs(&hot->privilege, &now, words, sizeof(words)) ||
                       hot__privilege_is_lost_by(&now, &file, words, sizeof(words)))) {
                r = -EPERM;
                hot__note_failure(hot, HOT_STEP_PREFLIGHT, HOT_REASON_ERROR, EPERM, words);
        }
        hot__privilege_done(&now);
        return r;
}

static int preflight(struct hot *hot)
{
        struct rlimit limit;
        int r;

        r = hot__program_resolve(&hot->program, hot->successor_path, &hot->successor_id);
        if (r < 0) {
                hot__note_failure(hot, HOT_STEP_PREFLIGHT, HOT_REASON_ERROR, -r, hot->program.name);
                return r;
        }
        hot__event_step(hot, HOT_STEP_PREFLIGHT, 0, hot->generation + 1, hot->successor_path);
        r = check_privileges(hot);
        if (r < 0)
                return r;
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
            n_child_fds(hot) + hot__state_count(hot) > limit.rlim_cur) {
                hot__note_failure(hot, HOT_STEP_PREFLIGHT, HOT_REASON_ERROR, EMFILE,
                                  hot->successor_path);
                return -EMFILE;
        }
        return 0;
}

static int build_environment(struct hot *hot, struct hot__environment *ret)
{
        const char **names = calloc(hot->n_listeners + 1, sizeof(*names));
        int r;

        if (!names)
                return -ENOMEM;
        for (size_t i = 0; i < hot->n_listeners; i++)
                names[i] = hot->listeners[i].name;
        r = hot__environment_build(hot->program.environment, names, hot->n_listeners,
                                   hot->generation + 1, ret);
        free(names);
        if (r == 0 && hot->init.pid > 0)
                hot__environment_add_init(ret, n_child_fds(hot) - 1);
        return r;
}

/* @captured: what stands in for the standard error; -EBADF: nothing. */
static int standard(const struct hot *hot, int fd, int captured)
{
        if (fd == STDERR_FILENO && captured >= 0)
                return captured;
        return hot->stdio[fd] && hot__fd_is_open(fd) ? fd : -EBADF;
}

static int *build_table(const struct hot *hot, int channel, int verdict, int captured)
{
        int *fds = calloc(n_child_fds(hot), sizeof(int));
        size_t n = 0;

        if (!fds)
                return NULL;
        for (; n < HOT__FIRST_FD; n++)
                fds[n] = standard(hot, (int)n, captured);
        for (size_t i = 0; i < hot->n_listeners; i++)
                fds[n++] = hot->listeners[i].fd;
        fds[n++] = channel;
        fds[n++] = verdict;
        if (hot->init.pid > 0)
                fds[n] = hot->init.channel.fd;
        return fds;
}

/* What the child is made of, whichever it is. */
static int spawn_program(struct hot *hot, const struct hot__spawn *what, bool *ret_moved_to_root)
{
        const char *home = hot->program.directory[0] ? hot->program.directory : "/";
        struct hot__spawn spawn = *what;
        int r;

        spawn.path = hot->successor_path;
        spawn.directory = hot__program_has_moved(&hot->program) ? home : NULL;
        spawn.attributes = &hot->attributes;
        spawn.also_blocked = &hot->early;
        r = hot__spawn(&spawn, &hot->successor_process, ret_moved_to_root);
        if (r == 0)
                r = hot__watch(hot, hot->successor_process.pidfd, HOT__SOURCE_SUCCESSOR_PROCESS);
        return r;
}

static int spawn_with(struct hot *hot, const struct hot__environment *environment, int channel,
                      int verdict, bool *ret_moved_to_root)
{
        CLEANUP(hot__fd_closep) int captured = -EBADF;
        int r = hot__capture_open(hot, &captured);
        int *fds = r < 0 ? NULL : build_table(hot, channel, verdict, captured);

        if (!fds)
                return r < 0 ? r : -ENOMEM;
        r = spawn_program(hot,
                          &(struct hot__spawn){
                                  .argv = hot->program.argv,
                                  .environment = environment->entries,
                                  .pid_slots = environment->pid_slots,
                                  .fds = fds,
                                  .n_fds = n_child_fds(hot),
                          },
                          ret_moved_to_root);
        free(fds);
        return r;
}

/*
 * A file that was replaced between the look at it and its execution: which of the two runs can be told
 * unless it is a script. A restart of which that is not known is joined by no trigger.
 */
static void identify(struct hot *hot)
{
        char path[PATH_MAX], exe[32];
        struct hot__file_id now;
        struct stat running;

        if (hot__program_resolve(&hot->program, path, &now) == 0 &&
            hot__file_id_equal(&now, &hot->successor_id))
                return;
        snprintf(exe, sizeof(exe), "/proc/%d/exe", (int)hot->successor_process.pid);
        memset(&hot->successor_id, 0, sizeof(hot->successor_id));
        if (stat(exe, &running) < 0)
                return;
        hot->successor_id = (struct hot__file_id){
                .dev = running.st_dev,
                .ino = running.st_ino,
                .size = running.st_size,
                .mtime = running.st_mtim,
        };
}

static int spawn_successor(struct hot *hot)
{
        CLEANUP(hot__fd_closep) int theirs = -EBADF;
        CLEANUP(hot__fd_closep) int given = -EBADF;
        struct hot__environment environment;
        bool moved_to_root = false;
        int r;

        r = hot__channel_pair(&hot->successor, &theirs);
        if (r < 0)
                return r;
        /* Every generation gets one, so that the numbers do not depend on who restarts in whose probation. */
        given = hot->predecessor_verdict < 0 ? hot__verdict_open_given() : -EBADF;
        if (hot->predecessor_verdict < 0 && given < 0)
                return given;
        r = build_environment(hot, &environment);
        if (r < 0)
                return r;
        r = spawn_with(hot, &environment, theirs, given < 0 ? hot->predecessor_verdict : given,
                       &moved_to_root);
        hot__environment_done(&environment);
        if (r < 0)
                return r;
        identify(hot);
        hot__event_step(hot, HOT_STEP_SPAWN, hot->successor_process.pid, hot->generation + 1,
                        moved_to_root ? "in / since the start directory cannot be entered" : "");
        return hot__watch(hot, hot->successor.fd, HOT__SOURCE_SUCCESSOR);
}

/* Its arguments and one more. One allocation; the strings are borrowed. */
static char **check_arguments(const struct hot *hot)
{
        char **argv;
        size_t n = 0;

        while (hot->program.argv[n])
                n++;
        argv = calloc(n + 2, sizeof(*argv));
        if (!argv)
                return NULL;
        memcpy(argv, hot->program.argv, n * sizeof(*argv));
        argv[n] = hot->check;
        return argv;
}

static int spawn_check(struct hot *hot)
{
        CLEANUP(hot__fd_closep) int captured = -EBADF;
        int fds[HOT__FIRST_FD], r = hot__capture_open(hot, &captured);
        char **argv = r < 0 ? NULL : check_arguments(hot);

        if (!argv)
                return r < 0 ? r : -ENOMEM;
        for (int fd = 0; fd < HOT__FIRST_FD; fd++)
                fds[fd] = standard(hot, fd, captured);
        r = spawn_program(hot,
                          &(struct hot__spawn){.argv = argv,
                                               .environment = hot->program.environment,
                                               .fds = fds,
                                               .n_fds = HOT__FIRST_FD},
                          NULL);
        free(argv);
        return r;
}

int hot__launch_check(struct hot *hot)
{
        int r = preflight(hot);

        if (r < 0)
                return r;
        r = spawn_check(hot);
        if (r < 0)
                hot__note_failure(hot, HOT_STEP_CHECK, HOT_REASON_ERROR, -r, hot->successor_path);
        else
                hot__event_step(hot, HOT_STEP_CHECK, hot->successor_process.pid, hot->generation,
                                hot->check);
        return r;
}

int hot__launch(struct hot *hot)
{
        int r = hot->check ? 0 : preflight(hot); /* else the check has had it */

        if (r < 0)
                return r;
        r = spawn_successor(hot);
        if (r < 0)
                hot__note_failure(hot, HOT_STEP_SPAWN, HOT_REASON_ERROR, -r, hot->successor_path);
        return r;
}
