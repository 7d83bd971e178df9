/* SPDX-License-Identifier: MIT */
#include "watcher.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "diag.h"
#include "fault.h"
#include "fd.h"
#include "proc.h"
#include "table.h"

#define TICK_URGENT   (PROOF_MILLISECOND / 5)
#define TICK_BUSY     (2 * PROOF_MILLISECOND)
#define TICK_CALM     (20 * PROOF_MILLISECOND)
#define WITNESS_CALM  (20 * PROOF_MILLISECOND)
#define MEMORY_EVERY  (100 * PROOF_MILLISECOND)
#define SEARCH_EVERY  (200 * PROOF_MILLISECOND)
#define BUSY_AFTER    (300 * PROOF_MILLISECOND) /* after a restart's effect */
#define PENDING_LIMIT (5 * PROOF_SECOND)

static void wake(int fd)
{
        const uint64_t one = 1;

        (void)!write(fd, &one, sizeof(one));
}

static void drain(int fd)
{
        uint64_t count;

        (void)!read(fd, &count, sizeof(count));
}

/* ---- what both threads use ---- */

/*
 * Have all that answered for it ended? The snapshot of the family is too old to ask: who takes over does so
 * at once.
 */
static bool is_dead(const struct watcher *watcher, const struct lineage_generation *generation)
{
        struct proc_stat stat;

        for (size_t i = 0; i < generation->n_pids; i++)
                if (proc_read_stat(generation->pids[i], &stat) >= 0 && stat.state != 'Z')
                        return false;
        /* Pids of another PID namespace say nothing, and of many only the first are known. */
        return watcher->knows_pids && generation->n_pids > 0 && generation->n_pids < LINEAGE_PIDS;
}

/* The older generation answers again because the newer one has died: a roll back. */
static void withdraw_the_dead(struct watcher *watcher, uint64_t key, pid_t pid, uint64_t connect)
{
        struct lineage_generation *doubted;

        while ((doubted = lineage_doubted(&watcher->evidence->lineage, key, pid, connect)) &&
               is_dead(watcher, doubted))
                doubted->withdrawn = true;
}

/* A generation has answered for the first time: that is what the last restart was for. */
static void note_effect(struct watcher *watcher, pid_t pid, uint64_t now)
{
        struct proof_evidence *evidence = watcher->evidence;
        struct proof_restart *restart;

        watcher->pending_since = 0;
        watcher->busy_until = now + BUSY_AFTER;
        if (evidence->n_restarts == 0)
                return;
        restart = &evidence->restarts[evidence->n_restarts - 1];
        if (restart->effect != 0 || now < restart->at)
                return;
        restart->effect = now;
        restart->pid = pid;
        fault_effect(watcher, pid, now);
}

int watcher_note(struct watcher *watcher, uint64_t key, pid_t pid, uint64_t connect, uint64_t now,
                 size_t *ret_index)
{
        bool told = false;
        int r;

        pthread_mutex_lock(&watcher->lock);
        if (!watcher->knows_pids && pid != 0)
                watcher->knows_pids = family_find(&watcher->shared, pid) != NULL;
        withdraw_the_dead(watcher, key, pid, connect);
        r = lineage_note(&watcher->evidence->lineage, key, pid, connect, now, ret_index);
        if (r > 0) {
                note_effect(watcher, pid, now);
                told = true;
                if (pid != 0 && !family_find(&watcher->shared, pid))
                        watcher->stranger = pid;
        }
        pthread_mutex_unlock(&watcher->lock);
        if (told) {
                wake(watcher->told_fd);
                wake(watcher->wake_fd);
        }
        return r;
}

uint64_t watcher_key(struct watcher *watcher, pid_t pid)
{
        const struct member *member;
        uint64_t key;

        pthread_mutex_lock(&watcher->lock);
        member = family_find(&watcher->shared, pid);
        watcher->knows_pids |= member != NULL;
        /*
         * Who is not known yet was born since the last look. A server in another PID namespace has pids
         * that mean nothing here: they are told apart as they are, and no epoch is as high.
         */
        if (member)
                key = member->epoch;
        else
                key = watcher->knows_pids ? watcher->epoch : UINT64_C(1) << 32 | (uint64_t)pid;
        pthread_mutex_unlock(&watcher->lock);
        return key;
}

size_t watcher_newest(struct watcher *watcher)
{
        size_t n;

        pthread_mutex_lock(&watcher->lock);
        n = watcher->evidence->lineage.n;
        pthread_mutex_unlock(&watcher->lock);
        return n - 1;
}

