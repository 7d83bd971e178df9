/* SPDX-License-Identifier: MIT */
#ifndef HOT_INSPECT_DECIMAL_H
#define HOT_INSPECT_DECIMAL_H

/*
 * Numbers as text, for who writes hundreds of thousands of them: printf(3) takes ten times as long.
 */

#include <stdint.h>

#define HOT__DECIMAL_MAX 21 /* digits, and a zero */

/* Write @number and a terminating zero. Returns where the zero is. */
static inline char *hot__decimal(char *to, uint64_t number)
{
        char digits[HOT__DECIMAL_MAX];
        int n = 0;

        do {
                digits[n++] = (char)('0' + number % 10);
                number /= 10;
        } while (number > 0);
        while (n > 0)
                *to++ = digits[--n];
        *to = '\0';
        return to;
}

#endif
