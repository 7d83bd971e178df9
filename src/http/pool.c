/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "pool.h"
#include "thread.h"

#define IDLE_MS 10000

/* A job that has delivered its result is about to return: closing waits so long for it. */
#define CLOSE_MS 100

struct thread {
        pthread_t id;
        struct thread *prev, *next; /* the pool's list of those that live */
        struct hot__pool *pool;
        bool running;  /* a job */
        bool detached; /* nobody waits for it any more */
};

struct hot__pool {
        pthread_mutex_t lock;
        pthread_cond_t work; /* a job waits, or the pool closes */
        pthread_cond_t less; /* a thread has ended */
        struct hot__job *first, *last;
        size_t waiting; /* jobs in the list */
        struct thread *threads;
        struct thread *ended; /* the last one; it has joined the one before */
        unsigned int max, queue, n_threads, idle, running;
        unsigned int shares; /* of this memory: the owner's and the threads' */
        bool closed;
        void (*retain)(void *owner);
        void (*release)(void *owner);
        void *owner;
};

static void pool_destroy(struct hot__pool *pool)
{
        pthread_cond_destroy(&pool->less);
        pthread_cond_destroy(&pool->work);
        pthread_mutex_destroy(&pool->lock);
        free(pool);
}

int hot__pool_new(struct hot__pool **ret_pool, unsigned int max, unsigned int queue,
                  void (*retain)(void *owner), void (*release)(void *owner), void *owner)
{
        struct hot__pool *pool = calloc(1, sizeof(*pool));
        pthread_condattr_t attributes;

        if (!pool)
                return -ENOMEM;
        pthread_mutex_init(&pool->lock, NULL);
        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&pool->work, &attributes);
        pthread_cond_init(&pool->less, &attributes);
        pthread_condattr_destroy(&attributes);
        pool->max = max;
        pool->queue = queue;
        pool->shares = 1;
        pool->retain = retain;
        pool->release = release;
        pool->owner = owner;
        *ret_pool = pool;
        return 0;
}

static struct timespec in_ms(unsigned int ms)
{
        struct timespec at;

        clock_gettime(CLOCK_MONOTONIC, &at);
        at.tv_sec += ms / 1000;
        at.tv_nsec += (long)(ms % 1000) * 1000000;
        if (at.tv_nsec >= 1000000000) {
                at.tv_sec++;
                at.tv_nsec -= 1000000000;
        }
        return at;
}

/* Wait for a job. Returns false when there will be none: closed, or idle for too long. */
static bool wait_for_work(struct hot__pool *pool)
{
        struct timespec until = in_ms(IDLE_MS);
        int r = 0;

        pool->idle++;
        while (!pool->first && !pool->closed && r != ETIMEDOUT)
                r = pthread_cond_timedwait(&pool->work, &pool->lock, &until);
        pool->idle--;
        return pool->first && !pool->closed;
}

static struct hot__job *take_job(struct hot__pool *pool)
{
        struct hot__job *job = pool->first;

        pool->first = job->next;
        if (!pool->first)
                pool->last = NULL;
        pool->waiting--;
        job->next = NULL;
        return job;
}

static void link_thread(struct hot__pool *pool, struct thread *thread)
{
        thread->next = pool->threads;
        if (thread->next)
                thread->next->prev = thread;
        pool->threads = thread;
        pool->n_threads++;
}

static void unlink_thread(struct hot__pool *pool, struct thread *thread)
{
        if (thread->prev)
                thread->prev->next = thread->next;
        else
                pool->threads = thread->next;
        if (thread->next)
                thread->next->prev = thread->prev;
        pool->n_threads--;
}

static void join(struct thread *thread)
{
        if (!thread)
                return;
        pthread_join(thread->id, NULL);
        free(thread);
}

static void run_jobs(struct hot__pool *pool, struct thread *self)
{
        while (wait_for_work(pool)) {
                struct hot__job *job = take_job(pool);

                self->running = true;
                pool->running++;
                pthread_mutex_unlock(&pool->lock);
                job->run(job);
                pthread_mutex_lock(&pool->lock);
                pool->running--;
                self->running = false;
        }
}

/*
 * A thread that ends leaves itself to be joined and joins the one that ended before it: one is left at
 * most, and closing waits for the destructors of thread-local memory too.
 */
