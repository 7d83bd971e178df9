/* SPDX-License-Identifier: MIT */
/*
 * Reading back what --snapshot or --json wrote. A file from somewhere else may hold anything: what is not as
 * the schema says is refused, and nothing in it is trusted to be in order.
 */
#include "fds_json.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fd.h"
#include "snapshot.h"

const char *const fds_json_roles[] = {
        [HOT_INSPECT_DESCRIPTOR] = "descriptor",
        [HOT_INSPECT_CWD] = "cwd",
        [HOT_INSPECT_ROOT] = "root",
        [HOT_INSPECT_PROGRAM] = "program",
        [HOT_INSPECT_MAPPED] = "mapped",
        NULL,
};

const char *const fds_json_lock_kinds[] = {
        [HOT_INSPECT_LOCK_POSIX] = "process",
        [HOT_INSPECT_LOCK_FLOCK] = "flock",
        [HOT_INSPECT_LOCK_OFD] = "description",
        [HOT_INSPECT_LOCK_LEASE] = "lease",
        NULL,
};

void fds_boot_id(char ret_boot[FDS_BOOT_MAX])
{
        CLEANUP(hot__fd_closep)
        int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, ret_boot, FDS_BOOT_MAX - 1);

        ret_boot[n > 0 ? n : 0] = '\0';
        ret_boot[strcspn(ret_boot, "\n")] = '\0';
}

/* A number, or one that a double cannot hold as a string; 0 for null and what is not there. */
static uint64_t number(const json_t *object, const char *key)
{
        const json_t *value = json_object_get(object, key);

        if (json_is_string(value))
                return strtoull(json_string_value(value), NULL, 10);
        return json_is_integer(value) ? (uint64_t)json_integer_value(value) : 0;
}

static int integer(const json_t *object, const char *key)
{
        return (int)number(object, key);
}

static const char *text(const json_t *object, const char *key)
{
        const char *value = json_string_value(json_object_get(object, key));

        return value ? value : "";
}

static int truth(const json_t *object, const char *key)
{
        return json_is_true(json_object_get(object, key));
}

static uint64_t device(const json_t *object, const char *key)
{
        unsigned int high = 0, low = 0;

        return sscanf(text(object, key), "%u:%u", &high, &low) == 2 ? makedev(high, low) : 0;
}

static int errno_of(const json_t *object, const char *key)
{
        const char *name = text(object, key);

        for (int error = 1; *name && error < 134; error++)
                if (strerrorname_np(error) && strcmp(strerrorname_np(error), name) == 0)
                        return -error;
        return 0;
}

static int index_of(const char *const *names, const char *name)
{
        for (int i = 0; names[i]; i++)
                if (strcmp(names[i], name) == 0)
                        return i;
        return 0;
}

static int kind_of(const char *name)
{
        for (int kind = 0; kind < 64; kind++)
                if (strcmp(hot_inspect_kind_name(kind), name) == 0)
                        return kind;
        return HOT_INSPECT_UNKNOWN;
}

static const char *keep(struct hot_snapshot *snapshot, const char *value)
{
        return *value ? hot__arena_copy(&snapshot->arena, value, strlen(value)) : "";
}

static int load_socket(struct hot_snapshot *snapshot, const json_t *object,
                       struct hot_inspect_fd *row)
{
        const char *family = text(object, "family"), *type = text(object, "type");

        if (!json_is_object(object))
                return 0;
        row->family = strcmp(family, "inet") == 0    ? AF_INET
                      : strcmp(family, "inet6") == 0 ? AF_INET6
                                                     : AF_UNIX;
        row->type = strcmp(type, "stream") == 0  ? SOCK_STREAM
                    : strcmp(type, "dgram") == 0 ? SOCK_DGRAM
                                                 : SOCK_SEQPACKET;
        row->state = keep(snapshot, text(object, "state"));
        row->local = keep(snapshot, text(object, "local"));
        row->peer = keep(snapshot, text(object, "peer"));
        row->listening = truth(object, "listening");
        row->peer_inode = number(object, "peer_inode");
        row->receive_queue = (uint32_t)number(object, "receive_queue");
        row->send_queue = (uint32_t)number(object, "send_queue");
        row->drops = (uint32_t)number(object, "drops");
        row->cookie = strtoull(text(object, "cookie"), NULL, 16);
        row->netns = number(object, "netns");
        row->v6only = truth(object, "v6only");
        return row->state && row->local && row->peer ? 0 : -ENOMEM;
}

