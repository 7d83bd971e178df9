/* SPDX-License-Identifier: MIT */
#include "dialect.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const variables[] = {
        "HOT_CONTINUE", "HOT_CHANNEL",    "HOT_ELDER",      "HOT_GENERATION", "LISTEN_FDS",
        "LISTEN_PID",   "LISTEN_FDNAMES", "LISTEN_PIDFDID", "HOT_INIT",       "LISTEN_FDS_FIRST_FD",
        NULL,
};

/* execve(2) refuses a string above 128 KiB (MAX_ARG_STRLEN). Our own generations learn the names from the
 * offer; others can do without them better than without a restart. */
#define NAMES_MAX ((size_t)127 * 1024)

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

bool hot__dialect_owns(const char *entry)
{
        for (const char *const *name = variables; *name; name++)
                if (value_of(entry, *name))
                        return true;
        return hot__foreign_owns(entry);
}

/* Digits only: strtoul() would let signs, spaces and overflow through. */
static int parse_number(const char *text, uint64_t max, uint64_t *ret)
{
        uint64_t number = 0;

        if (!*text)
                return -EINVAL;
        for (; *text; text++) {
                uint64_t digit = (uint64_t)(*text - '0');

                if (*text < '0' || *text > '9' || number > (max - digit) / 10)
                        return -EINVAL;
                number = number * 10 + digit;
        }
        *ret = number;
        return 0;
}

/* A number from the environment, @missing if the variable is not there. */
static int read_number(char *const *environment, const char *name, uint64_t max, uint64_t missing,
                       struct hot__announcement *announcement, uint64_t *ret)
{
        const char *value = find(environment, name);

        *ret = missing;
        if (!value || parse_number(value, max, ret) == 0)
                return 0;
        announcement->variable = name;
        return -EINVAL;
}

static int parse_own(char *const *environment, struct hot__announcement *found)
{
        uint64_t channel, elder, generation;
        int r;

        r = read_number(environment, "HOT_CHANNEL", INT_MAX, 0, found, &channel);
        if (r < 0)
                return r;
        r = read_number(environment, "HOT_ELDER", INT_MAX, channel + 1, found, &elder);
        if (r < 0)
                return r;
        r = read_number(environment, "HOT_GENERATION", UINT64_MAX - 9, 1, found, &generation);
        if (r < 0)
                return r;
        if (channel < (uint64_t)(HOT__FIRST_FD + found->n_fds)) {
                found->variable = "HOT_CHANNEL";
                return -EINVAL;
        }
        if (elder <= channel) {
                found->variable = "HOT_ELDER";
                return -EINVAL;
        }
        found->dialect = HOT__DIALECT_OWN;
        found->variable = "HOT_CHANNEL";
        if (find(environment, "HOT_ELDER"))
                found->elder = (int)elder;
        found->channel = (int)channel;
        found->generation = generation;
        return 0;
}

bool hot__dialect_names_pidfd(char *const *environment)
{
        return find(environment, "LISTEN_PIDFDID") != NULL;
}

/* Is what systemd says meant for us? A pid may be that of another process by now; a pidfd's number is not. */
static bool is_meant_for(const struct hot__reader *reader, uint64_t pid, uint64_t pidfd_id)
{
        return pid == (uint64_t)reader->pid &&
               (!pidfd_id || !reader->pidfd_id || pidfd_id == reader->pidfd_id);
}

static int parse_systemd(char *const *environment, uint64_t n_fds, struct hot__announcement *found)
{
        uint64_t first;
        int r = read_number(environment, "LISTEN_FDS_FIRST_FD", INT_MAX, HOT__FIRST_FD, found,
                            &first);

        if (r < 0)
                return r;
        if (first < HOT__FIRST_FD || first + n_fds > INT_MAX) {
                found->variable = "LISTEN_FDS_FIRST_FD";
                return -EINVAL;
        }
        found->dialect = HOT__DIALECT_SYSTEMD;
        found->variable = "LISTEN_FDS";
        found->supervised = true;
        found->n_fds = (int)n_fds;
        found->first_fd = (int)first;
        return 0;
}

