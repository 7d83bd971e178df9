/* SPDX-License-Identifier: MIT */
/*
 * A table of options. Each is read as soon as it is met, as lsof does: what `-x` or `-w` says counts for
 * what follows it.
 */
#include "options.h"

#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "marker.h"
#include "text.h"

enum { SECONDS = 15 };

typedef void option_fn(struct lsof_reader *reader);

void lsof_options_refuse(struct lsof_reader *reader, int r)
{
        if (r < 0)
                reader->wrong = true;
}

static bool is_plus(const struct lsof_reader *reader)
{
        return reader->arguments.sign == '+';
}

static void read_and(struct lsof_reader *reader)
{
        reader->request->and_ = true;
}

static void read_width(struct lsof_reader *reader)
{
        const char *value = reader->arguments.value;

        if (value && *value >= '0' && *value <= '9') {
                int width = (int)strtol(value, NULL, 10);

                reader->request->command_width = (size_t)width;
                if (width > LSOF_COMMAND_MAX) {
                        lsof_complain("+c %d > what system provides (%d)", width, LSOF_COMMAND_MAX);
                        lsof_options_refuse(reader, -1);
                }
                return;
        }
        lsof_complain("+c not followed by width number");
        lsof_options_refuse(reader, -1);
        if (value)
                lsof_arguments_leave(&reader->arguments, 0);
}

static void read_command(struct lsof_reader *reader)
{
        if (is_plus(reader))
                read_width(reader);
        else
                lsof_options_refuse(reader, lsof_commands_add(&reader->request->commands,
                                                              reader->arguments.value));
}

static void read_directory(struct lsof_reader *reader, bool deep)
{
        int r = lsof_files_add_directory(&reader->request->files, reader->arguments.value, deep,
                                         reader->request->quiet);

        lsof_options_refuse(reader, r);
        reader->any_directory = reader->any_directory || r == 0;
}

static void read_number(struct lsof_reader *reader)
{
        if (is_plus(reader))
                read_directory(reader, false);
        else
                lsof_options_refuse(reader, lsof_numbers_add(&reader->request->numbers,
                                                             reader->arguments.value,
                                                             reader->request->quiet));
}

static void read_tree(struct lsof_reader *reader)
{
        if (is_plus(reader)) {
                read_directory(reader, true);
                return;
        }
        lsof_complain("unsupported option: -D");
        lsof_options_refuse(reader, -1);
}

static void read_endpoints(struct lsof_reader *reader)
{
        reader->request->endpoints = is_plus(reader) ? LSOF_ENDS_AND_FILES : LSOF_ENDS;
}

static void read_file_flags(struct lsof_reader *reader)
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
                        lsof_options_refuse(reader, -1);
                        continue;
                }
                request->show_flags = is_plus(reader);
                request->hexadecimal_flags = *value == 'G';
        }
}

static void read_fields(struct lsof_reader *reader)
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
                        lsof_options_refuse(reader, -1);
                }
}

static void read_group(struct lsof_reader *reader)
{
        const char *value = lsof_arguments_optional(&reader->arguments);

        reader->request->show_group = true;
        if (value)
                lsof_options_refuse(reader, lsof_ids_add(&reader->request->groups, value, true));
}

static void read_help(struct lsof_reader *reader)
{
        reader->help = true;
}

static void read_internet(struct lsof_reader *reader)
{
        const char *value = lsof_arguments_optional(&reader->arguments);

        if (!value)
                lsof_internet_add_any(&reader->request->internet);
        else
                lsof_options_refuse(reader, lsof_internet_add(&reader->request->internet, value));
}

static void read_tasks(struct lsof_reader *reader)
{
        const char *value = lsof_arguments_optional(&reader->arguments);

        if (value && (strcmp(value, "i") == 0 || strcmp(value, "I") == 0))
                return;
        if (value)
                lsof_complain("-K not followed by i (but by %s)", value);
        else
                lsof_complain("-K is not supported without i: threads are not listed");
        lsof_options_refuse(reader, -1);
}

