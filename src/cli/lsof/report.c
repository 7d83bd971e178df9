/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <stdarg.h>

#include "text.h"

struct report {
        const struct lsof_request *request;
        FILE *out;
        int status;
};

/* @text may hold anything, and may be NULL. */
static void miss(struct report *report, const char *text, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

static void say(const struct report *report, const char *text, const char *format,
                va_list arguments) __attribute__((format(printf, 3, 0)));

static void say(const struct report *report, const char *text, const char *format,
                va_list arguments)
{
        fputs("lsof: ", report->out);
        vfprintf(report->out, format, arguments);
        if (text)
                lsof_text_print(report->out, text);
        putc('\n', report->out);
}

static void miss(struct report *report, const char *text, const char *format, ...)
{
        va_list arguments;

        report->status = report->request->forgiving ? 0 : 1;
        if (!report->request->verbose)
                return;
        va_start(arguments, format);
        say(report, text, format, arguments);
        va_end(arguments);
}

/* One that is excluded is never found, and makes lsof's exit status 1 for that. */
static void report_commands(struct report *report)
{
        const struct lsof_commands *commands = &report->request->commands;

        for (size_t i = commands->n_prefixes; i-- > 0;)
                if (!commands->prefixes[i].found)
                        miss(report, commands->prefixes[i].text, "command not located: ");
        for (size_t i = 0; i < commands->n_expressions; i++)
                if (!commands->expressions[i].found)
                        miss(report, commands->expressions[i].text, "no command found for regex: ");
}

/* Each file of a tree is said, but only a tree of which nothing was found counts. */
static void report_files(struct report *report)
{
        const struct lsof_files *files = &report->request->files;

        for (size_t i = files->n; i-- > 0;) {
                const struct lsof_file *file = &files->files[i];
                int status = report->status;

                if (file->found)
                        continue;
                miss(report, file->asked,
                     "no file%s use located: ", file->is_system ? " system" : "");
                if (!lsof_files_is_missed(files, file))
                        report->status = status;
        }
}

static void report_internet(struct report *report)
{
        const struct lsof_internet *internet = &report->request->internet;

        for (size_t i = internet->n; i-- > 0;)
                if (!internet->addresses[i].found)
                        miss(report, internet->addresses[i].text, "Internet address not located: ");
        if (internet->any && !internet->any_found)
                miss(report, NULL, "no Internet files located");
}

static void report_states(struct report *report)
{
        const struct lsof_states *states = &report->request->states;

        for (int i = 0; i < LSOF_STATES; i++)
                if (states->included[i] && !states->found[i])
                        miss(report, NULL, "TCP state not located: %s", lsof_states_name(i));
}

static void report_ids(struct report *report, const struct lsof_ids *ids, const char *kind)
{
        for (size_t i = 0; i < ids->n; i++)
                if (!ids->ids[i].excluded && !ids->ids[i].found)
                        miss(report, NULL, "%s ID not located: %d", kind, ids->ids[i].id);
}

/* Users are never missed: lsof looks into memory that it never wrote, and finds them. */
int lsof_report(struct lsof_request *request, FILE *out)
{
        struct report report = {.request = request, .out = out};

        lsof_internet_settle(&request->internet);
        report_commands(&report);
        report_files(&report);
        report_internet(&report);
        report_states(&report);
        if (request->nfs && !request->nfs_found)
                miss(&report, NULL, "no NFS files located");
        report_ids(&report, &request->pids, "process");
        report_ids(&report, &request->groups, "process group");
        return report.status;
}
