/* SPDX-License-Identifier: MIT */

/*
 * Live connections between two generations that are processes: what arrives, what comes back, and to whom a
 * connection belongs when one of the two dies. With an argument this program is the new generation, which does
 * what the argument names.
 */

#include "fdcheck.h"

#include <hotstart.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hot.h"
#include "sockets.h"

#define HANGS_AFTER 30 /* seconds, until the kernel ends a test that would hang */
#define MANY        (HOT__GIVING_WINDOW * HOT__FRAME_FDS + 500)
#define BULK        300000

#define CHECK(condition)                                                                \
        do {                                                                            \
                if (!(condition)) {                                                     \
                        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
                        _exit(1);                                                       \
                }                                                                       \
        } while (0)

static void await_input(int fd)
{
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

        while (poll(&poll_fd, 1, -1) < 0)
                ;
}

static const struct hot_event *await_event(struct hot *hot, int type)
{
        const struct hot_event *event = NULL;

        while (!event || event->type != type) {
                event = hot_next(hot);
                if (!event)
                        await_input(hot_fd(hot));
        }
        return event;
}

/* ---- the new generation ---- */

static int accepted[MANY];
static char *said[MANY];
static size_t said_len[MANY], n_accepted;

/* What it says to a connection that it has accepted: its kind, and all that travelled with it. */
static void take(struct hot *hot, const struct hot_connection *c)
{
        char *text = malloc(64 + c->output_len + c->state_len + c->input_len);
        size_t len = 0;

        CHECK(text && c->error == 0 && c->version == 7);
        memcpy(text, c->output, c->output_len);
        len = c->output_len;
        len += (size_t)sprintf(text + len, "%s %zu %zu ", c->kind, c->state_len, c->input_len);
        memcpy(text + len, c->state, c->state_len);
        len += c->state_len;
        memcpy(text + len, c->input, c->input_len);
        said[n_accepted] = text;
        said_len[n_accepted] = len + c->input_len;
        accepted[n_accepted] = hot_accept_connection(hot);
        CHECK(accepted[n_accepted] >= 0 && fcntl(accepted[n_accepted], F_GETFD) == FD_CLOEXEC);
        n_accepted++;
}

static void say_all(void)
{
        for (size_t i = 0; i < n_accepted; i++) {
                for (size_t at = 0; at < said_len[i];) {
                        ssize_t n = write(accepted[i], said[i] + at, said_len[i] - at);

                        CHECK(n > 0);
                        at += (size_t)n;
                }
                shutdown(accepted[i], SHUT_RDWR);
                close(accepted[i]);
                free(said[i]);
        }
        n_accepted = 0;
}

static void handle(struct hot *hot, const char *what, const struct hot_connection *c)
{
        if (strcmp(what, "ignore") == 0)
                return;
        if (strcmp(what, "refuse") == 0) {
                CHECK(hot_refuse_connection(hot, EACCES) == 0);
                CHECK(hot_accept_connection(hot) == -EINVAL);
                return;
        }
        take(hot, c);
        if (strcmp(what, "die") == 0)
                _exit(1);
}

/* All is acknowledged now. */
static void act(const char *what)
{
        if (strcmp(what, "serve") == 0 || strcmp(what, "poor") == 0)
                say_all();
        if (strcmp(what, "touch") == 0 && n_accepted == 3) {
                char byte;

                CHECK(write(accepted[0], "!", 1) == 1);
                CHECK(read(accepted[1], &byte, 1) == 1);
                _exit(1);
        }
        if (strcmp(what, "hold") == 0 && n_accepted == 3)
                _exit(1);
}

static int be_new_generation(const char *what)
{
        const struct rlimit few = {60, 60};
        const struct hot_event *event;
        struct hot *hot;

        alarm(HANGS_AFTER);
        CHECK(hot_open(&hot, NULL) == 0);
        if (strcmp(what, "poor") == 0)
                CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
        CHECK(hot_ready(hot) == 0);
        await_event(hot, HOT_SERVE);
        CHECK(hot_serving(hot) == 0);
        for (;;) {
                while ((event = hot_next(hot)))
                        if (event->type == HOT_CONNECTION)
                                handle(hot, what, event->connection);
                act(what);
                await_input(hot_fd(hot));
        }
}

/* ---- the old one ---- */

static struct hot *open_old(char *what, unsigned int probation_ms)
{
        static char path[512];
        char *argv[] = {path, what, NULL};
        struct hot_options options = {.size = sizeof(options),
                                      .argv = argv,
                                      .program = path,
                                      .probation_ms = probation_ms};
        ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
        struct hot *hot;

