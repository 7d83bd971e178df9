/* SPDX-License-Identifier: MIT */
#include "patient.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DELETED " (deleted)"

/* A file of /proc, whole. Gives memory for free(3), terminated; NULL if it cannot be read. */
static char *slurp(pid_t pid, const char *name, size_t *ret_size)
{
        char path[64], *text = NULL, *larger;
        size_t size = 0, room = 0, n;
        FILE *file;

        snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
        file = fopen(path, "re");
        if (!file)
                return NULL;
        do {
                room = room ? room * 2 : 8192;
                larger = realloc(text, room + 1);
                if (!larger)
                        break;
                text = larger;
                n = fread(text + size, 1, room - size, file);
                size += n;
        } while (n > 0 && size == room);
        fclose(file);
        if (text)
                text[size] = '\0';
        *ret_size = size;
        return text;
}

static void read_link(pid_t pid, const char *name, char ret[static PATH_MAX], bool *ret_deleted)
{
        char path[64];
        size_t length;
        ssize_t n;

        snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
        n = readlink(path, ret, PATH_MAX - 1);
        ret[n > 0 ? n : 0] = '\0';
        length = strlen(ret);
        if (!ret_deleted || length < strlen(DELETED) ||
            strcmp(ret + length - strlen(DELETED), DELETED) != 0)
                return;
        ret[length - strlen(DELETED)] = '\0';
        *ret_deleted = true;
}

/* "Name:\tvalue", as a number in some base; 0 if it is not there. */
static uint64_t field(const char *status, const char *name, int base)
{
        const char *line = strstr(status, name);

        return line ? strtoull(line + strlen(name), NULL, base) : 0;
}

/* Is there a program in it that could be started again? Threads of the kernel have no memory, and the dead none left. */
static int check_alive(const char *status)
{
        if (strstr(status, "\nState:\tZ") || strstr(status, "\nState:\tX"))
                return -ECHILD;
        return strstr(status, "\nVmSize:") ? 0 : -ENOTSUP;
}

static void read_status(struct patient *patient, const char *status)
{
        patient->ignored = field(status, "\nSigIgn:\t", 16);
        patient->blocked = field(status, "\nSigBlk:\t", 16);
        patient->caught = field(status, "\nSigCgt:\t", 16);
        patient->capabilities = field(status, "\nCapEff:\t", 16);
        patient->uid = (uid_t)field(status, "\nUid:\t", 10);
        patient->seccomp = (int)field(status, "\nSeccomp:\t", 10);
        patient->no_new_privs = (int)field(status, "\nNoNewPrivs:\t", 10);
        patient->resident_kib = field(status, "\nVmRSS:\t", 10);
}

static void read_cgroup(struct patient *patient)
{
        size_t size;
        char *text = slurp(patient->pid, "cgroup", &size), *line;

        line = text ? strstr(text, "0::") : NULL;
        if (line)
                snprintf(patient->cgroup, sizeof(patient->cgroup), "%.*s",
                         (int)strcspn(line + 3, "\n"), line + 3);
        free(text);
}

int patient_read(struct patient *ret, pid_t pid)
{
        size_t size;
        char *text;
        cpu_set_t cpus;
        int r;

        *ret = (struct patient){.pid = pid};
        text = slurp(pid, "status", &size);
        if (!text)
                return -ESRCH;
        read_status(ret, text);
        r = check_alive(text);
        free(text);
        if (r < 0)
                return r;
        read_link(pid, "exe", ret->exe, &ret->exe_deleted);
        read_link(pid, "cwd", ret->cwd, &ret->cwd_deleted);
        read_link(pid, "root", ret->root, NULL);
        text = slurp(pid, "cmdline", &size);
        if (text)
                snprintf(ret->argv0, sizeof(ret->argv0), "%s", text);
        free(text);
        ret->environment = slurp(pid, "environ", &ret->environment_size);
        if (prlimit(pid, RLIMIT_NOFILE, NULL, &ret->files) < 0)
                ret->files = (struct rlimit){0};
        if (sched_getaffinity(pid, sizeof(cpus), &cpus) == 0)
                ret->cpus = (unsigned int)CPU_COUNT(&cpus);
        r = hot_inspect_read(pid, HOT_INSPECT_ADDRESSES, &ret->descriptors);
        if (r < 0)
                ret->descriptors = NULL;
        /* Who may not see the descriptors sees neither directory nor program: any word would be a guess. */
        if (r == -EACCES || r == -EPERM) {
                patient_done(ret);
                return -EACCES;
        }
        read_cgroup(ret);
        return 0;
}

void patient_done(struct patient *patient)
{
        free(patient->environment);
        hot_inspect_free(patient->descriptors);
        *patient = (struct patient){0};
}

const char *patient_variable(const struct patient *patient, const char *name)
{
        size_t length = strlen(name);

        for (const char *at = patient->environment;
             at && at < patient->environment + patient->environment_size; at += strlen(at) + 1)
                if (strncmp(at, name, length) == 0 && at[length] == '=')
                        return at + length + 1;
        return NULL;
}

bool patient_has_signal(uint64_t set, int signal)
{
        return (set >> (signal - 1) & 1) != 0;
}
