/* SPDX-License-Identifier: MIT */
#include "doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define UNIT_MAX 65536

/* "nginx.service" of "/system.slice/nginx.service/worker"; false if it is run by no unit. */
static bool find_name(const struct patient *patient, char *name, size_t size)
{
        const char *suffix = ".service", *end = strstr(patient->cgroup, suffix), *start;

        while (end && end[strlen(suffix)] != '\0' && end[strlen(suffix)] != '/')
                end = strstr(end + 1, suffix);
        if (!end)
                return false;
        for (start = end; start > patient->cgroup && start[-1] != '/'; start--)
                continue;
        snprintf(name, size, "%.*s", (int)(end - start + (long)strlen(suffix)), start);
        return strncmp(name, "user@", 5) != 0;
}

/* The unit and its drop-ins would be merged by systemctl; the unit file itself is what we read. */
static char *read_unit(const char *name)
{
        static const char *const folders[] = {"/etc/systemd/system", "/run/systemd/system",
                                              "/usr/local/lib/systemd/system",
                                              "/usr/lib/systemd/system", "/lib/systemd/system"};
        char path[600], *text;
        size_t n;
        FILE *file = NULL;

        for (size_t i = 0; !file && i < sizeof(folders) / sizeof(*folders); i++) {
                snprintf(path, sizeof(path), "%s/%s", folders[i], name);
                file = fopen(path, "re");
        }
        if (!file)
                return NULL;
        text = malloc(UNIT_MAX);
        if (text) {
                n = fread(text, 1, UNIT_MAX - 1, file);
                text[n] = '\0';
        }
        fclose(file);
        return text;
}

/* The last value of "Key=" in [Service]. Returns whether there is one. */
static bool value_of(const char *text, const char *key, char *value, size_t size)
{
        bool service = false, found = false;
        size_t length = strlen(key), line;

        for (; *text; text += line + (text[line] == '\n')) {
                line = strcspn(text, "\n");
                if (text[0] == '[')
                        service = strncmp(text, "[Service]", 9) == 0;
                if (!service || strncmp(text, key, length) != 0 || text[length] != '=')
                        continue;
                snprintf(value, size, "%.*s", (int)(line - length - 1), text + length + 1);
                found = true;
        }
        return found;
}

static void check_main_pid(struct advices *advices, const char *name, const char *text,
                           const char *type)
{
        char value[300];

        if (strcmp(type, "forking") == 0 && !value_of(text, "PIDFile", value, sizeof(value)))
                advise(advices, ADVICE_BAD, "unit", "PIDFile= the file that the server keeps.",
                       "%s is Type=forking without PIDFile=: systemd guesses the main process, and "
                       "loses the server when that one leaves after a restart.",
                       name);
        else if (strcmp(type, "simple") == 0 || strcmp(type, "exec") == 0)
                advise(advices, ADVICE_BAD, "unit",
                       "Type=notify with NotifyAccess=all (the server names its successor with "
                       "MAINPID=), or Type=forking with PIDFile=.",
                       "%s is Type=%s: when the old generation leaves, systemd takes the service "
                       "for "
                       "dead, and stops the new one with it.",
                       name, type);
        else if (strncmp(type, "notify", 6) == 0 &&
                 (!value_of(text, "NotifyAccess", value, sizeof(value)) ||
                  strcmp(value, "main") == 0))
                advise(advices, ADVICE_WARN, "unit", "NotifyAccess=all.",
                       "%s hears only its main process (NotifyAccess=main): a new generation is "
                       "not "
                       "heard before the old one has named it with MAINPID=.",
                       name);
        else
                advise(advices, ADVICE_GOOD, "unit", "", "%s is Type=%s.", name, type);
}

void doctor_unit_text(struct advices *advices, const struct patient *patient, const char *name,
                      const char *text)
{
        char type[64] = "simple", value[300];

        (void)value_of(text, "Type", type, sizeof(type));
        check_main_pid(advices, name, text, type);
        if (!value_of(text, "ExecReload", value, sizeof(value)))
                advise(advices, ADVICE_NOTE, "unit", "ExecReload=hotstart restart $MAINPID, say.",
                       "%s has no ExecReload=: `systemctl reload` does not restart it hot, and "
                       "`systemctl restart` is a cold one.",
                       name);
        if (value_of(text, "PIDFile", value, sizeof(value)))
                doctor_pid_file(advices, patient, value);
}

void doctor_unit(struct advices *advices, const struct patient *patient)
{
        char name[256], *text;

        if (!find_name(patient, name, sizeof(name)))
                return;
        text = read_unit(name);
        if (!text) {
                advise(advices, ADVICE_NOTE, "unit", "", "%s runs it, and its file is not found.",
                       name);
                return;
        }
        doctor_unit_text(advices, patient, name, text);
        free(text);
}
