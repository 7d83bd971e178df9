/* SPDX-License-Identifier: MIT */
/*
 * Failures in words: one table, each line as an operator reads it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fdcheck.h"
#include "hotstart.h"

/* Wait statuses, as waitpid(2) has them. */
#define NO_STATUS      (-1)
#define EXITED(status) ((status) << 8)
#define DUMPED         0x80

#define NO_FD (-EBADF)

static const struct {
        struct hot_failure
                failure; /* step, reason, error, wait_status, pid, fd, subject, other, words */
        const char *words;
} worded[] = {
        /* a call failed */
        {{HOT_STEP_PREFLIGHT, HOT_REASON_ERROR, ENOENT, NO_STATUS, 0, NO_FD, "./server", 0, ""},
         "preflight: ./server: No such file or directory"},
        {{HOT_STEP_SPAWN, HOT_REASON_ERROR, ENOEXEC, NO_STATUS, 0, NO_FD, "./server", 0, ""},
         "spawn: ./server: Exec format error"},
        {{HOT_STEP_LISTEN, HOT_REASON_ERROR, EADDRINUSE, NO_STATUS, 0, NO_FD, "tcp://:9999", 0, ""},
         "listen: tcp://:9999: address in use"},
        {{HOT_STEP_LISTEN, HOT_REASON_ERROR, EINVAL, NO_STATUS, 0, NO_FD, "foo", 0, ""},
         "listen: foo: no address (HOST:PORT, :PORT, [V6]:PORT, unix:/PATH), or no name for one"},
        {{HOT_STEP_LISTEN, HOT_REASON_ERROR, EEXIST, NO_STATUS, 0, NO_FD, ":80", 0, ""},
         "listen: :80: asked for twice"},
        {{HOT_STEP_LISTEN, HOT_REASON_ERROR, ENXIO, NO_STATUS, 0, NO_FD, "nobody:80", 0, ""},
         "listen: nobody:80: the host, the port or the owner has a name that is not known"},
        {{HOT_STEP_LISTEN, HOT_REASON_ERROR, ENOTSOCK, NO_STATUS, 0, NO_FD, "unix:/etc/passwd", 0,
          ""},
         "listen: unix:/etc/passwd: exists and is no socket; left alone"},
        {{HOT_STEP_SPAWN, HOT_REASON_ERROR, ENOENT, NO_STATUS, 0, NO_FD, "./server", 0, ""},
         "spawn: ./server: its interpreter or loader does not exist"},
        {{HOT_STEP_OPEN, HOT_REASON_ERROR, EINVAL, NO_STATUS, 0, NO_FD, "", 0, ""},
         "open: Invalid argument"},
        {{HOT_STEP_OPEN, HOT_REASON_ERROR, EINVAL, NO_STATUS, 0, NO_FD, NULL, 0, ""},
         "open: Invalid argument"},
        {{HOT_STEP_OPEN, HOT_REASON_ERROR, 9999, NO_STATUS, 0, NO_FD, "", 0, ""},
         "open: error 9999"},
        {{HOT_STEP_RETIRE, HOT_REASON_ERROR, 0, NO_STATUS, 0, NO_FD, "/run/demo.pid", 0, ""},
         "retire: /run/demo.pid: failed"},
        {{4711, 4711, 0, NO_STATUS, 0, NO_FD, "", 0, ""}, "?: failed"},

        /* a descriptor is not what it should be */
        {{HOT_STEP_OPEN, HOT_REASON_ERROR, ENOTSOCK, NO_STATUS, 0, 3, "HOT_CONTINUE", 0, ""},
         "open: descriptor 3 (announced by HOT_CONTINUE) is not a socket"},
        {{HOT_STEP_OPEN, HOT_REASON_ERROR, EBADF, NO_STATUS, 0, 4, "LISTEN_FDS", 0, ""},
         "open: descriptor 4 (announced by LISTEN_FDS) is not open"},
        {{HOT_STEP_OPEN, HOT_REASON_ERROR, EDESTADDRREQ, NO_STATUS, 0, 3, "HOT_CONTINUE", 0, ""},
         "open: descriptor 3 (announced by HOT_CONTINUE) is a socket that does not listen"},
        {{HOT_STEP_OPEN, HOT_REASON_ERROR, EPERM, NO_STATUS, 0, 5, "HOT_CHANNEL", 0, ""},
         "open: descriptor 5 (announced by HOT_CHANNEL): Operation not permitted"},
        {{HOT_STEP_LISTEN, HOT_REASON_ERROR, ENOTSOCK, NO_STATUS, 0, 3, "tcp://:9999", 0, ""},
         "listen: tcp://:9999: descriptor 3 is not a socket"},
        {{HOT_STEP_OPEN, HOT_REASON_ERROR, 0, NO_STATUS, 0, 0, "", 0, ""},
         "open: descriptor 0 is of no use"},

        /* the new process ended */
        {{HOT_STEP_HELLO, HOT_REASON_EXITED, 0, EXITED(1), 4711, NO_FD, "./server", 0, ""},
         "hello: process 4711 (./server) exited with status 1 before it said hello"},
        {{HOT_STEP_READY, HOT_REASON_EXITED, 0, EXITED(0), 4711, NO_FD, "", 0, ""},
         "ready: process 4711 exited with status 0 before it was ready"},
        {{HOT_STEP_READY, HOT_REASON_EXITED, 0, SIGKILL, 4711, NO_FD, "", 0, ""},
         "ready: process 4711 was killed by signal 9 (SIGKILL) before it was ready"},
        {{HOT_STEP_SERVING, HOT_REASON_EXITED, 0, SIGSEGV | DUMPED, 4711, NO_FD, "./server", 0, ""},
         "serving: process 4711 (./server) was killed by signal 11 (SIGSEGV), core dumped, before "
         "it "
         "served"},
        {{HOT_STEP_DRAIN, HOT_REASON_EXITED, 0, SIGABRT | DUMPED, 4711, NO_FD, "", 0, ""},
         "drain: process 4711 was killed by signal 6 (SIGABRT), core dumped"},
        {{HOT_STEP_OFFER, HOT_REASON_EXITED, 0, 40, 4711, NO_FD, "", 0, ""},
         "offer: process 4711 was killed by signal 40 before it took what it inherits"},
        {{HOT_STEP_COMMIT, HOT_REASON_EXITED, 0, NO_STATUS, 4711, NO_FD, "", 0, ""},
         "commit: process 4711 ended before it was committed"},

        /* a deadline passed */
        {{HOT_STEP_READY, HOT_REASON_TIMEOUT, 0, NO_STATUS, 4711, NO_FD, "", 0, ""},
         "ready: process 4711 was not ready within its start deadline; killed"},
        {{HOT_STEP_HELLO, HOT_REASON_TIMEOUT, 0, SIGKILL, 4711, NO_FD, "./server", 0, ""},
         "hello: process 4711 (./server) did not say hello within its start deadline; killed"},
        {{HOT_STEP_SERVING, HOT_REASON_TIMEOUT, 0, NO_STATUS, 4711, NO_FD, "", 0, ""},
         "serving: process 4711 did not serve within its serve deadline; killed"},
        {{HOT_STEP_QUIESCE, HOT_REASON_TIMEOUT, 0, NO_STATUS, 4711, NO_FD, "", 0, ""},
         "quiesce: this process did not stop accepting within its quiesce deadline; process 4711 "
         "killed"},
        {{HOT_STEP_OPEN, HOT_REASON_TIMEOUT, 0, NO_STATUS, 0, NO_FD, "", 0, ""},
         "open: the other process made no offer within its start deadline"},
        {{HOT_STEP_EXIT, HOT_REASON_TIMEOUT, 0, NO_STATUS, 0, NO_FD, "", 0, ""},
         "exit: the deadline passed"},

        /* the two do not understand each other */
        {{HOT_STEP_OFFER, HOT_REASON_PROTOCOL, EPROTO, NO_STATUS, 4711, NO_FD, "./server", 0, ""},
         "offer: process 4711 (./server) broke the handover protocol"},
        {{HOT_STEP_OPEN, HOT_REASON_PROTOCOL, EXFULL, NO_STATUS, 0, NO_FD, "", 0, ""},
         "open: the other process broke the handover protocol: Exchange full"},
        {{HOT_STEP_HELLO, HOT_REASON_VERSION, EPROTONOSUPPORT, NO_STATUS, 4711, NO_FD, "", 0, ""},
         "hello: process 4711 speaks no version of the handover protocol that this one speaks"},
        {{HOT_STEP_HELLO, HOT_REASON_STRANGER, 0, NO_STATUS, 11, NO_FD, "", 12, ""},
         "hello: process 12 answered instead of the started process 11: the program was started "
         "through another one that did not exec"},
        {{HOT_STEP_HELLO, HOT_REASON_STRANGER, 0, NO_STATUS, 11, NO_FD, "", 0, ""},
         "hello: another process answered instead of the started process 11: the program was "
         "started through another one that did not exec"},
        {{HOT_STEP_HELLO, HOT_REASON_STRANGER, EPERM, NO_STATUS, 0, NO_FD, "HOT_CHANNEL", 0, ""},
         "hello: this process is not the one that was started: the program was started through "
         "another one that did not exec"},
        {{HOT_STEP_CHECK, HOT_REASON_EXITED, 0, EXITED(1), 4711, NO_FD, "./server", 0, ""},
         "check: process 4711 (./server) exited with status 1 when it checked"},
        {{HOT_STEP_PROBATION, HOT_REASON_EXITED, 0, SIGSEGV, 4711, NO_FD, "./server", 0, ""},
         "probation: process 4711 (./server) was killed by signal 11 (SIGSEGV) in its probation"},
        {{HOT_STEP_HELD, HOT_REASON_ABORTED, 0, NO_STATUS, 4711, NO_FD, "./server", 0, ""},
         "held: the restart was aborted; process 4711 (./server) killed"},
        {{HOT_STEP_READY, HOT_REASON_REFUSED, EINVAL, NO_STATUS, 4711, NO_FD, "", 0,
          "no such table"},
         "ready: process 4711 refused what it was offered: no such table"},
        {{HOT_STEP_OFFER, HOT_REASON_REFUSED, EOPNOTSUPP, NO_STATUS, 4711, NO_FD, "", 0, ""},
         "offer: process 4711 refused what it was offered: Operation not supported"},
};