static int parse_foreign(char *const *environment, const struct hot__reader *reader,
                         struct hot__announcement *found)
{
        int r = hot__foreign_parse(environment, reader->parent, &found->foreign);

        if (r == 0)
                return 0;
        found->variable = found->foreign.variable;
        if (r < 0)
                return r;
        found->dialect = HOT__DIALECT_FOREIGN;
        found->supervised = found->foreign.supervised;
        found->n_fds = found->foreign.n;
        return 0;
}

static int parse(char *const *environment, const struct hot__reader *reader,
                 struct hot__announcement *found)
{
        const char *seed = find(environment, "HOT_CONTINUE");
        uint64_t n_fds, pid, pidfd_id, init;
        int r = 0;

        if (read_number(environment, "LISTEN_FDS", INT_MAX - HOT__FIRST_FD - 1, 0, found, &n_fds) <
                    0 ||
            read_number(environment, "LISTEN_PID", INT_MAX, 0, found, &pid) < 0 ||
            read_number(environment, "LISTEN_PIDFDID", UINT64_MAX - 9, 0, found, &pidfd_id) < 0 ||
            read_number(environment, "HOT_INIT", INT_MAX, 0, found, &init) < 0)
                return -EINVAL;
        if (find(environment, "HOT_CHANNEL")) {
                found->n_fds = (int)n_fds;
                r = parse_own(environment, found);
        } else if (n_fds > 0 && is_meant_for(reader, pid, pidfd_id)) {
                r = parse_systemd(environment, n_fds, found);
        } else if (seed && *seed) {
                found->dialect = HOT__DIALECT_SEED;
                found->variable = "HOT_CONTINUE";
                found->n_fds = 1;
        } else {
                r = parse_foreign(environment, reader, found);
        }
        if (r == 0 && found->dialect != HOT__DIALECT_SEED && found->dialect != HOT__DIALECT_FOREIGN)
                found->names = find(environment, "LISTEN_FDNAMES");
        if (r == 0 && find(environment, "HOT_INIT"))
                found->init = (int)init;
        return r;
}

int hot__dialect_parse(char *const *environment, const struct hot__reader *reader,
                       struct hot__announcement *ret)
{
        *ret = (struct hot__announcement){.variable = "",
                                          .first_fd = HOT__FIRST_FD,
                                          .channel = -EBADF,
                                          .elder = -EBADF,
                                          .init = -EBADF,
                                          .generation = 1};
        return parse(environment, reader, ret);
}

int hot__dialect_fd(const struct hot__announcement *announcement, int index)
{
        if (announcement->dialect == HOT__DIALECT_FOREIGN)
                return announcement->foreign.entries[index].fd;
        return announcement->first_fd + index;
}

/* A key with colons or a path with spaces is no name; then it has none, and is known by where it is. */
static void foreign_name(const struct hot__foreign *foreign, int index, char ret[HOT__NAME_MAX])
{
        const char *name = foreign->entries[index].name;
        size_t len = foreign->entries[index].name_len;

        if (name && len < HOT__NAME_MAX) {
                memcpy(ret, name, len);
                ret[len] = 0;
        }
        if (!name || len >= HOT__NAME_MAX || !hot__dialect_name_is_valid(ret))
                strcpy(ret, "unknown");
}

bool hot__dialect_name_is_valid(const char *name)
{
        size_t len = strlen(name);

        if (len == 0 || len >= HOT__NAME_MAX)
                return false;
        for (size_t i = 0; i < len; i++)
                if (name[i] < ' ' || name[i] > '~' || name[i] == ':')
                        return false;
        return true;
}

int hot__dialect_name(const struct hot__announcement *announcement, int index,
                      char ret[HOT__NAME_MAX])
{
        const char *start = announcement->names, *end;
        char name[HOT__NAME_MAX] = "unknown";

        if (announcement->dialect == HOT__DIALECT_FOREIGN) {
                foreign_name(&announcement->foreign, index, ret);
                return 0;
        }
        for (int i = 0; start && i < index; i++) {
                start = strchr(start, ':');
                start = start ? start + 1 : NULL;
        }
        if (start && *start && *start != ':') {
                end = strchrnul(start, ':');
                if (end - start >= HOT__NAME_MAX)
                        return -EINVAL;
                memcpy(name, start, (size_t)(end - start));
                name[end - start] = 0;
        }
        if (!hot__dialect_name_is_valid(name))
                return -EINVAL;
        memcpy(ret, name, sizeof(name));
        return 0;
}

