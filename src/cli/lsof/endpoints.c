/* SPDX-License-Identifier: MIT */
/*
 * An index of all ends, by kind and key: what two ends of one thing have in common, or what tells one from
 * the other. In it the rows stand in their own order, which is the order of the notes, but for sockets: there
 * lsof begins with the last.
 */
#include "endpoints.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "memory.h"
#include "select.h"

enum { NOTE_MAX = 128, UNIX98_SLAVES = 136, UNIX98_SLAVES_END = 144 };

struct end {
        int kind;
        uint64_t key;
        const struct lsof_process *process;
        struct lsof_row *row;
};

struct joining {
        const struct lsof_request *request;
        struct end *ends; /* owned, sorted */
        size_t n;
};

static bool is_master(dev_t device)
{
        return major(device) == 5 && minor(device) == 2;
}

static bool is_slave(dev_t device)
{
        return major(device) >= UNIX98_SLAVES && major(device) < UNIX98_SLAVES_END;
}

static uint64_t mix(uint64_t hash, const void *bytes, size_t n)
{
        for (size_t i = 0; i < n; i++)
                hash = (hash ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3ULL;
        return hash;
}

/* A connection seen from the end that has @local. */
static uint64_t connection_key(const struct lsof_row *row, const struct lsof_endpoint *local,
                               const struct lsof_endpoint *peer)
{
        uint64_t hash = mix(0xcbf29ce484222325ULL, row->type, strlen(row->type));

        hash = mix(hash, row->protocol, strlen(row->protocol));
        hash = mix(hash, local->address, sizeof(local->address));
        hash = mix(hash, &local->port, sizeof(local->port));
        hash = mix(hash, peer->address, sizeof(peer->address));
        return mix(hash, &peer->port, sizeof(peer->port));
}

static void set_socket(const struct hot_inspect_fd *file, struct lsof_row *row)
{
        if (row->state_kind == LSOF_STATE_UNIX) {
                row->end = LSOF_END_UNIX;
                row->end_key = file->inode;
                row->other_key = file->peer_inode;
                row->pending_key = file->pending_inode;
        } else if (row->local.family && row->peer.family && row->state_number == 1) {
                row->end = LSOF_END_CONNECTION;
                row->end_key = connection_key(row, &row->local, &row->peer);
                row->other_key = connection_key(row, &row->peer, &row->local);
        }
}

static void set_terminal(const struct hot_inspect_fd *file, struct lsof_row *row)
{
        if (is_master(file->raw_device) && file->terminal >= 0) {
                row->end = LSOF_END_MASTER;
                row->end_key = (uint64_t)file->terminal;
        } else if (is_slave(file->raw_device)) {
                row->end = LSOF_END_SLAVE;
                row->end_key = minor(file->raw_device);
        }
}

void lsof_endpoints_set(const struct hot_inspect_fd *file, struct lsof_row *row)
{
        row->end_key = file->inode;
        if (S_ISSOCK(file->mode))
                set_socket(file, row);
        else if (S_ISCHR(file->mode))
                set_terminal(file, row);
        else if (S_ISFIFO(file->mode))
                row->end = LSOF_END_PIPE;
        else if (strcmp(row->type, "PSXMQ") == 0)
                row->end = LSOF_END_QUEUE;
        else if (file->eventfd >= 0) {
                row->end = LSOF_END_EVENTFD;
                row->end_key = (uint64_t)file->eventfd;
        }
}

static int compare(const void *a, const void *b)
{
        const struct end *left = a, *right = b;

        if (left->kind != right->kind)
                return left->kind < right->kind ? -1 : 1;
        if (left->key != right->key)
                return left->key < right->key ? -1 : 1;
        if (left->process != right->process)
                return left->process < right->process ? -1 : 1;
        return left->row < right->row ? -1 : left->row > right->row;
}

static void fill(struct joining *joining, const struct lsof_listing *listing)
{
        for (size_t i = 0; i < listing->n; i++)
                for (size_t k = 0; k < listing->processes[i].n_rows; k++) {
                        struct lsof_row *row = &listing->processes[i].rows[k];

                        if (row->end == LSOF_END_NONE)
                                continue;
                        joining->ends = lsof_grow(joining->ends, joining->n, sizeof(struct end));
                        joining->ends[joining->n++] = (struct end){(int)row->end, row->end_key,
                                                                   &listing->processes[i], row};
                }
        if (joining->n > 0)
                qsort(joining->ends, joining->n, sizeof(struct end), compare);
}

/* The first end of that kind and key; those that follow it may be of the same. */
static size_t find(const struct joining *joining, int kind, uint64_t key)
{
        size_t low = 0, high = joining->n, middle;

        while (low < high) {
                const struct end *end;

                middle = low + (high - low) / 2;
                end = &joining->ends[middle];
                if (end->kind < kind || (end->kind == kind && end->key < key))
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static size_t count(const struct joining *joining, size_t first, int kind, uint64_t key)
{
        size_t n = 0;

        while (first + n < joining->n && joining->ends[first + n].kind == kind &&
               joining->ends[first + n].key == key)
                n++;
        return n;
}

static void add_note(struct lsof_row *row, const char *text)
{
        size_t len = row->note ? strlen(row->note) : 0;
        char *note = lsof_new(len + strlen(text) + 2, 1);

        if (row->note)
                sprintf(note, "%s ", row->note);
        strcat(note, text);
        free(row->note);
        row->note = note;
}

static void note_end(const struct joining *joining, struct lsof_row *row, const struct end *end,
                     bool mark)
{
        char text[NOTE_MAX], number[16];

        snprintf(number, sizeof(number), "%d", end->row->number);
        snprintf(text, sizeof(text), "%d,%.*s,%s%c", end->process->identity->pid,
                 (int)joining->request->command_width, end->process->identity->name,
                 end->row->role ? end->row->role : number, end->row->access);
        add_note(row, text);
        if (mark)
                end->row->is_end = true;
}

/* Ends in their own order, without the row itself. */
static void note_ends(const struct joining *joining, struct lsof_row *row, int kind, bool mark)
{
        size_t first = find(joining, kind, row->end_key);
        size_t n = count(joining, first, kind, row->end_key);

        for (size_t i = 0; i < n; i++)
                if (joining->ends[first + i].row != row)
                        note_end(joining, row, &joining->ends[first + i], mark);
}

/* Sockets, the last first. */
static void note_sockets(const struct joining *joining, struct lsof_row *row, uint64_t key,
                         bool mark)
{
        size_t first = find(joining, (int)row->end, key);

        for (size_t i = count(joining, first, (int)row->end, key); i-- > 0;)
                note_end(joining, row, &joining->ends[first + i], mark);
}

static void note_unix(const struct joining *joining, struct lsof_row *row, uint64_t inode,
                      bool mark)
{
        char text[NOTE_MAX];

        if (inode == 0)
                return;
        snprintf(text, sizeof(text), "->INO=%llu", (unsigned long long)inode);
        add_note(row, text);
        note_sockets(joining, row, inode, mark);
}

static void note_slaves(const struct joining *joining, struct lsof_row *row, bool mark)
{
        size_t first = find(joining, LSOF_END_SLAVE, row->end_key);
        char text[NOTE_MAX];

        if (count(joining, first, LSOF_END_SLAVE, row->end_key) == 0)
                return;
        snprintf(text, sizeof(text), "->/dev/pts/%llu", (unsigned long long)row->end_key);
        add_note(row, text);
        note_ends(joining, row, LSOF_END_SLAVE, mark);
}

static void join(const struct joining *joining, struct lsof_row *row, bool mark)
{
        switch (row->end) {
        case LSOF_END_NONE:
                return;
        case LSOF_END_PIPE:
        case LSOF_END_QUEUE:
        case LSOF_END_EVENTFD:
                note_ends(joining, row, (int)row->end, mark);
                return;
        case LSOF_END_MASTER:
                note_slaves(joining, row, mark);
                return;
        case LSOF_END_SLAVE:
                note_ends(joining, row, LSOF_END_MASTER, mark);
                return;
        case LSOF_END_UNIX:
                note_unix(joining, row, row->other_key, mark);
                note_unix(joining, row, row->pending_key, mark);
                return;
        case LSOF_END_CONNECTION:
                note_sockets(joining, row, row->other_key, mark);
                return;
        }
}

/* Who is connected to a socket that is not connected itself: a datagram socket that others send to. */
static void complete_peers(const struct joining *joining)
{
        for (size_t i = 0; i < joining->n; i++) {
                const struct lsof_row *row = joining->ends[i].row;
                size_t first;

                if (row->end != LSOF_END_UNIX || row->other_key == 0)
                        continue;
                first = find(joining, LSOF_END_UNIX, row->other_key);
                for (size_t k = count(joining, first, LSOF_END_UNIX, row->other_key); k-- > 0;)
                        if (joining->ends[first + k].row->other_key == 0)
                                joining->ends[first + k].row->other_key = row->end_key;
        }
}

static void join_all(const struct joining *joining, const struct lsof_listing *listing, bool ends)
{
        bool mark = joining->request->endpoints == LSOF_ENDS_AND_FILES && !ends;

        for (size_t i = 0; i < listing->n; i++)
                for (size_t k = 0; k < listing->processes[i].n_rows; k++) {
                        struct lsof_row *row = &listing->processes[i].rows[k];
                        bool wanted = lsof_select_wants(joining->request, row);

                        if (ends ? !wanted && row->is_end : wanted)
                                join(joining, row, mark);
                }
}

/* What is an end of something that is listed is listed, whatever asks for it. */
static void select_ends(const struct joining *joining, struct lsof_listing *listing)
{
        for (size_t i = 0; i < listing->n; i++)
                for (size_t k = 0; k < listing->processes[i].n_rows; k++) {
                        struct lsof_row *row = &listing->processes[i].rows[k];

                        if (row->is_end)
                                row->selected |= joining->request->selectors;
                }
}

void lsof_endpoints_join(const struct lsof_request *request, struct lsof_listing *listing)
{
        struct joining joining = {.request = request};

        fill(&joining, listing);
        complete_peers(&joining);
        join_all(&joining, listing, false);
        join_all(&joining, listing, true);
        select_ends(&joining, listing);
        free(joining.ends);
}
