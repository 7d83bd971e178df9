/* SPDX-License-Identifier: MIT */
#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "complain.h"
#include "control_path.h"
#include "pidfile.h"
#include "places.h"
#include "process.h"
#include "servers.h"
#include "verb.h"

void target_close(struct target *target)
{
        if (target->directory >= 0)
                close(target->directory);
        target->directory = -1;
}

int target_open_again(const struct target *target, int patience_ms, struct talk *ret_talk)
{
        int r = talk_open(ret_talk, target->path, target->owner, patience_ms);

        if (r == 0 && target->pid > 0 && !talk_knows_pid(ret_talk, target->pid)) {
                talk_close(ret_talk);
                return -ESRCH;
        }
        return r;
}

/* More restarts than there can be while one is looked for. */
#define HEIRS_MAX 16

/* A server may be missed while the name that was read is that of a generation which ends just then. */
#define MISSES_MAX 4
#define MISS_MS    20

/* For servers that were not asked for by their own name. */
#define OTHERS_PATIENCE_MS 1000

/* ---- by pid ---- */

struct search {
        pid_t pid; /* as it is called in its own namespace */
        uid_t uid; /* its user's */
        int patience_ms;
        struct target *target;
        struct talk *talk;
        int error; /* the most telling one so far */
};

/* That something is not there tells the least, that nobody answers the most. */
static void note_error(struct search *search, int error)
{
        if (search->error == -ENOENT || search->error == -ESRCH)
                search->error = error;
}

static bool try_name(struct search *search, int directory, uid_t owner, const char *name)
{
        struct target *target = search->target;
        int r = hot__control_address(directory, name, target->path, sizeof(target->path));

        target->owner = owner;
        target->pid = search->pid;
        if (r >= 0)
                r = target_open_again(target, search->patience_ms, search->talk);
        if (r < 0)
                note_error(search, r);
        return r == 0;
}

/* The names of other generations lead to the same server, if its own is missing. */
static bool try_others(struct search *search, int directory, uid_t owner)
{
        int patience_ms = search->patience_ms;
        struct place_names names;
        bool found = false;

        if (place_names_read(directory, &names) < 0)
                return false;
        /* Strangers' servers that are stopped must not keep us for long. */
        if (patience_ms > OTHERS_PATIENCE_MS)
                search->patience_ms = OTHERS_PATIENCE_MS;
        for (size_t i = 0; i < names.n && !found; i++)
                found = try_name(search, directory, owner, names.name[i]);
        search->patience_ms = patience_ms;
        place_names_free(&names);
        return found;
}

static bool try_place(void *data, int directory, uid_t owner)
{
        struct search *search = data;
        char name[16];
        bool found;

        /* Root's is looked at for everybody's process, and is closed to others whether it has this one or not. */
        if (owner != search->uid && faccessat(directory, ".", X_OK, AT_EACCESS) < 0)
                return false;
        snprintf(name, sizeof(name), "%d", (int)search->pid);
        found = try_name(search, directory, owner, name) || try_others(search, directory, owner);
        search->target->directory = found ? directory : -1;
        return found;
}

static int complain_about_pid(pid_t pid, int error)
{
        switch (error) {
        case -ENOENT:
        case -ESRCH:
        case -ECONNREFUSED:
                return complain(
                        "process %d has no control socket%s: it is no server of ours, or one "
                        "that was told to have none",
                        (int)pid, geteuid() == 0 ? "" : " that this user may see");
        case -ETIMEDOUT:
                return complain("process %d does not answer on its control socket; is it stopped?",
                                (int)pid);
        case -EPERM:
                return complain("process %d: its control socket is in a directory that others may "
                                "change; not trusted",
                                (int)pid);
        default:
                return complain("process %d: its control socket: %s", (int)pid, words_for(error));
        }
}

int target_find(pid_t pid, int patience_ms, struct target *target, struct talk *talk)
{
        struct search search = {
                .patience_ms = patience_ms, .target = target, .talk = talk, .error = -ENOENT};
        struct process process;
        int r = process_read(pid, &process);

        if (r < 0)
                return r;
        *target = (struct target){.directory = -1};
        search.pid = process.inner_pid;
        search.uid = process.uid;
        r = places_of_process(&process, try_place, &search);
        process_done(&process);
        if (r > 0)
                return 0;
        if (r < 0)
                note_error(&search, r);
        /* It may have ended meanwhile, as generations do. */
        if (process_read(pid, &process) == -ESRCH)
                return -ESRCH;
        process_done(&process);
        return search.error == -ESRCH ? -ENOENT : search.error;
}

