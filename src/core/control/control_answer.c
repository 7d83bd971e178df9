/* SPDX-License-Identifier: MIT */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buildid.h"
#include "fd.h"

/*
 * Answers, as hotstart-control(7) has them. A member that is not known is null, so that who reads them
 * finds every member in every answer of its type.
 */

#define PROTOCOL 1

void hot__answer_message(struct hot__json *json, const char *type, const char *message)
{
        hot__json_begin_object(json, NULL);
        hot__json_string(json, "type", type);
        hot__json_string(json, "message", message);
        hot__json_end_object(json);
}

void hot__answer_error(struct hot__json *json, const char *message)
{
        hot__answer_message(json, "error", message);
}

/* ---- processes ---- */

static void write_pid(struct hot__json *json, const char *key, pid_t pid)
{
        if (pid > 0)
                hot__json_integer(json, key, pid);
        else
                hot__json_null(json, key);
}

/*
 * Is /proc that of our own PID namespace? In a new one where nobody has mounted it again a number there is
 * another process' than here.
 */
static bool proc_is_ours(void)
{
        char ours[16], seen[16] = "";

        snprintf(ours, sizeof(ours), "%d", (int)getpid());
        return readlink("/proc/self", seen, sizeof(seen) - 1) > 0 && strcmp(ours, seen) == 0;
}

/* Where /proc tells of a process. Returns false if it cannot be asked. */
static bool proc_path(pid_t pid, const char *name, char *ret, size_t size)
{
        if (pid == getpid())
                snprintf(ret, size, "/proc/self/%s", name);
        else
                snprintf(ret, size, "/proc/%d/%s", (int)pid, name);
        return pid == getpid() || proc_is_ours();
}

/* The file that a process runs, if it still has the path that the kernel knows it by. */
static bool find_program(pid_t pid, char *ret, struct stat *ret_running)
{
        char link[32];
        struct stat there;
        ssize_t n;

        if (!proc_path(pid, "exe", link, sizeof(link)) || stat(link, ret_running) < 0)
                return false;
        n = readlink(link, ret, PATH_MAX - 1);
        if (n <= 0)
                return false;
        ret[n] = '\0';
        return stat(ret, &there) == 0 && there.st_dev == ret_running->st_dev &&
               there.st_ino == ret_running->st_ino;
}

static void write_program(struct hot__json *json, pid_t pid)
{
        char path[PATH_MAX];
        struct stat running;

        if (find_program(pid, path, &running))
                hot__json_string(json, "program", path);
        else
                hot__json_null(json, "program");
}

/* What was executed is the better name for what an interpreter runs, or what has no path any more. */
static void write_successors_program(const struct hot *hot, struct hot__json *json)
{
        char path[PATH_MAX];
        struct stat running;

        if (find_program(hot->successor_process.pid, path, &running) &&
            running.st_dev == hot->successor_id.dev && running.st_ino == hot->successor_id.ino)
                hot__json_string(json, "program", path);
        else
                hot__json_string(json, "program", hot->successor_path);
}

static void write_build_id(struct hot__json *json, pid_t pid)
{
        CLEANUP(hot__fd_closep) int fd = -EBADF;
        char path[32], id[HOT__BUILDID_MAX];

        /* What the link names cannot be written while it runs, and no FIFO can run. */
        if (proc_path(pid, "exe", path, sizeof(path)))
                fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0 && hot__buildid_read(fd, id) == 0)
                hot__json_string(json, "build_id", id);
        else
                hot__json_null(json, "build_id");
}

/* What is left of a deadline. */
static void write_left(struct hot__json *json, const char *key, uint64_t deadline)
{
        uint64_t now = hot__now();

        if (!deadline)
                hot__json_null(json, key);
        else
                hot__json_unsigned(json, key, deadline > now ? (deadline - now) / 1000000 : 0);
}

static uint64_t since(uint64_t then)
{
        return (hot__now() - then) / 1000000;
}

/* Everybody who can be asked for by pid. */
static void write_pids(const struct hot *hot, struct hot__json *json)
{
        hot__json_begin_array(json, "pids");
        hot__json_integer(json, NULL, getpid());
        if (hot->init.pid > 0)
                hot__json_integer(json, NULL, hot->init.pid);
        if (hot->predecessor_process.pid > 0)
                hot__json_integer(json, NULL, hot->predecessor_process.pid);
        if (hot->successor_process.pid > 0)
                hot__json_integer(json, NULL, hot->successor_process.pid);
        for (size_t i = 0; i < hot->n_ancestors; i++)
                hot__json_integer(json, NULL, hot->ancestors[i].process.pid);
        hot__json_end_array(json);
}

