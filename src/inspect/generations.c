/* SPDX-License-Identifier: MIT */
/*
 * A server is not something that the kernel knows. It shows in three things that it does know: two processes
 * that run the same program hold the same listener; one was forked from the other and has not executed a
 * program since; or one was started by the other with word of listeners to take over in its environment. The
 * closure of these is a server.
 *
 * Some servers write their title over their environment (nginx). Of such a one that was started by another of the
 * same program, and holds one of its listeners, it is taken that it was told of it.
 *
 * Inside a server a process begins a new generation if its environment says so and it is not merely forked
 * from one of which that is true. A process that exec's without such word is a worker, of the generation of
 * its parent.
 *
 * A process with another program is never part: a supervisor that holds the listeners, a log writer that
 * got one by mistake.
 */
#include "generations.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "handed.h"
#include "maps.h"
#include "proc.h"

struct member {
        struct hot_inspect *inspect; /* borrowed */
        struct member *parent;       /* the process' parent, or NULL if it is not in the snapshot */
        struct member *server;       /* union-find: towards the root of its server */
        uint64_t number;             /* as its environment says; 0 if it does not */
        bool holder;                 /* it holds a listener */
        bool part;                   /* it is part of some server */
        bool overwritten;            /* what its environment said is gone */
};

struct family {
        struct member *members; /* owned: one for each process of the snapshot, in its order */
        size_t n;
};

static bool is_listener(const struct hot_inspect_fd *row)
{
        return row->listening && row->role == HOT_INSPECT_DESCRIPTOR;
}

static bool holds_listener(const struct hot_inspect *inspect)
{
        for (size_t i = 0; i < inspect->n_rows; i++)
                if (is_listener(&inspect->rows[i].public))
                        return true;
        return false;
}

static struct member *find_member(const struct family *family, pid_t pid)
{
        for (size_t low = 0, high = family->n; low < high;) {
                size_t middle = low + (high - low) / 2;
                struct member *member = &family->members[middle];

                if (member->inspect->public.pid == pid)
                        return member;
                if (member->inspect->public.pid < pid)
                        low = middle + 1;
                else
                        high = middle;
        }
        return NULL;
}

static struct member *root_of(struct member *member)
{
        while (member->server != member)
                member = member->server = member->server->server;
        return member;
}

/* The older process is the root, so that the numbers of servers do not depend on chance. */
static void join(struct member *a, struct member *b)
{
        a = root_of(a);
        b = root_of(b);
        if (a < b)
                b->server = a;
        else
                a->server = b;
}

static bool is_forked(const struct member *a, const struct member *b)
{
        return a->inspect->stack > 1 && a->inspect->stack == b->inspect->stack;
}

/* Without the kernel's " (deleted)": a new release in the place of the old one is the same program. */
static size_t program_length(const char *program)
{
        return strlen(program) - (hot__maps_is_deleted(program) ? strlen(" (deleted)") : 0);
}

static bool is_same_program(const struct member *a, const struct member *b)
{
        const struct hot_inspect_process *x = &a->inspect->public, *y = &b->inspect->public;
        size_t len = program_length(x->program);

        if (is_forked(a, b) || strcmp(x->name, y->name) == 0)
                return true;
        return len > 0 && len == program_length(y->program) &&
               memcmp(x->program, y->program, len) == 0;
}

static int read_program(struct hot_inspect *inspect, const struct hot__proc *process)
{
        char path[PATH_MAX];
        struct stat running, named;

        if (hot_inspect_program(process->pid, path, sizeof(path)) < 0)
                return 0;
        inspect->public.program = hot__arena_copy(&inspect->snapshot->arena, path, strlen(path));
        if (!inspect->public.program)
                return -ENOMEM;
        /* A file may have been renamed, or have a second name: it is gone if its own leads elsewhere. */
        path[program_length(path)] = '\0';
        if (fstatat(process->fd, "exe", &running, 0) == 0 &&
            hot__maps_is_deleted(inspect->public.program))
                inspect->public.program_deleted = stat(path, &named) < 0 ||
                                                  named.st_dev != running.st_dev ||
                                                  named.st_ino != running.st_ino;
        return 0;
}

