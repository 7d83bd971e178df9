/* SPDX-License-Identifier: MIT */
#include "complain.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "outcome.h"
#include "verb.h"

__attribute__((format(printf, 1, 0))) static void say(const char *format, va_list arguments)
{
        char line[4096];

        fflush(stdout); /* in the order in which it happened, if both go to one place */
        vsnprintf(line, sizeof(line), format, arguments);
        fputs("hotstart: ", stderr);
        print_safely(stderr, line);
        fputc('\n', stderr);
}

int complain(const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        say(format, arguments);
        va_end(arguments);
        return EXIT_SYSTEM;
}

int refuse(const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        say(format, arguments);
        va_end(arguments);
        return EXIT_NO;
}

const char *words_for(int error)
{
        switch (error) {
        case -EACCES:
                return "the server does not talk to this user";
        case -EPERM:
                return "it belongs to another user";
        case -EPROTO:
                return "what it says is not what a control socket says";
        case -ETIMEDOUT:
                return "it does not answer; is it stopped?";
        case -ECONNRESET:
                return "it has closed the connection";
        default:
                return strerror(-error);
        }
}
