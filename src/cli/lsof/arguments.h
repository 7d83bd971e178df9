/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_ARGUMENTS_H
#define HOT_LSOF_ARGUMENTS_H

/*
 * lsof's command line, which no getopt reads: an option may begin with '-' or '+', a value may be glued or
 * follow, and some options look at what follows before they take it for their value. (Pure.)
 */

#include <stdbool.h>
#include <stddef.h>

struct lsof_arguments {
        int n;
        char **words;  /* words[0] is the program's name */
        int at;        /* the word that is read next; at the end, the first that is no option */
        size_t within; /* where in it; 0: at its beginning */
        char sign;     /* of the current option: '-' or '+' */
        char *value;   /* of the current option; NULL: none */
        int value_at;
        size_t value_within;
};

void lsof_arguments_init(struct lsof_arguments *arguments, int n, char **words);

/*
 * The letter of the next option, or 0 at the end. @takes_value says of a letter whether it has a value:
 * then the rest of the word is that, or else the next word.
 */
char lsof_arguments_next(struct lsof_arguments *arguments, bool (*takes_value)(char letter));

/* The value of an option that may have none: NULL for what looks like another option, which is left. */
char *lsof_arguments_optional(struct lsof_arguments *arguments);

/* The first @n bytes of the value were the option's own; what follows are more options. */
void lsof_arguments_leave(struct lsof_arguments *arguments, size_t n);

/*
 * The digits at the beginning of the value: 0 if there are none, else 1 and the number. What follows
 * them is left.
 */
int lsof_arguments_number(struct lsof_arguments *arguments, long *ret);

#endif
