/* SPDX-License-Identifier: MIT */
/*
 * lsof: who has which files open, in the language of lsof 4.95: its options, columns, messages and exit
 * statuses, but for what hotstart-lsof(1) lists.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../verb.h"
#include "columns.h"
#include "fields.h"
#include "help.h"
#include "listing.h"
#include "marker.h"
#include "report.h"
#include "text.h"

enum { OUTPUT_BUFFER = 65536 };

static void print_pids(FILE *out, const struct lsof_listing *listing)
{
        for (size_t i = 0; i < listing->n; i++)
                fprintf(out, "%d\n", listing->processes[i].identity->pid);
}

static void print(struct lsof_request *request, const struct lsof_listing *listing)
{
        if (request->terse)
                print_pids(stdout, listing);
        else if (request->by_field)
                lsof_fields_print(request, stdout, listing);
        else
                lsof_columns_print(request, stdout, listing);
}

/* Returns how many processes were listed, or a negative errno. */
static int list_once(struct lsof_maker *maker)
{
        struct lsof_listing listing;
        int r = lsof_listing_read(maker, &listing);

        if (r < 0)
                return r;
        print(maker->request, &listing);
        r = (int)listing.n;
        lsof_listing_done(&listing);
        return r;
}

static void print_marker(const struct lsof_request *request)
{
        char text[LSOF_MARKER_MAX] = "=======";

        if (request->marker)
                lsof_marker_format(request->marker, text);
        else if (request->by_field)
                *text = '\0';
        if (!request->by_field) {
                puts(text);
                return;
        }
        printf("m%s%c", text, request->terminator);
        if (request->terminator != '\n')
                putchar('\n');
}

/* Returns 0 when it is done, 1 when nothing was ever listed (+r), or a negative errno. */
static int list_repeatedly(struct lsof_maker *maker)
{
        const struct lsof_request *request = maker->request;
        int r, status = request->until_nothing ? 1 : 0;

        for (unsigned int round = 1;; round++) {
                r = list_once(maker);
                if (r < 0)
                        return r;
                if (request->until_nothing && r == 0)
                        return status;
                status = 0;
                print_marker(request);
                if (fflush(stdout) != 0)
                        return -errno;
                if (request->rounds > 0 && round >= request->rounds)
                        return 0;
                sleep(request->seconds);
        }
}

static int list(struct lsof_request *request)
{
        struct lsof_maker maker = {.request = request};
        int r = request->seconds > 0 ? list_repeatedly(&maker) : list_once(&maker);
        int status = r < 0 ? 1 : lsof_report(request, stdout);

        if (r < 0)
                lsof_complain("%s", strerror(-r));
        free(maker.locks.locks);
        if (status == 0 && request->seconds > 0)
                status = r;
        return status == 0 && request->files.failed ? 1 : status;
}

int verb_lsof(int argc, char **argv)
{
        /* Static: what it owns lasts as long as the process, and is not lost before. */
        static struct lsof_request request;
        static char output[OUTPUT_BUFFER];

        /* What the caller forgot to close would be listed as ours. */
        close_range(STDERR_FILENO + 1, ~0U, 0);
        setvbuf(stdout, output, _IOFBF, sizeof(output));
        switch (lsof_request_read(&request, argc, argv)) {
        case LSOF_LIST:
                return list(&request);
        case LSOF_HELP:
                lsof_help(stderr);
                return 0;
        case LSOF_VERSION:
                lsof_version(stderr);
                return 0;
        case LSOF_FIELD_HELP:
                lsof_fields_help(stderr);
                return 0;
        case LSOF_USAGE:
                lsof_usage(stderr);
                return 1;
        case LSOF_NOTHING:
                return 1;
        }
        return 1;
}
