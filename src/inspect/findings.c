/* SPDX-License-Identifier: MIT */
#include "findings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const codes[] = {
        [HOT_FINDING_LISTENER_LOST] = "listener-lost",
        [HOT_FINDING_LISTENER_REBOUND] = "listener-rebound",
        [HOT_FINDING_QUEUE_AT_RISK] = "queue-at-risk",
        [HOT_FINDING_LEAK] = "leak",
        [HOT_FINDING_LEAK_OUTSIDE] = "leak-outside",
        [HOT_FINDING_EPOLL_STALE] = "epoll-stale",
        [HOT_FINDING_IN_FLIGHT] = "in-flight",
        [HOT_FINDING_IO_URING] = "io-uring",
        [HOT_FINDING_LOCK_LOST] = "lock-lost",
        [HOT_FINDING_PROGRAM_DELETED] = "program-deleted",
        [HOT_FINDING_GROWTH] = "growth",
        [HOT_FINDING_NEAR_LIMIT] = "near-limit",
};

const char *hot_finding_code_name(int code)
{
        return code > 0 && (size_t)code < sizeof(codes) / sizeof(*codes) ? codes[code] : "?";
}

const char *hot_finding_severity_name(int severity)
{
        return severity == HOT_FINDING_WARNING ? "warning"
               : severity == HOT_FINDING_ERROR ? "error"
                                               : "?";
}

void hot_findings_free(struct hot_findings *findings)
{
        if (!findings)
                return;
        free(findings->items);
        hot__arena_done(&findings->arena);
        free(findings);
}

size_t hot_findings_count(const struct hot_findings *findings)
{
        return findings->n;
}

const struct hot_finding *hot_findings_at(const struct hot_findings *findings, size_t index)
{
        return index < findings->n ? &findings->items[index] : NULL;
}

bool hot__check_wants(const struct hot__check *check, const struct hot_inspect *inspect)
{
        if (check->policy.want_process)
                return check->policy.want_process(&inspect->public, check->policy.data) != 0;
        return inspect->public.server != 0;
}

void hot__check_add(struct hot__check *check, int code, int severity,
                    const struct hot_inspect *inspect, int fd, const char *format, ...)
{
        struct hot_findings *findings = check->findings;
        struct hot_finding *larger;
        char text[1024];
        va_list arguments;
        int len;

        va_start(arguments, format);
        len = vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        larger = hot__row_grow(findings->items, findings->n, sizeof(*larger));
        if (!larger || len < 0) {
                check->error = -ENOMEM;
                return;
        }
        findings->items = larger;
        larger[findings->n] = (struct hot_finding){
                .code = code,
                .severity = severity,
                .pid = inspect->public.pid,
                .fd = fd,
                .text = hot__arena_copy(&findings->arena, text, strlen(text)),
        };
        if (larger[findings->n].text)
                findings->n++;
        else
                check->error = -ENOMEM;
}

const char *hot__check_who(const struct hot_inspect *inspect, char text[HOT__WHO_MAX])
{
        const struct hot_inspect_process *process = &inspect->public;

        if (process->generation > 0)
                snprintf(text, HOT__WHO_MAX, "generation %llu (pid %d)",
                         (unsigned long long)process->generation, process->pid);
        else
                snprintf(text, HOT__WHO_MAX, "pid %d (%s)", process->pid, process->name);
        return text;
}

const char *hot__check_name(const struct hot_inspect_fd *row)
{
        if (*row->local)
                return row->local;
        return *row->target ? row->target : hot_inspect_kind_name(row->kind);
}