static void read_users_by_number(struct lsof_reader *reader)
{
        reader->request->users_by_number = true;
}

static void read_links(struct lsof_reader *reader)
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
                lsof_options_refuse(reader, -1);
        }
}

static void read_hosts(struct lsof_reader *reader)
{
        reader->request->hosts.by_number = !is_plus(reader);
}

static void read_nfs(struct lsof_reader *reader)
{
        reader->request->nfs = true;
}

static void read_offset(struct lsof_reader *reader)
{
        long digits;

        if (lsof_arguments_number(&reader->arguments, &digits))
                reader->request->offset_digits = (size_t)digits;
        else
                reader->request->offset_only = true;
}

static void read_pid(struct lsof_reader *reader)
{
        lsof_options_refuse(reader,
                            lsof_ids_add(&reader->request->pids, reader->arguments.value, false));
}

static void read_forgiving(struct lsof_reader *reader)
{
        reader->request->forgiving = true;
}

static void read_ports(struct lsof_reader *reader)
{
        reader->request->hosts.ports_by_number = !is_plus(reader);
}

/* Some formats give nothing, which no marker can be. */
static void read_marker(struct lsof_reader *reader, const char *format)
{
        char text[LSOF_MARKER_MAX];

        reader->request->marker = format;
        if (lsof_marker_format(format, text))
                return;
        lsof_complain("illegal <fmt>: \"%s\"", format);
        lsof_options_refuse(reader, -1);
}

/* [seconds][c<rounds>][m<format>], and other options behind that. */
static void read_repeat(struct lsof_reader *reader)
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
        if (*at == 'c' && at[1] >= '0' && at[1] <= '9')
                request->rounds = (unsigned int)strtoul(at + 1, &at, 10);
        if (*at == 'm')
                read_marker(reader, at + 1);
        else
                lsof_arguments_leave(&reader->arguments, (size_t)(at - value));
}

static void read_parent(struct lsof_reader *reader)
{
        reader->request->show_parent = true;
}

static void read_size_or_states(struct lsof_reader *reader)
{
        const char *value = lsof_arguments_optional(&reader->arguments);

        if (!value)
                reader->request->size_only = true;
        else
                lsof_options_refuse(reader, lsof_states_add(&reader->request->states, value));
}

static void read_terse(struct lsof_reader *reader)
{
        reader->request->terse = reader->request->quiet = true;
}

static void read_tcp(struct lsof_reader *reader)
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
                        lsof_options_refuse(reader, -1);
                }
        }
}

static void read_user(struct lsof_reader *reader)
{
        lsof_options_refuse(reader,
                            lsof_users_add(&reader->request->users, reader->arguments.value));
}

static void read_unix(struct lsof_reader *reader)
{
        reader->request->unix_sockets = true;
}

static void read_version(struct lsof_reader *reader)
{
        reader->version = true;
}

static void read_verbose(struct lsof_reader *reader)
{
        reader->request->verbose = true;
}

static void read_warnings(struct lsof_reader *reader)
{
        reader->request->quiet = !is_plus(reader);
}

static void read_cross(struct lsof_reader *reader)
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
                        lsof_options_refuse(reader, -1);
                }
        }
}

static void read_context(struct lsof_reader *reader)
{
        lsof_complain("-Z limited to SELinux");
        lsof_options_refuse(reader, -1);
}

/* lsof has it, and we do not. */
static void read_unsupported(struct lsof_reader *reader)
{
        const struct lsof_arguments *arguments = &reader->arguments;
        int at = arguments->within > 0 ? arguments->at : arguments->at - 1;

        lsof_complain("an option of %s is not supported; hotstart-lsof(1) has the list",
                      arguments->words[at]);
        lsof_options_refuse(reader, -1);
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

static void read_option(struct lsof_reader *reader, char letter)
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
        lsof_options_refuse(reader, -1);
}

void lsof_options_read(struct lsof_reader *reader)
{
        char letter;

        while ((letter = lsof_arguments_next(&reader->arguments, takes_value)))
                read_option(reader, letter);
}