/* "Max open files            1024                 4096                 files" */
static void read_limit(struct hot_inspect *inspect, const struct hot__proc *process)
{
        static const char key[] = "Max open files";
        unsigned long long limit;
        char *text;
        const char *line;
        size_t len;

        if (hot__proc_read(process, "limits", &text, &len) < 0)
                return;
        line = strstr(text, key);
        if (line && sscanf(line + strlen(key), "%llu", &limit) == 1)
                inspect->public.limit = limit;
        else if (line)
                inspect->public.limit = UINT64_MAX;
        free(text);
}

static void read_environment(struct member *member, const struct hot__proc *process)
{
        struct hot__handed handed;
        char *text;
        size_t len;

        if (hot__proc_read(process, "environ", &text, &len) < 0)
                return;
        handed = hot__handed_parse(text, len, process->pid);
        member->inspect->announced = handed.announced;
        member->number = handed.announced ? handed.number : 0;
        member->overwritten = handed.overwritten;
        free(text);
}

/* A process may be another one by now, under the number of one that ended: then nothing is read. */
static int read_member(struct member *member)
{
        struct hot__proc process;
        int r;

        if (*member->inspect->public.program)
                return 0;
        if (hot__proc_open(member->inspect->public.pid, &process) < 0)
                return 0;
        r = 0;
        if (process.start == member->inspect->public.start) {
                r = read_program(member->inspect, &process);
                read_limit(member->inspect, &process);
                read_environment(member, &process);
        }
        hot__proc_done(&process);
        return r;
}

/* ---- who belongs together ---- */

struct listener {
        uint64_t inode;
        struct member *member;
};

static int compare_listeners(const void *a, const void *b)
{
        const struct listener *x = a, *y = b;

        if (x->inode != y->inode)
                return x->inode < y->inode ? -1 : 1;
        return (x->member > y->member) - (x->member < y->member);
}

static size_t collect_listeners(const struct family *family, struct listener *ret)
{
        size_t n = 0;

        for (size_t i = 0; i < family->n; i++) {
                const struct hot_inspect *inspect = family->members[i].inspect;

                for (size_t k = 0; k < inspect->n_rows; k++) {
                        if (!is_listener(&inspect->rows[k].public))
                                continue;
                        if (ret)
                                ret[n] = (struct listener){inspect->rows[k].public.inode,
                                                           &family->members[i]};
                        n++;
                }
        }
        return n;
}

/* Among those that hold one listener there may be several programs, each of which is a server. */
static void join_holders(const struct listener *listeners, size_t n)
{
        for (size_t i = 1; i < n; i++)
                for (size_t k = i; k-- > 0 && listeners[k].inode == listeners[i].inode;)
                        if (is_same_program(listeners[i].member, listeners[k].member)) {
                                join(listeners[i].member, listeners[k].member);
                                break;
                        }
}

static int join_by_listeners(const struct family *family)
{
        size_t n = collect_listeners(family, NULL);
        struct listener *listeners = calloc(n + 1, sizeof(*listeners));

        if (!listeners)
                return -ENOMEM;
        collect_listeners(family, listeners);
        qsort(listeners, n, sizeof(*listeners), compare_listeners);
        join_holders(listeners, n);
        free(listeners);
        return 0;
}

/* Is the process one that its parent, of the same program, forked or started to take its listeners over? */
static bool is_kin(const struct member *member)
{
        return member->parent && is_same_program(member, member->parent) &&
               (is_forked(member, member->parent) || member->inspect->announced);
}

/* One more look at a process whose parent or child is part of a server. Returns 1 if it is now, too. */
static int try_to_join(struct member *member)
{
        int r;

        if (!member->parent || member->part == member->parent->part)
                return 0;
        /* Before files are read: a child with another name and another memory is no kin. */
        r = read_member(member);
        if (r == 0)
                r = read_member(member->parent);
        if (r < 0 || !is_kin(member))
                return r;
        member->part = member->parent->part = true;
        return 1;
}

