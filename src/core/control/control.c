/* SPDX-License-Identifier: MIT */
#include "control.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control_request.h"
#include "fd.h"

/*
 * Who gets what. A restart has a number (hot->restart). Who asks for one waits for the number that its trigger joined or
 * was queued as, and gets the outcome of no other. When a restart is committed, those who wait for a later
 * one go to the successor with what they have asked: it is the only one that can perform it.
 */

/* ---- requests ---- */

static void ask_restart(struct hot *hot, struct hot__control_client *client, bool force,
                        bool capture)
{
        struct hot__json json = {0};
        uint64_t number;

        if (hot->life.phase >= HOT__PHASE_STOPPING || hot->life.stop_queued) {
                hot__control_refuse(hot, client, "the server is stopping");
                return;
        }
        client->asked_force = force;
        client->asked_capture = capture;
        client->waits_for = HOT__CONTROL_ASKING;
        number = hot__trigger(hot);
        if (force)
                hot__chain_force(hot);
        /* What fails at once has been answered already. */
        if (client->fd < 0 || client->waits_for != HOT__CONTROL_ASKING)
                return;
        client->waits_for = number;
        if (hot->restart < number && hot->life.crowded) {
                hot__answer_message(&json, "waiting",
                                    "as many generations drain as may be: the restart waits until "
                                    "one of them has ended");
                hot__control_say(hot, client, &json);
        }
}

static void ask_stop(struct hot *hot, struct hot__control_client *client, bool now)
{
        struct hot__json json = {0};

        hot__answer_stopping(hot, &json);
        hot__control_say(hot, client, &json);
        hot__feed(hot, HOT__IN_STOP);
        if (now && hot->life.phase != HOT__PHASE_EXITED)
                hot__feed(hot, HOT__IN_STOP);
}

static void ask_commit(struct hot *hot, struct hot__control_client *client)
{
        if (hot->life.phase != HOT__PHASE_HELD) {
                hot__control_refuse(hot, client, "no restart waits for the word");
                return;
        }
        client->waits_for = hot->restart;
        hot__feed(hot, HOT__IN_GO);
}

static void ask_abort(struct hot *hot, struct hot__control_client *client)
{
        if (!hot__lifecycle_is_restarting(&hot->life)) {
                hot__control_refuse(hot, client, "no restart is under way");
                return;
        }
        /* One that is being rolled back already is waited for. */
        if (hot->life.phase == HOT__PHASE_COMMITTING) {
                hot__control_refuse(hot, client,
                                    "the restart is past the point where it could be "
                                    "given up");
                return;
        }
        client->waits_for = hot->restart;
        hot__give_up(hot);
}

static void perform(struct hot *hot, struct hot__control_client *client,
                    const struct hot__request *request)
{
        switch (request->verb) {
        case HOT__REQUEST_STATUS:
                client->wants_status = true;
                hot__control_collect(hot);
                break;
        case HOT__REQUEST_RESTART:
                ask_restart(hot, client, request->force, request->capture);
                break;
        case HOT__REQUEST_STOP:
                ask_stop(hot, client, request->now);
                break;
        case HOT__REQUEST_COMMIT:
                ask_commit(hot, client);
                break;
        case HOT__REQUEST_ABORT:
                ask_abort(hot, client);
                break;
        case HOT__REQUEST_EVENTS:
                client->subscribed = true;
                break;
        }
}

static bool wants_status(const char *line)
{
        struct hot__request request;

        return hot__request_parse(line, strlen(line), &request) == 0 &&
               request.verb == HOT__REQUEST_STATUS;
}

void hot__control_take_request(struct hot *hot, struct hot__control_client *client,
                               const char *line)
{
        struct hot__request request;

        client->used = hot__now();
        if (hot__request_parse(line, strlen(line), &request) < 0)
                hot__control_refuse(hot, client, "no such request: see hotstart-control(7)");
        else if (client->waits_for && request.verb != HOT__REQUEST_STATUS)
                hot__control_refuse(hot, client, "this connection waits for a restart already");
        else if (hot__lifecycle_has_successor(&hot->life) &&
                 !(hot->life.peer_is_seed && wants_status(line)))
                hot__control_pass_on(hot, client, line);
        else
                perform(hot, client, &request);
}

/* What was asked for in another generation: one request a line, or nothing yet. */
static void take_requests(struct hot *hot, struct hot__control_client *client, const char *requests)
{
        while (*requests && client->fd >= 0) {
                size_t len = strcspn(requests, "\n");
                char line[HOT__CONTROL_LINE_MAX];

                if (len >= sizeof(line))
                        return;
                snprintf(line, sizeof(line), "%.*s", (int)len, requests);
                if (len > 0)
                        hot__control_take_request(hot, client, line);
                requests += len + (requests[len] == '\n');
        }
}

void hot__control_take_connection_fd(struct hot *hot, int fd, const char *requests)
{
        struct hot__control_client *client;

        if (!hot->control) {
                hot__fd_close(fd);
                return;
        }
        client = hot__control_add_fd(hot, fd);
        if (client)
                take_requests(hot, client, requests);
}