uint64_t watcher_effect(struct watcher *watcher)
{
        const struct proof_evidence *evidence = watcher->evidence;
        uint64_t effect = 0;

        pthread_mutex_lock(&watcher->lock);
        if (evidence->n_restarts > 0)
                effect = evidence->restarts[evidence->n_restarts - 1].effect;
        pthread_mutex_unlock(&watcher->lock);
        return effect;
}

size_t watcher_alive(struct watcher *watcher)
{
        size_t n;

        pthread_mutex_lock(&watcher->lock);
        n = family_count(&watcher->shared);
        pthread_mutex_unlock(&watcher->lock);
        return n;
}

void watcher_command(struct watcher *watcher, uint64_t ended)
{
        pthread_mutex_lock(&watcher->lock);
        watcher->evidence->lineage.command_ended = ended;
        pthread_mutex_unlock(&watcher->lock);
}

void watcher_triggered(struct watcher *watcher, uint64_t now)
{
        pthread_mutex_lock(&watcher->lock);
        watcher->evidence->restarts[watcher->evidence->n_restarts++].at = now;
        watcher->pending_since = now;
        pthread_mutex_unlock(&watcher->lock);
        wake(watcher->wake_fd);
}

void watcher_want_epoch(struct watcher *watcher, size_t epoch)
{
        pthread_mutex_lock(&watcher->lock);
        watcher->epoch_wanted = epoch;
        pthread_mutex_unlock(&watcher->lock);
        wake(watcher->wake_fd);
}

size_t watcher_epoch(struct watcher *watcher)
{
        size_t epoch;

        pthread_mutex_lock(&watcher->lock);
        epoch = watcher->epoch;
        pthread_mutex_unlock(&watcher->lock);
        return epoch;
}

void watcher_told(struct watcher *watcher)
{
        drain(watcher->told_fd);
}

/* Somebody of the newest epoch, for want of a better: the lowest in the family that lives. */
static pid_t newest_member(const struct family *family)
{
        const struct member *best = NULL;

        for (size_t i = 0; i < family->n; i++) {
                const struct member *member = &family->members[i];

                if (!member->gone && member->state != 'Z' && (!best || member->epoch > best->epoch))
                        best = member;
        }
        return best ? best->pid : 0;
}

static pid_t answerer(const struct watcher *watcher)
{
        const struct lineage_generation *generation = lineage_newest(&watcher->evidence->lineage);

        for (size_t i = generation ? generation->n_pids : 0; i > 0; i--)
                if (family_find(&watcher->shared, generation->pids[i - 1]))
                        return generation->pids[i - 1];
        return newest_member(&watcher->shared);
}

pid_t watcher_serving(struct watcher *watcher)
{
        pid_t pid, head;

        pthread_mutex_lock(&watcher->lock);
        pid = answerer(watcher);
        head = pid ? family_head(&watcher->shared, pid) : 0;
        if (watcher->first_target == 0 && head != 0) {
                watcher->first_target = head;
                /* It does not answer itself: it is above those who do, and stays so. */
                watcher->master = head != pid ? head : 0;
        }
        if (watcher->master != 0 && family_find(&watcher->shared, watcher->master))
                head = watcher->master;
        watcher->victim = head;
        pthread_mutex_unlock(&watcher->lock);
        return head;
}

/* ---- the thread ---- */

static int share(struct watcher *watcher)
{
        const struct family *family = watcher->family;
        struct member *members;

        pthread_mutex_lock(&watcher->lock);
        members = watcher->shared.members;
        if (watcher->shared.room < family->n) {
                members = reallocarray(members, family->room, sizeof(*members));
                if (!members) {
                        pthread_mutex_unlock(&watcher->lock);
                        return -ENOMEM;
                }
                watcher->shared.room = family->room;
                watcher->shared.members = members;
        }
        if (family->n > 0)
                memcpy(members, family->members, family->n * sizeof(*members));
        watcher->shared.n = family->n;
        pthread_mutex_unlock(&watcher->lock);
        return 0;
}

static const struct member *holder_of(const struct family *family, uint64_t inode)
{
        for (size_t i = 0; i < family->n; i++)
                if (!family->members[i].gone && proc_has_socket(family->members[i].pid, inode))
                        return &family->members[i];
        return NULL;
}

/*
 * Whose is the server's end of that connection? Somebody new becomes one of the family: of a server that was
 * not started here it may be anybody, and all processes are looked through, which is not done often.
 */
