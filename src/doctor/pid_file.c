/* SPDX-License-Identifier: MIT */
#include "doctor.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* May this process make another file in the folder, which it has to for a rename? */
static bool may_rename(const struct patient *patient, const char *path,
                       char folder[static PATH_MAX])
{
        char copy[PATH_MAX];
        struct stat status;

        snprintf(copy, sizeof(copy), "%s", path);
        snprintf(folder, PATH_MAX, "%s", dirname(copy));
        if (stat(folder, &status) < 0 || patient->uid == 0)
                return true;
        return status.st_uid == patient->uid ? (status.st_mode & 0200) != 0
                                             : (status.st_mode & 0022) != 0;
}

void doctor_pid_file(struct advices *advices, const struct patient *patient, const char *pid_file)
{
        char text[32] = "", folder[PATH_MAX];
        FILE *file = fopen(pid_file, "re");
        long pid = 0;

        if (!file) {
                advise(advices, ADVICE_BAD, "PID file", "Let the server write it.", "%s: %s",
                       pid_file, strerror(errno));
                return;
        }
        if (fgets(text, sizeof(text), file))
                pid = strtol(text, NULL, 10);
        fclose(file);
        if (pid != patient->pid)
                advise(advices, ADVICE_BAD, "PID file",
                       "The generation that serves writes it, by renaming a new one over it.",
                       "%s names %ld, and the server is %d: who trusts the file hits the wrong "
                       "process.",
                       pid_file, pid, patient->pid);
        else
                advise(advices, ADVICE_GOOD, "PID file", "", "%s names it.", pid_file);
        if (!may_rename(patient, pid_file, folder))
                advise(advices, ADVICE_BAD, "PID file",
                       "Give it a folder of its own (RuntimeDirectory=).",
                       "%s is in %s, where user %u may make no file: the next generation cannot "
                       "put "
                       "its own in its place.",
                       pid_file, folder, patient->uid);
}
