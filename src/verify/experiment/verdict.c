/* SPDX-License-Identifier: MIT */
/*
 * The seed's author asked these questions of lsof's listings. Each is answered by one function, which
 * writes why and returns whether the answer is yes; what could not be measured is no.
 */
#include "verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "paper.h"
#include "patience.h"

#define EVIDENCE_MAX 2048
#define FIRST_FD     3 /* SD_LISTEN_FDS_START, and where the seed expects its listener */

__attribute__((format(printf, 2, 3))) static void say(char *text, const char *format, ...)
{
        size_t used = strlen(text);
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text + used, EVIDENCE_MAX - used, format, arguments);
        va_end(arguments);
}

static const char *or_unset(const char *value)
{
        return value[0] ? value : "(not set)";
}

static double milliseconds(uint64_t from, uint64_t to)
{
        return ((double)to - (double)from) / (double)MILLISECOND;
}

/* The connection of the slow request, in a table. */
static const struct hot_inspect_fd *slow_connection(const struct evidence *evidence,
                                                    const struct hot_inspect *process)
{
        const struct hot_inspect_fd *fd;

        for (size_t i = 0; (fd = hot_inspect_at(process, i)); i++)
                if (fd->kind == HOT_INSPECT_TCP && strcmp(fd->peer, evidence->slow.local) == 0)
                        return fd;
        return NULL;
}

static bool slow_finished_in_the_old(const struct evidence *evidence, char *why)
{
        const struct request *slow = &evidence->slow;
        pid_t old = evidence->generations[0].pid;
        const struct answer *first = traffic_first_of_another(&evidence->traffic[0], old);
        const struct hot_inspect_fd *held = slow_connection(evidence, evidence->during[0]);

        if (slow->error) {
                say(why, "GET /hello failed: %s.", strerror(slow->error));
                return false;
        }
        say(why,
            "GET /hello was answered by %d with status %d and \"%.40s\", %.0f ms after it began "
            "and "
            "%.0f ms after the new process had answered its first request.",
            slow->pid, slow->status, slow->body, milliseconds(slow->begin, slow->end),
            milliseconds(first->end, slow->end));
        if (held)
                say(why, " Meanwhile its connection was descriptor %d of the old process.",
                    held->fd);
        return request_is_good(slow, SLOW_BODY) && slow->pid == old && slow->end > first->end &&
               held && !slow_connection(evidence, evidence->during[1]);
}

/* How one restart's fast requests went. */
struct tally {
        unsigned int by_old, by_new, bad;
        unsigned int late,
                late_elsewhere; /* begun after the new one's first answer; not answered by it */
};

static struct tally tally(const struct evidence *evidence, size_t restart)
{
        const struct traffic *traffic = &evidence->traffic[restart];
        pid_t old = evidence->generations[restart].pid,
              new = evidence->generations[restart + 1].pid;
        const struct answer *first = traffic_first_of_another(traffic, old);
        struct tally tally = {0};

        for (size_t i = 0; i < traffic->n; i++) {
                const struct answer *answer = &traffic->answers[i];
                bool late = first && answer->begin > first->end;

                tally.bad += !answer->good;
                tally.by_old += answer->good && answer->pid == old;
                tally.by_new += answer->good && answer->pid == new;
                tally.late += late;
                tally.late_elsewhere += late && answer->pid != new;
        }
        return tally;
}

static bool new_answered_the_others(const struct evidence *evidence, char *why)
{
        struct tally first = tally(evidence, 0), second = tally(evidence, 1);
        size_t n = evidence->traffic[0].n;

        say(why,
            "Of %zu fast requests, each on a new connection, the old process answered %u and the "
            "new "
            "one %u; %u failed. All %u that began after the new one's first answer went to it",
            n, first.by_old, first.by_new, first.bad, first.late);
        if (first.late_elsewhere)
                say(why, ", but for %u", first.late_elsewhere);
        say(why, ". In the second restart: %u, %u, %u failed.", second.by_old, second.by_new,
            second.bad);
        return first.bad + second.bad + first.late_elsewhere + second.late_elsewhere == 0 &&
               first.late > 0 && second.by_new > 0 && first.by_old + first.by_new == n;
}

static bool only_one_accepted(const struct evidence *evidence, char *why)
{
        bool holds = true;

        for (size_t i = 0; i < N_RESTARTS; i++) {
                const struct acceptors *seen = &evidence->acceptors[i];
                uint64_t zero = evidence->restarted[i];

                say(why,
                    "%sRestart %zu: in %u looks at both processes' epolls the listener was in one "
                    "of "
                    "the old process %u times, of the new one %u, of neither %u, of both %u.",
                    i > 0 ? " " : "", i + 1,
                    seen->n_old + seen->n_new + seen->n_none + seen->n_both, seen->n_old,
                    seen->n_new, seen->n_none, seen->n_both);
                if (seen->old_left && seen->new_came)
                        say(why,
                            " It was first seen gone from the old after %.1f ms, in the new after "
                            "%.1f ms (at most %.1f ms between two looks).",
                            milliseconds(zero, seen->old_left), milliseconds(zero, seen->new_came),
                            milliseconds(0, seen->resolution));
                if (seen->n_both > 0 || seen->n_old == 0 || seen->n_new == 0 ||
                    tally(evidence, i).late_elsewhere > 0)
                        holds = false;
        }
        say(why, " In between, connections wait in the kernel's queue, which both processes hold.");
        return holds;
}

