/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_SUBJECT_H
#define HOT_VERIFY_SUBJECT_H

/*
 * The subject: the program that a proof starts, what it prints, and the commands that are run on it. The
 * only room of the proof that makes processes, and that ends them.
 *
 * This process becomes the reaper of its descendants, so that nothing that the program leaves can get away;
 * only while it has started the program itself: what runs already is not ours to end.
 */

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SUBJECT_TAIL 4096

struct subject {
        bool is_ours;            /* the program was started here */
        bool is_traced;          /* another thread may trace children, see snare */
        pid_t pid;               /* of the program; 0: none */
        int status;              /* how it ended, as waitpid(2) has it */
        int output_fd;           /* what the program and the commands print; -EBADF: none (left) */
        int output_end;          /* the writing end, for the next command */
        bool echo;               /* to standard error as well */
        char tail[SUBJECT_TAIL]; /* the last of it, terminated */
        size_t tail_length;
        sigset_t mask; /* that children get */

        pid_t command; /* 0: none runs */
        int command_status;
};

/* @mask is what children get as their signal mask. Returns 0 or a negative errno. */
int subject_init(struct subject *ret, const sigset_t *mask, bool is_ours, bool echo);

/* Start the program. Returns 0 or a negative errno: -ENOENT, -EACCES … */
int subject_start(struct subject *subject, char **program);

/* Run a command with sh(1); HOTSTART_PID is in its environment. Returns 0 or a negative errno. */
int subject_command(struct subject *subject, const char *command, pid_t serving);

/*
 * End a command that does not end by itself, and what it has started: its process group, unless @spare_group is
 * that, which holds the server. Nothing happens if none runs.
 */
void subject_end_command(struct subject *subject, pid_t spare_group);

/* Read what was printed. */
void subject_read(struct subject *subject);

/* Take in every child that has ended. Returns whether the command was among them. */
bool subject_reap(struct subject *subject);

/*
 * End all: ask with SIGTERM, and kill what is still there at @deadline. @spare_group as above. Returns how many
 * had to be killed.
 */
unsigned int subject_end(struct subject *subject, uint64_t deadline, pid_t spare_group);

#endif