/* They are gone, or among those above. */
static void write_former(const struct hot *hot, struct hot__json *json)
{
        hot__json_begin_array(json, "former");
        for (size_t i = 0; i < hot->control->n_former; i++)
                hot__json_integer(json, NULL, hot->control->former[i]);
        hot__json_end_array(json);
}

/* Tells whether these pids are those of whoever reads them. */
static void write_pid_namespace(struct hot__json *json)
{
        struct stat st;

        if (stat("/proc/self/ns/pid", &st) == 0)
                hot__json_unsigned(json, "pid_namespace", st.st_ino);
        else
                hot__json_null(json, "pid_namespace");
}

static void write_self(const struct hot *hot, struct hot__json *json)
{
        hot__json_unsigned(json, "generation", hot->generation);
        hot__json_integer(json, "pid", getpid());
}

void hot__answer_hello(const struct hot *hot, struct hot__json *json)
{
        hot__json_begin_object(json, NULL);
        hot__json_string(json, "type", "hello");
        hot__json_integer(json, "hotstart", PROTOCOL);
        hot__json_string(json, "version", HOT_VERSION);
        write_self(hot, json);
        write_pids(hot, json);
        write_former(hot, json);
        write_pid_namespace(json);
        hot__json_end_object(json);
}

void hot__answer_stopping(const struct hot *hot, struct hot__json *json)
{
        hot__json_begin_object(json, NULL);
        hot__json_string(json, "type", "stopping");
        write_self(hot, json);
        write_pids(hot, json);
        hot__json_end_object(json);
}

/* ---- outcomes ---- */

void hot__answer_committed(const struct hot *hot, struct hot__json *json)
{
        pid_t pid = hot->successor_process.pid;

        hot__json_begin_object(json, NULL);
        hot__json_string(json, "type", "restart");
        hot__json_string(json, "outcome", "committed");
        hot__json_unsigned(json, "generation", hot->generation + 1);
        hot__json_integer(json, "pid", pid);
        write_successors_program(hot, json);
        write_build_id(json, pid);
        hot__json_end_object(json);
}

static const char *reason_name(int reason)
{
        static const char *const names[] = {
                [HOT_REASON_ERROR] = "error",     [HOT_REASON_EXITED] = "exited",
                [HOT_REASON_TIMEOUT] = "timeout", [HOT_REASON_PROTOCOL] = "protocol",
                [HOT_REASON_VERSION] = "version", [HOT_REASON_STRANGER] = "stranger",
                [HOT_REASON_REFUSED] = "refused", [HOT_REASON_ABORTED] = "aborted",
        };
        size_t n = sizeof(names) / sizeof(names[0]);

        return reason > 0 && (size_t)reason < n && names[reason] ? names[reason] : "?";
}

static void write_end(struct hot__json *json, int wait_status)
{
        if (wait_status >= 0 && WIFEXITED(wait_status))
                hot__json_integer(json, "exit_status", WEXITSTATUS(wait_status));
        else
                hot__json_null(json, "exit_status");
        if (wait_status >= 0 && WIFSIGNALED(wait_status))
                hot__json_integer(json, "signal", WTERMSIG(wait_status));
        else
                hot__json_null(json, "signal");
}

static void write_error(struct hot__json *json, int error)
{
        const char *name = error > 0 ? strerrorname_np(error) : NULL;

        if (name)
                hot__json_string(json, "error", name);
        else
                hot__json_null(json, "error");
}

static void write_failure(struct hot__json *json, const struct hot__failure *failure)
{
        struct hot_failure detail = failure->detail;
        char words[1024];

        /* A copy's pointers lead into what it was copied from. */
        detail.subject = failure->subject;
        detail.words = failure->words;
        hot__json_string(json, "step", hot_step_name(detail.step));
        hot__json_string(json, "reason", reason_name(detail.reason));
        hot__json_string(json, "message", hot_failure_string(&detail, words, sizeof(words)));
        write_error(json, detail.error);
        write_end(json, detail.wait_status);
        write_pid(json, "pid", detail.pid);
        hot__json_string(json, "program", failure->subject);
}

