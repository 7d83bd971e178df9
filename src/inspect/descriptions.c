/* SPDX-License-Identifier: MIT */
/*
 * Rows can only be one description if they are the same file, of the same kind and opened for the same access:
 * so they are sorted into buckets by that, and compared inside a bucket only. A socket's description is known
 * by its inode alone (it cannot be opened a second time); for the rest kcmp(2) gives an order, the same for
 * every pair, in which a row's place among those already told apart is found by halving.
 *
 * kcmp asks for the right to read both processes and for a system call that a container's seccomp filter may
 * refuse. Refused once, it is not asked again, and what cannot be told apart is not claimed to be either.
 */
#include "descriptions.h"

#include <errno.h>
#include <linux/kcmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct item {
        pid_t pid;
        struct hot__row *row;
};

struct numbering {
        struct hot_snapshot *snapshot; /* borrowed */
        struct item *items;            /* owned */
        size_t n;
        struct item *
                apart; /* owned: of the running bucket, one row of each description, in kcmp's order */
        size_t n_apart;
        unsigned int last; /* the number given last */
        int refused;       /* the negative errno that kcmp is refused with, or 0 */
};

static bool is_socket(int kind)
{
        return kind == HOT_INSPECT_SOCKET || kind == HOT_INSPECT_TCP || kind == HOT_INSPECT_UDP ||
               kind == HOT_INSPECT_UNIX;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
        return (a > b) - (a < b);
}

/* 0: one bucket. */
static int compare_files(const struct item *a, const struct item *b)
{
        const struct hot_inspect_fd *x = &a->row->public, *y = &b->row->public;
        int r = compare_numbers(x->device, y->device);

        if (r == 0)
                r = compare_numbers(x->inode, y->inode);
        if (r == 0)
                r = x->kind - y->kind;
        return r != 0 ? r : (x->access > y->access) - (x->access < y->access);
}

/* Inside a bucket by process and number, so that the numbers of descriptions do not depend on chance. */
static int compare_items(const void *a, const void *b)
{
        const struct item *x = a, *y = b;
        int r = compare_files(x, y);

        if (r == 0)
                r = x->pid - y->pid;
        return r != 0 ? r : x->row->public.fd - y->row->public.fd;
}

/* Returns 0 (one description), 1 or 2 (before, behind), or a negative errno. */
static int compare_descriptions(const struct item *a, const struct item *b)
{
        long r = syscall(SYS_kcmp, a->pid, b->pid, KCMP_FILE, (unsigned long)a->row->public.fd,
                         (unsigned long)b->row->public.fd);

        return r < 0 ? -errno : r == 3 ? -EIO : (int)r;
}

/* A row that was closed, or whose process ended, since it was read cannot be compared with any other. */
static bool is_gone(const struct item *item)
{
        int r = compare_descriptions(item, item);

        return r == -EBADF || r == -ESRCH;
}

static void forget_apart(struct numbering *numbering, size_t at)
{
        numbering->n_apart--;
        memmove(&numbering->apart[at], &numbering->apart[at + 1],
                (numbering->n_apart - at) * sizeof(*numbering->apart));
}

static void add_apart(struct numbering *numbering, size_t at, const struct item *item)
{
        memmove(&numbering->apart[at + 1], &numbering->apart[at],
                (numbering->n_apart - at) * sizeof(*numbering->apart));
        numbering->apart[at] = *item;
        numbering->n_apart++;
        item->row->public.description = ++numbering->last;
}

/* Find the row's place. A row that went away leaves the search; the search starts again without it. */
static void place(struct numbering *numbering, const struct item *item)
{
        size_t low = 0, high = numbering->n_apart, middle;
        int r;

        while (low < high) {
                middle = low + (high - low) / 2;
                r = compare_descriptions(item, &numbering->apart[middle]);
                if (r == 0) {
                        item->row->public.description =
                                numbering->apart[middle].row->public.description;
                        return;
                }
                if (r == 1) {
                        high = middle;
                } else if (r == 2) {
                        low = middle + 1;
                } else if (is_gone(item)) {
                        return;
                } else if (is_gone(&numbering->apart[middle])) {
                        forget_apart(numbering, middle);
                        low = 0;
                        high = numbering->n_apart;
                } else {
                        numbering->refused = r;
                        return;
                }
        }
        add_apart(numbering, low, item);
}

static void number_sockets(struct numbering *numbering, const struct item *items, size_t n)
{
        numbering->last++;
        for (size_t i = 0; i < n; i++)
                items[i].row->public.description = numbering->last;
}

static void number_bucket(struct numbering *numbering, const struct item *items, size_t n)
{
        if (n == 1 || is_socket(items->row->public.kind)) {
                number_sockets(numbering, items, n);
                return;
        }
        numbering->n_apart = 0;
        for (size_t i = 0; i < n && numbering->refused == 0; i++)
                place(numbering, &items[i]);
        /* Half a bucket would say of the other half that it is nothing like it. */
        for (size_t i = 0; i < n && numbering->refused != 0; i++)
                items[i].row->public.description = 0;
}

static void number_all(struct numbering *numbering)
{
        size_t end;

        for (size_t at = 0; at < numbering->n; at = end) {
                for (end = at + 1; end < numbering->n; end++)
                        if (compare_files(&numbering->items[at], &numbering->items[end]) != 0)
                                break;
                number_bucket(numbering, &numbering->items[at], end - at);
        }
}

/* A row that could not be looked at is no bucket's. */
static bool is_comparable(const struct hot__row *row)
{
        return row->public.role == HOT_INSPECT_DESCRIPTOR && row->public.error == 0;
}

static void collect(struct numbering *numbering)
{
        const struct hot_snapshot *snapshot = numbering->snapshot;
        struct hot_inspect *inspect;

        for (size_t i = 0; i < snapshot->n_processes; i++) {
                inspect = snapshot->processes[i];
                for (size_t k = 0; k < inspect->n_rows; k++)
                        if (is_comparable(&inspect->rows[k]))
                                numbering->items[numbering->n++] =
                                        (struct item){inspect->public.pid, &inspect->rows[k]};
        }
}

static size_t count_rows(const struct hot_snapshot *snapshot)
{
        size_t n = 0;

        for (size_t i = 0; i < snapshot->n_processes; i++)
                n += snapshot->processes[i]->n_rows;
        return n;
}

int hot__descriptions_number(struct hot_snapshot *snapshot)
{
        size_t n = count_rows(snapshot);
        struct numbering numbering = {.snapshot = snapshot};
        int r = 0;

        if (n == 0)
                return 0;
        numbering.items = calloc(n, sizeof(struct item));
        numbering.apart = calloc(n + 1, sizeof(struct item));
        if (!numbering.items || !numbering.apart) {
                r = -ENOMEM;
        } else {
                collect(&numbering);
                if (numbering.n > 1)
                        qsort(numbering.items, numbering.n, sizeof(struct item), compare_items);
                number_all(&numbering);
                if (numbering.refused < 0)
                        r = hot__snapshot_add_gap(snapshot, 0, -1, "kcmp", numbering.refused);
        }
        free(numbering.items);
        free(numbering.apart);
        return r;
}
