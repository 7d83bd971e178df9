/* SPDX-License-Identifier: MIT */
#include "paper.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COLUMNS       96
#define PARAGRAPH_MAX 2048

const char *paper_ink(enum ink ink)
{
        static const char *const codes[] = {"\033[0m", "\033[1m", "\033[2m", "\033[32m",
                                            "\033[1;31m"};
        const char *no_color = getenv("NO_COLOR");

        if (!isatty(STDOUT_FILENO) || (no_color && no_color[0]))
                return "";
        return codes[ink];
}

void paper_title(const char *title)
{
        printf("\n%s%s%s\n", paper_ink(INK_BOLD), title, paper_ink(INK_PLAIN));
}

/* Words from @text, lines of at most COLUMNS, each after @indent blanks. */
static void fill(const char *text, size_t indent)
{
        size_t at = 0, len;

        for (const char *word = text; *word; word += len + strspn(word + len, " ")) {
                len = strcspn(word, " ");
                if (at > 0 && at + 1 + len > COLUMNS) {
                        putchar('\n');
                        at = 0;
                }
                at += (size_t)(at == 0 ? printf("%*s", (int)indent, "") : printf(" "));
                at += (size_t)printf("%.*s", (int)len, word);
        }
        putchar('\n');
}

void paper_say(const char *format, ...)
{
        char text[PARAGRAPH_MAX];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        fill(text, 0);
}

void paper_log(const char *line)
{
        printf("%s  | %s%s\n", paper_ink(INK_DIM), line, paper_ink(INK_PLAIN));
}

void paper_command(const char *format, ...)
{
        char text[PARAGRAPH_MAX];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        printf("  $ %s\n", text);
}

void paper_verdict(bool holds, const char *question, const char *evidence)
{
        printf("%s%-3s%s  %s%s%s\n", paper_ink(holds ? INK_GOOD : INK_BAD), holds ? "yes" : "NO",
               paper_ink(INK_PLAIN), paper_ink(INK_BOLD), question, paper_ink(INK_PLAIN));
        fill(evidence, 5);
}
