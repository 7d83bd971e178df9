/* SPDX-License-Identifier: MIT */
/*
 * Schema hotstart.fds/1, which hotstart-fds(1) documents: keys may be added to it, none is left out, and what
 * is not known is null. Numbers that a double cannot hold are strings. Texts are always UTF-8: what is not has
 * U+FFFD where it is not, and a second key with "_base64" for those who need the bytes.
 */
#include "fds_json.h"
#include "verb.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

/* Set a key to a new reference, which it takes; jansson passes NULL on as an error of the whole. */
static int set(json_t *object, const char *key, json_t *value)
{
        return json_object_set_new(object, key, value) < 0 ? -ENOMEM : 0;
}

static json_t *number(uint64_t value)
{
        char text[24];

        if (value <= FDS_JSON_EXACT)
                return json_integer((json_int_t)value);
        snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
        return json_string(text);
}

static json_t *number_or_null(uint64_t value)
{
        return value == 0 ? json_null() : number(value);
}

static json_t *text_or_null(const char *text)
{
        return *text ? json_string(text) : json_null();
}

static json_t *device(uint64_t value)
{
        char text[32];

        snprintf(text, sizeof(text), "%u:%u", major(value), minor(value));
        return json_string(text);
}

static json_t *error_or_null(int error)
{
        return error < 0 ? json_string(strerrorname_np(-error)) : json_null();
}

/* How many bytes the UTF-8 sequence at @text has; 0 if it is none. */
static size_t sequence_length(const char *text)
{
        for (size_t n = 1; n <= 4; n++) {
                json_t *probe = json_stringn(text, n);

                if (probe) {
                        json_decref(probe);
                        return n;
                }
                if (text[n - 1] == '\0')
                        break;
        }
        return 0;
}

static json_t *repaired(const char *text)
{
        size_t len = strlen(text), at = 0, n;
        char *copy = malloc(len * 3 + 1);
        json_t *value;

        if (!copy)
                return NULL;
        for (; *text; text += n ? n : 1) {
                n = sequence_length(text);
                memcpy(copy + at, n ? text : "\xef\xbf\xbd", n ? n : 3);
                at += n ? n : 3;
        }
        value = json_stringn(copy, at);
        free(copy);
        return value;
}