/* ---- outcomes ---- */

static bool waits_for_this(const struct hot *hot, const struct hot__control_client *client)
{
        return client->fd >= 0 &&
               (client->waits_for == hot->restart || client->waits_for == HOT__CONTROL_ASKING);
}

/* Tell all who wait for the restart under way. */
static void tell_outcome(struct hot *hot, const struct hot__json *outcome)
{
        for (size_t i = 0; i < HOT__CONTROL_CLIENTS; i++) {
                struct hot__control_client *client = &hot->control->clients[i];
                struct hot__json copy = {0};

                if (!waits_for_this(hot, client) && !(client->fd >= 0 && client->subscribed))
                        continue;
                if (waits_for_this(hot, client))
                        client->waits_for = 0;
                hot__json_verbatim(&copy, NULL, outcome->text, outcome->len);
                hot__control_say(hot, client, &copy);
        }
}

/* What a client still wants, when another generation has to see to it. */
static void hand_on_wishes(struct hot *hot, struct hot__control_client *client)
{
        char requests[64];

        snprintf(requests, sizeof(requests), "%s%s%s%s", client->subscribed ? "events\n" : "",
                 client->waits_for ? "restart" : "",
                 client->waits_for && client->asked_force ? " force" : "",
                 client->waits_for && client->asked_capture ? " capture" : "");
        hot__control_pass_on(hot, client, requests);
}

void hot__control_committed(struct hot *hot)
{
        struct hot__json outcome = {0};

        if (!hot->control)
                return;
        hot__answer_committed(hot, &outcome);
        if (!outcome.failed)
                tell_outcome(hot, &outcome);
        hot__json_done(&outcome);
        /* One that knows nothing of the socket leaves it to us for as long as we are there. */
        if (!hot->life.peer_is_seed)
                hot__control_set_accepting(hot, false);
        for (size_t i = 0; i < HOT__CONTROL_CLIENTS; i++) {
                struct hot__control_client *client = &hot->control->clients[i];

                if (client->fd >= 0 && (client->waits_for || client->subscribed))
                        hand_on_wishes(hot, client);
        }
}

static void note_failure(struct hot__control *control, const struct hot__failure *failure)
{
        if (control->n_failures == HOT__CONTROL_FAILURES) {
                control->n_failures--;
                memmove(control->failures, control->failures + 1,
                        control->n_failures * sizeof(control->failures[0]));
                memmove(control->failed_at, control->failed_at + 1,
                        control->n_failures * sizeof(control->failed_at[0]));
        }
        control->failures[control->n_failures] = *failure;
        control->failed_at[control->n_failures++] = hot__now();
}

void hot__control_rolled_back(struct hot *hot, const struct hot__failure *failure, const char *tail)
{
        struct hot__json outcome = {0};

        if (!hot->control)
                return;
        note_failure(hot->control, failure);
        hot__answer_rolled_back(hot, failure, tail, &outcome);
        if (!outcome.failed)
                tell_outcome(hot, &outcome);
        hot__json_done(&outcome);
}

static void tell_waiting(struct hot *hot, bool all, const char *type, const char *message)
{
        for (size_t i = 0; i < HOT__CONTROL_CLIENTS; i++) {
                struct hot__control_client *client = &hot->control->clients[i];
                struct hot__json json = {0};

                if (client->fd < 0 || !client->waits_for || !(all || waits_for_this(hot, client)))
                        continue;
                hot__answer_message(&json, type, message);
                hot__control_say(hot, client, &json);
        }
}

void hot__control_held(struct hot *hot)
{
        if (hot->control)
                tell_waiting(hot, false, "waiting",
                             "the new generation is ready and waits for commit or abort");
}

void hot__control_stopping(struct hot *hot)
{
        if (!hot->control)
                return;
        tell_waiting(hot, true, "error", "the server was told to stop");
        for (size_t i = 0; i < HOT__CONTROL_CLIENTS; i++)
                hot->control->clients[i].waits_for = 0;
}

bool hot__control_captures(const struct hot *hot)
{
        for (size_t i = 0; hot->control && i < HOT__CONTROL_CLIENTS; i++)
                if (waits_for_this(hot, &hot->control->clients[i]) &&
                    hot->control->clients[i].asked_capture)
                        return true;
        return false;
}

void hot__control_step(struct hot *hot, const struct hot_event *event)
{
        for (size_t i = 0; hot->control && i < HOT__CONTROL_CLIENTS; i++) {
                struct hot__control_client *client = &hot->control->clients[i];
                struct hot__json json = {0};

                if (client->fd < 0 || !client->subscribed)
                        continue;
                hot__answer_step(event, &json);
                hot__control_say(hot, client, &json);
        }
}

/* ---- the life of the socket ---- */