/* Who serves now in the place of a generation that has ended? Returns its pid, or 0. */
static pid_t find_heir(pid_t pid)
{
        struct talk *talks = NULL;
        int n = servers_find(OTHERS_PATIENCE_MS, &talks);
        pid_t heir = 0;

        for (int i = 0; i < n && heir == 0; i++)
                if (talk_shares_pids(&talks[i]) && talk_knew_pid(&talks[i], pid))
                        heir = (pid_t)talk_number(talks[i].hello, "pid", 0);
        servers_close(talks, n > 0 ? (size_t)n : 0);
        return heir;
}

/*
 * Restarts may follow each other so quickly that a pid is a generation's no more when it is looked at: then
 * it leads to the server all the same. One that is another process' by now does not.
 */
static int open_pid(pid_t pid, int patience_ms, struct target *target, struct talk *talk)
{
        int r = target_find(pid, patience_ms, target, talk);

        for (int heirs = 0, misses = 0; r == -ESRCH && heirs < HEIRS_MAX; heirs++) {
                pid_t heir = find_heir(pid);

                if (heir > 0)
                        r = target_find(heir, patience_ms, target, talk);
                else if (++misses == MISSES_MAX)
                        break;
                else
                        poll(NULL, 0, MISS_MS);
        }
        if (r == -ESRCH)
                return complain("no process has the pid %d", (int)pid);
        return r < 0 ? complain_about_pid(pid, r) : 0;
}

/* ---- by file ---- */

/* A path that is too long for an address is reached through its directory. */
static int name_socket(struct target *target, const char *path)
{
        const char *slash = strrchr(path, '/');
        char parent[PATH_MAX];
        int r;

        if (strlen(path) < sizeof(((struct sockaddr_un *)NULL)->sun_path) || !slash) {
                strcpy(target->path, path);
                return 0;
        }
        snprintf(parent, sizeof(parent), "%.*s/", (int)(slash - path), path);
        target->directory = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (target->directory < 0)
                return -errno;
        r = hot__control_address(target->directory, slash + 1, target->path, sizeof(target->path));
        return r < 0 ? r : 0;
}

static int open_socket(const char *path, const struct stat *st, int patience_ms,
                       struct target *target, struct talk *talk)
{
        int r;

        target->owner = st->st_uid;
        r = name_socket(target, path);
        if (r == 0)
                r = talk_open(talk, target->path, target->owner, patience_ms);
        if (r == 0)
                return 0;
        target_close(target);
        if (r == -ECONNREFUSED)
                return complain("%s: nobody listens on it any more", path);
        if (r == -ETIMEDOUT)
                return complain("%s: whoever listens on it does not answer", path);
        if (r == -EPROTO)
                return complain("%s: whoever listens on it is no server of ours", path);
        return complain("%s: %s", path, words_for(r));
}

static int open_pid_file(const char *path, int patience_ms, struct target *target,
                         struct talk *talk)
{
        pid_t pid = hot__pidfile_read(path);

        if (pid == -EINVAL)
                return complain("%s: it is no PID file, and no control socket", path);
        if (pid < 0)
                return complain("%s: %s", path, strerror(-pid));
        return open_pid(pid, patience_ms, target, talk);
}

/* Digits only: a pid, and not the name of a file. */
static bool parse_pid(const char *text, pid_t *ret)
{
        long pid;

        if (!*text || text[strspn(text, "0123456789")])
                return false;
        errno = 0;
        pid = strtol(text, NULL, 10);
        *ret = errno || pid > INT_MAX ? 0 : (pid_t)pid;
        return true;
}

int target_open(const char *text, int patience_ms, struct target *ret_target, struct talk *ret_talk)
{
        struct stat st;
        pid_t pid;

        *ret_target = (struct target){.directory = -1};
        if (!*text || strlen(text) >= sizeof(ret_target->text))
                return wrong_use("TARGET is a pid, a PID file or a control socket");
        strcpy(ret_target->text, text);
        if (parse_pid(text, &pid))
                return pid > 0 ? open_pid(pid, patience_ms, ret_target, ret_talk)
                               : wrong_use("no process has the pid %s", text);
        if (stat(text, &st) < 0)
                return complain("%s: %s", text, strerror(errno));
        if (S_ISSOCK(st.st_mode))
                return open_socket(text, &st, patience_ms, ret_target, ret_talk);
        return open_pid_file(text, patience_ms, ret_target, ret_talk);
}
