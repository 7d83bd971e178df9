/* SPDX-License-Identifier: MIT */
#include "places.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control_path.h"

struct visit {
        int root;
        uid_t uid;
        place_visitor *visit;
        void *data;
        int result; /* 1: ended; else the most telling error */
};

/* A server that has dropped root keeps the socket that it made as root. */
static int open_directory(const struct visit *visit, const char *path, uid_t *ret_owner, int *ret)
{
        int r = hot__control_directory_open(visit->root, path, visit->uid, ret);

        *ret_owner = visit->uid;
        if (r == -EPERM && visit->uid != 0) {
                r = hot__control_directory_open(visit->root, path, 0, ret);
                *ret_owner = 0;
        }
        return r;
}

static void visit_path(struct visit *visit, const char *path)
{
        int fd, r;
        uid_t owner;

        r = open_directory(visit, path, &owner, &fd);
        if (r < 0) {
                if (r != -ENOENT)
                        visit->result = r;
                return;
        }
        if (visit->visit(visit->data, fd, owner))
                visit->result = 1;
        else
                close(fd);
}

static void visit_place(struct visit *visit, size_t index, uid_t uid, const char *runtime)
{
        char path[HOT__CONTROL_PLACE_MAX];

        if (visit->result != 1 && hot__control_place(index, uid, runtime, path))
                visit_path(visit, path);
}

/*
 * Where pam_systemd(8) makes it is looked at too: a service and a shell of one user need not have the same
 * environment. So is root's place, since who we see as another user may be root where he is.
 */
static int visit_all(struct visit *visit, const char *runtime, const char *other_runtime)
{
        char usual[64];

        snprintf(usual, sizeof(usual), "/run/user/%u", (unsigned int)visit->uid);
        visit_place(visit, 0, visit->uid, runtime);
        if (other_runtime && (!runtime || strcmp(runtime, other_runtime) != 0))
                visit_place(visit, 0, visit->uid, other_runtime);
        if ((!runtime || strcmp(runtime, usual) != 0) &&
            (!other_runtime || strcmp(other_runtime, usual) != 0))
                visit_place(visit, 0, visit->uid, usual);
        visit_place(visit, 1, 0, NULL);
        visit_place(visit, 2, visit->uid, NULL);
        return visit->result;
}

int places_of_process(const struct process *process, place_visitor *visit, void *data)
{
        struct visit all = {
                .root = process->root, .uid = process->uid, .visit = visit, .data = data};

        return visit_all(&all, process->runtime[0] ? process->runtime : NULL,
                         getenv("XDG_RUNTIME_DIR"));
}

int places_of_user(place_visitor *visit, void *data)
{
        struct visit all = {.root = AT_FDCWD, .uid = geteuid(), .visit = visit, .data = data};

        return visit_all(&all, getenv("XDG_RUNTIME_DIR"), NULL);
}

static bool add_name(struct place_names *names, const char *name)
{
        void *more = reallocarray(names->name, names->n + 1, sizeof(names->name[0]));

        if (!more)
                return false;
        names->name = more;
        strcpy(names->name[names->n++], name);
        return true;
}

static int compare_names(const void *a, const void *b)
{
        long x = strtol(a, NULL, 10), y = strtol(b, NULL, 10);

        return (x > y) - (x < y);
}

static bool is_number(const char *name)
{
        return strlen(name) < 16 && name[strspn(name, "0123456789")] == '\0';
}

int place_names_read(int directory, struct place_names *ret)
{
        struct place_names names = {0};
        int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *stream = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;
        bool all = true;

        if (!stream) {
                int r = -errno;

                if (fd >= 0)
                        close(fd);
                return r;
        }
        while (all && (entry = readdir(stream)))
                if (is_number(entry->d_name))
                        all = add_name(&names, entry->d_name);
        closedir(stream);
        if (!all) {
                place_names_free(&names);
                return -ENOMEM;
        }
        if (names.n > 0)
                qsort(names.name, names.n, sizeof(names.name[0]), compare_names);
        *ret = names;
        return 0;
}

void place_names_free(struct place_names *names)
{
        free(names->name);
        *names = (struct place_names){0};
}
