/* SPDX-License-Identifier: MIT */
/*
 * A variable stays in the environment that the kernel shows, whatever the program has done to its own since:
 * /proc/PID/environ is the memory that execve(2) filled. A forked child shows its parent's. But some write a title
 * there, which begins before, in the arguments, and fill the rest with zeros.
 */
#include "handed.h"

#include <stdlib.h>
#include <string.h>

/* How servers tell a process that it gets listeners from the one before it, or from a supervisor. */
static const char *const announcements[] = {
        "HOT_CHANNEL",                /* libhotstart */
        "HOT_CONTINUE",               /* Go's hotstart */
        "SERVER_STARTER_PORT",        /* Server::Starter */
        "EINHORN_FD_COUNT",           /* einhorn */
        "UNICORN_FD",                 /* unicorn */
        "GUNICORN_FD",                /* gunicorn */
        "NGINX",                      /* nginx */
        "TABLEFLIP_HAS_PARENT_7DIU3", /* tableflip */
        "ENDLESS_CONTINUE",           /* endless */
        "GOAGAIN_FD",                 /* goagain */
};

static const char *const numbers[] = {"HOT_GENERATION", "SERVER_STARTER_GENERATION"};

static const char *value_of(const char *entry, const char *name)
{
        size_t len = strlen(name);

        return strncmp(entry, name, len) == 0 && entry[len] == '=' ? entry + len + 1 : NULL;
}

static void parse_entry(const char *entry, struct hot__handed *handed, bool *has_fds, pid_t *to)
{
        const char *value;

        for (size_t i = 0; i < sizeof(announcements) / sizeof(*announcements); i++)
                if (value_of(entry, announcements[i]))
                        handed->announced = true;
        for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
                if ((value = value_of(entry, numbers[i])))
                        handed->number = strtoull(value, NULL, 10);
        if (value_of(entry, "LISTEN_FDS"))
                *has_fds = true;
        if ((value = value_of(entry, "LISTEN_PID")))
                *to = (pid_t)strtol(value, NULL, 10);
}

struct hot__handed hot__handed_parse(const char *text, size_t len, pid_t pid)
{
        struct hot__handed handed = {.overwritten = len > 0 && !strchr(text, '=')};
        bool has_fds = false;
        pid_t to = 0;

        for (size_t at = 0; at < len; at += strlen(text + at) + 1)
                parse_entry(text + at, &handed, &has_fds, &to);
        if (has_fds && to == pid)
                handed.announced = true;
        return handed;
}
