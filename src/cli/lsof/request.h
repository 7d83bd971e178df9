/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_REQUEST_H
#define HOT_LSOF_REQUEST_H

/*
 * What a command line asks for: which files, which columns, how often.
 */

#include <stdbool.h>
#include <stddef.h>

#include "commands.h"
#include "files.h"
#include "hosts.h"
#include "ids.h"
#include "internet.h"
#include "mounts.h"
#include "numbers.h"
#include "states.h"
#include "users.h"

/*
 * What can ask for a file. Each is one thing, however many values were given: of several things any one is
 * enough, or with -a all are needed.
 */
enum lsof_selector {
        LSOF_BY_COMMAND = 1 << 0,
        LSOF_BY_NUMBER = 1 << 1,
        LSOF_BY_ADDRESS = 1 << 2,  /* -i with an address */
        LSOF_BY_INTERNET = 1 << 3, /* -i without */
        LSOF_BY_NFS = 1 << 4,
        LSOF_BY_LINKS = 1 << 5,
        LSOF_BY_NAME = 1 << 6,
        LSOF_BY_GROUP = 1 << 7,
        LSOF_BY_PID = 1 << 8,
        LSOF_BY_USER = 1 << 9,
        LSOF_BY_UNIX = 1 << 10,

        LSOF_BY_PROCESS = LSOF_BY_COMMAND | LSOF_BY_GROUP | LSOF_BY_PID | LSOF_BY_USER,
        LSOF_BY_SOCKET = LSOF_BY_ADDRESS | LSOF_BY_INTERNET | LSOF_BY_UNIX,
        LSOF_BY_FILE = LSOF_BY_NUMBER | LSOF_BY_NFS | LSOF_BY_LINKS | LSOF_BY_NAME,
        LSOF_BY_ANYTHING = (1 << 11) - 1,
};

/* Which numbers the column between TYPE and NODE has. */
enum lsof_extent {
        LSOF_SIZE_OR_OFFSET,
        LSOF_SIZE,
        LSOF_OFFSET,
};

/* What to say of who has the other end. */
enum lsof_ends {
        LSOF_NO_ENDS,
        LSOF_ENDS,           /* -E */
        LSOF_ENDS_AND_FILES, /* +E: and list their files, too */
};

struct lsof_request {
        unsigned int selectors; /* enum lsof_selector; 0 until the end of the reading */
        bool all_processes;     /* nothing was asked for */
        bool and_;
        bool unix_sockets, nfs, nfs_found;
        struct lsof_commands commands;
        struct lsof_files files;
        struct lsof_ids groups, pids;
        struct lsof_internet internet;
        struct lsof_numbers numbers;
        struct lsof_states states;
        struct lsof_users users;
        enum lsof_meaning meaning; /* of the names */
        unsigned long links_below; /* +L: 0: any */

        enum lsof_ends endpoints;

        bool terse, by_field, forgiving, verbose;
        bool quiet; /* -w: no warnings */
        bool show_group, show_parent, show_links, show_flags, hexadecimal_flags;
        bool users_by_number;
        bool size_only, offset_only;
        size_t command_width; /* at most; 0: any */
        size_t offset_digits; /* 0: any */
        bool show_state, show_queues;
        bool show_options; /* of sockets: Linux does not tell them, but there is room for them */
        bool fields[128];  /* by letter */
        char terminator;
        struct lsof_hosts hosts;
        struct lsof_mounts mounts;

        unsigned int seconds; /* between two listings; 0: one listing */
        unsigned int rounds;  /* 0: for ever */
        bool until_nothing;   /* +r */
        const char *
                marker; /* strftime(3)'s format of the line between two listings; NULL: "=======" */
};

/* What is to be done after reading the command line. */
enum lsof_reading {
        LSOF_LIST,
        LSOF_HELP,
        LSOF_VERSION,
        LSOF_FIELD_HELP,
        LSOF_USAGE,   /* it is wrong, and that was said */
        LSOF_NOTHING, /* what is asked for is not there, and that was said */
};

/* Read the command line; argv[0] is not looked at. */
enum lsof_reading lsof_request_read(struct lsof_request *request, int argc, char **argv);

static inline bool lsof_request_wants(const struct lsof_request *request, unsigned int selectors)
{
        return (request->selectors & selectors) != 0;
}

#endif
