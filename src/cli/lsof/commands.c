/* SPDX-License-Identifier: MIT */
/*
 * What was asked for last is looked at first, and looking ends where something matches: of `-c ng -c nginx`
 * only the second is found if there is an nginx, as in lsof.
 */
#include "commands.h"

#include <string.h>

#include "memory.h"
#include "text.h"

struct modifiers {
        unsigned int basic, ignore_case, extended;
};

/* A letter that is there twice, or b with x, is said once. */
static int check_modifier(const struct modifiers *before, char letter, const char *text)
{
        switch (letter) {
        case 'b':
                if (before->basic > 0 || before->extended > 0)
                        break;
                return 0;
        case 'i':
                if (before->ignore_case > 0)
                        break;
                return 0;
        case 'x':
                if (before->extended > 0 || before->basic > 0)
                        break;
                return 0;
        default:
                lsof_complain("invalid regexp modifier: %c", letter);
                return -1;
        }
        if ((letter == 'b' && before->basic > 1) || (letter == 'i' && before->ignore_case > 1) ||
            (letter == 'x' && before->extended > 1))
                return -1;
        if ((letter == 'b' && before->basic == 0) || (letter == 'x' && before->extended == 0))
                lsof_complain_about(text, "b and x regexp modifiers conflict: ");
        else
                lsof_complain_about(text, "%c regexp modifier already used: ", letter);
        return -1;
}

/* The flags for regcomp(3), or -1. */
static int read_modifiers(const char *letters, const char *text)
{
        struct modifiers modifiers = {0};
        int r = 0;

        for (; *letters; letters++) {
                if (check_modifier(&modifiers, *letters, text) < 0)
                        r = -1;
                modifiers.basic += *letters == 'b';
                modifiers.ignore_case += *letters == 'i';
                modifiers.extended += *letters == 'x';
        }
        if (r < 0)
                return r;
        return REG_NOSUB | (modifiers.basic > 0 ? 0 : REG_EXTENDED) |
               (modifiers.ignore_case > 0 ? REG_ICASE : 0);
}

static int compile(struct lsof_expression *expression, int flags, const char *text)
{
        char why[256];
        int r = regcomp(&expression->compiled, expression->text, flags);

        if (r == 0)
                return 0;
        regerror(r, &expression->compiled, why, sizeof(why));
        lsof_complain("regexp error: %s: %s", text, why);
        return -1;
}

/* "/expression/modifiers" */
static int add_expression(struct lsof_commands *commands, const char *text)
{
        struct lsof_expression expression = {0};
        const char *end = strchr(text + 1, '/');
        int flags;

        if (!end) {
                lsof_complain_about(text, "regexp doesn't end with '/': ");
                return -1;
        }
        flags = read_modifiers(end + 1, text);
        if (flags < 0)
                return -1;
        expression.text = lsof_copy(text + 1);
        expression.text[end - text - 1] = '\0';
        if (compile(&expression, flags, text) < 0)
                return -1;
        commands->expressions =
                lsof_grow(commands->expressions, commands->n_expressions, sizeof(expression));
        commands->expressions[commands->n_expressions++] = expression;
        return 0;
}

/* Linux keeps this much of a command's name: with more, nothing could ever match. */
static int check_length(const char *text)
{
        if (strlen(text) <= LSOF_COMMAND_MAX)
                return 0;
        fputs("lsof: \"-c ", stderr);
        lsof_text_print_command(stderr, text, lsof_text_command_width(text));
        fprintf(stderr, "\" length (%zu) > what system provides (%d)\n", strlen(text),
                LSOF_COMMAND_MAX);
        return -1;
}

int lsof_commands_add(struct lsof_commands *commands, const char *text)
{
        struct lsof_prefix prefix = {0};

        if (text && *text == '/')
                return add_expression(commands, text);
        if (!text || *text == '-' || *text == '+') {
                lsof_complain("missing -c option value");
                return -1;
        }
        prefix.excluded = *text == '^';
        prefix.text = text + prefix.excluded;
        commands->prefixes = lsof_grow(commands->prefixes, commands->n_prefixes, sizeof(prefix));
        commands->prefixes[commands->n_prefixes++] = prefix;
        commands->n_included += !prefix.excluded;
        return check_length(prefix.text);
}

static bool conflicts(const struct lsof_prefix *a, const struct lsof_prefix *b)
{
        return a->excluded && !b->excluded && strcmp(a->text, b->text) == 0;
}

int lsof_commands_check(const struct lsof_commands *commands)
{
        const struct lsof_prefix *prefixes = commands->prefixes;
        int r = 0;

        for (size_t i = commands->n_prefixes; i-- > 0;)
                for (size_t k = commands->n_prefixes; k-- > 0;)
                        if (conflicts(&prefixes[i], &prefixes[k])) {
                                lsof_complain("-c^%s and -c%s conflict.", prefixes[i].text,
                                              prefixes[k].text);
                                r = -1;
                        }
        return r;
}

static bool begins(const char *name, const char *prefix)
{
        return strncmp(name, prefix, strlen(prefix)) == 0;
}

bool lsof_commands_excludes(const struct lsof_commands *commands, const char *name)
{
        for (size_t i = 0; i < commands->n_prefixes; i++)
                if (commands->prefixes[i].excluded && begins(name, commands->prefixes[i].text))
                        return true;
        return false;
}

static bool match_prefix(struct lsof_commands *commands, const char *name)
{
        for (size_t i = commands->n_prefixes; i-- > 0;) {
                struct lsof_prefix *prefix = &commands->prefixes[i];

                if (!prefix->excluded && begins(name, prefix->text)) {
                        prefix->found = true;
                        return true;
                }
        }
        return false;
}

bool lsof_commands_match(struct lsof_commands *commands, const char *name)
{
        if (match_prefix(commands, name))
                return true;
        for (size_t i = 0; i < commands->n_expressions; i++)
                if (regexec(&commands->expressions[i].compiled, name, 0, NULL, 0) == 0) {
                        commands->expressions[i].found = true;
                        return true;
                }
        return false;
}
