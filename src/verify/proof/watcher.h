/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_WATCHER_H
#define HOT_VERIFY_WATCHER_H

/*
 * The watcher: a thread that looks at the server's processes while the load runs in another, so that
 * looking does not show in the latencies. It keeps the family, asks the witness, samples queue and memory,
 * and does to the server what a fault asks for.
 *
 * What both threads use is under one lock, held for moments only. The restarts of the evidence belong to
 * the load's thread but for what is noted here when a new generation answers.
 */

#include <pthread.h>
#include <stdbool.h>

#include "evidence.h"
#include "target.h"
#include "witness.h"

#define WATCHER_LISTENERS 64

struct watcher {
        struct proof_evidence *evidence;
        const struct hot__target *target;
        struct witness witness;
        int wake_fd; /* to the thread */
        int told_fd; /* from it: readable when something has changed */
        pthread_t thread;
        bool running;

        /* The thread's own */
        struct family *family;
        size_t n_known; /* members that a fault has looked at */
        pid_t snared;   /* whose children are caught; 0: nobody's */
        uint64_t listeners[WATCHER_LISTENERS];
        size_t n_listeners;
        uint64_t next_witness, next_memory, next_search;

        pthread_mutex_t lock;
        /* Under the lock */
        struct family shared; /* as it was at the last look */
        size_t epoch_wanted, epoch;
        uint64_t pending_since; /* a restart that has had no effect yet; 0: none */
        uint64_t busy_until;    /* look often until then */
        bool stop;
        pid_t first_target, master, victim;
        pid_t stranger;   /* it answered, and is not in the family (yet); 0: none */
        bool knows_pids;  /* what the server says its pid is, is what it is here */
        uint64_t kill_at; /* a fault's; 0: never */
};

/*
 * Begin with a family that has been looked at. It belongs to the watcher until watcher_stop(). Returns 0 or
 * a negative errno.
 */
int watcher_start(struct watcher *watcher, struct proof_evidence *evidence,
                  const struct hot__target *target, const char *path);
void watcher_stop(struct watcher *watcher);

/* Whoever is born from now on belongs to the next epoch. Done when watcher_epoch() says so. */
void watcher_want_epoch(struct watcher *watcher, size_t epoch);
size_t watcher_epoch(struct watcher *watcher);
void watcher_told(struct watcher *watcher);

/* The restart command has begun, or ended at @now. */
void watcher_command(struct watcher *watcher, uint64_t ended);

/* A restart was triggered: the restarts of the evidence have one more. */
void watcher_triggered(struct watcher *watcher, uint64_t now);

/* An answer, see lineage_note(). */
int watcher_note(struct watcher *watcher, uint64_t key, pid_t pid, uint64_t connect, uint64_t now,
                 size_t *ret_index);

/* The key of the generation that a process belongs to. */
uint64_t watcher_key(struct watcher *watcher, pid_t pid);

/* The index of the newest generation; SIZE_MAX if none is known. */
size_t watcher_newest(struct watcher *watcher);

/* Has the last restart had its effect, and when? 0: not (yet). */
uint64_t watcher_effect(struct watcher *watcher);

/* How many processes live. */
size_t watcher_alive(struct watcher *watcher);

/*
 * Whom to send the trigger to: the highest process of the newest generation, or the one that has been above
 * all of them from the start. 0: nobody is known.
 */
pid_t watcher_serving(struct watcher *watcher);

#endif