static json_t *base64(const char *text)
{
        static const char digits[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        size_t len = strlen(text), at = 0;
        char *encoded = malloc((len + 2) / 3 * 4 + 1);
        json_t *value;

        if (!encoded)
                return NULL;
        for (size_t i = 0; i < len; i += 3) {
                unsigned long bits = (unsigned long)(unsigned char)text[i] << 16;

                if (i + 1 < len)
                        bits |= (unsigned long)(unsigned char)text[i + 1] << 8;
                if (i + 2 < len)
                        bits |= (unsigned char)text[i + 2];
                encoded[at++] = digits[bits >> 18];
                encoded[at++] = digits[bits >> 12 & 63];
                encoded[at++] = i + 1 < len ? digits[bits >> 6 & 63] : '=';
                encoded[at++] = i + 2 < len ? digits[bits & 63] : '=';
        }
        value = json_stringn(encoded, at);
        free(encoded);
        return value;
}

/* A text that somebody else has chosen. */
static int set_text(json_t *object, const char *key, const char *text)
{
        char second[48];
        json_t *value = json_string(text);
        int r;

        if (value)
                return set(object, key, value);
        r = set(object, key, repaired(text));
        snprintf(second, sizeof(second), "%s_base64", key);
        return r < 0 ? r : set(object, second, base64(text));
}

/* ---- a descriptor ---- */

static json_t *socket_of(const struct hot_inspect_fd *row)
{
        char cookie[24];

        if (row->family == 0)
                return json_null();
        snprintf(cookie, sizeof(cookie), "%llx", (unsigned long long)row->cookie);
        return json_pack(
                "{s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:I, s:I, s:o, s:s, s:o, s:b}", "family",
                row->family == AF_INET    ? "inet"
                : row->family == AF_INET6 ? "inet6"
                                          : "unix",
                "type",
                row->type == SOCK_STREAM  ? "stream"
                : row->type == SOCK_DGRAM ? "dgram"
                                          : "seqpacket",
                "state", row->state, "listening", row->listening, "local", text_or_null(row->local),
                "peer", text_or_null(row->peer), "peer_inode", number_or_null(row->peer_inode),
                "receive_queue", (json_int_t)row->receive_queue, "send_queue",
                (json_int_t)row->send_queue, "drops",
                row->listening && row->kind == HOT_INSPECT_TCP ? number(row->drops) : json_null(),
                "cookie", cookie, "netns", number_or_null(row->netns), "v6only", row->v6only);
}

static json_t *watches_of(const struct hot_inspect_fd *row)
{
        json_t *array = json_array();

        for (size_t i = 0; i < row->n_watches; i++)
                json_array_append_new(array,
                                      json_pack("{s:i, s:I, s:o, s:o}", "fd", row->watches[i].fd,
                                                "events", (json_int_t)row->watches[i].events,
                                                "inode", number(row->watches[i].inode), "device",
                                                device(row->watches[i].device)));
        return array;
}

static json_t *locks_of(const struct hot_inspect_fd *row)
{
        json_t *array = json_array();

        for (size_t i = 0; i < row->n_locks; i++) {
                const struct hot_inspect_lock *lock = &row->locks[i];

                json_array_append_new(
                        array,
                        json_pack("{s:s, s:b, s:o, s:o, s:o}", "kind",
                                  fds_json_lock_kinds[lock->kind], "write", lock->write, "pid",
                                  lock->pid > 0 ? json_integer(lock->pid) : json_null(), "start",
                                  number(lock->start), "end",
                                  lock->end == UINT64_MAX ? json_null() : number(lock->end)));
        }
        return array;
}

static json_t *held_of(const struct hot_inspect_fd *row)
{
        json_t *array = json_array();

        for (size_t i = 0; i < row->n_held; i++) {
                json_t *object = json_pack("{s:i, s:o}", "slot", row->held[i].slot, "inode",
                                           number_or_null(row->held[i].inode));

                set_text(object, "target", row->held[i].target);
                json_array_append_new(array, object);
        }
        return array;
}

/* What fdinfo says, or null if it was not read. */
static int set_status(json_t *object, const struct hot_inspect_fd *row)
{
        bool known = row->details & HOT_INSPECT_STATUS && row->role == HOT_INSPECT_DESCRIPTOR &&
                     strcmp(row->step, "fdinfo") != 0;
        int r = set(object, "cloexec", known ? json_boolean(row->cloexec) : json_null());

        if (r == 0)
                r = set(object, "flags", known ? json_integer(row->flags) : json_null());
        if (r == 0)
                r = set(object, "offset", known ? number(row->offset) : json_null());
        if (r == 0)
                r = set(object, "mount", known ? json_integer(row->mount_id) : json_null());
        if (r == 0)
                r = set(object, "in_flight", known ? json_integer(row->in_flight) : json_null());
        if (r == 0)
                r = set(object, "pidfd",
                        row->kind == HOT_INSPECT_PIDFD && known ? json_integer(row->pid)
                                                                : json_null());
        if (r == 0)
                r = set(object, "watches", watches_of(row));
        if (r == 0)
                r = set(object, "locks", locks_of(row));
        return r < 0 ? r : set(object, "held", held_of(row));
}

static json_t *file_of(const struct hot_inspect_fd *row)
{
        char name[FDS_CELL_MAX], mode[2] = {fds_mode_letter(row), '\0'};
        bool numbered = row->role == HOT_INSPECT_DESCRIPTOR;
        json_t *object = json_pack(
                "{s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o}", "fd",
                numbered ? json_integer(row->fd) : json_null(), "role", fds_json_roles[row->role],
                "kind", hot_inspect_kind_name(row->kind), "mode",
                numbered ? json_string(mode) : json_null(), "device", device(row->device), "inode",
                number(row->inode), "raw_device", device(row->raw_device), "size",
                number(row->size), "links", number(row->links), "deleted", row->deleted, "error",
                error_or_null(row->error), "step", text_or_null(row->step), "socket",
                socket_of(row), "description", number_or_null(row->description));

        if (!object)
                return NULL;
        fds_name(row, name);
        if (set_text(object, "target", row->target) == 0 && set_text(object, "name", name) == 0 &&
            set_status(object, row) == 0)
                return object;
        json_decref(object);
        return NULL;
}

/* ---- a process ---- */

static json_t *process_of(const struct hot_inspect_process *process)
{
        char state[2] = {process->state, '\0'};
        json_t *object = json_pack(
                "{s:i, s:o, s:i, s:i, s:i, s:I, s:s, s:i, s:o, s:o, s:o, s:o, s:b, s:o, s:o}",
                "pid", process->pid, "start", number(process->start), "parent", process->parent,
                "group", process->group, "session", process->session, "uid",
                (json_int_t)process->uid, "state", state, "threads", process->n_threads, "open",
                number_or_null(process->n_open), "limit",
                process->limit == UINT64_MAX ? json_string("unlimited")
                                             : number_or_null(process->limit),
                "server", number_or_null(process->server), "generation",
                number_or_null(process->generation), "program_deleted", process->program_deleted,
                "netns", number_or_null(process->netns), "error", error_or_null(process->error));

        if (!object)
                return NULL;
        if (set_text(object, "name", process->name) == 0 &&
            set_text(object, "user", fds_user(process->uid)) == 0 &&
            set_text(object, "program", process->program) == 0)
                return object;
        json_decref(object);
        return NULL;
}

/* ---- parts of a document ---- */

/* With @whole what is only context, too. */
static json_t *processes_of(const struct fds_view *view, bool whole)
{
        const struct hot_inspect *inspect;
        const struct hot_inspect_fd *row;
        json_t *array = json_array(), *object, *files;

        for (size_t i = 0; (inspect = hot_snapshot_at(view->snapshot, i)); i++) {
                const struct hot_inspect_process *process = hot_inspect_identity(inspect);

                if (!whole && !fds_wants_process(view->options, view->snapshot, process))
                        continue;
                object = process_of(process);
                files = json_array();
                for (size_t k = 0; (row = hot_inspect_at(inspect, k)); k++)
                        if (whole || fds_wants_row(view->options, row))
                                json_array_append_new(files, file_of(row));
                json_object_set_new(object, "files", files);
                json_array_append_new(array, object);
        }
        return array;
}

static json_t *holders_of(const struct fds_holder *holders, size_t n)
{
        json_t *array = json_array();

        for (size_t i = 0; i < n; i++)
                json_array_append_new(array,
                                      json_pack("{s:i, s:i, s:o}", "pid", holders[i].process->pid,
                                                "fd", holders[i].row->fd, "generation",
                                                number_or_null(holders[i].process->generation)));
        return array;
}

static bool is_selected(const struct fds_view *view, const struct fds_holder *holders, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (fds_wants_process(view->options, view->snapshot, holders[i].process) &&
                    fds_wants_row(view->options, holders[i].row))
                        return true;
        return false;
}

/* Descriptions that several hold, and listeners, if one of their descriptors is selected. */
static json_t *descriptions_of(const struct fds_view *view)
{
        json_t *array = json_array();
        size_t n;

        for (size_t at = 0; at < view->n_holders; at += n) {
                const struct fds_holder *holders = fds_holders_of(view, view->holders[at].row, &n);
                char name[FDS_CELL_MAX];
                json_t *object;

                if ((n < 2 && !holders->row->listening) || !is_selected(view, holders, n))
                        continue;
                fds_name(holders->row, name);
                object = json_pack("{s:I, s:s, s:o}", "id", (json_int_t)holders->description,
                                   "kind", hot_inspect_kind_name(holders->row->kind), "holders",
                                   holders_of(holders, n));
                set_text(object, "name", name);
                json_object_set_new(object, "socket", socket_of(holders->row));
                json_array_append_new(array, object);
        }
        return array;
}

static json_t *finding_of(const struct hot_finding *finding)
{
        json_t *object = json_pack(
                "{s:s, s:s, s:i, s:o}", "code", hot_finding_code_name(finding->code), "severity",
                hot_finding_severity_name(finding->severity), "pid", finding->pid, "fd",
                finding->fd >= 0 ? json_integer(finding->fd) : json_null());

        set_text(object, "text", finding->text);
        return object;
}

static json_t *findings_of(const struct fds_view *view)
{
        const struct hot_finding *finding;
        struct hot_findings *findings;
        json_t *array;

        if (fds_findings(view, &findings) < 0)
                return NULL;
        array = json_array();
        for (size_t i = 0; (finding = hot_findings_at(findings, i)); i++)
                json_array_append_new(array, finding_of(finding));
        hot_findings_free(findings);
        return array;
}

static json_t *gaps_of(const struct fds_view *view)
{
        const struct hot_inspect_gap *gap;
        json_t *array = json_array();

        for (size_t i = 0; (gap = hot_snapshot_gap(view->snapshot, i)); i++)
                if (fds_is_gap(view->options, view->snapshot, gap))
                        json_array_append_new(
                                array,
                                json_pack("{s:o, s:o, s:s, s:o}", "pid",
                                          gap->pid > 0 ? json_integer(gap->pid) : json_null(), "fd",
                                          gap->fd >= 0 ? json_integer(gap->fd) : json_null(),
                                          "step", gap->step, "error", error_or_null(gap->error)));
        return array;
}

static json_t *head_of(const struct fds_view *view)
{
        char now[32], boot[FDS_BOOT_MAX];
        json_t *gaps = gaps_of(view);
        time_t seconds = time(NULL);
        struct tm utc;

        strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &utc));
        fds_boot_id(boot);
        return json_pack("{s:s, s:s, s:o, s:b, s:o}", "schema", FDS_SCHEMA, "time", now, "boot_id",
                         text_or_null(boot), "complete", json_array_size(gaps) == 0, "gaps", gaps);
}

