/* SPDX-License-Identifier: MIT */

/*
 * Waiting, when there is always something more: what never ends keeps neither the host from its own work
 * nor the clock from being looked at, and what cannot be taken now is not tried without end.
 */

#include "fdcheck.h"
#include "scratch.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"
#include "hot.h"
#include "notify.h"

/* A host that does not come back is no test that waits for ever. */
#define PATIENCE_S 20

static struct hot *serve(const char *control)
{
        const struct hot_options options = {
                .size = sizeof(options), .drain_ms = 20, .control = control};
        const struct hot_event *event;
        struct hot *hot;

        alarm(PATIENCE_S);
        assert_int_equal(hot_open(&hot, &options), 0);
        assert_int_equal(hot_ready(hot), 0);
        event = hot_next(hot);
        assert_non_null(event);
        assert_int_equal(event->type, HOT_SERVE);
        assert_int_equal(hot_serving(hot), 0);
        assert_null(hot_next(hot));
        return hot;
}

/* Until there is one; the descriptor tells when to look again. */
static const struct hot_event *await_event(struct hot *hot)
{
        const struct hot_event *event;

        while (!(event = hot_next(hot))) {
                struct pollfd poll_fd = {.fd = hot_fd(hot), .events = POLLIN};

                assert_int_equal(poll(&poll_fd, 1, PATIENCE_S * 1000), 1);
        }
        return event;
}

/* Readable for ever, and nothing comes of it. */
static int never_quiet(struct hot *hot)
{
        int ends[2];

        assert_int_equal(pipe(ends), 0);
        close(ends[1]);
        assert_int_equal(hot__watch(hot, ends[0], HOT__SOURCE_CONTROL), 0);
        return ends[0];
}

static void test_what_never_ends_does_not_keep_the_host(void **state)
{
        struct hot *hot = serve(NULL);
        int noise = never_quiet(hot);
        struct pollfd poll_fd = {.fd = hot_fd(hot), .events = POLLIN};

        (void)state;
        assert_null(hot_next(hot));
        assert_int_equal(poll(&poll_fd, 1, 0), 1);
        hot_free(hot);
        close(noise);
}

static void test_what_never_ends_does_not_keep_the_clock(void **state)
{
        struct hot *hot = serve(NULL);
        int noise = never_quiet(hot);

        (void)state;
        assert_int_equal(hot_stop(hot), 0);
        assert_int_equal(await_event(hot)->type, HOT_STOP);
        /* Not confirmed: the drain deadline ends it. */
        assert_int_equal(await_event(hot)->type, HOT_EXIT);
        hot_free(hot);
        close(noise);
}

static int connect_to(const char *path)
{
        struct sockaddr_un un = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);

        assert_true(strlen(path) < sizeof(un.sun_path));
        strcpy(un.sun_path, path);
        assert_true(fd >= 0);
        assert_int_equal(connect(fd, (const struct sockaddr *)&un, sizeof(un)), 0);
        return fd;
}

/* Without a descriptor for it a client stays in the queue, where it would be seen again at once. */
static void test_a_client_that_cannot_be_had_is_tried_later(void **state)
{
        struct rlimit before, none;
        struct pollfd poll_fd;
        char path[108], hello[1024];
        struct hot *hot;
        int client;

        (void)state;
        snprintf(path, sizeof(path), "%s", scratch_path("control"));
        setenv("XDG_RUNTIME_DIR", scratch_directory(), 1);
        hot = serve(path);
        client = connect_to(path);
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        none = (struct rlimit){.rlim_cur = 3, .rlim_max = before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        assert_null(hot_next(hot));
        poll_fd = (struct pollfd){.fd = hot_fd(hot), .events = POLLIN};
        assert_int_equal(poll(&poll_fd, 1, 0), 0);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_int_equal(poll(&poll_fd, 1, PATIENCE_S * 1000), 1);
        do
                assert_null(hot_next(hot));
        while (recv(client, hello, sizeof(hello), MSG_DONTWAIT) <= 0 &&
               poll(&poll_fd, 1, PATIENCE_S * 1000) == 1);
        assert_memory_equal(hello, "{\"type\":\"hello\"", 15);
        close(client);
        assert_int_equal(hot_stop(hot), 0);
        assert_int_equal(await_event(hot)->type, HOT_STOP);
        assert_int_equal(hot_quiesced(hot), 0);
        assert_int_equal(await_event(hot)->type, HOT_EXIT);
        hot_free(hot);
        unsetenv("XDG_RUNTIME_DIR");
        assert_int_equal(rmdir(scratch_path("hotstart")), 0);
}

/* What a service manager that does not read has not been told is not left behind. */
static void test_letters_that_were_not_sent_end_with_the_host(void **state)
{
        struct sockaddr_un un = {.sun_family = AF_UNIX};
        struct hot *hot;
        int manager = socket(AF_UNIX, SOCK_DGRAM, 0), n;

        (void)state;
        n = snprintf(un.sun_path + 1, sizeof(un.sun_path) - 1, "hotstart-events-%d", (int)getpid());
        assert_int_equal(bind(manager, (const struct sockaddr *)&un,
                              (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)),
                         0);
        un.sun_path[0] = '@';
        setenv("NOTIFY_SOCKET", un.sun_path, 1);
        hot = serve(NULL);
        while (!hot->notify.first)
                hot__tell_manager(hot, "STATUS=more");
        hot_free(hot);
        unsetenv("NOTIFY_SOCKET");
        close(manager);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_what_never_ends_does_not_keep_the_host),
                hot_test(test_what_never_ends_does_not_keep_the_clock),
                scratch_test(test_a_client_that_cannot_be_had_is_tried_later),
                hot_test(test_letters_that_were_not_sent_end_with_the_host),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
