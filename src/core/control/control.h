/* SPDX-License-Identifier: MIT */
#ifndef HOT_CONTROL_H
#define HOT_CONTROL_H

/*
 * The control socket of a server: hotstart-control(7) has what is said on it.
 *
 * Only the generation that serves accepts on it, and answers for all. A connection that an older one has
 * accepted stays with it until the next request, which goes on to the successor with the connection
 * itself: so does a restart that was asked for and is not ours to perform any more. Nothing here waits for
 * a client, and nothing that a client says or leaves unsaid is in the way of anybody else.
 *
 *   control_path.c    where it is
 *   control_socket.c  the listening end, and its names
 *   control_client.c  a connection
 *   control_clients.c all connections
 *   control.c         who gets what: requests and outcomes
 *   control_status.c  the status of all generations, which has to be collected
 *   control_answer.c  answers, as JSON
 */

#include "control_client.h"
#include "control_socket.h"
#include "hot.h"
#include "json.h"

#define HOT__CONTROL_CLIENTS  64
#define HOT__CONTROL_FAILURES 4
#define HOT__CONTROL_FORMER   24

/* Of a restart that is being asked for just now, whose number is not known yet. */
#define HOT__CONTROL_ASKING UINT64_MAX

/* What a source of ours is: HOT__SOURCE_CONTROL and this, or the index of a client behind these. */
enum hot__control_source {
        HOT__CONTROL_LISTENER,
        HOT__CONTROL_TIMER,
        HOT__CONTROL_FIRST_CLIENT,
};

/* What another generation says of itself, or does not. */
struct hot__control_report {
        pid_t pid;
        uint64_t generation;
        char *text; /* owned: JSON; NULL: not yet */
};

struct hot__control {
        struct hot__control_socket socket;
        char *runtime; /* owned: XDG_RUNTIME_DIR at the start; NULL if there was none */
        bool accepting;
        struct hot__control_client clients[HOT__CONTROL_CLIENTS];

        /* the pids of the last generations, oldest first: who asks for one of them means us */
        pid_t former[HOT__CONTROL_FORMER];
        size_t n_former;

        /* the last roll backs, oldest first */
        struct hot__failure failures[HOT__CONTROL_FAILURES];
        uint64_t failed_at[HOT__CONTROL_FAILURES];
        size_t n_failures;

        /* a status that is being collected */
        struct hot__control_report *reports;
        size_t n_reports;
        int timer_fd; /* owned: how long it may take */
};

/* As the options have it. Returns 0 (none is wanted, too) or a negative errno. */
int hot__control_open(struct hot *hot, const char *runtime);
void hot__control_done(struct hot *hot);

/*
 * The one that our predecessor had, and the pids of the generations up to it, parted by commas. Ownership:
 * takes @fd, always. Returns 0 or a negative errno.
 */
int hot__control_take_socket_fd(struct hot *hot, int fd, const char *pids);

/* What the successor shall have: lent, or -EBADF; and the pids up to ours. */
int hot__control_socket_fd(const struct hot *hot);
void hot__control_pids(const struct hot *hot, char *buffer, size_t size);

/* ---- what the lifecycle does, told as it happens; nothing without a control socket ---- */

/* This generation will serve: whoever finds that it does shall find the socket too. */
void hot__control_begin(struct hot *hot);
/* It serves, for the first time or again. */
void hot__control_serve(struct hot *hot);
/* The restart under way is committed. */
void hot__control_committed(struct hot *hot);
/* It is rolled back; @tail is what the new process wrote last, or "". */
void hot__control_rolled_back(struct hot *hot, const struct hot__failure *failure,
                              const char *tail);
/* It is ready, and waits for the word. */
void hot__control_held(struct hot *hot);
/* It is somebody's who wants to know what the new process writes to its standard error. */
bool hot__control_captures(const struct hot *hot);
/* For those who have subscribed. */
void hot__control_step(struct hot *hot, const struct hot_event *event);
/* Told to stop: nobody needs to wait for a restart any more. */
void hot__control_stopping(struct hot *hot);
/* An older generation is gone. */
void hot__control_lost(struct hot *hot, pid_t pid);
void hot__control_exit(struct hot *hot);

/* ---- what other generations say ---- */

/* A connection of our predecessor, and what was asked on it. Ownership: takes @fd, always. */
void hot__control_take_connection_fd(struct hot *hot, int fd, const char *requests);
/* The one that serves asks how we are. */
void hot__control_report(struct hot *hot);
/* What process @pid answers to that. */
void hot__control_take_report(struct hot *hot, pid_t pid, const char *text);

/* A descriptor of ours is ready: @index counts from HOT__SOURCE_CONTROL. */
void hot__control_dispatch(struct hot *hot, unsigned int index);

/* It is time for the clients that there was no room for. */
void hot__control_accept_again(struct hot *hot);

/* ---- between our files ---- */

/* control.c */

/* One request; @line ends with a zero. */
void hot__control_take_request(struct hot *hot, struct hot__control_client *client,
                               const char *line);

/* control_clients.c */

/* A client of ours from now on. Ownership: takes @fd, always. Returns NULL if there is no room for it. */
struct hot__control_client *hot__control_add_fd(struct hot *hot, int fd);
void hot__control_drop(struct hot *hot, struct hot__control_client *client);
void hot__control_set_accepting(struct hot *hot, bool accepting);
/* Send it, or drop the client; frees what @json holds. */
void hot__control_say(struct hot *hot, struct hot__control_client *client, struct hot__json *json);
void hot__control_refuse(struct hot *hot, struct hot__control_client *client, const char *message);
/* To the successor, which is the one to ask, with @requests as if they had been made there. */
void hot__control_pass_on(struct hot *hot, struct hot__control_client *client,
                          const char *requests);

/* control_status.c */
void hot__control_collect(struct hot *hot);
void hot__control_collected(struct hot *hot);
void hot__control_status_done(struct hot *hot);

/* control_answer.c */
void hot__answer_hello(const struct hot *hot, struct hot__json *json);
void hot__answer_error(struct hot__json *json, const char *message);
void hot__answer_message(struct hot__json *json, const char *type, const char *message);
void hot__answer_committed(const struct hot *hot, struct hot__json *json);
void hot__answer_rolled_back(const struct hot *hot, const struct hot__failure *failure,
                             const char *tail, struct hot__json *json);
void hot__answer_step(const struct hot_event *event, struct hot__json *json);
void hot__answer_stopping(const struct hot *hot, struct hot__json *json);
/* What a generation says of itself; with or without its failures, of which the words may be long. */
void hot__answer_generation(const struct hot *hot, bool with_failures, struct hot__json *json);
/* The objects of an array. */
void hot__answer_ancestors(const struct hot *hot, struct hot__json *json);
void hot__answer_status(const struct hot *hot, struct hot__json *json);

#endif
