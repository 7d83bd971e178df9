/* SPDX-License-Identifier: MIT */
#include "fields.h"

#include <string.h>

#include "extent.h"
#include "flags.h"
#include "name.h"
#include "text.h"

/* With what lsof says of them; what Linux never has is accepted, and never printed. */
static const struct {
        char letter;
        bool is_never;
        const char *help;
} fields[] = {
        {'a', false, "access: r = read; w = write; u = read/write"},
        {'c', false, "command name"},
        {'C', true, "file struct share count"},
        {'d', false, "device character code"},
        {'D', false, "major/minor device number as 0x<hex>"},
        {'f', false, "file descriptor"},
        {'F', true, "file struct address as 0x<hex>"},
        {'G', false, "file flaGs"},
        {'i', false, "inode number"},
        {'k', false, "link count"},
        {'K', true, "task ID (TID)"},
        {'l', false, "lock: r/R = read; w/W = write; u = read/write"},
        {'L', false, "login name"},
        {'m', false, "marker between repeated output"},
        {'M', true, "task comMand name"},
        {'n', false, "comment, name, Internet addresses"},
        {'N', true, "file struct node ID as 0x<hex>"},
        {'o', false, "file offset as 0t<dec> or 0x<hex>"},
        {'p', false, "process ID (PID)"},
        {'g', false, "process group ID (PGID)"},
        {'P', false, "protocol name"},
        {'r', false, "raw device number as 0x<hex>"},
        {'R', false, "paRent PID"},
        {'s', false, "file size"},
        {'S', true, "stream module and device names"},
        {'t', false, "file type"},
        {'T', false, "TCP/TPI info"},
        {'u', false, "user ID (UID)"},
        {'z', true, "zone name"},
        {'Z', true, "security context"},
        {'0', false, "(zero) use NUL field terminator instead of NL"},
};

static bool is_field(char letter)
{
        for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
                if (fields[i].letter == letter)
                        return true;
        return false;
}

/* A field that needs a column of its own asks for it. */
static void choose_column(struct lsof_request *request, char letter)
{
        switch (letter) {
        case 'G':
                request->show_flags = true;
                break;
        case 'k':
                request->show_links = true;
                break;
        case 'g':
                request->show_group = true;
                break;
        case 'R':
                request->show_parent = true;
                break;
        case 'T':
                request->show_state = request->show_queues = true;
                break;
        }
}

int lsof_fields_choose(struct lsof_request *request, char letter)
{
        if (!is_field(letter))
                return -1;
        request->fields[(unsigned char)letter] = true;
        choose_column(request, letter);
        if (letter == 'G')
                request->hexadecimal_flags = true;
        if (letter == '0')
                request->terminator = '\0';
        if (letter == 'o')
                request->offset_only = true;
        return 0;
}

void lsof_fields_choose_all(struct lsof_request *request)
{
        for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
                if (strchr("Zrz", fields[i].letter))
                        continue;
                request->fields[(unsigned char)fields[i].letter] = true;
                choose_column(request, fields[i].letter);
        }
        request->hexadecimal_flags = true;
}

void lsof_fields_help(FILE *out)
{
        fputs("lsof:\tID    field description\n", out);
        for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
                if (!fields[i].is_never)
                        fprintf(out, "\t %c    %s\n", fields[i].letter, fields[i].help);
}

/* Where the fields of one listing go. */
struct printer {
        struct lsof_request *request;
        FILE *out;
        bool any; /* a field of the current set was printed */
};

static bool begin(struct printer *printer, char letter)
{
        if (!printer->request->fields[(unsigned char)letter])
                return false;
        putc(letter, printer->out);
        printer->any = true;
        return true;
}

static void end(struct printer *printer)
{
        putc(printer->request->terminator, printer->out);
}

static void print_text(struct printer *printer, char letter, const char *text)
{
        if (!*text || !begin(printer, letter))
                return;
        fputs(text, printer->out);
        end(printer);
}

static void print_number(struct printer *printer, char letter, uint64_t number)
{
        if (!begin(printer, letter))
                return;
        fprintf(printer->out, "%llu", (unsigned long long)number);
        end(printer);
}

static void print_letter(struct printer *printer, char letter, char value)
{
        char text[2] = {value, '\0'};

        print_text(printer, letter, text);
}

