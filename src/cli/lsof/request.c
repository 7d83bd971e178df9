/* SPDX-License-Identifier: MIT */
/*
 * A table of options. Each is read as soon as it is met, as lsof does: what `-x` or `-w` says counts for
 * what follows it. All that is wrong is said before anything is listed.
 */
#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "fields.h"
#include "marker.h"
#include "text.h"

enum { COMMAND_WIDTH = 9, OFFSET_DIGITS = 8, SECONDS = 15 };

struct reader {
        struct lsof_request *request;
        struct lsof_arguments arguments;
        bool wrong;
        bool help, version, field_help;
        bool crossed, any_directory;
};

typedef void option_fn(struct reader *reader);

static bool is_plus(const struct reader *reader)
{
        return reader->arguments.sign == '+';
}

static void refuse(struct reader *reader, int r)
{
        if (r < 0)
                reader->wrong = true;
}

static void read_and(struct reader *reader)
{
        reader->request->and_ = true;
}

static void read_width(struct reader *reader)
{
        const char *value = reader->arguments.value;

        if (value && *value >= '0' && *value <= '9') {
                reader->request->command_width = strtoul(value, NULL, 10);
                return;
        }
        lsof_complain("+c not followed by width number");
        refuse(reader, -1);
        if (value)
                lsof_arguments_leave(&reader->arguments, 0);
}

static void read_command(struct reader *reader)
{
        if (is_plus(reader))
                read_width(reader);
        else
                refuse(reader,
                       lsof_commands_add(&reader->request->commands, reader->arguments.value));
}

static void read_directory(struct reader *reader, bool deep)
{
        int r = lsof_files_add_directory(&reader->request->files, reader->arguments.value, deep,
                                         reader->request->quiet);

        refuse(reader, r);
        reader->any_directory = reader->any_directory || r == 0;
}

static void read_number(struct reader *reader)
{
        if (is_plus(reader))
                read_directory(reader, false);
        else
                refuse(reader, lsof_numbers_add(&reader->request->numbers, reader->arguments.value,
                                                reader->request->quiet));
}

static void read_tree(struct reader *reader)
{
        if (is_plus(reader)) {
                read_directory(reader, true);
                return;
        }
        lsof_complain("unsupported option: -D");
        refuse(reader, -1);
}

static void read_endpoints(struct reader *reader)
{
        reader->request->endpoints = is_plus(reader) ? LSOF_ENDS_AND_FILES : LSOF_ENDS;
}

static void read_file_flags(struct reader *reader)
{
        const char *value = lsof_arguments_optional(&reader->arguments);
        struct lsof_request *request = reader->request;

        if (!value) {
                request->meaning = is_plus(reader) ? LSOF_SYSTEM : LSOF_FILE;
                return;
        }
        for (; *value; value++) {
                if (*value != 'g' && *value != 'G') {
                        lsof_complain("unknown file struct option: %c", *value);
                        refuse(reader, -1);
                        continue;
                }
                request->show_flags = is_plus(reader);
                request->hexadecimal_flags = *value == 'G';
        }
}

static void read_fields(struct reader *reader)
{
        const char *value = lsof_arguments_optional(&reader->arguments);
        struct lsof_request *request = reader->request;

        if (value && strcmp(value, "?") == 0) {
                reader->field_help = true;
                return;
        }
        request->by_field = true;
        if (!value || strcmp(value, "0") == 0) {
                lsof_fields_choose_all(request);
                request->terminator = value ? '\0' : request->terminator;
                return;
        }
        for (; *value; value++)
                if (lsof_fields_choose(request, *value) < 0) {
                        lsof_complain("unknown field: %c", *value);
                        refuse(reader, -1);
                }
}

static void read_group(struct reader *reader)
{
        const char *value = lsof_arguments_optional(&reader->arguments);

        reader->request->show_group = true;
        if (value)
                refuse(reader, lsof_ids_add(&reader->request->groups, value, true));
}

static void read_help(struct reader *reader)
{
        reader->help = true;
}

static void read_internet(struct reader *reader)
{
        const char *value = lsof_arguments_optional(&reader->arguments);

        if (!value)
                lsof_internet_add_any(&reader->request->internet);
        else
                refuse(reader, lsof_internet_add(&reader->request->internet, value));
}

static void read_tasks(struct reader *reader)
{
        const char *value = lsof_arguments_optional(&reader->arguments);

        if (value && (strcmp(value, "i") == 0 || strcmp(value, "I") == 0))
                return;
        if (value)
                lsof_complain("-K not followed by i (but by %s)", value);
        else
                lsof_complain("-K is not supported without i: threads are not listed");
        refuse(reader, -1);
}

