/* SPDX-License-Identifier: MIT */
#include "advice.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void advices_done(struct advices *advices)
{
        free(advices->list);
        *advices = (struct advices){0};
}

void advise(struct advices *advices, enum advice_level level, const char *subject, const char *mend,
            const char *format, ...)
{
        struct advice *larger, *advice;
        va_list arguments;

        if (advices->n == advices->room) {
                advices->room = advices->room ? advices->room * 2 : 16;
                larger = reallocarray(advices->list, advices->room, sizeof(*larger));
                if (!larger) {
                        advices->error = -ENOMEM;
                        return;
                }
                advices->list = larger;
        }
        advice = &advices->list[advices->n++];
        *advice = (struct advice){.level = level};
        snprintf(advice->subject, sizeof(advice->subject), "%s", subject);
        snprintf(advice->mend, sizeof(advice->mend), "%s", mend);
        va_start(arguments, format);
        vsnprintf(advice->text, sizeof(advice->text), format, arguments);
        va_end(arguments);
}