        alarm(HANGS_AFTER);
        assert_true(len > 0);
        path[len] = 0;
        assert_int_equal(hot_open(&hot, &options), 0);
        hot_hold(hot);
        assert_int_equal(hot_ready(hot), 0);
        await_event(hot, HOT_SERVE);
        assert_int_equal(hot_serving(hot), 0);
        hot_restart(hot);
        await_event(hot, HOT_QUIESCE);
        assert_int_equal(hot_quiesced(hot), 0);
        await_event(hot, HOT_DRAIN);
        return hot;
}

static void close_old(struct hot *hot)
{
        pid_t pid = hot->successor_process.pid;

        if (pid > 0)
                kill(pid, SIGKILL);
        hot_free(hot);
        if (pid > 0)
                waitpid(pid, NULL, 0); /* or the library has reaped it */
        alarm(0);
}

/* A connection over TCP. Returns the server's end. */
static int connect_pair(int *ret_client)
{
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int server;

        assert_int_equal(listen(listener, 1), 0);
        *ret_client = connect_tcp(AF_INET, "127.0.0.1", port_of(listener));
        server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        assert_true(server >= 0);
        close(listener);
        return server;
}

static struct hot_connection connection_of(int fd)
{
        return (struct hot_connection){
                .size = sizeof(struct hot_connection), .kind = "test", .fd = fd, .version = 7};
}

static void assert_hears(int client, const char *expected, size_t len)
{
        char *heard = malloc(len + 1);
        size_t at = 0;
        ssize_t n;

        assert_non_null(heard);
        while (at <= len && (n = read(client, heard + at, len + 1 - at)) > 0)
                at += (size_t)n;
        assert_int_equal(at, len);
        assert_memory_equal(heard, expected, len);
        free(heard);
        close(client);
}

/* Until something comes back. Lent until the next hot_next(). */
static const struct hot_connection *await_return(struct hot *hot)
{
        return await_event(hot, HOT_CONNECTION)->connection;
}

static void test_a_connection_arrives_with_all_that_goes_with_it(void **state)
{
        char what[] = "serve";
        struct hot *hot = open_old(what, HOT_NONE);
        int client;
        struct hot_connection c = connection_of(connect_pair(&client));

        (void)state;
        c.input = "in";
        c.input_len = 2;
        c.output = "out ";
        c.output_len = 4;
        c.state = "state";
        c.state_len = 5;
        assert_int_equal(hot_give(hot, &c), 0);
        hot_release(hot);
        await_event(hot, HOT_EXIT); /* with an answer, and no connection: nothing is waited for */
        assert_int_equal(hot->giving.n_accepted, 1);
        assert_hears(client, "out test 5 2 statein", 20);
        close_old(hot);
}

static void test_a_bulky_one_arrives_whole(void **state)
{
        char what[] = "serve", *bulk = malloc(BULK + 32);
        struct hot *hot = open_old(what, HOT_NONE);
        int client, len, thin;
        struct hot_connection c = connection_of(connect_pair(&client));

        (void)state;
        assert_non_null(bulk);
        len = sprintf(bulk, "test %d 0 ", BULK);
        for (int i = 0; i < BULK; i++)
                bulk[len + i] = (char)(i * 7);
        c.state = bulk + len;
        c.state_len = BULK;
        assert_int_equal(hot_give(hot, &c), 0);
        c = connection_of(
                connect_pair(&thin)); /* whose descriptor comes behind those of the other */
        assert_int_equal(hot_give(hot, &c), 0);
        hot_next(hot);
        assert_hears(client, bulk, (size_t)len + BULK);
        assert_hears(thin, "test 0 0 ", 9);
        close_old(hot);
        free(bulk);
}

static void test_what_is_refused_comes_back_as_it_was(void **state)
{
        char what[] = "refuse", other[] = "ignore";
        char *whats[] = {what, other};

        (void)state;
        for (size_t i = 0; i < 2; i++) {
                struct hot *hot = open_old(whats[i], HOT_NONE);
                const struct hot_connection *back;
                int client, given, fd;
                struct hot_connection c = connection_of(connect_pair(&client));

                given = c.fd;
                c.state = "state";
                c.state_len = 5;
                assert_int_equal(hot_give(hot, &c), 0);
                back = await_return(hot);
                assert_int_equal(back->error, i == 0 ? EACCES : EOPNOTSUPP);
                assert_string_equal(back->kind, "test");
                assert_int_equal(back->state_len, 5);
                assert_memory_equal(back->state, "state", 5);
                assert_int_equal(back->version, 7);
                fd = hot_accept_connection(hot);
                assert_int_equal(fd, given);
                assert_int_equal(write(fd, "here", 4), 4);
                close(fd);
                close_old(hot);
                assert_hears(client, "here", 4);
        }
}

