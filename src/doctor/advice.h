/* SPDX-License-Identifier: MIT */
#ifndef HOT_DOCTOR_ADVICE_H
#define HOT_DOCTOR_ADVICE_H

/*
 * Advice: what somebody who knows restarts would say about a system or a process, one thing at a time.
 */

#include <stddef.h>
#include <stdint.h>

enum advice_level {
        ADVICE_GOOD, /* looked at, and as it should be */
        ADVICE_NOTE, /* worth knowing */
        ADVICE_WARN, /* may break something */
        ADVICE_BAD,  /* will break the next restart */
};

struct advice {
        enum advice_level level;
        char subject[32];
        char text[600];
        char mend[400]; /* "" if there is nothing to do */
};

struct advices {
        struct advice *list;
        size_t n, room;
        int error; /* -ENOMEM: there would be more */
};

void advices_done(struct advices *advices);

/* Append one; @mend may be "". */
void advise(struct advices *advices, enum advice_level level, const char *subject, const char *mend,
            const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
