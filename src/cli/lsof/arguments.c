/* SPDX-License-Identifier: MIT */
#include "arguments.h"

#include <limits.h>
#include <string.h>

void lsof_arguments_init(struct lsof_arguments *arguments, int n, char **words)
{
        *arguments = (struct lsof_arguments){.n = n, .words = words, .at = 1};
}

static bool is_sign(char c)
{
        return c == '-' || c == '+';
}

/* At a word that holds options, with the sign read? */
static bool is_at_options(struct lsof_arguments *arguments)
{
        const char *word;

        if (arguments->within > 0)
                return true;
        if (arguments->at >= arguments->n)
                return false;
        word = arguments->words[arguments->at];
        if (!is_sign(word[0]) || !word[1])
                return false;
        if (word[1] == word[0] && !word[2]) {
                arguments->at++;
                return false;
        }
        arguments->sign = word[0];
        arguments->within = 1;
        return true;
}

static void take_rest_of_word(struct lsof_arguments *arguments)
{
        arguments->value = arguments->words[arguments->at] + arguments->within;
        arguments->value_at = arguments->at++;
        arguments->value_within = arguments->within;
        arguments->within = 0;
}

/* The word after the current one, unless it ends the options. */
static void take_next_word(struct lsof_arguments *arguments)
{
        arguments->within = 0;
        arguments->at++;
        if (arguments->at >= arguments->n || strcmp(arguments->words[arguments->at], "--") == 0)
                return;
        arguments->value = arguments->words[arguments->at];
        arguments->value_at = arguments->at++;
        arguments->value_within = 0;
}

char lsof_arguments_next(struct lsof_arguments *arguments, bool (*takes_value)(char letter))
{
        char letter;
        bool is_last;

        arguments->value = NULL;
        if (!is_at_options(arguments))
                return 0;
        letter = arguments->words[arguments->at][arguments->within++];
        is_last = !arguments->words[arguments->at][arguments->within];
        if (takes_value(letter)) {
                if (is_last)
                        take_next_word(arguments);
                else
                        take_rest_of_word(arguments);
        } else if (is_last) {
                arguments->at++;
                arguments->within = 0;
        }
        return letter;
}

void lsof_arguments_leave(struct lsof_arguments *arguments, size_t n)
{
        if (!arguments->value[n])
                return;
        arguments->at = arguments->value_at;
        arguments->within = arguments->value_within + n;
}

char *lsof_arguments_optional(struct lsof_arguments *arguments)
{
        char *value = arguments->value;

        if (!value || !is_sign(*value))
                return value;
        arguments->at = arguments->value_at;
        arguments->within = arguments->value_within;
        return NULL;
}

int lsof_arguments_number(struct lsof_arguments *arguments, long *ret)
{
        const char *value = lsof_arguments_optional(arguments);
        size_t n = value ? strspn(value, "0123456789") : 0;
        long number = 0;

        for (size_t i = 0; i < n; i++)
                number = number > LONG_MAX / 10 - 1 ? number : number * 10 + (value[i] - '0');
        if (value)
                lsof_arguments_leave(arguments, n);
        if (n > 0)
                *ret = number;
        return n > 0;
}