static void test_each_failure_has_its_words(void **state)
{
        char buffer[256];

        (void)state;
        for (size_t i = 0; i < sizeof(worded) / sizeof(worded[0]); i++) {
                assert_ptr_equal(hot_failure_string(&worded[i].failure, buffer, sizeof(buffer)),
                                 buffer);
                assert_string_equal(buffer, worded[i].words);
        }
}

static void test_every_step_and_reason_has_words(void **state)
{
        char buffer[512], prefix[64];

        (void)state;
        for (int step = HOT_STEP_OPEN; step <= HOT_STEP_EXIT; step++) {
                assert_string_not_equal(hot_step_name(step), "?");
                snprintf(prefix, sizeof(prefix), "%s: ", hot_step_name(step));
                for (int reason = HOT_REASON_ERROR; reason <= HOT_REASON_REFUSED; reason++) {
                        struct hot_failure failure = {step,  reason,    EIO, NO_STATUS, 4711,
                                                      NO_FD, "subject", 0,   ""};

                        hot_failure_string(&failure, buffer, sizeof(buffer));
                        assert_memory_equal(buffer, prefix, strlen(prefix));
                        assert_true(strlen(buffer) > strlen(prefix));
                        assert_null(strstr(buffer, "(null)"));
                        assert_null(strchr(buffer, '\n'));
                }
        }
}

