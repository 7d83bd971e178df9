/* SPDX-License-Identifier: MIT */

/*
 * What hot_open() makes of an environment that announces sockets, or junk. Each case runs in a process of
 * its own, since it has its own descriptor 3.
 */

#include "fdcheck.h"

#include <hotstart.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void announce(const char *name, const char *value)
{
        assert_int_equal(setenv(name, value, 1), 0);
}

static void in_child(void (*body)(void))
{
        pid_t pid = fork();
        int status;

        assert_true(pid >= 0);
        if (pid == 0) {
                body();
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

#define CHECK(condition)                                                                \
        do {                                                                            \
                if (!(condition)) {                                                     \
                        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
                        _exit(1);                                                       \
                }                                                                       \
        } while (0)

static int listener(void)
{
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
        CHECK(listen(fd, 16) == 0);
        return fd;
}

static void put_at_3(int fd)
{
        CHECK(dup2(fd, 3) == 3);
        if (fd != 3)
                close(fd);
}

/* @error: what hot_open() says. Descriptor 3 is left with its flags. */
static void refused(int error)
{
        int flags = fcntl(3, F_GETFD), status = fcntl(3, F_GETFL);
        struct hot *hot;

        CHECK(hot_open(&hot, NULL) == error);
        CHECK(hot_failure(hot)->step == HOT_STEP_OPEN && hot_failure(hot)->fd == 3);
        CHECK(strcmp(hot_failure(hot)->subject, "HOT_CONTINUE") == 0);
        hot_free(hot);
        CHECK(fcntl(3, F_GETFD) == flags && fcntl(3, F_GETFL) == status);
}

static void with_file(void)
{
        announce("HOT_CONTINUE", "1");
        put_at_3(open("/dev/null", O_RDONLY));
        refused(-ENOTSOCK);
}

static void with_pipe(void)
{
        int ends[2];

        announce("HOT_CONTINUE", "1");
        CHECK(pipe(ends) == 0);
        if (ends[1] == 3)
                ends[1] = dup(ends[1]);
        put_at_3(ends[0]);
        refused(-ENOTSOCK);
}

static void with_connection(void)
{
        int ends[2];

        announce("HOT_CONTINUE", "1");
        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
        put_at_3(ends[0]);
        refused(-EDESTADDRREQ);
}

static void with_nothing(void)
{
        announce("HOT_CONTINUE", "1");
        close(3);
        refused(-EBADF);
}

static void with_malformed_variable(void)
{
        struct hot *hot;

        announce("LISTEN_FDS", "many");
        CHECK(hot_open(&hot, NULL) == -EINVAL);
        CHECK(strcmp(hot_failure(hot)->subject, "LISTEN_FDS") == 0);
        CHECK(!getenv("LISTEN_FDS"));
        hot_free(hot);
}

/* A service manager's socket is taken whatever our address says, and the variables are consumed. */
static void with_systemd(void)
{
        char pid[16], here[128], there[128];
        const char *name;
        struct hot *hot;

        put_at_3(listener());
        CHECK(dup2(3, 4) == 4);
        snprintf(pid, sizeof(pid), "%d", (int)getpid());
        announce("LISTEN_PID", pid);
        announce("LISTEN_FDS", "2");
        announce("LISTEN_FDNAMES", "one:two");
        CHECK(hot_listener_address(3, there, sizeof(there)) == 0);
        CHECK(hot_open(&hot, NULL) == 0);
        CHECK(!getenv("LISTEN_FDS") && !getenv("LISTEN_PID") && !getenv("LISTEN_FDNAMES"));
        CHECK(fcntl(3, F_GETFD) & FD_CLOEXEC);
        CHECK(hot_listen(hot, "http", ":1") == 3);
        CHECK(hot_listener_address(3, here, sizeof(here)) == 0 && strcmp(here, there) == 0);
        CHECK(hot_adopt(hot, &name) == 4 && strcmp(name, "two") == 0);
        CHECK(hot_adopt(hot, &name) == -ENOENT);
        hot_free(hot);
}

/* The names count before the order. */
static void with_names(void)
{
        char pid[16];
        struct hot *hot;

        put_at_3(listener());
        CHECK(dup2(3, 4) == 4);
        snprintf(pid, sizeof(pid), "%d", (int)getpid());
        announce("LISTEN_PID", pid);
        announce("LISTEN_FDS", "2");
        announce("LISTEN_FDNAMES", "admin:http");
        CHECK(hot_open(&hot, NULL) == 0);
        CHECK(hot_listen(hot, "http", ":1") == 4);
        CHECK(hot_listen(hot, "admin", ":2") == 3);
        hot_free(hot);
}

static void with_another_pid(void)
{
        struct hot *hot;

        announce("LISTEN_PID", "1");
        announce("LISTEN_FDS", "1");
        CHECK(hot_open(&hot, NULL) == 0);
        CHECK(hot_adopt(hot, NULL) == -ENOENT);
        CHECK(!getenv("LISTEN_FDS"));
        hot_free(hot);
}

/* Descriptors that nobody asked for would hold clients that nobody accepts. */
static void with_too_many(void)
{
        char pid[16];
        struct hot *hot;

        put_at_3(listener());
        CHECK(dup2(3, 4) == 4);
        snprintf(pid, sizeof(pid), "%d", (int)getpid());
        announce("LISTEN_PID", pid);
        announce("LISTEN_FDS", "2");
        CHECK(hot_open(&hot, NULL) == 0);
        CHECK(hot_listen(hot, "http", ":1") == 3);
        CHECK(hot_ready(hot) == 0);
        CHECK(fcntl(4, F_GETFD) == -1 && errno == EBADF);
        hot_free(hot);
}

static void with_foreign_channel(void)
{
        struct hot *hot;

        put_at_3(open("/dev/null", O_RDONLY));
        announce("HOT_CHANNEL", "3");
        CHECK(hot_open(&hot, NULL) == -ENOTSOCK);
        CHECK(strcmp(hot_failure(hot)->subject, "HOT_CHANNEL") == 0);
        CHECK(!(fcntl(3, F_GETFD) & FD_CLOEXEC));
        hot_free(hot);
}

static void test_junk_in_the_environment(void **state)
{
        (void)state;
        in_child(with_file);
        in_child(with_pipe);
        in_child(with_connection);
        in_child(with_nothing);
        in_child(with_malformed_variable);
        in_child(with_foreign_channel);
}

static void test_sockets_of_a_service_manager(void **state)
{
        (void)state;
        in_child(with_systemd);
        in_child(with_names);
        in_child(with_another_pid);
        in_child(with_too_many);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_junk_in_the_environment),
                hot_test(test_sockets_of_a_service_manager),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
