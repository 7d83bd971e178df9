/* SPDX-License-Identifier: MIT */
/*
 * Queries: what is not wanted is not read, and what is read is what was asked for.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <hotstart/inspect.h>

#include "fdcheck.h"

/* What a query's functions saw, and what they answer. */
struct seen {
        pid_t pid;
        int only;   /* the one number that is wanted; -1: all */
        int kind;   /* the one kind; 0: all */
        int answer; /* of want_process */
        size_t processes, numbers, rows;
};

static int want_process(const struct hot_inspect_process *process, void *data)
{
        struct seen *seen = data;

        seen->processes++;
        return process->pid == seen->pid ? seen->answer : 0;
}

static int want_number(const struct hot_inspect_process *process, int fd, void *data)
{
        struct seen *seen = data;

        assert_int_equal(process->pid, seen->pid);
        seen->numbers++;
        return seen->only < 0 || fd == seen->only;
}

static int want_row(const struct hot_inspect_process *process, const struct hot_inspect_fd *row,
                    unsigned int *details, void *data)
{
        struct seen *seen = data;

        assert_int_equal(process->pid, seen->pid);
        assert_true(row->details == 0);
        seen->rows++;
        if (row->kind == HOT_INSPECT_EVENTFD)
                *details |= HOT_INSPECT_STATUS;
        return seen->kind == 0 || row->kind == seen->kind;
}

static struct hot_inspect_query query_of(struct seen *seen)
{
        return (struct hot_inspect_query){
                .size = sizeof(struct hot_inspect_query),
                .details = HOT_INSPECT_TARGET,
                .data = seen,
                .want_process = want_process,
                .want_number = want_number,
                .want_row = want_row,
        };
}

static void test_only_what_is_wanted_is_read(void **state)
{
        int event = eventfd(0, EFD_CLOEXEC), null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        struct seen seen = {.pid = getpid(), .only = event, .answer = 1};
        struct hot_inspect_query query = query_of(&seen);
        struct hot_snapshot *snapshot;
        const struct hot_inspect *self;

        (void)state;
        assert_int_equal(hot_snapshot_read(&query, &snapshot), 0);
        assert_true(seen.processes >= 1);
        assert_true(seen.numbers >= 2);
        assert_int_equal(seen.rows, 1);
        assert_int_equal(hot_snapshot_count(snapshot), 1);
        self = hot_snapshot_find(snapshot, getpid());
        assert_ptr_equal(self, hot_snapshot_at(snapshot, 0));
        assert_null(hot_snapshot_at(snapshot, 1));
        assert_int_equal(hot_inspect_count(self), 1);
        assert_int_equal(hot_inspect_at(self, 0)->fd, event);
        assert_true(hot_inspect_at(self, 0)->details & HOT_INSPECT_STATUS);
        assert_int_equal(hot_inspect_at(self, 0)->cloexec, 1);
        assert_ptr_equal(hot_inspect_snapshot(self), snapshot);
        hot_snapshot_free(snapshot);
        close(event);
        close(null);
}

static void test_a_function_can_end_the_reading(void **state)
{
        struct seen seen = {.pid = getpid(), .only = -1, .answer = -ECANCELED};
        struct hot_inspect_query query = query_of(&seen);
        struct hot_snapshot *snapshot = NULL;

        (void)state;
        assert_int_equal(hot_snapshot_read(&query, &snapshot), -ECANCELED);
        assert_null(snapshot);
}

static void test_sizes_of_queries(void **state)
{
        struct hot_inspect_query query = {.size = sizeof(query) + 1};
        struct hot_snapshot *snapshot;
        pid_t self = getpid();

        (void)state;
        assert_int_equal(hot_snapshot_read(NULL, &snapshot), -EINVAL);
        assert_int_equal(hot_snapshot_read(&query, &snapshot), -EINVAL);
        query.size = 1;
        assert_int_equal(hot_snapshot_read(&query, &snapshot), -EINVAL);
        /* An older program's query ends before the functions. */
        query = (struct hot_inspect_query){
                .size = offsetof(struct hot_inspect_query, data), .pids = &self, .n_pids = 1};
        query.want_process = want_process;
        assert_int_equal(hot_snapshot_read(&query, &snapshot), 0);
        assert_int_equal(hot_snapshot_count(snapshot), 1);
        hot_snapshot_free(snapshot);
}

