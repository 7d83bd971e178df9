/* SPDX-License-Identifier: MIT */
#include "doctor.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

/* As the process sees it: below its root. */
static int status_of(const struct patient *patient, const char *path, struct stat *ret)
{
        char full[PATH_MAX + 32];

        if (path[0] == '/')
                snprintf(full, sizeof(full), "/proc/%d/root%s", patient->pid, path);
        else
                snprintf(full, sizeof(full), "/proc/%d/cwd/%s", patient->pid, path);
        return stat(full, ret);
}

/* Where argv[0] leads: a path as it is, a bare name by PATH. Returns whether there is anything. */
static bool resolve(const struct patient *patient, char ret[static PATH_MAX], struct stat *ret_stat)
{
        const char *path = patient_variable(patient, "PATH");

        snprintf(ret, PATH_MAX, "%s", patient->argv0);
        if (strchr(patient->argv0, '/'))
                return status_of(patient, patient->argv0, ret_stat) == 0;
        for (size_t length; path && *path; path += length + (path[length] == ':')) {
                length = strcspn(path, ":");
                if (length + 1 + strlen(patient->argv0) >= PATH_MAX)
                        continue;
                memcpy(ret, path, length);
                ret[length] = '/';
                strcpy(ret + length + 1, patient->argv0);
                if (status_of(patient, ret, ret_stat) == 0 && S_ISREG(ret_stat->st_mode))
                        return true;
        }
        snprintf(ret, PATH_MAX, "%s", patient->argv0);
        return false;
}

/*
 * A server that writes a title over its arguments: nginx's names the program as it was started, and it is
 * executed by just that name. Returns whether it was a title.
 */
static bool check_title(struct advices *advices, const struct patient *patient)
{
        const char *mark = " process ", *name = strstr(patient->argv0, mark);
        char program[PATH_MAX];
        struct stat status;

        if (!name || strncmp(patient->argv0, "nginx: ", 7) != 0) {
                if (!strstr(patient->argv0, ": "))
                        return false;
                advise(advices, ADVICE_NOTE, "program", "",
                       "It has changed its title, so the name that it was started by is not "
                       "known.");
                return true;
        }
        name += strlen(mark);
        snprintf(program, sizeof(program), "%.*s", (int)strcspn(name, " "), name);
        if (!strchr(program, '/'))
                advise(advices, ADVICE_BAD, "program", "Start it by an absolute path.",
                       "It was started as \"%s\", without a path, and nginx executes just that "
                       "name "
                       "for a binary upgrade: the upgrade fails. (A reload is not concerned.)",
                       program);
        else if (status_of(patient, program, &status) < 0)
                advise(advices, ADVICE_BAD, "program", "Put it back.",
                       "%s is not there any more: a binary upgrade fails.", program);
        else
                advise(advices, ADVICE_GOOD, "program", "", "%s is there.", program);
        return true;
}

static void check_name(struct advices *advices, const struct patient *patient)
{
        struct stat named, running;
        char path[PATH_MAX], exe[64];

        if (patient->argv0[0] == '\0' || check_title(advices, patient))
                return;
        snprintf(exe, sizeof(exe), "/proc/%d/exe", patient->pid);
        if (!resolve(patient, path, &named)) {
                advise(advices, ADVICE_BAD, "program",
                       "Put the program back where it was, or start the server by an absolute "
                       "path.",
                       "It was started as \"%s\", and nothing is found under that name now: the "
                       "next restart cannot find its program.",
                       patient->argv0);
                return;
        }
        if (!S_ISREG(named.st_mode) || (named.st_mode & 0111) == 0)
                advise(advices, ADVICE_BAD, "program", "chmod +x it.",
                       "%s cannot be executed: the next restart fails.", path);
        else if (stat(exe, &running) == 0 && !patient->exe_deleted &&
                 (running.st_dev != named.st_dev || running.st_ino != named.st_ino))
                advise(advices, ADVICE_NOTE, "program", "",
                       "It runs %s, and its name \"%s\" leads to %s: that is what a restart would "
                       "execute.",
                       patient->exe, patient->argv0, path);
        else if (patient->exe_deleted)
                advise(advices, ADVICE_GOOD, "program", "",
                       "%s has been replaced since it was started: the next restart runs the new "
                       "one.",
                       path);
        else
                advise(advices, ADVICE_GOOD, "program", "", "%s is there and can be executed.",
                       path);
        if (patient->argv0[0] != '/' && strchr(patient->argv0, '/'))
                advise(advices, ADVICE_WARN, "program", "Start it by an absolute path.",
                       "It was started by the relative name \"%s\": a restart finds it only from "
                       "the "
                       "directory that it was started in.",
                       patient->argv0);
}

static void check_directories(struct advices *advices, const struct patient *patient)
{
        if (patient->cwd_deleted)
                advise(advices, patient->argv0[0] == '/' ? ADVICE_WARN : ADVICE_BAD, "directory",
                       "Start it in a directory that stays, such as /.",
                       "Its working directory %s has been deleted: relative names, of the program "
                       "or "
                       "of its files, lead nowhere after a restart.",
                       patient->cwd);
        if (patient->root[0] && strcmp(patient->root, "/") != 0)
                advise(advices, ADVICE_WARN, "root directory",
                       "Let a process outside of it make the new generations.",
                       "It runs in %s (chroot): a restart looks for its program and libraries in "
                       "there.",
                       patient->root);
}

static void check_privileges(struct advices *advices, const struct patient *patient)
{
        char exe[64], value[64];

        snprintf(exe, sizeof(exe), "/proc/%d/exe", patient->pid);
        if (patient->no_new_privs && getxattr(exe, "security.capability", value, sizeof(value)) > 0)
                advise(advices, ADVICE_BAD, "privileges",
                       "Drop NoNewPrivileges=, or give the capabilities to the unit "
                       "(AmbientCapabilities=).",
                       "%s has file capabilities, and the process may gain no new privileges: the "
                       "next generation starts without them.",
                       patient->exe);
        if (patient->seccomp == 2)
                advise(advices, ADVICE_WARN, "seccomp",
                       "See that the filter lets clone(2) and execve(2) through, and remember that "
                       "the new generation inherits it.",
                       "A system call filter is in force: it also holds for the next generation.");
}

static void check_environment(struct advices *advices, const struct patient *patient)
{
        const size_t limit = 131072; /* MAX_ARG_STRLEN of execve(2) */

        for (const char *at = patient->environment;
             at && at < patient->environment + patient->environment_size; at += strlen(at) + 1)
                if (strlen(at) > limit / 2)
                        advise(advices, strlen(at) + 64 > limit ? ADVICE_BAD : ADVICE_WARN,
                               "environment", "Pass it in a file.",
                               "The variable %.*s has %zu bytes; one above 131072 makes execve(2) "
                               "fail.",
                               (int)strcspn(at, "="), at, strlen(at));
}

void doctor_program(struct advices *advices, const struct patient *patient)
{
        check_name(advices, patient);
        check_directories(advices, patient);
        check_privileges(advices, patient);
        check_environment(advices, patient);
}