static void print_device(struct printer *printer, char letter, dev_t device)
{
        char text[LSOF_WORD_MAX];

        snprintf(text, sizeof(text), "0x%x", (unsigned int)device);
        print_text(printer, letter, text);
}

/* A set of fields ends in a newline, where the fields do not. */
static void end_set(struct printer *printer)
{
        if (printer->request->terminator != '\n' && printer->any)
                putc('\n', printer->out);
        printer->any = false;
}

static void print_process(struct printer *printer, const struct hot_inspect_process *identity)
{
        const struct lsof_request *request = printer->request;
        char name[LSOF_USER_MAX];

        print_number(printer, 'p', (uint64_t)identity->pid);
        if (request->show_group)
                print_number(printer, 'g', (uint64_t)identity->group);
        if (request->show_parent)
                print_number(printer, 'R', (uint64_t)identity->parent);
        if (begin(printer, 'c')) {
                lsof_text_print(printer->out, *identity->name ? identity->name : "(unknown)");
                end(printer);
        }
        print_number(printer, 'u', identity->uid);
        if (request->fields['L'] &&
            lsof_users_name(identity->uid, request->users_by_number, request->quiet, name))
                print_text(printer, 'L', name);
        end_set(printer);
}

static void print_descriptor(struct printer *printer, const struct lsof_row *row)
{
        if (row->role)
                print_text(printer, 'f', row->role);
        else
                print_number(printer, 'f', (uint64_t)row->number);
        print_letter(printer, 'a', row->access);
        print_letter(printer, 'l', row->lock);
        print_text(printer, 't', row->type);
}

static void print_flags(struct printer *printer, const struct lsof_row *row)
{
        bool hexadecimal = printer->request->hexadecimal_flags;
        char text[LSOF_FLAGS_MAX];

        if (!row->has_flags || (!hexadecimal && row->flags == 0))
                return;
        lsof_flags_format(row->flags, hexadecimal, text);
        print_text(printer, 'G', text);
}

static void print_extent(struct printer *printer, const struct lsof_row *row)
{
        char text[LSOF_EXTENT_MAX];

        if (row->has_size)
                print_number(printer, 's', row->size);
        if (!row->has_offset)
                return;
        lsof_extent_format(row->offset, printer->request->offset_digits, text);
        print_text(printer, 'o', text);
}

static void print_file(struct printer *printer, const struct lsof_row *row)
{
        print_text(printer, 'd', row->device_text);
        if (row->has_device)
                print_device(printer, 'D', row->device);
        if (row->has_raw_device)
                print_device(printer, 'r', row->raw_device);
        print_extent(printer, row);
        if (row->node == LSOF_NODE_INODE)
                print_number(printer, 'i', row->inode);
        if (row->has_links)
                print_number(printer, 'k', row->links);
        if (row->node == LSOF_NODE_PROTOCOL)
                print_text(printer, 'P', row->protocol);
}

/* "TST=LISTEN", "TQR=0", "TQS=0" */
static void print_state(struct printer *printer, const struct lsof_row *row)
{
        const struct lsof_request *request = printer->request;

        if (row->state_kind == LSOF_STATE_NONE || !request->fields['T'])
                return;
        if (request->show_state && row->state_kind != LSOF_STATE_UDP) {
                begin(printer, 'T');
                fprintf(printer->out, "ST=%s", row->state ? row->state : "UNKNOWN");
                end(printer);
        }
        if (!request->show_queues || row->state_kind == LSOF_STATE_UNIX)
                return;
        begin(printer, 'T');
        fprintf(printer->out, "QR=%u", row->receive_queue);
        end(printer);
        begin(printer, 'T');
        fprintf(printer->out, "QS=%u", row->send_queue);
        end(printer);
}

static void print_row(struct printer *printer, const struct lsof_row *row)
{
        print_descriptor(printer, row);
        print_flags(printer, row);
        print_file(printer, row);
        if (begin(printer, 'n')) {
                lsof_name_print(printer->request, printer->out, row);
                end(printer);
        }
        print_state(printer, row);
        end_set(printer);
}

void lsof_fields_print(struct lsof_request *request, FILE *out, const struct lsof_listing *listing)
{
        struct printer printer = {.request = request, .out = out};

        for (size_t i = 0; i < listing->n; i++) {
                print_process(&printer, listing->processes[i].identity);
                for (size_t k = 0; k < listing->processes[i].n_rows; k++)
                        print_row(&printer, &listing->processes[i].rows[k]);
        }
}
