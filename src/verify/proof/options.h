/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_OPTIONS_H
#define HOT_VERIFY_OPTIONS_H

/*
 * What a proof is asked to do. Strings are lent for as long as it lasts.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROOF_SECOND      UINT64_C(1000000000)
#define PROOF_MILLISECOND UINT64_C(1000000)

/* nginx by itself gives its old workers 100 ms beside the new ones. */
#define PROOF_OVERLAP_DEFAULT (250 * PROOF_MILLISECOND)

/* What is done to the server on purpose. */
enum proof_fault {
        PROOF_FAULT_NONE,
        PROOF_FAULT_CRASH_BEFORE_READY, /* each new process is killed as soon as it is there */
        PROOF_FAULT_HANG,               /* each new process is stopped as soon as it is there */
        PROOF_FAULT_CRASH_AFTER,        /* killed so long after its first answer */
        PROOF_FAULT_KILL_OLD,           /* the old one is killed when the new one has answered */
        PROOF_FAULT_KILL_NEW,           /* the new one is killed when it has answered */
        PROOF_FAULT_DOUBLE_TRIGGER,     /* every trigger comes twice */
        PROOF_FAULT_FD_LIMIT,           /* the server's descriptor limit is lowered */
};

enum proof_identify {
        PROOF_IDENTIFY_AUTO,
        PROOF_IDENTIFY_HEADERS,
        PROOF_IDENTIFY_PID,
        PROOF_IDENTIFY_BODY,
        PROOF_IDENTIFY_KERNEL,
};

struct proof_options {
        char **program;              /* to start, ends with NULL; NULL: attach to what runs */
        const char *url;             /* NULL: the first listener of the program */
        const char *restart_command; /* for sh -c; NULL: SIGUSR2 to the serving process */
        pid_t pid;                   /* the server; 0: not told */
        const char *pid_file;        /* NULL: none */
        unsigned int restarts;
        uint64_t every;                                                /* ns */
        const char *get, *slow, *post, *download, *websocket, *events; /* paths; NULL: not told */
        const char *profiles; /* a list; NULL: what is possible */
        enum proof_identify identify;
        enum proof_fault fault;
        double fault_value; /* seconds, or a number of descriptors */
        bool tls;           /* the program's listener speaks TLS */
        bool strict;        /* forced reconnects count */
        bool verbose;       /* what the program prints goes to standard error */
        bool quiet;         /* no progress bar */
        uint64_t timeout;   /* ns for one request; 0: the default of each kind */
        uint64_t overlap;   /* ns for which two generations may answer at once */

        /*
         * How many ms is this process of the server still on probation? -1: it is not. Who is, holds what it
         * has handed over, and lets go of it then. NULL: nobody knows.
         */
        int (*probation)(pid_t pid);
};

#endif
