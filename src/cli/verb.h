/* SPDX-License-Identifier: MIT */
#ifndef HOT_CLI_VERB_H
#define HOT_CLI_VERB_H

/*
 * A verb of the command line, `hotstart VERB …`. One file a verb: parse the arguments, make one library
 * call, print. Results go to stdout, messages to stderr. The table of all verbs is in main.c: a new one is
 * a line there, a prototype here, and its file.
 */
struct verb {
        const char *name;
        const char *arguments; /* what follows the name in the synopsis; "" for none */
        const char *summary;   /* one line, for the list of verbs */
        const char *detail;    /* whole lines for `help VERB`; "" if the summary says it all */
        int (*run)(int argc, char **argv); /* argv[0] is the verb; returns the exit status */
};

/* The exit statuses that all verbs share, beside 0. */
enum {
        EXIT_NO = 1,     /* the answer is no; of a server: it refused, or rolled back */
        EXIT_USAGE = 2,  /* wrong use: one line on stderr, nothing was done */
        EXIT_SYSTEM = 3, /* the system refused something that the verb needs */
};

/* Ends with a verb whose name is NULL. */
extern const struct verb verbs[];

/* The verb of that name, or NULL. */
const struct verb *find_verb(const char *name);

/* What somebody who typed @name may have meant, or NULL when nothing is close. */
const struct verb *nearest_verb(const char *name);

/*
 * Refuse a wrong use with one line on stderr, "hotstart: <message>; try `hotstart help`". Returns
 * EXIT_USAGE, for the verb to return.
 */
int wrong_use(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Refuse a verb that there is not, with what may have been meant. Returns EXIT_USAGE. */
int unknown_verb(const char *name);

int verb_abort(int argc, char **argv);
int verb_commit(int argc, char **argv);
int verb_fds(int argc, char **argv);
int verb_help(int argc, char **argv);
int verb_lsof(int argc, char **argv);
int verb_restart(int argc, char **argv);
int verb_status(int argc, char **argv);
int verb_stop(int argc, char **argv);
int verb_doctor(int argc, char **argv);
int verb_verify(int argc, char **argv);
int verb_version(int argc, char **argv);

/* What `help VERB` says of those with options; decide_detail is that of commit and of abort. */
extern const char decide_detail[], doctor_detail[], restart_detail[], status_detail[];
extern const char stop_detail[];

#endif