static void read_users_by_number(struct reader *reader)
{
        reader->request->users_by_number = true;
}

static void read_links(struct reader *reader)
{
        long number = 0;

        reader->request->show_links = is_plus(reader);
        if (!lsof_arguments_number(&reader->arguments, &number)) {
                reader->request->links_below = 0;
        } else if (is_plus(reader)) {
                reader->request->links_below = (unsigned long)number;
                reader->request->selectors |= LSOF_BY_LINKS;
        } else {
                lsof_complain("no number may follow -L");
                refuse(reader, -1);
        }
}

static void read_hosts(struct reader *reader)
{
        reader->request->hosts.by_number = !is_plus(reader);
}

static void read_nfs(struct reader *reader)
{
        reader->request->nfs = true;
}

static void read_offset(struct reader *reader)
{
        long digits;

        if (lsof_arguments_number(&reader->arguments, &digits))
                reader->request->offset_digits = (size_t)digits;
        else
                reader->request->offset_only = true;
}

static void read_pid(struct reader *reader)
{
        refuse(reader, lsof_ids_add(&reader->request->pids, reader->arguments.value, false));
}

static void read_forgiving(struct reader *reader)
{
        reader->request->forgiving = true;
}

static void read_ports(struct reader *reader)
{
        reader->request->hosts.ports_by_number = !is_plus(reader);
}

/* Some formats give nothing, which no marker can be. */
static void read_marker(struct reader *reader, const char *format)
{
        char text[LSOF_MARKER_MAX];

        reader->request->marker = format;
        if (lsof_marker_format(format, text))
                return;
        lsof_complain("illegal <fmt>: \"%s\"", format);
        refuse(reader, -1);
}

/* [seconds][c<rounds>][m<format>], and other options behind that. */
static void read_repeat(struct reader *reader)
{
        struct lsof_request *request = reader->request;
        char *value = lsof_arguments_optional(&reader->arguments), *at = value;

        request->until_nothing = request->until_nothing || is_plus(reader);
        request->seconds = SECONDS;
        if (!value)
                return;
        if (*at >= '0' && *at <= '9')
                request->seconds = (unsigned int)strtoul(at, &at, 10);
        at += strspn(at, " ");
        if (*at == 'c')
                request->rounds = (unsigned int)strtoul(at + 1, &at, 10);
        if (*at == 'm')
                read_marker(reader, at + 1);
        else
                lsof_arguments_leave(&reader->arguments, (size_t)(at - value));
}

static void read_parent(struct reader *reader)
{
        reader->request->show_parent = true;
}

static void read_size_or_states(struct reader *reader)
{
        const char *value = lsof_arguments_optional(&reader->arguments);

        if (!value)
                reader->request->size_only = true;
        else
                refuse(reader, lsof_states_add(&reader->request->states, value));
}

static void read_terse(struct reader *reader)
{
        reader->request->terse = reader->request->quiet = true;
}

static void read_tcp(struct reader *reader)
{
        const char *value = lsof_arguments_optional(&reader->arguments);
        struct lsof_request *request = reader->request;

        request->show_queues = request->show_options = false;
        request->show_state = !value && is_plus(reader);
        for (; value && *value; value++) {
                if (*value == 'q') {
                        request->show_queues = true;
                } else if (*value == 's') {
                        request->show_state = true;
                } else if (*value == 'f') {
                        request->show_options = true;
                } else {
                        lsof_complain("unsupported TCP/TPI info selection: %c", *value);
                        refuse(reader, -1);
                }
        }
}

static void read_user(struct reader *reader)
{
        refuse(reader, lsof_users_add(&reader->request->users, reader->arguments.value));
}

static void read_unix(struct reader *reader)
{
        reader->request->unix_sockets = true;
}

static void read_version(struct reader *reader)
{
        reader->version = true;
}

static void read_verbose(struct reader *reader)
{
        reader->request->verbose = true;
}

static void read_warnings(struct reader *reader)
{
        reader->request->quiet = !is_plus(reader);
}

static void read_cross(struct reader *reader)
{
        const char *value = lsof_arguments_optional(&reader->arguments);
        struct lsof_files *files = &reader->request->files;

        reader->crossed = true;
        if (!value)
                files->cross_systems = files->cross_links = true;
        for (; value && *value; value++) {
                if (*value == 'f') {
                        files->cross_systems = true;
                } else if (*value == 'l') {
                        files->cross_links = true;
                } else {
                        lsof_complain("unknown cross-over option: %c", *value);
                        refuse(reader, -1);
                }
        }
}

