/* SPDX-License-Identifier: MIT */
/*
 * doctor: what will break at the next restart, in plain words. See hotstart-doctor(1).
 */
#include "verb.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../doctor/doctor.h"

const char doctor_detail[] = "Reads sysctls, limits, unit and PID files, argv, directory, binary, "
                             "signals and descriptors,\n"
                             "and says in plain words what will break at the next restart and how "
                             "to mend it. TARGET is a\n"
                             "pid, a PID file or a control socket; without one only the system is "
                             "looked at. Nothing is\n"
                             "changed.\n"
                             "\n"
                             "  --all     also what is as it should be\n"
                             "  --json    the result as JSON\n"
                             "\n"
                             "Exit status: 0 nothing will break, 1 something will, 2 wrong use, 3 "
                             "it cannot be looked at.\n";

static const char *const levels[] = {[ADVICE_GOOD] = "good",
                                     [ADVICE_NOTE] = "note",
                                     [ADVICE_WARN] = "warn",
                                     [ADVICE_BAD] = "bad"};

/* Who listens there: whoever accepts has the credentials of the listener. */
static int pid_of_socket(const char *path, pid_t *ret)
{
        static const int types[] = {SOCK_SEQPACKET, SOCK_STREAM};
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        struct ucred peer;
        socklen_t size = sizeof(peer);
        int r = -EPROTOTYPE;

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        strcpy(address.sun_path, path);
        for (size_t i = 0; i < 2 && r == -EPROTOTYPE; i++) {
                int fd = socket(AF_UNIX, types[i] | SOCK_CLOEXEC, 0);

                if (fd < 0)
                        return -errno;
                r = connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
                if (r == 0 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
                        r = -errno;
                close(fd);
        }
        if (r == 0)
                *ret = peer.pid;
        return r;
}

static int pid_of_file(const char *path, pid_t *ret)
{
        char text[32] = "";
        FILE *file = fopen(path, "re");
        long pid;

        if (!file)
                return -errno;
        (void)!fgets(text, sizeof(text), file);
        fclose(file);
        pid = strtol(text, NULL, 10);
        if (pid <= 0)
                return -EINVAL;
        *ret = (pid_t)pid;
        return 0;
}

/* Returns 0 or a negative errno; @ret_pid_file is NULL unless it is one. */
static int find(const char *target, pid_t *ret, const char **ret_pid_file)
{
        struct stat status;
        char *end;
        long pid = strtol(target, &end, 10);

        *ret_pid_file = NULL;
        if (end != target && *end == '\0') {
                if (pid <= 0 || pid > 1 << 22)
                        return -ESRCH;
                *ret = (pid_t)pid;
                return 0;
        }
        if (stat(target, &status) < 0)
                return -errno;
        if (S_ISDIR(status.st_mode))
                return -EISDIR;
        if (S_ISSOCK(status.st_mode))
                return pid_of_socket(target, ret);
        *ret_pid_file = target;
        return pid_of_file(target, ret);
}

static void print_json(const struct advices *advices, pid_t pid, int status)
{
        json_t *root = json_object(), *list = json_array();

        for (size_t i = 0; i < advices->n; i++) {
                const struct advice *advice = &advices->list[i];
                json_t *object = json_object();

                json_object_set_new(object, "level", json_string(levels[advice->level]));
                json_object_set_new(object, "subject", json_string(advice->subject));
                json_object_set_new(object, "text",
                                    json_stringn_nocheck(advice->text, strlen(advice->text)));
                json_object_set_new(object, "mend", json_string(advice->mend));
                json_array_append_new(list, object);
        }
        json_object_set_new(root, "pid", pid ? json_integer(pid) : json_null());
        json_object_set_new(root, "will_break", json_boolean(status != 0));
        json_object_set_new(root, "advice", list);
        json_dumpf(root, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(root);
}

static void print_text(const struct advices *advices, bool all, int status)
{
        static const char *const marks[] = {"ok  ", "note", "warn", "BAD "};
        static const char *const inks[] = {"\033[32m", "\033[2m", "\033[33m", "\033[1;31m"};
        const char *no_color = getenv("NO_COLOR");
        bool colour = isatty(STDOUT_FILENO) && !(no_color && no_color[0]);

        for (int level = ADVICE_BAD; level >= (all ? ADVICE_GOOD : ADVICE_NOTE); level--)
                for (size_t i = 0; i < advices->n; i++) {
                        const struct advice *advice = &advices->list[i];

                        if ((int)advice->level != level)
                                continue;
                        printf("%s%s%s  %s: %s\n", colour ? inks[level] : "", marks[level],
                               colour ? "\033[0m" : "", advice->subject, advice->text);
                        if (advice->mend[0])
                                printf("      mend: %s\n", advice->mend);
                }
        puts(status == 0 ? "Nothing that was looked at will break at the next restart."
                         : "The next restart will break.");
}

static int examine(struct advices *advices, const char *target, pid_t *ret_pid)
{
        struct patient patient;
        const char *pid_file;
        int r = find(target, ret_pid, &pid_file);

        if (r == 0)
                r = patient_read(&patient, *ret_pid);
        if (r < 0)
                return r;
        doctor_program(advices, &patient);
        doctor_signals(advices, &patient);
        doctor_descriptors(advices, &patient);
        doctor_room(advices, &patient);
        doctor_unit(advices, &patient);
        if (pid_file)
                doctor_pid_file(advices, &patient, pid_file);
        patient_done(&patient);
        return 0;
}

static const char *words_of(int error)
{
        switch (error) {
        case -EINVAL:
                return "there is no pid in it";
        case -ECHILD:
                return "it has ended, and its parent has not waited for it";
        case -ENOTSUP:
                return "it is a thread of the kernel, and runs no program";
        case -ECONNREFUSED:
                return "nobody listens on it any more";
        case -EACCES:
                return "Permission denied; ask as the user of that process, or as root";
        default:
                return strerror(-error);
        }
}

static int report(const char *target, bool all, bool json)
{
        struct advices advices = {0};
        pid_t pid = 0;
        int status = 0, r;

        doctor_system(&advices);
        r = target ? examine(&advices, target, &pid) : 0;
        if (r == 0)
                r = advices.error;
        if (r < 0) {
                fprintf(stderr, "hotstart: %s: %s\n", target ? target : "the system", words_of(r));
                advices_done(&advices);
                return EXIT_SYSTEM;
        }
        for (size_t i = 0; i < advices.n; i++)
                if (advices.list[i].level == ADVICE_BAD)
                        status = 1;
        if (json)
                print_json(&advices, pid, status);
        else
                print_text(&advices, all, status);
        advices_done(&advices);
        return status;
}

int verb_doctor(int argc, char **argv)
{
        static const struct option options[] = {
                {"all", no_argument, NULL, 'a'}, {"json", no_argument, NULL, 'j'}, {0}};
        bool all = false, json = false;
        int id;

        opterr = 0;
        optind = 0;
        while ((id = getopt_long(argc, argv, "", options, NULL)) != -1) {
                if (id == '?')
                        return wrong_use("unknown option: %s", argv[optind - 1]);
                all |= id == 'a';
                json |= id == 'j';
        }
        if (argc - optind > 1)
                return wrong_use("doctor looks at one TARGET, not %d", argc - optind);
        return report(argv[optind], all, json);
}