/* Nothing is consumed without room; HOT_DRAIN says when there is. */
static void test_the_window_is_bounded_and_opens_again(void **state)
{
        char what[] = "serve";
        struct hot *hot;
        int clients[MANY];
        size_t n = 0, drains = 0;

        (void)state;
        hot = open_old(what, HOT_NONE);
        while (n < MANY) {
                struct hot_connection c = connection_of(connect_pair(&clients[n]));
                int r = hot_give(hot, &c);

                if (r == 0) {
                        n++;
                        continue;
                }
                assert_int_equal(r, -EAGAIN);
                assert_true(n >= HOT__GIVING_WINDOW * HOT__FRAME_FDS);
                assert_int_equal(fcntl(c.fd, F_GETFD), FD_CLOEXEC);
                close(c.fd);
                close(clients[n]);
                await_event(hot, HOT_DRAIN);
                drains++;
        }
        assert_true(drains > 0);
        hot_release(hot);
        await_event(hot, HOT_EXIT);
        assert_int_equal(hot->giving.n_accepted, MANY);
        for (size_t i = 0; i < MANY; i++)
                assert_hears(clients[i], "test 0 0 ", 9);
        close_old(hot);
}

/* The receiver says how many it has room for: the rest is served here, or goes when there is room again. */
static void test_a_poor_receiver_gets_what_it_has_room_for(void **state)
{
        char what[] = "poor";
        struct hot *hot = open_old(what, HOT_NONE);
        int clients[100];

        (void)state;
        for (size_t i = 0; i < 100;) {
                struct hot_connection c = connection_of(connect_pair(&clients[i]));

                if (hot_give(hot, &c) == 0) {
                        i++;
                        continue;
                }
                assert_true(hot->giving.in_flight + hot->giving.filling_fds < 60);
                close(c.fd);
                close(clients[i]);
                await_event(hot, HOT_DRAIN);
        }
        hot_release(hot);
        await_event(hot, HOT_EXIT);
        assert_int_equal(hot->giving.n_accepted, 100);
        assert_int_equal(hot->giving.n_returned, 0);
        for (size_t i = 0; i < 100; i++)
                assert_hears(clients[i], "test 0 0 ", 9);
        close_old(hot);
}

static void give_three(struct hot *hot, int *fds, int *clients, unsigned int flags)
{
        for (int i = 0; i < 3; i++) {
                struct hot_connection c = connection_of(connect_pair(&clients[i]));

                fds[i] = c.fd;
                c.flags = flags;
                assert_int_equal(write(clients[i], "?", 1), 1);
                assert_int_equal(hot_give(hot, &c), 0);
        }
}

/* It comes back, and the client notices nothing. */
static void assert_ours_again(struct hot *hot, int given, int client)
{
        const struct hot_connection *back = await_return(hot);
        char byte;
        int fd;

        assert_int_equal(back->error, EOWNERDEAD);
        fd = hot_accept_connection(hot);
        assert_int_equal(fd, given);
        assert_int_equal(read(fd, &byte, 1), 1);
        assert_int_equal(write(fd, "old", 3), 3);
        close(fd);
        assert_hears(client, "old", 3);
}

static void assert_nothing_more(struct hot *hot)
{
        assert_int_equal(hot_serving(hot), 0);
        for (const struct hot_event *event; (event = hot_next(hot));)
                assert_int_not_equal(event->type, HOT_CONNECTION);
        assert_false(hot__giving_is_pending(hot));
        assert_int_equal(hot->giving.frozen.n, 0);
}

static void test_a_receiver_that_dies_before_its_answer_has_taken_nothing(void **state)
{
        char what[] = "die";
        struct hot *hot = open_old(what, 20000);
        int fds[3], clients[3];

        (void)state;
        give_three(hot, fds, clients, 0);
        await_event(hot, HOT_RESUME);
        for (int i = 0; i < 3; i++)
                assert_ours_again(hot, fds[i], clients[i]);
        assert_nothing_more(hot);
        close_old(hot);
}

