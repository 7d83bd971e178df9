/* SPDX-License-Identifier: MIT */
/*
 * All that is wrong is said before anything is listed.
 */
#include "request.h"

#include <string.h>

#include "options.h"
#include "text.h"

enum { COMMAND_WIDTH = 9, OFFSET_DIGITS = 8 };

static bool has_newline(const char *format)
{
        const char *at = format;

        while ((at = strchr(at, '%')) && at[1]) {
                if (at[1] == 'n')
                        return true;
                at += 2;
        }
        return false;
}

/* What does not go together. */
static void check(struct lsof_reader *reader)
{
        const struct lsof_request *request = reader->request;

        lsof_options_refuse(reader, lsof_commands_check(&request->commands));
        lsof_options_refuse(reader, lsof_states_check(&request->states));
        if (request->size_only && request->offset_only) {
                lsof_complain("-o and -s are mutually exclusive");
                lsof_options_refuse(reader, -1);
        }
        if (request->by_field && request->terse) {
                lsof_complain("-F and -t are mutually exclusive");
                lsof_options_refuse(reader, -1);
        }
        if (request->by_field && request->marker && has_newline(request->marker)) {
                lsof_complain("%%n illegal in -r m<fmt> when -F has been specified: \"%s\"",
                              request->marker);
                lsof_options_refuse(reader, -1);
        }
        if (reader->crossed && !reader->any_directory) {
                lsof_complain("-x must accompany +d or +D");
                lsof_options_refuse(reader, -1);
        }
}

static void set_selectors(struct lsof_reader *reader)
{
        struct lsof_request *request = reader->request;
        const struct {
                bool is_asked;
                unsigned int selector;
        } asked[] = {
                {request->commands.n_included > 0 || request->commands.n_expressions > 0,
                 LSOF_BY_COMMAND},
                {request->numbers.n > 0, LSOF_BY_NUMBER},
                {request->internet.any, LSOF_BY_INTERNET},
                {request->internet.n > 0, LSOF_BY_ADDRESS},
                {request->nfs, LSOF_BY_NFS},
                {request->unix_sockets, LSOF_BY_UNIX},
                {request->groups.n_included > 0, LSOF_BY_GROUP},
                {request->pids.n_included > 0, LSOF_BY_PID},
                {request->users.n_included > 0, LSOF_BY_USER},
                {reader->any_directory || reader->arguments.at < reader->arguments.n, LSOF_BY_NAME},
        };

        for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++)
                if (asked[i].is_asked)
                        request->selectors |= asked[i].selector;
        request->all_processes = request->selectors == 0;
}

static enum lsof_reading answer(const struct lsof_reader *reader)
{
        if (reader->wrong)
                return LSOF_USAGE;
        if (reader->help)
                return LSOF_HELP;
        if (reader->field_help)
                return LSOF_FIELD_HELP;
        return reader->version ? LSOF_VERSION : LSOF_LIST;
}

static enum lsof_reading read_names(struct lsof_reader *reader)
{
        struct lsof_arguments *arguments = &reader->arguments;
        struct lsof_request *request = reader->request;

        request->mounts.quiet = request->quiet;
        if (arguments->at == arguments->n)
                return LSOF_LIST;
        if (lsof_files_add_words(&request->files, &request->mounts, arguments->n - arguments->at,
                                 arguments->words + arguments->at, request->meaning,
                                 request->forgiving) < 0)
                return LSOF_NOTHING;
        return LSOF_LIST;
}

enum lsof_reading lsof_request_read(struct lsof_request *request, int argc, char **argv)
{
        struct lsof_reader reader = {.request = request};
        enum lsof_reading reading;

        *request = (struct lsof_request){
                .command_width = COMMAND_WIDTH,
                .offset_digits = OFFSET_DIGITS,
                .show_state = true,
                .terminator = '\n',
        };
        lsof_arguments_init(&reader.arguments, argc, argv);
        lsof_options_read(&reader);
        check(&reader);
        request->fields['p'] = true;
        reading = answer(&reader);
        if (reading != LSOF_LIST)
                return reading;
        set_selectors(&reader);
        if (request->all_processes && request->and_) {
                lsof_complain("no select options to AND via -a");
                return LSOF_USAGE;
        }
        return read_names(&reader);
}
