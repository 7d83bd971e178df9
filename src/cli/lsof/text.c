/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <ctype.h>
#include <locale.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

enum { ESCAPE_MAX = 8 };

/* Returns how many columns it is wide. */
static size_t escape(unsigned char byte, char text[ESCAPE_MAX])
{
        static const char letters[] = "\bb\ff\nn\rr\tt\\\\";

        for (const char *letter = letters; *letter; letter += 2)
                if ((unsigned char)*letter == byte)
                        return (size_t)snprintf(text, ESCAPE_MAX, "\\%c", letter[1]);
        if (byte < 0x20)
                return (size_t)snprintf(text, ESCAPE_MAX, "^%c", byte + 0x40);
        return (size_t)snprintf(text, ESCAPE_MAX, "\\x%02x", byte);
}

/* ASCII is the same in every locale. What else can be printed the user's says, which takes a tenth of the time of
 * a short listing to be loaded. */
static bool is_ascii(char c)
{
        static bool loaded;

        if ((unsigned char)c < 0x80)
                return true;
        if (!loaded)
                setlocale(LC_CTYPE, "");
        loaded = true;
        return false;
}

static bool is_plain(char c)
{
        if (is_ascii(c))
                return c >= ' ' && c != 0x7f && c != '\\';
        return isprint((unsigned char)c);
}

static void print_byte(FILE *out, char c)
{
        char text[ESCAPE_MAX];

        if (is_plain(c)) {
                putc_unlocked(c, out);
                return;
        }
        escape((unsigned char)c, text);
        fputs_unlocked(text, out);
}

/* How many bytes the character at @text has, if it is one of several bytes that can be printed; else 1. */
static size_t printable_length(const char *text, size_t len)
{
        mbstate_t state = {0};
        wchar_t character;
        size_t n;

        if (is_ascii(*text))
                return 1;
        n = mbrtowc(&character, text, len, &state);
        return n > 1 && n <= len && iswprint((wint_t)character) ? n : 1;
}

void lsof_text_print(FILE *out, const char *text)
{
        size_t len = strlen(text), n;

        for (size_t at = 0; at < len; at += n) {
                n = printable_length(text + at, len - at);
                if (n > 1)
                        fwrite(text + at, 1, n, out);
                else
                        print_byte(out, text[at]);
        }
}

void lsof_text_print_command(FILE *out, const char *name, size_t width)
{
        char text[ESCAPE_MAX];
        size_t used = 0, n;

        for (; *name && used < width; name++, used += n) {
                n = 1;
                if (is_plain(*name) && *name != ' ')
                        text[0] = *name;
                else
                        n = escape((unsigned char)*name, text);
                if (used + n > width)
                        break;
                fwrite_unlocked(text, 1, n, out);
        }
        for (; used < width; used++)
                putc_unlocked(' ', out);
}

/* lsof takes a byte above 127 for two columns wide here, where it prints four: so then is the column. */
size_t lsof_text_command_width(const char *name)
{
        size_t width = 0;

        for (; *name; name++) {
                if (is_plain(*name) && *name != ' ')
                        width += 1;
                else
                        width += *name == ' ' || *name == 0x7f ? 4 : 2;
        }
        return width;
}

static void complain(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

static void complain(const char *format, va_list arguments)
{
        fputs("lsof: ", stderr);
        vfprintf(stderr, format, arguments);
}

void lsof_complain(const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        complain(format, arguments);
        va_end(arguments);
        putc('\n', stderr);
}

void lsof_complain_about(const char *text, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        complain(format, arguments);
        va_end(arguments);
        lsof_text_print(stderr, text);
        putc('\n', stderr);
}
