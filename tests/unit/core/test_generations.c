/* SPDX-License-Identifier: MIT */

/*
 * Two generations that are processes: what a peer may do that no well-behaved one does. With an argument
 * this program is the new generation, which does what the argument names.
 */

#include "fdcheck.h"

#include <hotstart.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hot.h"
#include "sandbox.h"
#include "sockets.h"

#define HANGS_AFTER 30 /* seconds, until the kernel ends a test that would hang */

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

/* As the new generation */

/* Frames that mean nothing now, until nobody reads them any more. */
static void flood(int channel, enum hot__frame_type type)
{
        struct pollfd poll_fd = {.fd = channel, .events = POLLOUT};
        const struct hot__frame frame = {.type = (uint16_t)type, .error = EIO};
        uint8_t bytes[64];
        ssize_t len = hot__frame_encode(&frame, bytes, sizeof(bytes));

        CHECK(len > 0);
        for (;;) {
                if (send(channel, bytes, (size_t)len, MSG_NOSIGNAL) < 0 && errno != EAGAIN)
                        return;
                poll(&poll_fd, 1, -1);
        }
}

/* One client that hears our pid. */
static void answer_one(int listener)
{
        pid_t pid = getpid();
        int client;

        await_input(listener);
        client = accept(listener, NULL, NULL);
        CHECK(client >= 0 && write(client, &pid, sizeof(pid)) == (ssize_t)sizeof(pid));
}

static int be_new_generation(const char *what)
{
        const char *number = getenv("HOT_CHANNEL");
        int channel, listener;
        struct hot *hot;

        alarm(HANGS_AFTER);
        CHECK(number);
        channel = atoi(number);
        CHECK(hot_open(&hot, NULL) == 0);
        listener = hot_listen(hot, "http", "127.0.0.1:0");
        CHECK(listener >= 0 && hot_ready(hot) == 0);
        await_event(hot, HOT_SERVE);
        CHECK(hot_serving(hot) == 0);
        if (strcmp(what, "flood") == 0)
                flood(channel, HOT__READY);
        else if (strcmp(what, "refuse") == 0)
                flood(channel, HOT__REFUSE);
        else if (strcmp(what, "deaf") == 0)
                CHECK(shutdown(channel, SHUT_RDWR) == 0);
        answer_one(listener);
        hot_free(hot);
        return 0;
}

/* As the old one */

static struct hot *open_old(char *what)
{
        static char path[512];
        char *argv[] = {path, what, NULL};
        struct hot_options options = {
                .size = sizeof(options), .argv = argv, .program = path, .probation_ms = HOT_NONE};
        ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
        struct hot *hot;

        alarm(HANGS_AFTER);
        assert_true(len > 0);
        path[len] = 0;
        assert_int_equal(hot_open(&hot, &options), 0);
        return hot;
}

/* Restart into the generation that does @what, up to the commit. Returns its pid. */
static pid_t commit(struct hot *hot, uint16_t *ret_port)
{
        int listener = hot_listen(hot, "http", "127.0.0.1:0");

        assert_true(listener >= 0);
        *ret_port = port_of(listener);
        assert_int_equal(hot_ready(hot), 0);
        await_event(hot, HOT_SERVE);
        assert_int_equal(hot_serving(hot), 0);
        hot_restart(hot);
        await_event(hot, HOT_QUIESCE);
        assert_int_equal(hot_quiesced(hot), 0);
        return await_event(hot, HOT_DRAIN)->pid;
}

/* The new generation is asked who it is, while the old one does its part; then it ends. */
static void assert_serves(struct hot *hot, pid_t pid, uint16_t port)
{
        int client = connect_tcp(AF_INET, "127.0.0.1", port);
        struct pollfd fds[] = {{.fd = client, .events = POLLIN},
                               {.fd = hot_fd(hot), .events = POLLIN}};
        pid_t answered = 0;

        do {
                const struct hot_event *event = hot_next(hot);

                while (event) {
                        assert_int_not_equal(event->type, HOT_EXIT);
                        event = hot_next(hot);
                }
                assert_true(poll(fds, 2, -1) > 0);
        } while (!fds[0].revents);
        assert_int_equal(read(client, &answered, sizeof(answered)), sizeof(answered));
        assert_int_equal(answered, pid);
        close(client);
}

/* The old generation has nothing left to do, and the new one was its child. */
static void end_both(struct hot *hot, pid_t pid)
{
        int status;

        hot_release(hot);
        await_event(hot, HOT_EXIT);
        hot_free(hot);
        if (waitpid(pid, &status, 0) == pid)
                assert_int_equal(status, 0);
        else
                assert_int_equal(errno, ECHILD); /* the library has reaped it */
        alarm(0);
}

static void drain_beside(char *what)
{
        struct hot *hot = open_old(what);
        uint16_t port;
        pid_t pid;

        hot_hold(hot);
        pid = commit(hot, &port);
        assert_serves(hot, pid, port);
        end_both(hot, pid);
}

static void test_frames_without_end_are_not_listened_to(void **state)
{
        char what[] = "flood", other[] = "refuse";

        (void)state;
        drain_beside(what);
        drain_beside(other);
}

static void await_end_of_channel(struct hot *hot)
{
        while (hot->successor.fd >= 0)
                if (!hot_next(hot) && hot->successor.fd >= 0)
                        await_input(hot_fd(hot));
}

