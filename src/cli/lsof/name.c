/* SPDX-License-Identifier: MIT */
/*
 * The parts have a blank between them, also before a state that is then not there: a UDP socket's name ends
 * in a blank, as lsof's does.
 */
#include "name.h"

#include <sys/sysmacros.h>

#include "text.h"

static void print_ends(struct lsof_request *request, FILE *out, const struct lsof_row *row)
{
        if (row->local.family)
                lsof_hosts_print(&request->hosts, out, row->protocol, &row->local);
        if (!row->peer.family)
                return;
        fputs_unlocked("->", out);
        lsof_hosts_print(&request->hosts, out, row->protocol, &row->peer);
}

static void print_queues(FILE *out, const struct lsof_row *row, bool after_state)
{
        fprintf(out, "%sQR=%u QS=%u)", after_state ? " " : "(", row->receive_queue,
                row->send_queue);
}

static void print_state(const struct lsof_request *request, FILE *out, const struct lsof_row *row)
{
        bool has_state = request->show_state && row->state_kind != LSOF_STATE_UDP;

        if (has_state) {
                putc_unlocked('(', out);
                fputs_unlocked(row->state ? row->state : "UNKNOWN", out);
                if (!request->show_queues || row->state_kind == LSOF_STATE_UNIX)
                        putc_unlocked(')', out);
        }
        if (request->show_queues && row->state_kind != LSOF_STATE_UNIX)
                print_queues(out, row, has_state);
}

/* Anything before it? Then a blank. */
static void separate(FILE *out, bool *ret_any)
{
        if (*ret_any)
                putc_unlocked(' ', out);
        *ret_any = true;
}

void lsof_name_print(struct lsof_request *request, FILE *out, const struct lsof_row *row)
{
        bool any = *row->name != '\0';

        lsof_text_print(out, row->name);
        if (row->local.family || row->peer.family) {
                separate(out, &any);
                print_ends(request, out, row);
        }
        if (!any && row->has_raw_device) {
                fprintf(out, "%s device: %u,%u", row->type, major(row->raw_device),
                        minor(row->raw_device));
                any = true;
        }
        if (row->note) {
                separate(out, &any);
                lsof_text_print(out, row->note);
        }
        if (!request->by_field && row->state_kind != LSOF_STATE_NONE &&
            (request->show_state || request->show_queues || request->show_options)) {
                separate(out, &any);
                print_state(request, out, row);
        }
}
