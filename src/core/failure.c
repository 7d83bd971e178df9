/* SPDX-License-Identifier: MIT */
#include "hot.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/*
 * Failures: kept as numbers, told in words. This is the one place that says in English what happened, on
 * one line, for a log or a terminal.
 *
 * Each step has its own words for a process that ended, and for a deadline that passed: "exited" alone
 * would not say what the next reader wants to know, how far it came.
 */

void hot__failure_fill(struct hot__failure *failure, enum hot_step step, enum hot_reason reason,
                       int error, const char *subject)
{
        *failure = (struct hot__failure){
                .detail = {.step = (int)step,
                           .reason = (int)reason,
                           .error = error,
                           .wait_status = -1,
                           .fd = -EBADF},
        };
        strncpy(failure->subject, subject, sizeof(failure->subject) - 1);
        failure->detail.subject = failure->subject;
        failure->detail.words = failure->words;
}

int hot__failure_set(struct hot *hot, enum hot_step step, int error, int fd, const char *subject)
{
        hot__failure_fill(&hot->failure, step, HOT_REASON_ERROR, error, subject);
        hot->failure.detail.fd = fd;
        hot->failed = true;
        return -error;
}

const struct hot_failure *hot_failure(const struct hot *hot)
{
        return hot && hot->failed ? &hot->failure.detail : NULL;
}

struct step_words {
        const char *name;
        const char *before;   /* how far a process came that ended here */
        const char *late;     /* what was not done within the deadline */
        const char *deadline; /* which one that is */
        bool ours;            /* it was for this process to do, not for the other one */
};

static const struct step_words steps[] = {
        [HOT_STEP_OPEN] = {"open", NULL, "made no offer", "start", false},
        [HOT_STEP_LISTEN] = {"listen", NULL, NULL, NULL, false},
        [HOT_STEP_TRIGGER] = {"trigger", NULL, NULL, NULL, false},
        [HOT_STEP_PREFLIGHT] = {"preflight", NULL, NULL, NULL, false},
        [HOT_STEP_SPAWN] = {"spawn", "before it ran", "did not run", "start", false},
        [HOT_STEP_HELLO] = {"hello", "before it said hello", "did not say hello", "start", false},
        [HOT_STEP_OFFER] = {"offer", "before it took what it inherits",
                            "did not take what it inherits", "start", false},
        [HOT_STEP_READY] = {"ready", "before it was ready", "was not ready", "start", false},
        [HOT_STEP_QUIESCE] = {"quiesce", "before this process had stopped accepting",
                              "did not stop accepting", "quiesce", true},
        [HOT_STEP_COMMIT] = {"commit", "before it was committed", "did not serve", "serve", false},
        [HOT_STEP_SERVING] = {"serving", "before it served", "did not serve", "serve", false},
        [HOT_STEP_DRAIN] = {"drain", NULL, "did not finish what it had", "drain", true},
        [HOT_STEP_RETIRE] = {"retire", "while it waited for the generation before this one",
                             "had to wait for the generation before this one", "start", false},
        [HOT_STEP_EXIT] = {"exit", NULL, NULL, NULL, false},
        [HOT_STEP_CHECK] = {"check", "when it checked", "did not end its check", "start", false},
        [HOT_STEP_HELD] = {"held", "while it waited for the word", NULL, NULL, false},
        [HOT_STEP_CONTROL] = {"control", NULL, NULL, NULL, false},
        [HOT_STEP_PROBATION] = {"probation", "in its probation", NULL, NULL, false},
};

static const struct step_words *find_step(int step)
{
        static const struct step_words unknown = {.name = "?"};

        if (step < HOT_STEP_OPEN || (size_t)step >= sizeof(steps) / sizeof(steps[0]))
                return &unknown;
        return &steps[step];
}

const char *hot_version(void)
{
        return HOT_VERSION;
}

const char *hot_step_name(int step)
{
        return find_step(step)->name;
}

/* Text that ends where the buffer does. */
struct text {
        char *at;
        size_t size, len;
};

__attribute__((format(printf, 2, 3))) static void say(struct text *text, const char *format, ...)
{
        va_list args;
        int n;

        va_start(args, format);
        n = vsnprintf(text->at + text->len, text->size - text->len, format, args);
        va_end(args);
        if (n > 0 && (size_t)n < text->size - text->len)
                text->len += (size_t)n;
        else if (n > 0)
                text->len = text->size - 1;
}

static void say_error(struct text *text, int error)
{
        const char *words = strerrordesc_np(error);

        if (error == EADDRINUSE)
                say(text, "address in use");
        else if (words)
                say(text, "%s", words);
        else
                say(text, "error %d", error);
}

/* "process 4711 (./server)" */
static void say_process(struct text *text, const struct hot_failure *failure)
{
        if (failure->pid > 0)
                say(text, "process %d", (int)failure->pid);
        else
                say(text, "the other process");
        if (failure->subject && failure->subject[0])
                say(text, " (%s)", failure->subject);
}

/* "descriptor 3 (announced by HOT_CONTINUE) is not a socket" */
static void say_descriptor(struct text *text, const struct hot_failure *failure)
{
        bool has_subject = failure->subject && failure->subject[0];

        if (has_subject && failure->step != HOT_STEP_OPEN)
                say(text, "%s: ", failure->subject);
        say(text, "descriptor %d", failure->fd);
        if (has_subject && failure->step == HOT_STEP_OPEN)
                say(text, " (announced by %s)", failure->subject);
        switch (failure->error) {
        case EBADF:
                say(text, " is not open");
                break;
        case ENOTSOCK:
                say(text, " is not a socket");
                break;
        case EDESTADDRREQ:
                say(text, " is a socket that does not listen");
                break;
        case 0:
                say(text, " is of no use");
                break;
        default:
                say(text, ": ");
                say_error(text, failure->error);
        }
}

