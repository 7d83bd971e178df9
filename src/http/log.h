/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_LOG_H
#define HOT_HTTP_LOG_H

/* Log lines, to the host's sink or, by default, to stderr as the seed has them: "[pid N] LINE". */

#include <hotstart/http.h>

struct hot__log {
        hot_http_log_sink *sink; /* NULL: silent */
        void *data;
};

/* The default sink. */
void hot__log_to_stderr(const char *line, void *data);

/* One line, cut at 1023 bytes. */
void hot__log(const struct hot__log *log, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

#endif
