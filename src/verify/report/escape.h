/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_ESCAPE_H
#define HOT_VERIFY_ESCAPE_H

/*
 * Text inside of markup, element or attribute: what means something there is escaped, what may not be there
 * is left out.
 */

#include <stdio.h>

static inline void escape(FILE *out, const char *text)
{
        for (; *text; text++) {
                unsigned char c = (unsigned char)*text;

                if (c == '&')
                        fputs("&amp;", out);
                else if (c == '<')
                        fputs("&lt;", out);
                else if (c == '>')
                        fputs("&gt;", out);
                else if (c == '"')
                        fputs("&quot;", out);
                else if (c >= ' ' || c == '\n' || c == '\t')
                        putc(c, out);
        }
}

#endif