/* ---- changes ---- */

struct changes {
        const struct fds_view *view;
        json_t *array;
};

static json_t *side_of(const struct hot_inspect_process *process, const struct hot_inspect_fd *row)
{
        if (!row)
                return json_null();
        return json_pack("{s:i, s:o, s:o, s:o}", "pid", process->pid, "start",
                         number(process->start), "generation", number_or_null(process->generation),
                         "file", file_of(row));
}

static int note_change(const struct hot_difference *difference, void *data)
{
        static const char *const names[] = {
                [HOT_CHANGE_NONE] = "none",       [HOT_CHANGE_INHERITED] = "inherited",
                [HOT_CHANGE_REBOUND] = "rebound", [HOT_CHANGE_NEW] = "new",
                [HOT_CHANGE_GONE] = "gone",
        };
        struct changes *changes = data;
        const struct fds_view *view = changes->view;
        bool gone = difference->change == HOT_CHANGE_GONE;

        if ((difference->change == HOT_CHANGE_NONE && !view->options->all) ||
            !fds_wants_process(view->options, gone ? view->before : view->snapshot,
                               gone ? difference->process_before : difference->process) ||
            !fds_wants_row(view->options, gone ? difference->before : difference->after))
                return 0;
        return json_array_append_new(
                       changes->array,
                       json_pack("{s:s, s:o, s:o}", "change", names[difference->change], "before",
                                 side_of(difference->process_before, difference->before), "after",
                                 side_of(difference->process, difference->after))) < 0
                       ? -ENOMEM
                       : 0;
}