/* Where the kernel's words mislead: what an error means at this step, or NULL. */
static const char *words_at(const struct hot_failure *failure)
{
        if (failure->step == HOT_STEP_SPAWN && failure->error == ENOENT)
                return "its interpreter or loader does not exist"; /* the file was found before */
        if (failure->step != HOT_STEP_LISTEN)
                return NULL;
        switch (failure->error) {
        case EINVAL:
                return "no address (HOST:PORT, :PORT, [V6]:PORT, unix:/PATH), or no name for one";
        case EEXIST:
                return "asked for twice";
        case ENXIO:
                return "the host, the port or the owner has a name that is not known";
        case ENOTSOCK:
                return "exists and is no socket; left alone";
        default:
                return NULL;
        }
}

/* "./server: Exec format error" */
static void say_call(struct text *text, const struct hot_failure *failure)
{
        const char *words = words_at(failure);

        if (failure->subject && failure->subject[0])
                say(text, "%s: ", failure->subject);
        if (words)
                say(text, "%s", words);
        else if (failure->error)
                say_error(text, failure->error);
        else
                say(text, "failed");
}

static void say_signal(struct text *text, int number)
{
        const char *name = sigabbrev_np(number);

        say(text, " was killed by signal %d", number);
        if (name)
                say(text, " (SIG%s)", name);
}

/* "process 4711 (./server) exited with status 1 before it said hello" */
static void say_exited(struct text *text, const struct hot_failure *failure)
{
        const char *before = find_step(failure->step)->before;
        int status = failure->wait_status;

        say_process(text, failure);
        if (status >= 0 && WIFEXITED(status)) {
                say(text, " exited with status %d", WEXITSTATUS(status));
        } else if (status >= 0 && WIFSIGNALED(status)) {
                say_signal(text, WTERMSIG(status));
                if (WCOREDUMP(status))
                        say(text, before ? ", core dumped," : ", core dumped");
        } else {
                say(text, " ended");
        }
        if (before)
                say(text, " %s", before);
}

/* "process 4711 was not ready within its start deadline; killed" */
static void say_timeout(struct text *text, const struct hot_failure *failure)
{
        const struct step_words *step = find_step(failure->step);

        if (!step->late) {
                say(text, "the deadline passed");
                return;
        }
        if (step->ours)
                say(text, "this process");
        else
                say_process(text, failure);
        say(text, " %s within its %s deadline", step->late, step->deadline);
        if (failure->pid <= 0 || step->before == NULL)
                return;
        if (step->ours)
                say(text, "; process %d killed", (int)failure->pid);
        else
                say(text, "; killed");
}

static void say_protocol(struct text *text, const struct hot_failure *failure)
{
        say_process(text, failure);
        say(text, " broke the handover protocol");
        if (failure->error && failure->error != EPROTO) {
                say(text, ": ");
                say_error(text, failure->error);
        }
}

static void say_refused(struct text *text, const struct hot_failure *failure)
{
        say_process(text, failure);
        say(text, " refused what it was offered");
        if (failure->words && failure->words[0]) {
                say(text, ": %s", failure->words);
        } else if (failure->error) {
                say(text, ": ");
                say_error(text, failure->error);
        }
}

static void say_stranger(struct text *text, const struct hot_failure *failure)
{
        if (failure->pid > 0) {
                if (failure->other > 0)
                        say(text, "process %d", (int)failure->other);
                else
                        say(text, "another process");
                say(text, " answered instead of the started ");
                say_process(text, failure);
        } else {
                say(text, "this process is not the one that was started");
        }
        say(text, ": the program was started through another one that did not exec");
}

static void say_reason(struct text *text, const struct hot_failure *failure)
{
        switch (failure->reason) {
        case HOT_REASON_EXITED:
                say_exited(text, failure);
                break;
        case HOT_REASON_TIMEOUT:
                say_timeout(text, failure);
                break;
        case HOT_REASON_PROTOCOL:
                say_protocol(text, failure);
                break;
        case HOT_REASON_VERSION:
                say_process(text, failure);
                say(text, " speaks no version of the handover protocol that this one speaks");
                break;
        case HOT_REASON_STRANGER:
                say_stranger(text, failure);
                break;
        case HOT_REASON_ABORTED:
                say(text, "the restart was aborted; ");
                say_process(text, failure);
                say(text, " killed");
                break;
        case HOT_REASON_REFUSED:
                say_refused(text, failure);
                break;
        default:
                if (failure->fd >= 0)
                        say_descriptor(text, failure);
                else
                        say_call(text, failure);
        }
}

const char *hot_failure_string(const struct hot_failure *failure, char *buffer, size_t size)
{
        struct text text = {.at = buffer, .size = size};

        if (size == 0)
                return buffer;
        buffer[0] = 0;
        if (!failure)
                return buffer;
        say(&text, "%s: ", hot_step_name(failure->step));
        say_reason(&text, failure);
        /* A path may hold anything; what goes to a log stays one line and sends no escapes. */
        for (char *c = buffer; *c; c++)
                if ((unsigned char)*c < ' ' || *c == 127)
                        *c = '?';
        return buffer;
}