/* "a:b:c", or "" where it has no room; returns the length it needs. */
static size_t join_names(const char *const *names, size_t n_names, char *buffer)
{
        size_t len = 0;

        for (size_t i = 0; i < n_names; i++) {
                size_t n = strlen(names[i]);

                if (buffer)
                        memcpy(buffer + len, names[i], n);
                len += n;
                if (i + 1 < n_names) {
                        if (buffer)
                                buffer[len] = ':';
                        len++;
                }
        }
        if (buffer)
                buffer[len] = 0;
        return len;
}

static size_t copy_base(char *const *base, char **entries)
{
        size_t n = 0;

        for (; *base; base++)
                if (!hot__dialect_owns(*base) && !value_of(*base, "WATCHDOG_PID"))
                        entries[n++] = *base;
        return n;
}

int hot__environment_build(char *const *base, const char *const *names, size_t n_names,
                           uint64_t generation, struct hot__environment *ret)
{
        struct hot__environment built = {0};
        size_t n_base = 0, n, size, names_len = join_names(names, n_names, NULL);
        char *p;

        while (base[n_base])
                n_base++;
        size = names_len + 256;
        built.entries = calloc(n_base + 11, sizeof(char *));
        built.own = calloc(1, size);
        if (!built.entries || !built.own) {
                hot__environment_done(&built);
                return -ENOMEM;
        }

        n = copy_base(base, built.entries);
        p = built.own;
        built.entries[n++] = p;
        p += sprintf(p, "HOT_CONTINUE=1") + 1;
        built.entries[n++] = p;
        p += sprintf(p, "HOT_CHANNEL=%zu", (size_t)HOT__FIRST_FD + n_names) + 1;
        built.entries[n++] = p;
        p += sprintf(p, "HOT_ELDER=%zu", (size_t)HOT__FIRST_FD + n_names + 1) + 1;
        built.entries[n++] = p;
        p += sprintf(p, "HOT_GENERATION=%" PRIu64, generation) + 1;
        built.entries[n++] = p;
        p += sprintf(p, "LISTEN_FDS=%zu", n_names) + 1;
        built.entries[n++] = p;
        p += sprintf(p, "LISTEN_PID=");
        built.pid_slots[0] = p;
        p += HOT__PID_DIGITS + 1;
        if (find(base, "WATCHDOG_PID")) {
                built.entries[n++] = p;
                p += sprintf(p, "WATCHDOG_PID=");
                built.pid_slots[1] = p;
                p += HOT__PID_DIGITS + 1;
        }
        if (names_len <= NAMES_MAX) {
                built.entries[n++] = p;
                p += sprintf(p, "LISTEN_FDNAMES=");
                join_names(names, n_names, p);
                p += names_len + 1;
        }
        built.next_entry = &built.entries[n];
        built.next_string = p;
        *ret = built;
        return 0;
}

void hot__environment_add_init(struct hot__environment *environment, size_t fd)
{
        *environment->next_entry++ = environment->next_string;
        environment->next_string += sprintf(environment->next_string, "HOT_INIT=%zu", fd) + 1;
}

void hot__environment_done(struct hot__environment *environment)
{
        free(environment->entries);
        free(environment->own);
        *environment = (struct hot__environment){0};
}

void hot__environment_set_pid(char *pid_slot, pid_t pid)
{
        char digits[HOT__PID_DIGITS];
        int n = 0, i = 0;

        do
                digits[n++] = (char)('0' + pid % 10);
        while ((pid /= 10) > 0 && n < HOT__PID_DIGITS);
        while (n > 0)
                pid_slot[i++] = digits[--n];
        pid_slot[i] = 0;
}