static json_t *changes_of(const struct fds_view *view)
{
        struct changes changes = {view, json_array()};

        if (hot_snapshot_diff(view->before, view->snapshot, note_change, &changes) == 0)
                return changes.array;
        json_decref(changes.array);
        return NULL;
}

/* ---- output ---- */

/* The array that the mode is about, under its key. */
static json_t *subject_of(const struct fds_view *view, const char **ret_key)
{
        switch (view->options->mode) {
        case FDS_SAME:
                *ret_key = "descriptions";
                return descriptions_of(view);
        case FDS_CHECK:
                *ret_key = "findings";
                return findings_of(view);
        case FDS_DIFF:
                *ret_key = "changes";
                return changes_of(view);
        case FDS_LIST:
        case FDS_TREE:
                break;
        }
        *ret_key = "processes";
        return processes_of(view, false);
}

static long count_files(const json_t *processes)
{
        const json_t *process;
        size_t i, n = 0;

        json_array_foreach(processes, i, process) n +=
                json_array_size(json_object_get(process, "files"));
        return (long)n;
}

int fds_json_print(const json_t *value, FILE *file, size_t flags)
{
        if (json_dumpf(value, file, flags) < 0)
                return -EIO;
        return putc('\n', file) == EOF ? -errno : 0;
}