static void test_a_buffer_too_small_gets_the_beginning(void **state)
{
        char whole[256];

        (void)state;
        for (size_t i = 0; i < sizeof(worded) / sizeof(worded[0]); i++) {
                size_t len = strlen(hot_failure_string(&worded[i].failure, whole, sizeof(whole)));

                for (size_t size = 1; size <= len + 1; size++) {
                        /* Its own allocation: a sanitizer sees a write behind the last byte. */
                        char *exact = malloc(size);

                        assert_non_null(exact);
                        hot_failure_string(&worded[i].failure, exact, size);
                        assert_int_equal(strlen(exact), size - 1);
                        assert_memory_equal(exact, whole, size - 1);
                        free(exact);
                }
        }
}

static void test_no_room_writes_nothing(void **state)
{
        char byte = 'x';

        (void)state;
        assert_ptr_equal(hot_failure_string(&worded[0].failure, &byte, 0), &byte);
        assert_int_equal(byte, 'x');
        assert_null(hot_failure_string(&worded[0].failure, NULL, 0));
}

static void test_no_failure_has_no_words(void **state)
{
        char buffer[8] = "old";

        (void)state;
        assert_string_equal(hot_failure_string(NULL, buffer, sizeof(buffer)), "");
}

static void test_a_name_with_escapes_stays_one_harmless_line(void **state)
{
        struct hot_failure failure = {HOT_STEP_SPAWN, HOT_REASON_ERROR,   EACCES, NO_STATUS, 0,
                                      NO_FD,          "a\nb\033[31m\177", 0,      ""};
        char buffer[64];

        (void)state;
        assert_string_equal(hot_failure_string(&failure, buffer, sizeof(buffer)),
                            "spawn: a?b?[31m?: Permission denied");
}

static void test_step_names(void **state)
{
        (void)state;
        assert_string_equal(hot_step_name(HOT_STEP_PREFLIGHT), "preflight");
        assert_string_equal(hot_step_name(HOT_STEP_EXIT), "exit");
        assert_string_equal(hot_step_name(0), "?");
        assert_string_equal(hot_step_name(-1), "?");
        assert_string_equal(hot_step_name(HOT_STEP_CONTROL + 1), "?");
}

static void test_version(void **state)
{
        (void)state;
        assert_string_equal(hot_version(), HOT_VERSION);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_each_failure_has_its_words),
                hot_test(test_every_step_and_reason_has_words),
                hot_test(test_a_buffer_too_small_gets_the_beginning),
                hot_test(test_no_room_writes_nothing),
                hot_test(test_no_failure_has_no_words),
                hot_test(test_a_name_with_escapes_stays_one_harmless_line),
                hot_test(test_step_names),
                hot_test(test_version),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