static pid_t owner_of(struct watcher *watcher, uint64_t inode, uint64_t now)
{
        const struct member *owner = holder_of(watcher->family, inode);
        pid_t pid;

        if (owner)
                return owner->pid;
        family_look(watcher->family);
        owner = holder_of(watcher->family, inode);
        if (owner || watcher->family->all_of_ours || now < watcher->next_search)
                return owner ? owner->pid : 0;
        watcher->next_search = now + SEARCH_EVERY;
        pid = proc_find_socket(inode);
        return pid != 0 && family_add(watcher->family, pid) == 0 ? pid : 0;
}

static void ask_witness(struct watcher *watcher, uint64_t now)
{
        struct testimony testimony;
        const struct member *owner;
        pid_t pid = 0;
        size_t index;
        int r = witness_begin(&watcher->witness, &testimony);

        if (r == 0 && testimony.inode != 0)
                pid = owner_of(watcher, testimony.inode, now);
        if (r == 0)
                r = witness_finish(&watcher->witness, &testimony);
        if (r == 0 && pid == 0 && testimony.inode != 0)
                pid = owner_of(watcher, testimony.inode, now);
        share(watcher);
        owner = family_find(watcher->family, pid);
        if (r == 0 && owner)
                watcher_note(watcher, owner->epoch, pid, testimony.connect, testimony.answered,
                             &index);
        witness_end(&testimony);
}

static bool has_listener(const uint64_t *inodes, size_t n, uint64_t inode)
{
        for (size_t i = 0; i < n; i++)
                if (inodes[i] == inode)
                        return true;
        return false;
}

/* Between two restarts: is every listening socket of before still there? */
static void look_at_listeners(struct watcher *watcher)
{
        struct proof_evidence *evidence = watcher->evidence;
        uint64_t inodes[WATCHER_LISTENERS];
        ssize_t found = diag_listeners(watcher->witness.diag_fd,
                                       (const struct sockaddr *)&watcher->target->address, inodes,
                                       WATCHER_LISTENERS);
        size_t n = found > 0 ? (size_t)found : 0;
        bool rebound = false;

        if (found < 0)
                return;
        for (size_t i = 0; i < watcher->n_listeners; i++)
                rebound |= !has_listener(inodes, n, watcher->listeners[i]);
        pthread_mutex_lock(&watcher->lock);
        if (evidence->n_restarts > 0)
                evidence->restarts[evidence->n_restarts - 1].rebound = rebound;
        pthread_mutex_unlock(&watcher->lock);
        if (n > 0) {
                memcpy(watcher->listeners, inodes, n * sizeof(*inodes));
                watcher->n_listeners = n;
        }
}

static void begin_epoch(struct watcher *watcher, size_t epoch)
{
        family_look(watcher->family);
        look_at_listeners(watcher);
        watcher->family->epoch = epoch;
        watcher->n_known = watcher->family->n;
        share(watcher);
        fault_prepare(watcher);
        pthread_mutex_lock(&watcher->lock);
        watcher->epoch = epoch;
        pthread_mutex_unlock(&watcher->lock);
        wake(watcher->told_fd);
}

static void sample(struct watcher *watcher, uint64_t now)
{
        struct proof_evidence *evidence = watcher->evidence;
        const struct family *family = watcher->family;
        struct diag_socket listener;
        uint64_t memory = 0;

        if (diag_ask(watcher->witness.diag_fd, (const struct sockaddr *)&watcher->target->address,
                     NULL, &listener) == 0) {
                if (listener.queued > evidence->queue_peak)
                        evidence->queue_peak = listener.queued;
                evidence->queue_room = listener.room;
        }
        if (now < watcher->next_memory)
                return;
        watcher->next_memory = now + MEMORY_EVERY;
        for (size_t i = 0; i < family->n; i++)
                if (!family->members[i].gone && family->members[i].state != 'Z')
                        memory += proc_read_memory(family->members[i].pid);
        if (memory > evidence->memory_peak)
                evidence->memory_peak = memory;
}

/* The tables of both, as soon as a new generation has answered for the first time. */
static void take_during(struct watcher *watcher)
{
        struct proof_evidence *evidence = watcher->evidence;
        size_t restart;
        bool wanted;

        pthread_mutex_lock(&watcher->lock);
        restart = evidence->n_restarts;
        wanted = evidence->during.n == 0 && restart > 0 &&
                 evidence->restarts[restart - 1].effect != 0;
        pthread_mutex_unlock(&watcher->lock);
        if (!wanted)
                return;
        family_look(watcher->family);
        table_take(watcher->family, true, &evidence->during);
        evidence->during_restart = restart - 1;
}