void hot__answer_rolled_back(const struct hot *hot, const struct hot__failure *failure,
                             const char *tail, struct hot__json *json)
{
        hot__json_begin_object(json, NULL);
        hot__json_string(json, "type", "restart");
        hot__json_string(json, "outcome", "rolled-back");
        write_failure(json, failure);
        hot__json_string(json, "stderr", tail);
        hot__json_begin_object(json, "serving");
        write_self(hot, json);
        hot__json_end_object(json);
        hot__json_end_object(json);
}

void hot__answer_step(const struct hot_event *event, struct hot__json *json)
{
        hot__json_begin_object(json, NULL);
        hot__json_string(json, "type", "step");
        hot__json_string(json, "step", hot_step_name(event->step));
        write_pid(json, "pid", event->pid);
        hot__json_unsigned(json, "generation", event->generation);
        hot__json_string(json, "detail", event->detail);
        hot__json_end_object(json);
}

/* ---- status ---- */

/* A host counts the connections that cannot move under names that begin so. */
#define PINNED "pinned-"

static bool is_pinned(const struct hot__figure *figure)
{
        return strncmp(figure->name, PINNED, strlen(PINNED)) == 0;
}

static void write_figure(struct hot__json *json, const struct hot__figure *figure, size_t skip)
{
        hot__json_integer(json, figure->name + skip,
                          __atomic_load_n(figure->value, __ATOMIC_RELAXED));
}

static void write_figures(const struct hot *hot, struct hot__json *json)
{
        hot__json_begin_object(json, "figures");
        for (size_t i = 0; i < hot->n_figures; i++)
                if (!is_pinned(&hot->figures[i]))
                        write_figure(json, &hot->figures[i], 0);
        hot__json_end_object(json);
}

static void write_pinned(const struct hot *hot, struct hot__json *json)
{
        hot__json_begin_object(json, "pinned");
        for (size_t i = 0; i < hot->n_figures; i++)
                if (is_pinned(&hot->figures[i]))
                        write_figure(json, &hot->figures[i], strlen(PINNED));
        hot__json_end_object(json);
}

/* Live connections: those that we gave away, and those that we were given. */
static void write_handover(const struct hot *hot, struct hot__json *json)
{
        const struct hot__giving *giving = &hot->giving;
        const struct hot__taking *taking = &hot->taking;

        hot__json_begin_object(json, "handover");
        hot__json_unsigned(json, "given", giving->n_given);
        hot__json_unsigned(json, "accepted", giving->n_accepted);
        hot__json_unsigned(json, "returned", giving->n_returned);
        hot__json_unsigned(json, "frozen", giving->frozen.n);
        hot__json_unsigned(json, "took_ns", giving->ended - giving->began);
        hot__json_unsigned(json, "received", taking->n_taken);
        hot__json_unsigned(json, "receiving_ns", taking->ended - taking->began);
        write_pinned(hot, json);
        hot__json_end_object(json);
}

static void write_failures(const struct hot *hot, struct hot__json *json)
{
        const struct hot__control *control = hot->control;

        hot__json_begin_array(json, "failures");
        for (size_t i = 0; control && i < control->n_failures; i++) {
                hot__json_begin_object(json, NULL);
                hot__json_unsigned(json, "age_ms", since(control->failed_at[i]));
                write_failure(json, &control->failures[i]);
                hot__json_end_object(json);
        }
        hot__json_end_array(json);
}

/* While it prepares its successor, it serves. */
static const char *own_phase(const struct hot *hot)
{
        if (hot__lifecycle_is_restarting(&hot->life) && hot->life.phase < HOT__PHASE_QUIESCING)
                return hot__phase_name(HOT__PHASE_SERVING);
        return hot__phase_name(hot->life.phase);
}

static uint64_t own_deadline(const struct hot *hot)
{
        if (hot__lifecycle_has_successor(&hot->life))
                return hot->drain_deadline;
        return hot->life.phase >= HOT__PHASE_STOPPING ? hot->deadline : 0;
}