static bool nothing_left_behind(const struct evidence *evidence, char *why)
{
        char found[EVIDENCE_MAX / 2] = "";
        unsigned int wrong =
                audit_differences(evidence->after, evidence->last, found, sizeof(found));

        wrong += audit_strays(evidence->last, found, sizeof(found));
        say(why,
            "Generation 2 after one restart has %zu descriptors, generation 3 after another has "
            "%zu",
            hot_inspect_count(evidence->after), hot_inspect_count(evidence->last));
        if (wrong > 0)
                say(why, ": %s.", found);
        else
                say(why,
                    ": the same numbers, kinds, access modes and CLOEXEC flags, no connection, no "
                    "handle of a process that has ended, no half of a broken pair.");
        return wrong == 0;
}

/* How a process holds the listener, in a table. */
static struct holding holding(const struct evidence *evidence, const struct hot_inspect *process)
{
        struct holding holding = {.fd = -1};
        const struct hot_inspect_fd *fd;

        for (size_t i = 0; (fd = hot_inspect_at(process, i)); i++) {
                if (fd->kind != HOT_INSPECT_TCP || fd->inode != evidence->listener)
                        continue;
                if (holding.fd < 0)
                        holding.fd = fd->fd;
                holding.set |= fd->cloexec;
                holding.clear |= !fd->cloexec;
        }
        return holding;
}

static unsigned int count_other_listeners(const struct evidence *evidence,
                                          const struct hot_inspect *process)
{
        const struct hot_inspect_fd *fd;
        unsigned int n = 0;

        for (size_t i = 0; (fd = hot_inspect_at(process, i)); i++)
                n += fd->kind == HOT_INSPECT_TCP && fd->listening &&
                     fd->inode != evidence->listener;
        return n;
}

/* Every generation that serves has it. The old one may have let go of it once the new one serves. */
static bool same_listener(const struct evidence *evidence, char *why)
{
        const struct hot_inspect *serving[] = {evidence->before, evidence->during[1],
                                               evidence->after, evidence->last};
        const size_t n = sizeof(serving) / sizeof(*serving);
        unsigned int with = 0, others = count_other_listeners(evidence, evidence->during[0]);

        for (size_t i = 0; i < n; i++) {
                with += holding(evidence, serving[i]).fd >= 0;
                others += count_other_listeners(evidence, serving[i]);
        }
        say(why,
            "socket:[%llu] is in %u of the %zu tables of a process that serves; another listener "
            "is in "
            "%u.",
            (unsigned long long)evidence->listener, with, n, others);
        if (with == n && others == 0)
                say(why,
                    " It was never bound again: one open file with one queue of connections, that "
                    "descriptors of several processes name.");
        return with == n && others == 0;
}

/* The numbers that the listener has in a table, as text. Returns the lowest, or -1. */
static int listener_numbers(const struct evidence *evidence, const struct hot_inspect *process,
                            char *text, size_t size)
{
        const struct hot_inspect_fd *fd;
        size_t used = 0;
        int lowest = -1;

        snprintf(text, size, "not there");
        for (size_t i = 0; (fd = hot_inspect_at(process, i)); i++) {
                if (fd->kind != HOT_INSPECT_TCP || fd->inode != evidence->listener)
                        continue;
                if (used < size)
                        used += (size_t)snprintf(text + used, size - used, "%s%d",
                                                 lowest >= 0 ? " and " : "", fd->fd);
                if (lowest < 0)
                        lowest = fd->fd;
        }
        return lowest;
}

/* What has the numbers from 3 up to the listener's: "3 epoll, 4 eventfd". Returns how many are free. */
static unsigned int name_lower(const struct hot_inspect *process, int listener, char *why)
{
        const struct hot_inspect_fd *fd;
        unsigned int n_free = 0;

        for (int i = FIRST_FD; i < listener; i++) {
                fd = hot_inspect_find(process, i);
                n_free += !fd;
                say(why, "%s%d %s", i > FIRST_FD ? ", " : "", i,
                    fd ? hot_inspect_kind_name(fd->kind) : "free");
        }
        return n_free;
}

