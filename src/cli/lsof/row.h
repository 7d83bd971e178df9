/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_ROW_H
#define HOT_LSOF_ROW_H

/*
 * One row of a listing: an open file as lsof has it, before it is known which columns are wanted and how
 * wide they are.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "internet.h"

enum { LSOF_TYPE_MAX = 9, LSOF_WORD_MAX = 24 };

/* What the column NODE has. */
enum lsof_node {
        LSOF_NODE_NONE,
        LSOF_NODE_INODE,
        LSOF_NODE_PROTOCOL,
};

/* Which column a TCP, UDP or UNIX socket's state has behind the name. */
enum lsof_state_kind {
        LSOF_STATE_NONE,
        LSOF_STATE_TCP,
        LSOF_STATE_UDP, /* it has queues, and no state */
        LSOF_STATE_UNIX,
};

/* What a row is one end of. */
enum lsof_end {
        LSOF_END_NONE,
        LSOF_END_PIPE,
        LSOF_END_QUEUE,
        LSOF_END_EVENTFD,
        LSOF_END_MASTER, /* of a pseudo-terminal */
        LSOF_END_SLAVE,
        LSOF_END_UNIX,
        LSOF_END_CONNECTION,
};

struct lsof_row {
        const char *role; /* "cwd", "mem", "NOFD", …; NULL: a descriptor, with the number: */
        int number;
        char access; /* r, w, u, or ' ' */
        char lock;   /* r, R, w, W, or ' ' */
        char type[LSOF_TYPE_MAX];

        bool has_device, has_raw_device;
        dev_t device, raw_device;
        char device_text[LSOF_WORD_MAX]; /* where it is no number: a socket's */
        bool has_size, has_offset, has_links;
        uint64_t size, offset, links;
        enum lsof_node node;
        uint64_t inode;
        char protocol[LSOF_PROTOCOL_MAX];

        char *name; /* owned */
        char *note; /* owned: "(readlink: Permission denied)"; or NULL */
        struct lsof_endpoint local, peer;

        enum lsof_state_kind state_kind;
        int state_number;  /* TCP */
        const char *state; /* its name; NULL: unknown */
        uint32_t receive_queue, send_queue;

        bool has_flags;
        unsigned int flags; /* open(2)'s, with O_CLOEXEC for FD_CLOEXEC */

        enum lsof_end end; /* of something that has another; these only where ends are asked for */
        uint64_t end_key, other_key, pending_key;
        bool is_end; /* of something that is listed */

        unsigned int selected; /* enum lsof_selector: what asks for it */
        bool excluded;         /* whatever asks for it */
};

void lsof_row_done(struct lsof_row *row);

#endif