static bool is_busy(struct watcher *watcher, uint64_t now)
{
        bool busy;

        pthread_mutex_lock(&watcher->lock);
        if (watcher->pending_since != 0 && now > watcher->pending_since + PENDING_LIMIT)
                watcher->pending_since = 0;
        busy = watcher->pending_since != 0 || now < watcher->busy_until;
        pthread_mutex_unlock(&watcher->lock);
        return busy;
}

/* Who says that it answers, and holds the listener, is one of them. A pid alone is only a number. */
static void meet_stranger(struct watcher *watcher)
{
        struct diag_socket listener;
        pid_t stranger;

        pthread_mutex_lock(&watcher->lock);
        stranger = watcher->stranger;
        watcher->stranger = 0;
        pthread_mutex_unlock(&watcher->lock);
        if (stranger == 0 || family_find(watcher->family, stranger) ||
            diag_ask(watcher->witness.diag_fd, (const struct sockaddr *)&watcher->target->address,
                     NULL, &listener) < 0)
                return;
        if (proc_has_socket(stranger, listener.inode))
                family_add(watcher->family, stranger);
}

static void tick(struct watcher *watcher, uint64_t now, bool busy)
{
        family_look(watcher->family);
        meet_stranger(watcher);
        share(watcher);
        fault_look(watcher, now);
        if (watcher->evidence->identify == PROOF_IDENTIFY_KERNEL &&
            (busy || now >= watcher->next_witness)) {
                watcher->next_witness = now + WITNESS_CALM;
                ask_witness(watcher, now);
        }
        take_during(watcher);
        sample(watcher, now);
}

/* Returns false when it is to stop. */
static bool take_orders(struct watcher *watcher)
{
        size_t wanted;
        bool stop;

        drain(watcher->wake_fd);
        pthread_mutex_lock(&watcher->lock);
        wanted = watcher->epoch_wanted;
        stop = watcher->stop;
        pthread_mutex_unlock(&watcher->lock);
        if (wanted > watcher->family->epoch)
                begin_epoch(watcher, wanted);
        return !stop;
}

static void *watch(void *data)
{
        struct watcher *watcher = data;

        while (take_orders(watcher)) {
                uint64_t now = hot__clock_now(), pause;
                bool busy = is_busy(watcher, now);
                struct pollfd polled = {.fd = watcher->wake_fd, .events = POLLIN};
                struct timespec left;

                if (watcher->evidence->is_local)
                        tick(watcher, now, busy);
                pause = fault_is_urgent(watcher) ? TICK_URGENT : busy ? TICK_BUSY : TICK_CALM;
                left = (struct timespec){.tv_nsec = (long)pause};
                ppoll(&polled, 1, &left, NULL);
        }
        if (watcher->evidence->is_local) {
                family_look(watcher->family);
                look_at_listeners(watcher);
        }
        return NULL;
}

/* ---- begin and end ---- */

/* The thread takes no signals: they are the program's. */
static int start_thread(struct watcher *watcher)
{
        sigset_t all, before;
        int r;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        r = pthread_create(&watcher->thread, NULL, watch, watcher);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        watcher->running = r == 0;
        return -r;
}

int watcher_start(struct watcher *watcher, struct proof_evidence *evidence,
                  const struct hot__target *target, const char *path)
{
        int r;

        *watcher = (struct watcher){
                .evidence = evidence,
                .target = target,
                .family = &evidence->family,
                .witness.diag_fd = -EBADF,
                .wake_fd = -EBADF,
                .told_fd = -EBADF,
                .lock = PTHREAD_MUTEX_INITIALIZER,
        };
        r = witness_init(&watcher->witness, target, path);
        if (r < 0)
                return r;
        watcher->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        watcher->told_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (watcher->wake_fd < 0 || watcher->told_fd < 0)
                return -errno;
        if (evidence->is_local) {
                family_look(watcher->family);
                look_at_listeners(watcher);
                r = share(watcher);
        }
        return r < 0 ? r : start_thread(watcher);
}

void watcher_stop(struct watcher *watcher)
{
        if (watcher->running) {
                pthread_mutex_lock(&watcher->lock);
                watcher->stop = true;
                pthread_mutex_unlock(&watcher->lock);
                wake(watcher->wake_fd);
                pthread_join(watcher->thread, NULL);
                watcher->running = false;
        }
        if (watcher->wake_fd >= 0)
                watcher->wake_fd = hot__fd_close(watcher->wake_fd);
        if (watcher->told_fd >= 0)
                watcher->told_fd = hot__fd_close(watcher->told_fd);
        if (watcher->witness.diag_fd >= 0)
                witness_done(&watcher->witness);
        family_done(&watcher->shared);
}