static void *pool_thread(void *argument)
{
        struct thread *self = argument;
        struct hot__pool *pool = self->pool;
        void (*release)(void *owner) = pool->release;
        void *owner = pool->owner;
        struct thread *before = NULL;
        bool last, detached;

        pthread_mutex_lock(&pool->lock);
        run_jobs(pool, self);
        unlink_thread(pool, self);
        detached = self->detached;
        if (!detached) {
                before = pool->ended;
                pool->ended = self;
        }
        last = --pool->shares == 0;
        pthread_cond_broadcast(&pool->less);
        pthread_mutex_unlock(&pool->lock);
        join(before);
        if (detached)
                free(self);
        if (last)
                pool_destroy(pool);
        release(owner);
        return NULL;
}

/* Called with the lock held, which the new thread waits for: its id is set before anybody reads it. */
static int add_thread(struct hot__pool *pool)
{
        struct thread *thread = calloc(1, sizeof(*thread));
        int r;

        if (!thread)
                return -ENOMEM;
        thread->pool = pool;
        pool->retain(pool->owner);
        r = hot__thread_start(&thread->id, pool_thread, thread);
        if (r < 0) {
                pool->release(pool->owner);
                free(thread);
                return r;
        }
        pool->shares++;
        link_thread(pool, thread);
        return 0;
}

/* Threads that run no job will take one each. */
static bool is_full(const struct hot__pool *pool)
{
        return pool->waiting >= (size_t)pool->queue + pool->n_threads - pool->running;
}

int hot__pool_submit(struct hot__pool *pool, struct hot__job *job)
{
        int r = 0;

        pthread_mutex_lock(&pool->lock);
        if (pool->idle <= pool->waiting && pool->n_threads < pool->max)
                r = add_thread(pool);
        if ((r < 0 && pool->n_threads == 0) || pool->closed || is_full(pool)) {
                pthread_mutex_unlock(&pool->lock);
                return -EAGAIN;
        }
        job->next = NULL;
        if (pool->last)
                pool->last->next = job;
        else
                pool->first = job;
        pool->last = job;
        pool->waiting++;
        pthread_cond_signal(&pool->work);
        pthread_mutex_unlock(&pool->lock);
        return 0;
}

size_t hot__pool_running(struct hot__pool *pool)
{
        size_t running;

        pthread_mutex_lock(&pool->lock);
        running = pool->running;
        pthread_mutex_unlock(&pool->lock);
        return running;
}

void hot__pool_count(struct hot__pool *pool, uint64_t *ret_running, uint64_t *ret_waiting)
{
        pthread_mutex_lock(&pool->lock);
        *ret_running = pool->running;
        *ret_waiting = pool->waiting;
        pthread_mutex_unlock(&pool->lock);
}

static void await_end_of_threads(struct hot__pool *pool)
{
        struct timespec until = in_ms(CLOSE_MS);
        int r = 0;

        while (pool->n_threads && r != ETIMEDOUT)
                r = pthread_cond_timedwait(&pool->less, &pool->lock, &until);
        while (pool->n_threads > pool->running)
                pthread_cond_wait(&pool->less, &pool->lock);
}

/* Those that still run a job are not waited for, now or later. */
static void detach_running(struct hot__pool *pool)
{
        for (struct thread *thread = pool->threads; thread; thread = thread->next) {
                if (!thread->detached)
                        pthread_detach(thread->id);
                thread->detached = true;
        }
}

struct hot__job *hot__pool_close(struct hot__pool *pool)
{
        struct hot__job *jobs;
        struct thread *ended;

        pthread_mutex_lock(&pool->lock);
        pool->closed = true;
        jobs = pool->first;
        pool->first = pool->last = NULL;
        pool->waiting = 0;
        pthread_cond_broadcast(&pool->work);
        await_end_of_threads(pool);
        detach_running(pool);
        ended = pool->ended;
        pool->ended = NULL;
        pthread_mutex_unlock(&pool->lock);
        join(ended);
        return jobs;
}

void hot__pool_free(struct hot__pool *pool)
{
        bool last;

        if (!pool)
                return;
        hot__pool_close(pool);
        pthread_mutex_lock(&pool->lock);
        last = --pool->shares == 0;
        pthread_mutex_unlock(&pool->lock);
        if (last)
                pool_destroy(pool);
}