/* Old generations that hold no listener any more, and children that hold none: until nobody joins. */
static int join_by_descent(const struct family *family)
{
        bool again = true;
        int r;

        while (again) {
                again = false;
                for (size_t i = 0; i < family->n; i++) {
                        r = try_to_join(&family->members[i]);
                        if (r < 0)
                                return r;
                        again |= r > 0;
                }
        }
        for (size_t i = 0; i < family->n; i++)
                if (family->members[i].part && family->members[i].parent &&
                    family->members[i].parent->part && is_kin(&family->members[i]))
                        join(&family->members[i], family->members[i].parent);
        return 0;
}

static bool shares_listener(const struct hot_inspect *a, const struct hot_inspect *b)
{
        for (size_t i = 0; i < a->n_rows; i++)
                for (size_t k = 0; is_listener(&a->rows[i].public) && k < b->n_rows; k++)
                        if (is_listener(&b->rows[k].public) &&
                            b->rows[k].public.inode == a->rows[i].public.inode)
                                return true;
        return false;
}

/* Who was told, and does not show it any more. */
static void believe_overwritten(const struct family *family)
{
        for (size_t i = 0; i < family->n; i++) {
                const struct member *member = &family->members[i];

                if (member->overwritten && member->parent && member->parent->holder &&
                    !is_forked(member, member->parent) && is_same_program(member, member->parent) &&
                    shares_listener(member->inspect, member->parent->inspect))
                        member->inspect->announced = true;
        }
}

/* ---- which generation ---- */

/* The oldest of those that were forked from one another without executing a program. */
static struct member *leader_of(struct member *member)
{
        while (member->parent && member->parent->part && is_forked(member, member->parent))
                member = member->parent;
        return member;
}

/* The number of a child that has one, less one: the first generation is told no number. */
static uint64_t number_by_successor(const struct family *family, const struct member *member)
{
        for (size_t i = 0; i < family->n; i++)
                if (family->members[i].part && family->members[i].parent == member &&
                    !is_forked(&family->members[i], member) && family->members[i].number > 1)
                        return family->members[i].number - 1;
        return 1;
}

static uint64_t number_of(const struct family *family, struct member *member)
{
        struct member *leader = leader_of(member);
        uint64_t further = 0;

        while (leader->number == 0) {
                if (!leader->parent || !leader->parent->part ||
                    root_of(leader->parent) != root_of(leader))
                        return number_by_successor(family, leader) + further;
                further += leader->inspect->announced;
                leader = leader_of(leader->parent);
        }
        return leader->number + further;
}

static void set_numbers(const struct family *family)
{
        unsigned int last = 0;

        for (size_t i = 0; i < family->n; i++) {
                struct member *member = &family->members[i], *root = root_of(member);

                if (!member->part)
                        continue;
                if (root->inspect->public.server == 0)
                        root->inspect->public.server = ++last;
                member->inspect->public.server = root->inspect->public.server;
                member->inspect->public.generation = number_of(family, member);
        }
}

static int find(struct family *family)
{
        int r = 0;

        for (size_t i = 0; i < family->n; i++) {
                struct member *member = &family->members[i];

                member->parent = find_member(family, member->inspect->public.parent);
                member->holder = member->part = holds_listener(member->inspect);
                if (member->holder && r == 0)
                        r = read_member(member);
        }
        believe_overwritten(family);
        if (r == 0)
                r = join_by_listeners(family);
        if (r == 0)
                r = join_by_descent(family);
        if (r == 0)
                set_numbers(family);
        return r;
}

int hot__generations_find(struct hot_snapshot *snapshot)
{
        struct family family = {calloc(snapshot->n_processes + 1, sizeof(struct member)),
                                snapshot->n_processes};
        int r;

        if (!family.members)
                return -ENOMEM;
        for (size_t i = 0; i < family.n; i++) {
                family.members[i].inspect = snapshot->processes[i];
                family.members[i].server = &family.members[i];
        }
        r = find(&family);
        free(family.members);
        return r;
}