static bool number_is_explained(const struct evidence *evidence, char *why)
{
        char in_first[128], in_second[128], in_third[128];
        int first = listener_numbers(evidence, evidence->before, in_first, sizeof(in_first));
        int second = listener_numbers(evidence, evidence->after, in_second, sizeof(in_second));
        int third = listener_numbers(evidence, evidence->last, in_third, sizeof(in_third));
        unsigned int n_free = 0;

        say(why, "In generation 1 it is %s: socket(2) gives the lowest number that is free",
            in_first);
        if (first > FIRST_FD) {
                say(why, ", and before it come ");
                n_free = name_lower(evidence->before, first, why);
        }
        say(why,
            ". In generations 2 and 3 it is %s and %s: the old process lays out the table of the "
            "new "
            "one, listeners from 3 on as systemd and the seed have it, and says so with "
            "LISTEN_FDS=%s.",
            in_second, in_third, or_unset(evidence->listen_fds));
        if (strchr(in_first, ' ') || strchr(in_second, ' '))
                say(why,
                    " The higher numbers are copies that the program made for its event loops.");
        return n_free == 0 && first >= FIRST_FD && second == FIRST_FD && third == FIRST_FD &&
               strtol(evidence->listen_fds, NULL, 10) >= 1;
}

static bool cloexec_is_explained(const struct evidence *evidence, char *why)
{
        const struct acceptors *seen = &evidence->acceptors[0];
        struct holding before = holding(evidence, evidence->before);
        struct holding during = holding(evidence, evidence->during[1]);
        struct holding after = holding(evidence, evidence->after);
        bool in_old = before.set && !before.clear && seen->old_set > 0 && seen->old_clear == 0;
        bool in_new = during.set && !during.clear && after.set && !after.clear;
        bool executed_with_it =
                strtol(evidence->listen_pid, NULL, 10) == evidence->generations[1].pid &&
                strtol(evidence->listen_fds, NULL, 10) >= 1;

        say(why,
            "In the old process the flag was seen set %u times and clear %u times, in the new one "
            "set "
            "%u times and clear %u times before that. The new one was executed with LISTEN_FDS=%s "
            "and "
            "LISTEN_PID=%s.",
            seen->old_set, seen->old_clear, seen->new_set, seen->new_clear,
            or_unset(evidence->listen_fds), or_unset(evidence->listen_pid));
        if (in_old && in_new && executed_with_it)
                say(why,
                    " The flag belongs to the descriptor, not to the open file. The old process "
                    "keeps it set, so that no other child gets the listener; between clone and "
                    "exec the new one clears it on its own copy, so exec keeps that; and it is set "
                    "again when the library opens.");
        else
                say(why, " It was %s in the old process, and is %s in the new one.",
                    in_old ? "always set" : "not always set", in_new ? "set" : "not set");
        return in_old && in_new && executed_with_it;
}

static bool name_is_explained(const struct evidence *evidence, char *why)
{
        const struct hot_inspect_fd *fd = hot_inspect_find(evidence->during[1], FIRST_FD);
        char expected[40];

        snprintf(expected, sizeof(expected), "socket:[%llu]",
                 (unsigned long long)evidence->listener);
        say(why,
            "The listener is named \"%s\": in LISTEN_FDNAMES, in the environment that %d was "
            "executed "
            "with. That is text in the memory of a process, as is the name that Go's os.NewFile "
            "takes. "
            "The kernel has no place for it: descriptor 3 is \"%s\" to /proc, and so to lsof.",
            or_unset(evidence->listen_names), evidence->generations[1].pid,
            fd ? fd->target : "closed");
        return evidence->listen_names[0] && fd && strcmp(fd->target, expected) == 0;
}

static bool all_ended(const struct evidence *evidence, char *why)
{
        bool holds = evidence->killed == 0;

        for (size_t i = 0; i < N_GENERATIONS; i++) {
                const struct generation *generation = &evidence->generations[i];

                if (!generation->ended)
                        say(why, "%d did not end. ", generation->pid);
                else
                        say(why, "%d ended with status %d. ", generation->pid,
                            generation->wait_status);
                holds = holds && generation->ended && generation->wait_status == 0;
        }
        say(why, "%u processes had to be killed.", evidence->killed);
        return holds;
}

static const struct {
        const char *question;
        bool (*answer)(const struct evidence *evidence, char *why);
} questions[] = {
        {"Did the slow request finish in the old process?", slow_finished_in_the_old},
        {"Did the new process answer the others?", new_answered_the_others},
        {"Did only one of them accept at any time?", only_one_accepted},
        {"Is it one listener all the time?", same_listener},
        {"Is no descriptor left behind?", nothing_left_behind},
        {"Is it clear why the listener has the number it has in each process?",
         number_is_explained},
        {"Is it clear how the child got it past FD_CLOEXEC?", cloexec_is_explained},
        {"Is it clear why its name does not show in lsof?", name_is_explained},
        {"Did every process end by itself?", all_ended},
};

bool verdict_give(const struct evidence *evidence)
{
        const size_t n = sizeof(questions) / sizeof(*questions);
        char why[EVIDENCE_MAX];
        unsigned int n_yes = 0;
        bool holds;

        for (size_t i = 0; i < n; i++) {
                why[0] = '\0';
                holds = questions[i].answer(evidence, why);
                paper_verdict(holds, questions[i].question, why);
                n_yes += holds;
        }
        paper_say("%u of %zu answers are yes.", n_yes, n);
        return n_yes == n;
}