void hot__answer_generation(const struct hot *hot, bool with_failures, struct hot__json *json)
{
        hot__json_begin_object(json, NULL);
        write_self(hot, json);
        hot__json_string(json, "phase", own_phase(hot));
        hot__json_unsigned(json, "age_ms", since(hot->opened));
        write_program(json, getpid());
        write_build_id(json, getpid());
        hot__json_unsigned(json, "held", atomic_load(&hot->holds));
        write_figures(hot, json);
        write_handover(hot, json);
        write_left(json, "deadline_ms", own_deadline(hot));
        write_left(json, "probation_ms",
                   hot->life.phase == HOT__PHASE_PROBATION ? hot->deadline : 0);
        if (with_failures)
                write_failures(hot, json);
        hot__json_end_object(json);
}

/* The one that is to come. */
static void write_successor(const struct hot *hot, struct hot__json *json)
{
        if (!hot__lifecycle_is_restarting(&hot->life) || hot->successor_process.pid <= 0)
                return;
        hot__json_begin_object(json, NULL);
        hot__json_unsigned(json, "generation", hot->generation + 1);
        hot__json_integer(json, "pid", hot->successor_process.pid);
        hot__json_string(json, "phase", hot__phase_name(hot->life.phase));
        hot__json_null(json, "age_ms");
        write_successors_program(hot, json);
        write_build_id(json, hot->successor_process.pid);
        hot__json_null(json, "held");
        hot__json_begin_object(json, "figures");
        hot__json_end_object(json);
        write_left(json, "deadline_ms", hot->deadline);
        hot__json_null(json, "probation_ms");
        hot__json_end_object(json);
}

static void write_silent(const struct hot__control_report *report, struct hot__json *json)
{
        hot__json_begin_object(json, NULL);
        hot__json_unsigned(json, "generation", report->generation);
        hot__json_integer(json, "pid", report->pid);
        hot__json_string(json, "phase", "silent");
        hot__json_end_object(json);
}

/* Those whose channels we have still: our successor gets them when we retire, and knows only us till then. */
void hot__answer_ancestors(const struct hot *hot, struct hot__json *json)
{
        for (size_t i = hot->n_ancestors; i-- > 0;) {
                hot__json_begin_object(json, NULL);
                hot__json_unsigned(json, "generation", hot->ancestors[i].generation);
                hot__json_integer(json, "pid", hot->ancestors[i].process.pid);
                hot__json_string(json, "phase", hot__phase_name(HOT__PHASE_DRAINING));
                hot__json_end_object(json);
        }
}

static void write_generations(const struct hot *hot, struct hot__json *json)
{
        struct hot__json own = {0};

        hot__json_begin_array(json, "generations");
        write_successor(hot, json);
        hot__answer_generation(hot, true, &own);
        hot__json_verbatim(json, NULL, own.text, own.len);
        json->failed |= own.failed;
        hot__json_done(&own);
        /* The youngest first: they are kept with the oldest first. */
        for (size_t i = hot->control->n_reports; i-- > 0;) {
                const struct hot__control_report *report = &hot->control->reports[i];

                if (report->text)
                        hot__json_verbatim(json, NULL, report->text, strlen(report->text));
                else
                        write_silent(report, json);
        }
        hot__json_end_array(json);
}

static void write_listeners(const struct hot *hot, struct hot__json *json)
{
        hot__json_begin_array(json, "listeners");
        for (size_t i = 0; i < hot->n_listeners; i++) {
                const struct hot__listener *l = &hot->listeners[i];
                char address[HOT__ADDRESS_MAX];

                /* What nobody claimed is held for an older generation. */
                if (l->fd < 0 || !l->claimed)
                        continue;
                hot__json_begin_object(json, NULL);
                hot__json_string(json, "name", l->name);
                if (hot_listener_address(l->fd, address, sizeof(address)) == 0)
                        hot__json_string(json, "address", address);
                else
                        hot__json_null(json, "address");
                hot__json_string(json, "asked", l->address);
                hot__json_integer(json, "fd", l->fd);
                hot__json_end_object(json);
        }
        hot__json_end_array(json);
}

void hot__answer_status(const struct hot *hot, struct hot__json *json)
{
        hot__json_begin_object(json, NULL);
        hot__json_string(json, "type", "status");
        hot__json_string(json, "version", HOT_VERSION);
        write_self(hot, json);
        hot__json_string(json, "phase", hot__phase_name(hot->life.phase));
        hot__json_boolean(json, "held", hot->life.phase == HOT__PHASE_HELD);
        write_generations(hot, json);
        write_listeners(hot, json);
        write_failures(hot, json);
        hot__json_end_object(json);
}
