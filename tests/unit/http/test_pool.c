/* SPDX-License-Identifier: MIT */
#include "pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "fdcheck.h"

#define N_JOBS 64

/* Jobs that stay until they are let go, and say how many of them were there at the same time. */
struct gate {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        unsigned int inside, done;
        bool open;
};

struct gated {
        struct hot__job job;
        struct gate *gate;
};

static atomic_int owners;

static void retain(void *owner)
{
        atomic_fetch_add((atomic_int *)owner, 1);
}

static void release(void *owner)
{
        atomic_fetch_sub((atomic_int *)owner, 1);
}

static void run(struct hot__job *job)
{
        struct gate *gate = ((struct gated *)job)->gate;

        pthread_mutex_lock(&gate->lock);
        gate->inside++;
        pthread_cond_broadcast(&gate->changed);
        while (!gate->open)
                pthread_cond_wait(&gate->changed, &gate->lock);
        gate->inside--;
        gate->done++;
        pthread_cond_broadcast(&gate->changed);
        pthread_mutex_unlock(&gate->lock);
}

static nlink_t count_threads(void)
{
        struct stat tasks;

        assert_int_equal(stat("/proc/self/task", &tasks), 0);
        return tasks.st_nlink;
}

static void *no_work(void *argument)
{
        return argument;
}

/* Without the pool's; a sanitizer has one of its own from the first thread on. */
static nlink_t count_threads_at_rest(void)
{
        pthread_t thread;

        assert_int_equal(pthread_create(&thread, NULL, no_work, NULL), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        return count_threads();
}

static void gate_init(struct gate *gate)
{
        *gate = (struct gate){0};
        pthread_mutex_init(&gate->lock, NULL);
        pthread_cond_init(&gate->changed, NULL);
}

static void gate_await(struct gate *gate, const unsigned int *what, unsigned int n)
{
        pthread_mutex_lock(&gate->lock);
        while (*what < n)
                pthread_cond_wait(&gate->changed, &gate->lock);
        pthread_mutex_unlock(&gate->lock);
}

static void gate_open(struct gate *gate)
{
        pthread_mutex_lock(&gate->lock);
        gate->open = true;
        pthread_cond_broadcast(&gate->changed);
        pthread_mutex_unlock(&gate->lock);
}

static void submit(struct hot__pool *pool, struct gated *jobs, size_t n, struct gate *gate)
{
        for (size_t i = 0; i < n; i++) {
                jobs[i] = (struct gated){{.run = run}, gate};
                assert_int_equal(hot__pool_submit(pool, &jobs[i].job), 0);
        }
}

/* The last thing a job does is not the last its thread does with it. */
static void free_at_rest(struct hot__pool *pool)
{
        while (hot__pool_running(pool))
                sched_yield();
        hot__pool_free(pool);
}

/* It hangs if they do not all run at the same time. */
static void test_pool_grows_with_the_jobs(void **state)
{
        struct gated jobs[N_JOBS];
        struct hot__pool *pool;
        struct gate gate;

        (void)state;
        gate_init(&gate);
        assert_int_equal(hot__pool_new(&pool, 256, 64, retain, release, &owners), 0);
        submit(pool, jobs, N_JOBS, &gate);
        gate_await(&gate, &gate.inside, N_JOBS);
        assert_int_equal(hot__pool_running(pool), N_JOBS);
        gate_open(&gate);
        gate_await(&gate, &gate.done, N_JOBS);
        free_at_rest(pool);
        assert_int_equal(atomic_load(&owners), 0);
}

static void test_pool_queues_beyond_its_maximum(void **state)
{
        struct gated jobs[N_JOBS];
        struct hot__pool *pool;
        struct gate gate;

        (void)state;
        gate_init(&gate);
        assert_int_equal(hot__pool_new(&pool, 3, 64, retain, release, &owners), 0);
        submit(pool, jobs, N_JOBS, &gate);
        gate_await(&gate, &gate.inside, 3);
        assert_int_equal(hot__pool_running(pool), 3);
        gate_open(&gate);
        gate_await(&gate, &gate.done, N_JOBS);
        free_at_rest(pool);
        assert_int_equal(atomic_load(&owners), 0);
}

static void test_pool_closes_around_a_job_that_runs(void **state)
{
        struct gated jobs[5];
        struct hot__job *left;
        nlink_t at_rest = count_threads_at_rest();
        struct hot__pool *pool;
        struct gate gate;

        (void)state;
        gate_init(&gate);
        assert_int_equal(hot__pool_new(&pool, 2, 64, retain, release, &owners), 0);
        submit(pool, jobs, 5, &gate);
        gate_await(&gate, &gate.inside, 2);
        left = hot__pool_close(pool);
        assert_ptr_equal(left, &jobs[2].job);
        assert_ptr_equal(left->next->next, &jobs[4].job);
        assert_null(left->next->next->next);
        assert_true(hot__pool_submit(pool, left) < 0);
        hot__pool_free(pool);
        assert_int_equal(atomic_load(&owners), 2);
        gate_open(&gate);
        gate_await(&gate, &gate.done, 2);
        while (atomic_load(&owners) || count_threads() > at_rest)
                sched_yield(); /* nobody joins these two: look until the kernel has forgotten them */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_pool_grows_with_the_jobs),
                hot_test(test_pool_queues_beyond_its_maximum),
                hot_test(test_pool_closes_around_a_job_that_runs),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