/* Files one a line, each with who has it. */
static int print_files(const json_t *processes)
{
        static const char *const keys[] = {"pid", "start", "generation", "server"};
        const json_t *process;
        json_t *file;
        size_t i, k;
        int r = 0;

        json_array_foreach(processes, i, process)
        {
                json_array_foreach(json_object_get(process, "files"), k, file)
                {
                        for (size_t j = 0; j < sizeof(keys) / sizeof(*keys); j++)
                                json_object_set(file, keys[j], json_object_get(process, keys[j]));
                        json_object_set(file, "command", json_object_get(process, "name"));
                        if (r == 0)
                                r = fds_json_print(file, stdout, JSON_COMPACT);
                }
        }
        return r;
}

static int print_lines(const json_t *subject, bool files)
{
        const json_t *value;
        size_t i;
        int r = 0;

        if (files)
                return print_files(subject);
        json_array_foreach(subject, i, value) if (r == 0) r =
                fds_json_print(value, stdout, JSON_COMPACT);
        return r;
}

static int print_document(const struct fds_view *view, const char *key, json_t *subject)
{
        json_t *document = head_of(view);
        int r = document ? 0 : -ENOMEM;

        if (r == 0)
                r = set(document, key, json_incref(subject));
        if (r == 0 && view->options->mode == FDS_LIST)
                r = set(document, "descriptions", descriptions_of(view));
        if (r == 0 && view->options->mode == FDS_LIST)
                r = set(document, "findings", findings_of(view));
        if (r == 0)
                r = fds_json_print(document, stdout, JSON_INDENT(1));
        json_decref(document);
        return r;
}

long fds_json(const struct fds_view *view)
{
        const char *key;
        json_t *subject = subject_of(view, &key);
        bool files = strcmp(key, "processes") == 0;
        long n;
        int r;

        if (!subject)
                return -ENOMEM;
        n = files ? count_files(subject) : (long)json_array_size(subject);
        r = view->options->format == FDS_JSONL ? print_lines(subject, files)
                                               : print_document(view, key, subject);
        json_decref(subject);
        return r < 0 ? r : n;
}

json_t *fds_json_snapshot(const struct fds_view *view)
{
        json_t *document = head_of(view);

        if (document && set(document, "processes", processes_of(view, true)) == 0)
                return document;
        json_decref(document);
        return NULL;
}
