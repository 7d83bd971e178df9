/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_LOAD_H
#define HOT_VERIFY_LOAD_H

/*
 * A load: many clients of several profiles against one server, in one thread. It never retries,
 * judges every request, and knows which generation answered.
 *
 * The host keeps its loop: poll hot__load_fd() for reading until hot__load_deadline(), then call
 * hot__load_process(). An event beats a deadline: what the kernel has is looked at before any time
 * is found to be over.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "connection.h"

struct hot__load;

struct hot__load_options {
        const char *target; /* see hot__target_resolve() */
        const struct hot__profile *profiles;
        size_t n_profiles; /* 1 to HOT__PROFILES_MAX */
        enum hot__identify identify;
        bool tls;
        uint64_t slack; /* ns, see hot__generations_is_stale() */
        struct hot__observer observer;
};

/*
 * Begin. Nothing is connected before the first hot__load_process(). Returns 0, -EINVAL, -ENOMEM, an
 * error of hot__target_resolve() or of epoll_create1(2).
 */
int hot__load_new(struct hot__load **ret_load, const struct hot__load_options *options);

/* Accepts NULL. Requests under way are dropped without a record. Returns NULL. */
struct hot__load *hot__load_free(struct hot__load *load);

/* Lent. */
int hot__load_fd(const struct hot__load *load);

/* When to call hot__load_process() at the latest, CLOCK_MONOTONIC ns; UINT64_MAX: no limit. */
uint64_t hot__load_deadline(const struct hot__load *load);

/* Never blocks. Returns 0, or -ENOMEM or an error of epoll_wait(2) after which the load is of no
 * use. */
int hot__load_process(struct hot__load *load);

/* Begin no request any more; those under way end, each within its own time. */
void hot__load_stop(struct hot__load *load);

/*
 * The time of the whole run is over: requests that have been under way since before @since end as if their own
 * time were over, but for slow responses, which may take longer than a run. After hot__load_stop().
 */
void hot__load_give_up(struct hot__load *load, uint64_t since);

/* Are all clients finished, by hot__load_stop() or because they had only so many requests to make?
 * */
bool hot__load_is_done(const struct hot__load *load);

/* How many clients have a request under way. */
size_t hot__load_busy(const struct hot__load *load);

const struct hot__tally *hot__load_tally(const struct hot__load *load);

#endif
