/* SPDX-License-Identifier: MIT */
#ifndef FAULT_H
#define FAULT_H

/*
 * Every call that can fail, fails once.
 *
 * A scenario runs once undisturbed, which counts its calls of what wrapped.sym lists. Then it runs again
 * for each of these calls and for each errno that the call may give, and that one call fails. What must
 * hold then: the scenario returns that error, negative, or has recovered and its result is right; and the
 * process is as before (fdcheck.h: descriptors, children, signals).
 */

#include <stdbool.h>

/* In a list of calls: all of them. For questions that are answered "no" when something fails. */
#define FAULT_ANY "*"

struct fault_scenario {
        void (*prepare)(void); /* undisturbed, before each run; may be NULL */

        /*
         * Calls the rooms under test and nothing else. Returns 0 when all went well, having asserted
         * that the result is right, or what failed.
         */
        int (*run)(void);

        void (*clean)(void); /* undisturbed, after each run, before the process is looked at */

        /* Calls that may fail unnoticed ("setsockopt"), NULL-terminated; or NULL. Each needs a reason. */
        const char *const *tolerated;

        /* Calls whose error may come out as another one; likewise. */
        const char *const *translated;
};

void fault_sweep(const struct fault_scenario *scenario);

/* Did this call fail in this run? FAULT_ANY: did any? */
bool fault_hit(const char *call);

#endif