static void read_context(struct reader *reader)
{
        lsof_complain("-Z limited to SELinux");
        refuse(reader, -1);
}

/* lsof has it, and we do not. */
static void read_unsupported(struct reader *reader)
{
        const struct lsof_arguments *arguments = &reader->arguments;
        int at = arguments->within > 0 ? arguments->at : arguments->at - 1;

        lsof_complain("an option of %s is not supported; hotstart-lsof(1) has the list",
                      arguments->words[at]);
        refuse(reader, -1);
}

static const struct {
        char letter;
        bool takes_value;
        option_fn *read;
} options[] = {
        {'?', false, read_help},
        {'a', false, read_and},
        {'b', false, read_unsupported},
        {'c', true, read_command},
        {'d', true, read_number},
        {'D', true, read_tree},
        {'e', true, read_unsupported},
        {'E', false, read_endpoints},
        {'f', true, read_file_flags},
        {'F', true, read_fields},
        {'g', true, read_group},
        {'h', false, read_help},
        {'i', true, read_internet},
        {'K', true, read_tasks},
        {'l', false, read_users_by_number},
        {'L', true, read_links},
        {'m', true, read_unsupported},
        {'M', false, read_unsupported},
        {'n', false, read_hosts},
        {'N', false, read_nfs},
        {'o', true, read_offset},
        {'O', false, read_unsupported},
        {'p', true, read_pid},
        {'P', false, read_ports},
        {'Q', false, read_forgiving},
        {'r', true, read_repeat},
        {'R', false, read_parent},
        {'s', true, read_size_or_states},
        {'S', true, read_unsupported},
        {'t', false, read_terse},
        {'T', true, read_tcp},
        {'u', true, read_user},
        {'U', false, read_unix},
        {'v', false, read_version},
        {'V', false, read_verbose},
        {'w', false, read_warnings},
        {'x', true, read_cross},
        {'X', false, read_unsupported},
        {'Z', true, read_context},
};

static const size_t n_options = sizeof(options) / sizeof(*options);

static bool takes_value(char letter)
{
        for (size_t i = 0; i < n_options; i++)
                if (options[i].letter == letter)
                        return options[i].takes_value;
        return false;
}

static void read_option(struct reader *reader, char letter)
{
        for (size_t i = 0; i < n_options; i++)
                if (options[i].letter == letter) {
                        options[i].read(reader);
                        return;
                }
        if (letter == ':')
                lsof_complain("colon is an illegal option character.");
        else
                lsof_complain("illegal option character: %c", letter);
        refuse(reader, -1);
}

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
static void check(struct reader *reader)
{
        const struct lsof_request *request = reader->request;

        refuse(reader, lsof_commands_check(&request->commands));
        refuse(reader, lsof_states_check(&request->states));
        if (request->size_only && request->offset_only) {
                lsof_complain("-o and -s are mutually exclusive");
                refuse(reader, -1);
        }
        if (request->by_field && request->terse) {
                lsof_complain("-F and -t are mutually exclusive");
                refuse(reader, -1);
        }
        if (request->by_field && request->marker && has_newline(request->marker)) {
                lsof_complain("%%n illegal in -r m<fmt> when -F has been specified: \"%s\"",
                              request->marker);
                refuse(reader, -1);
        }
        if (reader->crossed && !reader->any_directory) {
                lsof_complain("-x must accompany +d or +D");
                refuse(reader, -1);
        }
}

static void set_selectors(struct reader *reader)
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

static enum lsof_reading answer(const struct reader *reader)
{
        if (reader->wrong)
                return LSOF_USAGE;
        if (reader->help)
                return LSOF_HELP;
        if (reader->field_help)
                return LSOF_FIELD_HELP;
        return reader->version ? LSOF_VERSION : LSOF_LIST;
}

static enum lsof_reading read_names(struct reader *reader)
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
        struct reader reader = {.request = request};
        enum lsof_reading reading;
        char letter;

        *request = (struct lsof_request){
                .command_width = COMMAND_WIDTH,
                .offset_digits = OFFSET_DIGITS,
                .show_state = true,
                .terminator = '\n',
        };
        lsof_arguments_init(&reader.arguments, argc, argv);
        while ((letter = lsof_arguments_next(&reader.arguments, takes_value)))
                read_option(&reader, letter);
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