static void test_trigger_is_not_deadly_to_a_successor_out_of_reach(void **state)
{
        char what[] = "deaf";
        struct hot *hot = open_old(what);
        uint16_t port;
        pid_t pid;

        (void)state;
        hot_hold(hot);
        pid = commit(hot, &port);
        await_end_of_channel(hot);
        hot_restart(hot);
        assert_serves(hot, pid, port);
        end_both(hot, pid);
}

/*
 * A seed says that it serves, and dies before we have stopped accepting. @late: before we have heard it,
 * and with a signal that is read before its own.
 */
static void bury_seed(bool late)
{
        char shell[] = "/bin/sh", option[] = "-c", command[] = "kill -TERM $PPID; exit 3";
        char *argv[] = {shell, option, command, NULL};
        struct hot_options options = {.size = sizeof(options), .argv = argv, .program = shell};
        const struct hot_event *event;
        struct hot *hot;
        sigset_t mask;

        alarm(HANGS_AFTER);
        sigprocmask(SIG_SETMASK, NULL, &mask);
        assert_int_equal(hot_open(&hot, &options), 0);
        assert_int_equal(hot_signals(hot), 0);
        assert_int_equal(hot_ready(hot), 0);
        await_event(hot, HOT_SERVE);
        assert_int_equal(hot_serving(hot), 0);
        hot_restart(hot);
        if (late) {
                while (await_event(hot, HOT_STEP)->step != HOT_STEP_SPAWN)
                        ;
                raise(SIGUSR2);
                await_input(hot->successor_process.pidfd);
        }
        await_event(hot, HOT_QUIESCE);
        await_input(hot->successor_process.pidfd);
        assert_int_equal(hot_quiesced(hot), 0);
        await_event(hot, HOT_RESUME);
        assert_int_equal(hot_serving(hot), 0);
        event = await_event(hot, HOT_FAILED);
        assert_int_equal(event->failure->reason, HOT_REASON_EXITED);
        assert_int_equal(event->failure->wait_status, 3 << 8);
        hot_free(hot);
        sigprocmask(SIG_SETMASK, &mask, NULL);
        alarm(0);
}

static void test_seed_that_died_is_not_committed(void **state)
{
        (void)state;
        bury_seed(false);
}

static void test_last_word_of_a_seed_is_no_stop(void **state)
{
        (void)state;
        bury_seed(true);
}

/* The old generation dies, and a worker that it forked holds its end of the channel open. */

struct family {
        int life[2];    /* the worker ends when this is closed */
        int gate[2];    /* the new generation opens when this can be read */
        int verdict[2]; /* it says here that it serves */
};

static void be_worker(const struct family *family)
{
        await_input(family->life[0]);
        _exit(0);
}

/* The new generation: it must come to be alone. */
static void carry_on_alone(const struct family *family, int channel)
{
        struct hot *hot;
        char number[16];

        await_input(family->gate[0]);
        snprintf(number, sizeof(number), "%d", channel);
        setenv("HOT_CHANNEL", number, 1);
        setenv("HOT_GENERATION", "2", 1);
        CHECK(hot_open(&hot, NULL) == 0);
        CHECK(hot_generation(hot) == 2);
        CHECK(hot_ready(hot) == 0);
        await_event(hot, HOT_SERVE);
        CHECK(write(family->verdict[1], "", 1) == 1);
        hot_free(hot);
        _exit(0);
}

static void be_dying_generation(const struct family *family, bool hears_hello)
{
        struct hot__channel ours;
        int theirs;

        close(family->life[1]);
        CHECK(hot__channel_pair(&ours, &theirs) == 0);
        if (fork() == 0) {
                close(theirs);
                be_worker(family);
        }
        if (fork() == 0) {
                close(ours.fd);
                carry_on_alone(family, theirs);
        }
        if (hears_hello)
                await_input(ours.fd);
        _exit(0);
}

static bool is_said(int fd)
{
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

        return poll(&poll_fd, 1, HANGS_AFTER * 1000) == 1;
}

static int predecessor_dies(bool hears_hello)
{
        struct family family;
        bool said;
        pid_t old;

        CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
        CHECK(pipe(family.life) == 0 && pipe(family.gate) == 0 && pipe(family.verdict) == 0);
        CHECK(!hears_hello || write(family.gate[1], "", 1) == 1);
        old = fork();
        if (old == 0)
                be_dying_generation(&family, hears_hello);
        CHECK(waitpid(old, NULL, 0) == old);
        CHECK(hears_hello || write(family.gate[1], "", 1) == 1);
        said = is_said(family.verdict[0]);
        close(family.life[1]);
        if (!said)
                kill(0, SIGKILL);
        while (wait(NULL) > 0)
                ;
        return said ? 0 : 1;
}

static int before_hello(void)
{
        setpgid(0, 0);
        return predecessor_dies(false);
}

static int before_its_offer(void)
{
        setpgid(0, 0);
        return predecessor_dies(true);
}

static void test_predecessor_that_died_is_known_though_its_channel_is_open(void **state)
{
        (void)state;
        assert_int_equal(in_child(before_hello), 0);
        assert_int_equal(in_child(before_its_offer), 0);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_frames_without_end_are_not_listened_to),
                hot_test(test_trigger_is_not_deadly_to_a_successor_out_of_reach),
                hot_test(test_seed_that_died_is_not_committed),
                hot_test(test_last_word_of_a_seed_is_no_stop),
                hot_test(test_predecessor_that_died_is_known_though_its_channel_is_open),
        };

        if (argc > 1)
                return be_new_generation(argv[1]);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