static int keep_kind(const struct hot_inspect_process *process, const struct hot_inspect_fd *row,
                     void *data)
{
        assert_int_equal(process->pid, getpid());
        return row->kind == *(int *)data;
}

static void test_filter_drops_rows(void **state)
{
        int event = eventfd(0, EFD_CLOEXEC), kind = HOT_INSPECT_EVENTFD;
        struct seen seen = {.pid = getpid(), .only = -1, .answer = 1};
        struct hot_inspect_query query = query_of(&seen);
        struct hot_snapshot *snapshot;

        (void)state;
        assert_int_equal(hot_snapshot_read(&query, &snapshot), 0);
        hot_snapshot_filter(snapshot, keep_kind, &kind);
        assert_int_equal(hot_inspect_count(hot_snapshot_at(snapshot, 0)), 1);
        assert_non_null(hot_inspect_find(hot_snapshot_at(snapshot, 0), event));
        hot_snapshot_free(snapshot);
        close(event);
}

/* Sockets by inode, all else by kcmp. */
static void test_descriptions_are_told_apart(void **state)
{
        int a = eventfd(0, EFD_CLOEXEC), b = fcntl(a, F_DUPFD_CLOEXEC, 0),
            c = eventfd(0, EFD_CLOEXEC);
        int ends[2], copy;
        struct hot_inspect *self;

        (void)state;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        copy = fcntl(ends[0], F_DUPFD_CLOEXEC, 0);
        assert_int_equal(hot_inspect_read(getpid(), HOT_INSPECT_DESCRIPTIONS, &self), 0);
        {
#define DESCRIPTION(fd) hot_inspect_find(self, fd)->description
                assert_int_not_equal(DESCRIPTION(a), 0);
                assert_int_equal(DESCRIPTION(a), DESCRIPTION(b));
                assert_int_not_equal(DESCRIPTION(a), DESCRIPTION(c));
                assert_int_equal(DESCRIPTION(ends[0]), DESCRIPTION(copy));
                assert_int_not_equal(DESCRIPTION(ends[0]), DESCRIPTION(ends[1]));
        }
        hot_inspect_free(self);
        for (const int *fd = (const int[]){a, b, c, ends[0], ends[1], copy, -1}; *fd >= 0; fd++)
                close(*fd);
}

/* What became of each number, in order: changes[fd]. */
static int note_change(const struct hot_difference *difference, void *data)
{
        int *changes = data;
        const struct hot_inspect_fd *row =
                difference->after ? difference->after : difference->before;

        if (row->fd < 64)
                changes[row->fd] = difference->change;
        return 0;
}

static void test_differences(void **state)
{
        int kept = eventfd(0, EFD_CLOEXEC), gone = open("/dev/null", O_RDONLY | O_CLOEXEC), new;
        int changes[64] = {0};
        struct hot_inspect *before, *after;

        (void)state;
        assert_int_equal(hot_inspect_read(getpid(), 0, &before), 0);
        close(gone);
        new = fcntl(kept, F_DUPFD_CLOEXEC, 50);
        assert_int_equal(hot_inspect_read(getpid(), 0, &after), 0);
        assert_int_equal(hot_snapshot_diff(hot_inspect_snapshot(before),
                                           hot_inspect_snapshot(after), note_change, changes),
                         0);
        assert_int_equal(changes[kept], HOT_CHANGE_NONE);
        assert_int_equal(changes[gone], HOT_CHANGE_GONE);
        /* Under another number an eventfd cannot be recognised: nothing wrong is claimed. */
        assert_int_equal(changes[new], HOT_CHANGE_NEW);
        hot_inspect_free(before);
        hot_inspect_free(after);
        close(kept);
        close(new);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_only_what_is_wanted_is_read),
                hot_test(test_a_function_can_end_the_reading),
                hot_test(test_sizes_of_queries),
                hot_test(test_filter_drops_rows),
                hot_test(test_descriptions_are_told_apart),
                hot_test(test_differences),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