static int load_watches(const json_t *array, struct hot__row *row)
{
        struct hot_inspect_watch *larger;
        const json_t *object;
        size_t i;

        json_array_foreach(array, i, object)
        {
                larger = hot__row_grow(row->watches, row->public.n_watches, sizeof(*larger));
                if (!larger)
                        return -ENOMEM;
                larger[row->public.n_watches++] = (struct hot_inspect_watch){
                        .fd = integer(object, "fd"),
                        .events = (uint32_t)number(object, "events"),
                        .inode = number(object, "inode"),
                        .device = device(object, "device"),
                };
                row->public.watches = row->watches = larger;
        }
        return 0;
}

static int load_locks(const json_t *array, struct hot__row *row)
{
        struct hot_inspect_lock *larger;
        const json_t *object;
        size_t i;

        json_array_foreach(array, i, object)
        {
                larger = hot__row_grow(row->locks, row->public.n_locks, sizeof(*larger));
                if (!larger)
                        return -ENOMEM;
                larger[row->public.n_locks++] = (struct hot_inspect_lock){
                        .kind = index_of(fds_json_lock_kinds, text(object, "kind")),
                        .write = truth(object, "write"),
                        .pid = json_is_null(json_object_get(object, "pid"))
                                       ? -1
                                       : integer(object, "pid"),
                        .start = number(object, "start"),
                        .end = json_is_null(json_object_get(object, "end")) ? UINT64_MAX
                                                                            : number(object, "end"),
                };
                row->public.locks = row->locks = larger;
        }
        return 0;
}

static int access_of(const char *mode)
{
        return *mode == 'r' ? O_RDONLY : *mode == 'w' ? O_WRONLY : *mode == 'u' ? O_RDWR : O_PATH;
}

static int load_file(struct hot_inspect *inspect, const json_t *object)
{
        struct hot__row *row = hot__snapshot_add_row(inspect);
        struct hot_inspect_fd *public;
        int r;

        if (!row)
                return -ENOMEM;
        public = &row->public;
        public->role = index_of(fds_json_roles, text(object, "role"));
        public->fd = public->role == HOT_INSPECT_DESCRIPTOR ? integer(object, "fd") : -1;
        public->kind = kind_of(text(object, "kind"));
        public->access = access_of(text(object, "mode"));
        public->target = keep(inspect->snapshot, text(object, "target"));
        public->device = device(object, "device");
        public->raw_device = device(object, "raw_device");
        public->inode = number(object, "inode");
        public->size = number(object, "size");
        public->links = number(object, "links");
        public->deleted = truth(object, "deleted");
        public->error = errno_of(object, "error");
        public->step = keep(inspect->snapshot, text(object, "step"));
        public->description = (unsigned int)number(object, "description");
        public->details = HOT_INSPECT_TARGET | HOT_INSPECT_ACCESS | HOT_INSPECT_ADDRESSES;
        if (json_is_boolean(json_object_get(object, "cloexec")))
        public->details |= HOT_INSPECT_STATUS;
        public->cloexec = truth(object, "cloexec");
        public->flags = integer(object, "flags");
        public->offset = number(object, "offset");
        public->mount_id = integer(object, "mount");
        public->in_flight = (unsigned int)number(object, "in_flight");
        public->pid = integer(object, "pidfd");
        r = public->target && public->step ? 0 : -ENOMEM;
        if (r == 0)
                r = load_socket(inspect->snapshot, json_object_get(object, "socket"), public);
        if (r == 0)
                r = load_watches(json_object_get(object, "watches"), row);
        if (r == 0)
                r = load_locks(json_object_get(object, "locks"), row);
        inspect->n_files += public->role != HOT_INSPECT_DESCRIPTOR;
        return r;
}

