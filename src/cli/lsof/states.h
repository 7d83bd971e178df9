/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_STATES_H
#define HOT_LSOF_STATES_H

/*
 * The TCP states that -s includes or excludes: "TCP:LISTEN,ESTABLISHED", "TCP:^TIME_WAIT". What is not
 * listed by that is so whatever else selects it, UDP sockets with the number of such a state too, as in
 * lsof.
 */

#include <stdbool.h>
#include <stddef.h>

enum { LSOF_STATES = 12 };

struct lsof_states {
        bool included[LSOF_STATES];
        bool excluded[LSOF_STATES];
        bool found[LSOF_STATES];
        bool any_included, any_excluded;
};

/* The name of a state, by the kernel's number; NULL if there is none. */
const char *lsof_states_name(int state);

/* Add a value of -s. Returns 0, or -1 after having said what is wrong. */
int lsof_states_add(struct lsof_states *states, const char *text);

/* A state both included and excluded? Returns 0, or -1 after having said so, for each. */
int lsof_states_check(const struct lsof_states *states);

/* Are listeners all that can be listed of TCP? */
bool lsof_states_is_listen_only(const struct lsof_states *states);

/* Is a socket in this state to be listed? A state that is included and occurs is found. */
bool lsof_states_match(struct lsof_states *states, int state);

#endif
