/* SPDX-License-Identifier: MIT */
#ifndef FDCHECK_H
#define FDCHECK_H

/*
 * What every unit test must leave as it found it: the descriptor table (numbers, what they are, flags,
 * FD_CLOEXEC), the children (none more, zombie or alive), the signal mask and the signal dispositions.
 *
 * Write `hot_test(function)` where cmocka's example has `cmocka_unit_test(function)`:
 *
 *     int main(void)
 *     {
 *             const struct CMUnitTest tests[] = {
 *                     hot_test(test_wire_rejects_short_frame),
 *                     hot_test_with(test_server_answers, start_server, stop_server),
 *             };
 *
 *             return cmocka_run_group_tests(tests, NULL, NULL);
 *     }
 *
 * The check runs around the fixture of hot_test_with(), so what its setup opens its teardown closes. A
 * test that leaves something behind fails, with one line on stderr for each difference, even if all its
 * assertions held. The next test starts from what it finds, so one leak is reported once.
 *
 * A test that needs lasting descriptors (a library that opens one on first use and keeps it) uses it once
 * in a group setup. CMake: link `hot_fdcheck`; it brings cmocka with it.
 *
 * One test at a time: the state lives in the test program, which is what cmocka does too.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fdcheck_fixture {
        CMFixtureFunction setup;
        CMFixtureFunction teardown;
};

/* Remember the state of the process, then run the fixture's setup. *state is a fixture or NULL. */
int fdcheck_setup(void **state);

/* Run the fixture's teardown, then compare. Returns 0, or -1 if anything differs. */
int fdcheck_teardown(void **state);

/* A test without fixture. */
#define hot_test(function) \
        cmocka_unit_test_setup_teardown(function, fdcheck_setup, fdcheck_teardown)

/* A test with one; either function may be NULL. The test's *state is what its setup put there. */
#define hot_test_with(function, setup, teardown)                                            \
        cmocka_unit_test_prestate_setup_teardown(function, fdcheck_setup, fdcheck_teardown, \
                                                 (&(struct fdcheck_fixture){setup, teardown}))

#endif