static int load_process(struct hot_snapshot *snapshot, const json_t *object)
{
        struct hot_inspect *inspect = hot__snapshot_add(snapshot, integer(object, "pid"));
        struct hot_inspect_process *public;
        const json_t *file;
        size_t i;
        int r;

        if (!inspect)
                return -ENOMEM;
        public = &inspect->public;
        public->start = number(object, "start");
        public->parent = integer(object, "parent");
        public->group = integer(object, "group");
        public->session = integer(object, "session");
        public->uid = (uid_t)number(object, "uid");
        public->state = *text(object, "state");
        public->n_threads = integer(object, "threads");
        public->n_open = number(object, "open");
        public->limit = strcmp(text(object, "limit"), "unlimited") == 0 ? UINT64_MAX
                                                                        : number(object, "limit");
        public->server = (unsigned int)number(object, "server");
        public->generation = number(object, "generation");
        public->program_deleted = truth(object, "program_deleted");
        public->netns = number(object, "netns");
        public->error = errno_of(object, "error");
        public->name = keep(snapshot, text(object, "name"));
        public->program = keep(snapshot, text(object, "program"));
        r = public->name && public->program ? 0 : -ENOMEM;
        json_array_foreach(json_object_get(object, "files"), i, file) if (r == 0) r =
                load_file(inspect, file);
        return r;
}

static int load_gaps(struct hot_snapshot *snapshot, const json_t *array)
{
        const json_t *object;
        size_t i;
        int r = 0;

        json_array_foreach(array, i, object)
        {
                const char *step = keep(snapshot, text(object, "step"));

                if (r == 0)
                        r = step ? hot__snapshot_add_gap(
                                           snapshot, integer(object, "pid"),
                                           json_is_integer(json_object_get(object, "fd"))
                                                   ? integer(object, "fd")
                                                   : -1,
                                           step, errno_of(object, "error"))
                                 : -ENOMEM;
        }
        return r;
}

static int load_document(const json_t *document, struct hot_snapshot **ret_snapshot)
{
        struct hot_snapshot *snapshot = hot__snapshot_new();
        const json_t *process;
        size_t i;
        int r = snapshot ? load_gaps(snapshot, json_object_get(document, "gaps")) : -ENOMEM;

        json_array_foreach(json_object_get(document, "processes"), i, process) if (r == 0) r =
                load_process(snapshot, process);
        if (r < 0) {
                hot_snapshot_free(snapshot);
                return r;
        }
        hot__snapshot_sort(snapshot);
        *ret_snapshot = snapshot;
        return 0;
}

/* Descriptors of before the last boot have nothing in common with those of now, not even their numbers. */
static const char *refusal(const json_t *document)
{
        char boot[FDS_BOOT_MAX];

        fds_boot_id(boot);
        if (strcmp(text(document, "schema"), FDS_SCHEMA) != 0 ||
            !json_is_array(json_object_get(document, "processes")))
                return "it is no snapshot of " FDS_SCHEMA;
        if (*boot && strcmp(text(document, "boot_id"), boot) != 0)
                return "it is from before the last boot, or from another machine";
        return NULL;
}

int fds_load(const char *path, struct hot_snapshot **ret_snapshot, char ret_why[160])
{
        FILE *file = fopen(path, "re");
        json_error_t error;
        json_t *document;
        int r;

        if (!file) {
                r = -errno;
                snprintf(ret_why, 160, "%s", strerror(-r));
                return r;
        }
        document = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
        fclose(file);
        if (!document) {
                snprintf(ret_why, 160, "line %d: %.100s", error.line, error.text);
                return -EBADMSG;
        }
        if (refusal(document)) {
                snprintf(ret_why, 160, "%s", refusal(document));
                r = -EBADMSG;
        } else {
                r = load_document(document, ret_snapshot);
                if (r < 0)
                        snprintf(ret_why, 160, "%s", strerror(-r));
        }
        json_decref(document);
        return r;
}
