/* SPDX-License-Identifier: MIT */
#include "foreign.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_FD 3

/* execve(2) refuses a string above 128 KiB (MAX_ARG_STRLEN). */
#define STRING_MAX ((size_t)127 * 1024)

static const char *const owned[] = {
        "SERVER_STARTER_PORT", "SERVER_STARTER_GENERATION",
        "EINHORN_FD_COUNT",    "EINHORN_MASTER_PID",
        "EINHORN_SOCK_PATH",   "EINHORN_SOCK_FD",
        "UNICORN_FD",          "GUNICORN_FD",
        "GUNICORN_PID",        NULL,
};

static const char *value_of(const char *entry, const char *name)
{
        size_t len = strlen(name);

        return strncmp(entry, name, len) == 0 && entry[len] == '=' ? entry + len + 1 : NULL;
}

static const char *find(char *const *environment, const char *name)
{
        for (; *environment; environment++) {
                const char *value = value_of(*environment, name);

                if (value)
                        return value;
        }
        return NULL;
}

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

/* Digits only, of @len bytes, up to @max. */
static int parse_number(const char *text, size_t len, int max, int *ret)
{
        int number = 0;

        if (len == 0)
                return -EINVAL;
        for (size_t i = 0; i < len; i++) {
                int digit = text[i] - '0';

                if (!is_digit(text[i]) || number > (max - digit) / 10)
                        return -EINVAL;
                number = number * 10 + digit;
        }
        *ret = number;
        return 0;
}

/* A descriptor that is a standard one, or was announced before, is none that anybody passes. */
static int add(struct hot__foreign *found, const char *text, size_t len, const char *name,
               size_t name_len)
{
        int fd, r = parse_number(text, len, INT_MAX, &fd);

        if (r < 0 || fd < FIRST_FD || found->n == HOT__FOREIGN_MAX)
                return -EINVAL;
        for (int i = 0; i < found->n; i++)
                if (found->entries[i].fd == fd)
                        return -EINVAL;
        found->entries[found->n].fd = fd;
        found->entries[found->n].name = name;
        found->entries[found->n++].name_len = name_len;
        return 0;
}

/* "5,6" */
static int parse_commas(const char *value, struct hot__foreign *found)
{
        for (;;) {
                size_t len = strcspn(value, ",");
                int r = add(found, value, len, NULL, 0);

                if (r < 0 || !value[len])
                        return r;
                value += len + 1;
        }
}

/* "6;7;": every number ends with a semicolon. */
static int parse_nginx(const char *value, struct hot__foreign *found)
{
        while (*value) {
                size_t len = strcspn(value, ";");
                int r = value[len] ? add(found, value, len, NULL, 0) : -EINVAL;

                if (r < 0)
                        return r;
                value += len + 1;
        }
        return 0;
}

/* "80=3;/run/x=y.sock=4": the number is behind the last '='. */
static int parse_starter(const char *value, struct hot__foreign *found)
{
        for (;;) {
                size_t len = strcspn(value, ";");
                const char *equals = memrchr(value, '=', len);
                size_t key = equals ? (size_t)(equals - value) : 0;
                int r = key > 0 ? add(found, equals + 1, len - key - 1, value, key) : -EINVAL;

                if (r < 0 || !value[len])
                        return r;
                value += len + 1;
        }
}

static int parse_einhorn(char *const *environment, const char *count, struct hot__foreign *found)
{
        int n, r = parse_number(count, strlen(count), HOT__FOREIGN_MAX, &n);

        for (int i = 0; r == 0 && i < n; i++) {
                char name[32];
                const char *value, *given;

                snprintf(name, sizeof(name), "EINHORN_FD_%d", i);
                value = find(environment, name);
                snprintf(name, sizeof(name), "EINHORN_FD_NAME_%d", i);
                given = find(environment, name);
                r = value ? add(found, value, strlen(value), given, given ? strlen(given) : 0)
                          : -EINVAL;
        }
        return r;
}

/* Without the variable it may be meant for us; with another's pid it is not. */
static bool is_child_of_einhorn(char *const *environment, pid_t parent)
{
        const char *value = find(environment, "EINHORN_MASTER_PID");
        int master;

        return !value ||
               (parse_number(value, strlen(value), INT_MAX, &master) == 0 && master == parent);
}

/* People have a variable of that name for the path of the program, say. */
static bool is_list_of_nginx(const char *value)
{
        return strchr(value, ';') && value[strspn(value, "0123456789;")] == '\0';
}

static int parse(char *const *environment, pid_t parent, struct hot__foreign *found)
{
        const char *value;

        found->supervised = true;
        found->kind = HOT__FOREIGN_STARTER;
        found->variable = "SERVER_STARTER_PORT";
        if ((value = find(environment, found->variable)) && *value)
                return parse_starter(value, found);
        found->kind = HOT__FOREIGN_EINHORN;
        found->variable = "EINHORN_FD_COUNT";
        if ((value = find(environment, found->variable)) &&
            is_child_of_einhorn(environment, parent))
                return parse_einhorn(environment, value, found);
        found->supervised = false;
        found->kind = HOT__FOREIGN_UNICORN;
        found->variable = "UNICORN_FD";
        if ((value = find(environment, found->variable)) && *value)
                return parse_commas(value, found);
        found->kind = HOT__FOREIGN_GUNICORN;
        found->variable = "GUNICORN_FD";
        if ((value = find(environment, found->variable)) && *value)
                return parse_commas(value, found);
        found->kind = HOT__FOREIGN_NGINX;
        found->variable = "NGINX";
        if ((value = find(environment, found->variable)) && is_list_of_nginx(value))
                return parse_nginx(value, found);
        return 0;
}

