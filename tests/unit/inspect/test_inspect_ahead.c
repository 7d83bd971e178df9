/* SPDX-License-Identifier: MIT */
/*
 * The dump that is asked for ahead: of a process with many descriptors, which is this one.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <hotstart/inspect.h>

#include "ahead.h"
#include "fdcheck.h"

#define MANY 2100

struct pair {
        int listener, client, server;
};

static void open_pair(struct pair *pair)
{
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof(address);

        pair->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(pair->listener, (struct sockaddr *)&address, len), 0);
        assert_int_equal(listen(pair->listener, 1), 0);
        assert_int_equal(getsockname(pair->listener, (struct sockaddr *)&address, &len), 0);
        pair->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(pair->client, (struct sockaddr *)&address, len), 0);
        pair->server = accept4(pair->listener, NULL, NULL, SOCK_CLOEXEC);
        assert_true(pair->server >= 0);
}

static void close_pair(struct pair *pair)
{
        close(pair->server);
        close(pair->client);
        close(pair->listener);
}

static uint64_t inode_of(int fd)
{
        struct stat st;

        assert_int_equal(fstat(fd, &st), 0);
        return st.st_ino;
}

struct seen {
        uint64_t inodes[2];
        int n[2], n_all;
};

static int see(const struct hot__socket *socket, void *data)
{
        struct seen *seen = data;

        seen->n_all++;
        for (int i = 0; i < 2; i++)
                seen->n[i] += socket->inode == seen->inodes[i];
        return 0;
}

static void test_it_begins_when_many_are_expected(void **state)
{
        struct hot__ahead ahead = {.expected = 0};
        struct pair pair;
        struct seen seen = {.n_all = 0};

        (void)state;
        open_pair(&pair);
        seen.inodes[0] = inode_of(pair.client);
        seen.inodes[1] = inode_of(pair.server);
        hot__ahead_expect(&ahead, 1999);
        assert_false(ahead.started);
        assert_int_equal(hot__ahead_take(&ahead, see, &seen), 0);
        assert_int_equal(seen.n_all, 0);

        hot__ahead_expect(&ahead, 1);
        assert_true(ahead.started);
        assert_true(hot__ahead_is(&ahead, ahead.source));
        assert_int_equal(hot__ahead_take(&ahead, see, &seen), 0);
        assert_int_equal(seen.n[0], 1);
        assert_int_equal(seen.n[1], 1);
        hot__ahead_done(&ahead);
        hot__ahead_done(&ahead);
        close_pair(&pair);
}

static int stop(const struct hot__socket *socket, void *data)
{
        (void)socket;
        return *(int *)data;
}

static void test_what_the_caller_returns_ends_it(void **state)
{
        struct hot__ahead ahead = {.expected = 0};
        struct pair pair;
        int error = -ENOMEM;

        (void)state;
        open_pair(&pair);
        hot__ahead_expect(&ahead, MANY);
        assert_int_equal(hot__ahead_take(&ahead, stop, &error), -ENOMEM);
        hot__ahead_done(&ahead);
        close_pair(&pair);
}

static void test_what_was_begun_may_be_dropped(void **state)
{
        struct hot__ahead ahead = {.expected = 0};

        (void)state;
        hot__ahead_expect(&ahead, MANY);
        hot__ahead_done(&ahead);
}

static size_t count_open(void)
{
        DIR *directory = opendir("/proc/self/fd");
        size_t n = 0;

        assert_non_null(directory);
        while (readdir(directory))
                n++;
        closedir(directory);
        return n - 3; /* "." and "..", and the directory's own */
}

/* Every descriptor is there, with its addresses, and none of those that reading took. */
static void test_a_table_of_many_is_as_any(void **state)
{
        static int extra[MANY];
        struct hot_inspect *self;
        struct pair pair;
        size_t n;

        (void)state;
        open_pair(&pair);
        for (int i = 0; i < MANY; i++) {
                extra[i] = fcntl(pair.client, F_DUPFD_CLOEXEC, 0);
                assert_true(extra[i] >= 0);
        }
        n = count_open();
        assert_int_equal(hot_inspect_read(getpid(), HOT_INSPECT_ADDRESSES, &self), 0);
        assert_int_equal(hot_inspect_count(self), n);
        for (int i = 0; i < MANY; i++) {
                const struct hot_inspect_fd *row = hot_inspect_find(self, extra[i]);

                assert_non_null(row);
                assert_int_equal(row->kind, HOT_INSPECT_TCP);
                assert_string_equal(row->state, "ESTABLISHED");
        }
        assert_string_equal(hot_inspect_find(self, pair.server)->local,
                            hot_inspect_find(self, pair.client)->peer);
        assert_int_equal(hot_inspect_find(self, pair.listener)->listening, 1);
        hot_inspect_free(self);
        for (int i = 0; i < MANY; i++)
                close(extra[i]);
        close_pair(&pair);
}

int main(void)
{
        struct rlimit limit;
        const struct CMUnitTest tests[] = {
                hot_test(test_it_begins_when_many_are_expected),
                hot_test(test_what_the_caller_returns_ends_it),
                hot_test(test_what_was_begun_may_be_dropped),
                hot_test(test_a_table_of_many_is_as_any),
        };

        getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        if (limit.rlim_max < MANY + 64) {
                print_message("skipped: too few descriptors may be open here\n");
                return 77;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}
