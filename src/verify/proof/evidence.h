/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_PROOF_EVIDENCE_H
#define HOT_VERIFY_PROOF_EVIDENCE_H

/*
 * What a proof has seen. It is filled in while it runs; findings and reports only read it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <hotstart/inspect.h>

#include "bodies.h"
#include "family.h"
#include "histogram.h"
#include "lineage.h"
#include "options.h"
#include "profile.h"
#include "tally.h"

#define PROOF_FAILURES_MAX 20000 /* remembered one by one; beyond that they are only counted */
#define PROOF_FINDINGS_MAX 32
#define PROOF_SKIPS_MAX    16
#define PROOF_TABLE_MAX    16 /* processes in one table */

/* Beside what waitpid(2) may say of a command. */
enum {
        PROOF_COMMAND_UNSENT =
                -1, /* there was nobody to send the signal to, or no command could be made */
        PROOF_COMMAND_HANGS = -2, /* it had not ended when the next one was due, and was ended */
};

/* A restart, from 0. Times are CLOCK_MONOTONIC ns, 0 if it did not come to that. */
struct proof_restart {
        uint64_t at;
        uint64_t command_ended;
        int command_status; /* as waitpid(2) has it, or one of the above */
        uint64_t effect;    /* the first answer of a new generation */
        pid_t pid;          /* who gave it, 0 if unknown */
        uint64_t gap;       /* the longest time without any answer around it, ns */
        uint64_t failed, reconnects;
        bool rebound; /* a listening socket of before was not there any more after it */
};

struct proof_failure {
        size_t profile;
        enum hot__outcome outcome;
        uint64_t due, end;
        size_t restart; /* the last one that was triggered before it ended; SIZE_MAX: none */
};

/* An answer, for the timeline. */
struct proof_dot {
        uint64_t at;      /* its end */
        uint64_t latency; /* ns */
        size_t profile;
        size_t generation; /* SIZE_MAX: unknown */
};

struct proof_skip {
        char name[24];
        char reason[200];
};

/* The descriptors of the server's processes at one moment. */
struct proof_table {
        struct hot_inspect *processes[PROOF_TABLE_MAX]; /* owned */
        size_t epochs[PROOF_TABLE_MAX];
        size_t n;
        uint64_t memory; /* KiB of all, 0 if unknown */
};

enum proof_severity {
        PROOF_NOTE,      /* worth knowing */
        PROOF_RECONNECT, /* clients were forced to reconnect: counts when it is strict */
        PROOF_SUFFERED,  /* requests failed, or something was left behind */
};

struct proof_finding {
        char class[24];
        enum proof_severity severity;
        uint64_t count;
        char text[1200]; /* what was seen, and why */
        char mend[400];  /* "" if there is nothing to say */
};

struct proof_evidence {
        const struct proof_options *options;
        char address[320]; /* where the requests went */
        bool tls;
        bool is_local;   /* the server's processes are known */
        bool identified; /* generations can be told apart */
        enum proof_identify identify;

        struct hot__profile profiles[HOT__PROFILES_MAX];
        size_t n_profiles;
        struct proof_skip skips[PROOF_SKIPS_MAX];
        size_t n_skips;

        uint64_t began, ended;          /* the traffic */
        struct proof_restart *restarts; /* of options->restarts, owned */
        size_t n_restarts;              /* triggered */
        struct lineage lineage;
        struct hot__tally_profile rows[HOT__PROFILES_MAX]; /* without the histograms */
        struct bodies
                bodies[HOT__PROFILES_MAX]; /* of those whose answers nothing else says about */
        uint64_t unfinished;               /* under way when the traffic was ended */

        struct hot__histogram steady[HOT__PROFILES_MAX], around[HOT__PROFILES_MAX];
        struct proof_failure *failures; /* owned */
        size_t n_failures;
        struct proof_dot *dots; /* owned */
        size_t n_dots, room_dots;
        uint64_t gap, gap_at; /* the longest time without any answer, and its end */

        struct family family; /* at the end */
        struct proof_table before, during, after;
        size_t during_restart;
        pid_t on_probation; /* an older generation that still was when the last table was taken; 0: none */
        uint64_t memory_peak; /* KiB */
        uint32_t queue_peak, queue_room;
        bool down;    /* at the end there was no server */
        bool starter; /* Server::Starter runs it */
        bool interrupted;
        char fault[200]; /* what was done on purpose; "" if nothing */

        struct proof_finding findings[PROOF_FINDINGS_MAX];
        size_t n_findings;
};

void proof_evidence_done(struct proof_evidence *evidence);

/* The verdict, as an exit status: 0 clean, 1 suffered. */
int proof_verdict(const struct proof_evidence *evidence);

/* What this profile's bodies are judged by, with those of all profiles of its path; NULL: by something else. */
const struct bodies *proof_bodies(const struct proof_evidence *evidence, size_t profile);

/* Of all profiles, latency left empty. */
void proof_sum(const struct proof_evidence *evidence, struct hot__tally_profile *ret);
uint64_t proof_reconnects(const struct hot__tally_profile *row);

#endif