int hot__foreign_parse(char *const *environment, pid_t parent, struct hot__foreign *ret)
{
        int r;

        ret->n = 0;
        r = parse(environment, parent, ret);
        return r < 0 ? r : ret->n > 0;
}

bool hot__foreign_owns(const char *entry)
{
        const char *value;

        for (const char *const *name = owned; *name; name++)
                if (value_of(entry, *name))
                        return true;
        if (strncmp(entry, "EINHORN_FD_", strlen("EINHORN_FD_")) == 0)
                return strchr(entry, '=') != NULL;
        value = value_of(entry, "NGINX");
        return value && is_list_of_nginx(value);
}

/* ---- out ---- */

/* Strings one behind the other; the first error stays. */
struct writer {
        char *at;
        size_t size, len;
        char **entries;
        size_t n_entries;
        int error;
};

static void put(struct writer *writer, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

static void put(struct writer *writer, const char *format, ...)
{
        size_t left = writer->size - writer->len;
        va_list ap;
        int n;

        va_start(ap, format);
        n = vsnprintf(writer->at + writer->len, left, format, ap);
        va_end(ap);
        if (n < 0 || (size_t)n >= left)
                writer->error = -E2BIG;
        else
                writer->len += (size_t)n;
}

static void begin(struct writer *writer)
{
        writer->entries[writer->n_entries++] = writer->at + writer->len;
}

static void end(struct writer *writer)
{
        if (writer->len + 1 < writer->size)
                writer->at[writer->len++] = '\0';
        else
                writer->error = -E2BIG;
}

/* "8080", "127.0.0.1:80", "/run/x.sock": what Server::Starter calls it. */
static const char *key_of(const struct hot__foreign_listener *listener)
{
        const char *rest = strstr(listener->address, "://");

        if (rest)
                return rest[3] == ':' ? rest + 4 : rest + 3;
        if (strncmp(listener->address, "unix:", 5) == 0)
                return listener->address + 5;
        return listener->name;
}

static void put_einhorn(struct writer *writer, const struct hot__foreign_listener *listeners,
                        size_t n, pid_t announcer)
{
        begin(writer);
        put(writer, "EINHORN_MASTER_PID=%d", (int)announcer);
        end(writer);
        begin(writer);
        put(writer, "EINHORN_FD_COUNT=%zu", n);
        end(writer);
        for (size_t i = 0; i < n; i++) {
                begin(writer);
                put(writer, "EINHORN_FD_%zu=%zu", i, FIRST_FD + i);
                end(writer);
                begin(writer);
                put(writer, "EINHORN_FD_NAME_%zu=%s", i, listeners[i].name);
                end(writer);
        }
}

static void put_starter(struct writer *writer, const struct hot__foreign_listener *listeners,
                        size_t n, uint64_t generation)
{
        begin(writer);
        put(writer, "SERVER_STARTER_PORT=");
        for (size_t i = 0; i < n; i++)
                put(writer, "%s%s=%zu", i > 0 ? ";" : "", key_of(&listeners[i]), FIRST_FD + i);
        end(writer);
        begin(writer);
        put(writer, "SERVER_STARTER_GENERATION=%" PRIu64, generation);
        end(writer);
}

static void put_numbers(struct writer *writer, const char *name, const char *between,
                        const char *after, size_t n)
{
        begin(writer);
        put(writer, "%s=", name);
        for (size_t i = 0; i < n; i++)
                put(writer, "%s%zu%s", i > 0 ? between : "", FIRST_FD + i, after);
        end(writer);
}

static void put_all(struct writer *writer, enum hot__foreign_kind kind,
                    const struct hot__foreign_listener *listeners, size_t n, pid_t announcer,
                    uint64_t generation)
{
        switch (kind) {
        case HOT__FOREIGN_STARTER:
                put_starter(writer, listeners, n, generation);
                break;
        case HOT__FOREIGN_EINHORN:
                put_einhorn(writer, listeners, n, announcer);
                break;
        case HOT__FOREIGN_UNICORN:
                put_numbers(writer, "UNICORN_FD", ",", "", n);
                break;
        case HOT__FOREIGN_GUNICORN:
                put_numbers(writer, "GUNICORN_FD", ",", "", n);
                begin(writer);
                put(writer, "GUNICORN_PID=%d", (int)announcer);
                end(writer);
                break;
        case HOT__FOREIGN_NGINX:
                put_numbers(writer, "NGINX", "", ";", n);
                break;
        }
}

int hot__foreign_announce(enum hot__foreign_kind kind,
                          const struct hot__foreign_listener *listeners, size_t n, pid_t announcer,
                          uint64_t generation, char ***ret)
{
        const size_t n_entries = 2 * HOT__FOREIGN_MAX + 4;
        struct writer writer = {.size = STRING_MAX};

        if (n == 0 || n > HOT__FOREIGN_MAX)
                return -EINVAL;
        writer.entries = calloc(1, n_entries * sizeof(char *) + writer.size);
        if (!writer.entries)
                return -ENOMEM;
        writer.at = (char *)(writer.entries + n_entries);
        put_all(&writer, kind, listeners, n, announcer, generation);
        if (writer.error < 0) {
                free(writer.entries);
                return writer.error;
        }
        *ret = writer.entries;
        return 0;
}
