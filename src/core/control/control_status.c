/* SPDX-License-Identifier: MIT */
#include "control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>

#include "fd.h"

/*
 * The status of all generations. Each older one is asked over its channel (QUERY) and answers with what it
 * has to say of itself (REPORT). One that is stopped, or dying, is not waited for long: it is listed, as
 * silent. Requests that come meanwhile get the same answer.
 */

#define PATIENCE_MS 1000

static bool is_collecting(const struct hot *hot)
{
        return hot->control->timer_fd >= 0;
}

static void end_collecting(struct hot *hot)
{
        struct hot__control *control = hot->control;

        for (size_t i = 0; i < control->n_reports; i++)
                free(control->reports[i].text);
        free(control->reports);
        control->reports = NULL;
        control->n_reports = 0;
        hot__unwatch(hot, control->timer_fd);
        control->timer_fd = hot__fd_close(control->timer_fd);
}

void hot__control_status_done(struct hot *hot)
{
        end_collecting(hot);
}

static int start_timer(struct hot *hot)
{
        const struct itimerspec patience = {.it_value = {.tv_sec = PATIENCE_MS / 1000,
                                                         .tv_nsec = PATIENCE_MS % 1000 * 1000000L}};
        int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

        if (fd >= 0)
                fd = hot__fd_take_above_stdio(fd);
        if (fd < 0)
                return fd == -1 ? -errno : fd;
        hot->control->timer_fd = fd;
        timerfd_settime(fd, 0, &patience, NULL);
        return hot__watch(hot, fd, HOT__SOURCE_CONTROL + HOT__CONTROL_TIMER);
}

static void ask(struct hot *hot, struct hot__channel *channel, unsigned int source,
                const struct hot__process *process, uint64_t generation)
{
        struct hot__control *control = hot->control;

        if (process->pid <= 0)
                return;
        control->reports[control->n_reports++] =
                (struct hot__control_report){.pid = process->pid, .generation = generation};
        /* One that cannot be asked is silent. */
        hot__send_plain(hot, channel, source, HOT__QUERY);
}

static void ask_all(struct hot *hot)
{
        for (size_t i = 0; i < hot->n_ancestors; i++)
                ask(hot, &hot->ancestors[i].channel, HOT__SOURCE_ANCESTOR + 2 * (unsigned int)i,
                    &hot->ancestors[i].process, hot->ancestors[i].generation);
        ask(hot, &hot->predecessor, HOT__SOURCE_PREDECESSOR, &hot->predecessor_process,
            hot->generation - 1);
}

static void answer_all(struct hot *hot)
{
        for (size_t i = 0; i < HOT__CONTROL_CLIENTS; i++) {
                struct hot__control_client *client = &hot->control->clients[i];
                struct hot__json json = {0};

                if (client->fd < 0 || !client->wants_status)
                        continue;
                client->wants_status = false;
                hot__answer_status(hot, &json);
                hot__control_say(hot, client, &json);
        }
        end_collecting(hot);
}

static bool all_have_told(const struct hot *hot)
{
        for (size_t i = 0; i < hot->control->n_reports; i++)
                if (!hot->control->reports[i].text)
                        return false;
        return true;
}

void hot__control_collect(struct hot *hot)
{
        struct hot__control *control = hot->control;

        if (is_collecting(hot))
                return;
        control->reports = calloc(hot->n_ancestors + 1, sizeof(*control->reports));
        if (control->reports && start_timer(hot) == 0)
                ask_all(hot);
        if (all_have_told(hot) || !is_collecting(hot))
                answer_all(hot);
}

void hot__control_collected(struct hot *hot)
{
        if (is_collecting(hot))
                answer_all(hot);
}

/* An older generation is of our user, and of another version at the worst: what it says goes into our own
 * answer, so it has to look like what it should be. */
static bool is_object(const char *text)
{
        size_t len = strlen(text);

        return len >= 2 && text[0] == '{' && text[len - 1] == '}' && !strchr(text, '\n');
}

void hot__control_take_report(struct hot *hot, pid_t pid, const char *text)
{
        struct hot__control *control = hot->control;

        if (!control || !is_collecting(hot) || !is_object(text))
                return;
        for (size_t i = 0; i < control->n_reports; i++)
                if (control->reports[i].pid == pid && !control->reports[i].text)
                        control->reports[i].text = strdup(text);
        if (all_have_told(hot))
                answer_all(hot);
}

void hot__control_lost(struct hot *hot, pid_t pid)
{
        struct hot__control *control = hot->control;

        if (!control)
                return;
        hot__control_socket_withdraw(&control->socket, pid);
        for (size_t i = 0; i < control->n_reports; i++) {
                if (control->reports[i].pid != pid)
                        continue;
                free(control->reports[i].text);
                control->reports[i] = control->reports[--control->n_reports];
                break;
        }
        if (is_collecting(hot) && all_have_told(hot))
                answer_all(hot);
}

/*
 * With as much of it as a frame takes: the failures' words may be long. What goes into the array of
 * generations there may be several objects.
 */
void hot__control_report(struct hot *hot)
{
        struct hot__frame frame = {.type = HOT__REPORT};

        for (int with_failures = 1; with_failures >= 0; with_failures--) {
                struct hot__json json = {0};
                bool fits;

                hot__answer_generation(hot, with_failures, &json);
                hot__answer_ancestors(hot, &json);
                fits = !json.failed && json.len < sizeof(frame.text);
                if (fits)
                        memcpy(frame.text, json.text, json.len);
                hot__json_done(&json);
                if (fits)
                        break;
        }
        if (frame.text[0])
                hot__send_frame(hot, &hot->successor, HOT__SOURCE_SUCCESSOR, &frame, NULL, 0);
}