int hot__control_open(struct hot *hot, const char *runtime)
{
        struct hot__control *control;
        int r;

        if (!hot->options.control)
                return 0;
        control = calloc(1, sizeof(*control));
        if (!control)
                return -ENOMEM;
        control->timer_fd = -EBADF;
        for (size_t i = 0; i < HOT__CONTROL_CLIENTS; i++)
                control->clients[i].fd = -EBADF;
        r = hot__control_socket_init(&control->socket, hot->options.control);
        if (r == 0 && runtime) {
                control->runtime = strdup(runtime);
                if (!control->runtime)
                        r = -ENOMEM;
        }
        if (r < 0) {
                hot__control_socket_done(&control->socket);
                free(control);
                return r;
        }
        hot->control = control;
        return 0;
}

void hot__control_done(struct hot *hot)
{
        struct hot__control *control = hot->control;

        if (!control)
                return;
        hot__control_set_accepting(hot, false);
        for (size_t i = 0; i < HOT__CONTROL_CLIENTS; i++)
                if (control->clients[i].fd >= 0)
                        hot__control_drop(hot, &control->clients[i]);
        hot__control_status_done(hot);
        hot__control_socket_done(&control->socket);
        free(control->runtime);
        free(control);
        hot->control = NULL;
}

/* What is no number ends the list: it is for people's convenience, and a predecessor's word. */
static void take_pids(struct hot__control *control, const char *pids)
{
        control->n_former = 0;
        while (*pids && control->n_former < HOT__CONTROL_FORMER) {
                char *end;
                long pid = strtol(pids, &end, 10);

                if (end == pids || pid <= 0 || pid > INT_MAX)
                        return;
                control->former[control->n_former++] = (pid_t)pid;
                pids = *end == ',' ? end + 1 : end;
        }
}

void hot__control_pids(const struct hot *hot, char *buffer, size_t size)
{
        const struct hot__control *control = hot->control;
        size_t skipped = control->n_former == HOT__CONTROL_FORMER ? 1 : 0;
        int len = 0;

        for (size_t i = skipped; i < control->n_former; i++)
                len += snprintf(buffer + len, size - (size_t)len, "%d,", (int)control->former[i]);
        snprintf(buffer + len, size - (size_t)len, "%d", (int)getpid());
}

int hot__control_take_socket_fd(struct hot *hot, int fd, const char *pids)
{
        if (hot->control && hot->control->socket.fd < 0) {
                take_pids(hot->control, pids);
                return hot__control_socket_take_fd(&hot->control->socket, fd);
        }
        hot__fd_close(fd);
        return 0;
}

int hot__control_socket_fd(const struct hot *hot)
{
        return hot->control ? hot->control->socket.fd : -EBADF;
}

/* Names of generations that are gone lead to this one; let them go too. */
static void forget_the_dead(struct hot *hot)
{
        pid_t alive[HOT__N_ANCESTORS + 4];
        size_t n = 0;

        alive[n++] = getpid();
        alive[n++] = hot->init.pid;
        alive[n++] = hot->predecessor_process.pid;
        alive[n++] = hot->successor_process.pid;
        for (size_t i = 0; i < hot->n_ancestors; i++)
                alive[n++] = hot->ancestors[i].process.pid;
        hot__control_socket_forget(&hot->control->socket, alive, n);
}

/* A server that cannot be controlled still serves. */
static void advertise(struct hot *hot)
{
        struct hot__control *control = hot->control;
        int r = 0;

        if (control->socket.fd < 0)
                r = hot__control_socket_bind(&control->socket, control->runtime);
        if (r == 0)
                r = hot__control_socket_advertise(&control->socket, control->runtime, getpid());
        /* The process that stays is the one that an operator knows. */
        if (r == 0 && hot->init.pid > 0)
                r = hot__control_socket_advertise(&control->socket, control->runtime,
                                                  hot->init.pid);
        if (r < 0)
                hot__event_trouble(hot, HOT_STEP_CONTROL, -r,
                                   control->socket.path ? control->socket.path
                                                        : "the control socket");
}

void hot__control_begin(struct hot *hot)
{
        if (hot->control && hot->control->socket.fd < 0)
                advertise(hot);
}

void hot__control_serve(struct hot *hot)
{
        if (!hot->control)
                return;
        advertise(hot);
        hot__control_set_accepting(hot, true);
        forget_the_dead(hot);
}

static bool is_between_requests(const struct hot__control_client *client)
{
        return client->fd >= 0 && !client->ended && !client->closing && client->input_len == 0 &&
               client->output_len == 0 && !client->wants_status;
}

void hot__control_exit(struct hot *hot)
{
        struct hot__control *control = hot->control;

        if (!control)
                return;
        hot__control_set_accepting(hot, false);
        /* Those who have said nothing yet need not notice. */
        for (size_t i = 0; i < HOT__CONTROL_CLIENTS; i++)
                if (hot->successor.fd >= 0 && !hot->stopping && !hot->life.peer_is_seed &&
                    is_between_requests(&control->clients[i]))
                        hot__control_pass_on(hot, &control->clients[i], "\n");
        if (hot->stopping || hot->life.peer_is_seed)
                hot__control_socket_unlink(&control->socket);
        else
                hot__control_socket_withdraw(&control->socket, getpid());
}