static void test_what_a_dead_receiver_has_not_touched_is_ours_again(void **state)
{
        char what[] = "touch";
        struct hot *hot = open_old(what, 20000);
        int fds[3], clients[3];

        (void)state;
        give_three(hot, fds, clients, HOT_RESUMABLE);
        await_event(hot, HOT_RESUME);
        assert_ours_again(hot, fds[2], clients[2]);
        assert_nothing_more(hot);
        close_old(hot);
        assert_hears(clients[0], "!", 1); /* written to; its input was never read: no matter here */
        close(clients[1]);
}

static void test_without_a_promise_no_copy_is_kept(void **state)
{
        char what[] = "hold";
        struct hot *hot = open_old(what, 20000);
        int fds[3], clients[3];

        (void)state;
        give_three(hot, fds, clients, 0);
        await_event(hot, HOT_RESUME);
        assert_nothing_more(hot);
        close_old(hot);
        for (int i = 0; i < 3; i++)
                close(clients[i]);
}

static void test_copies_end_with_the_probation(void **state)
{
        char what[] = "serve";
        struct hot *hot = open_old(what, 300);
        int fds[3], clients[3];

        (void)state;
        give_three(hot, fds, clients, HOT_RESUMABLE);
        while (hot->life.phase == HOT__PHASE_PROBATION)
                if (!hot_next(hot))
                        await_input(hot_fd(hot));
        assert_int_equal(hot->giving.n_accepted, 3);
        assert_int_equal(hot->giving.frozen.n, 0);
        for (int i = 0; i < 3; i++)
                assert_false(fcntl(fds[i], F_GETFD) >= 0);
        close_old(hot);
        for (int i = 0; i < 3; i++)
                close(clients[i]);
}

static void test_bad_arguments_consume_nothing(void **state)
{
        char what[] = "serve";
        struct hot *hot = open_old(what, HOT_NONE);
        int client;
        struct hot_connection good = connection_of(connect_pair(&client)), bad;

        (void)state;
        assert_int_equal(hot_give(hot, NULL), -EINVAL);
        bad = good;
        bad.size = 8;
        assert_int_equal(hot_give(hot, &bad), -EINVAL);
        bad = good;
        bad.kind = "a:b";
        assert_int_equal(hot_give(hot, &bad), -EINVAL);
        bad = good;
        bad.kind = NULL;
        assert_int_equal(hot_give(hot, &bad), -EINVAL);
        bad = good;
        bad.flags = 2;
        assert_int_equal(hot_give(hot, &bad), -EINVAL);
        bad = good;
        bad.state_len = 1;
        assert_int_equal(hot_give(hot, &bad), -EINVAL);
        bad = good;
        bad.fd = 9999;
        assert_int_equal(hot_give(hot, &bad), -EBADF);
        bad = good;
        bad.state = what;
        bad.state_len = HOT__BULK_MAX + 1;
        assert_int_equal(hot_give(hot, &bad), -E2BIG);
        assert_int_equal(hot_accept_connection(hot), -EINVAL);
        assert_int_equal(hot_refuse_connection(hot, EIO), -EINVAL);
        assert_int_equal(fcntl(good.fd, F_GETFD), FD_CLOEXEC);
        close(good.fd);
        close(client);
        close_old(hot);
}

static void test_nobody_to_give_to(void **state)
{
        struct hot *hot;
        int client;
        struct hot_connection c = connection_of(connect_pair(&client));

        (void)state;
        assert_int_equal(hot_open(&hot, NULL), 0);
        assert_int_equal(hot_give(hot, &c), -ENOTCONN);
        assert_int_equal(hot_give_room(hot), -ENOTCONN);
        hot_free(hot);
        close(c.fd);
        close(client);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_a_connection_arrives_with_all_that_goes_with_it),
                hot_test(test_a_bulky_one_arrives_whole),
                hot_test(test_what_is_refused_comes_back_as_it_was),
                hot_test(test_the_window_is_bounded_and_opens_again),
                hot_test(test_a_poor_receiver_gets_what_it_has_room_for),
                hot_test(test_a_receiver_that_dies_before_its_answer_has_taken_nothing),
                hot_test(test_what_a_dead_receiver_has_not_touched_is_ours_again),
                hot_test(test_without_a_promise_no_copy_is_kept),
                hot_test(test_copies_end_with_the_probation),
                hot_test(test_bad_arguments_consume_nothing),
                hot_test(test_nobody_to_give_to),
        };
        const struct rlimit many = {8192, 8192};

        signal(SIGPIPE, SIG_IGN);
        if (argc > 1)
                return be_new_generation(argv[1]);
        setrlimit(RLIMIT_NOFILE, &many);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
