/* SPDX-License-Identifier: MIT */
/*
 * Findings, a line each: severity, code, sentence.
 */
#include "fds.h"

#include <stdio.h>

struct wanted {
        const struct fds_view *view;
        bool servers_only;
};

static int want_process(const struct hot_inspect_process *process, void *data)
{
        const struct wanted *wanted = data;

        if (wanted->servers_only && process->server == 0)
                return 0;
        return fds_wants_process(wanted->view->options, wanted->view->snapshot, process);
}

int fds_findings(const struct fds_view *view, struct hot_findings **ret_findings)
{
        const struct fds_options *options = view->options;
        struct wanted wanted = {view, !options->all && options->n_pids == 0 &&
                                              options->n_commands == 0 && options->n_uids == 0};
        struct hot_check_policy policy = {
                .size = sizeof(policy),
                .growth = options->growth,
                .limit_percent = options->limit_percent,
                .want_process = want_process,
                .data = &wanted,
        };

        return hot_snapshot_check(view->snapshot, view->before, &policy, ret_findings);
}

long fds_check(const struct fds_view *view)
{
        const struct hot_finding *finding;
        struct hot_findings *findings;
        long n;
        int r = fds_findings(view, &findings);

        if (r < 0)
                return r;
        for (size_t i = 0; (finding = hot_findings_at(findings, i)); i++)
                printf("%s: %s: %s\n", hot_finding_severity_name(finding->severity),
                       hot_finding_code_name(finding->code), finding->text);
        n = (long)hot_findings_count(findings);
        hot_findings_free(findings);
        return n;
}
