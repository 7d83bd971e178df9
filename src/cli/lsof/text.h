/* SPDX-License-Identifier: MIT */
#ifndef HOT_LSOF_TEXT_H
#define HOT_LSOF_TEXT_H

/*
 * Text of others on a terminal: lsof's escapes for what is not printable, so that no file name can look
 * like another row. "\n", "\t" and their like, "^A" for other control characters, "\xe4" for bytes that are
 * no character of the locale, "\\" for a backslash.
 */

#include <stddef.h>
#include <stdio.h>

/* Print all of @text. */
void lsof_text_print(FILE *out, const char *text);

/* Print a command's name, whose blanks are escaped too, cut or filled with blanks to @width columns. */
void lsof_text_print_command(FILE *out, const char *name, size_t width);

/* How many columns lsof_text_print_command() needs for all of @name. */
size_t lsof_text_command_width(const char *name);

/* Say what is wrong, on stderr, under lsof's name. */
void lsof_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, ending in @text, which may hold anything. */
void lsof_complain_about(const char *text, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

#endif
