/* SPDX-License-Identifier: MIT */
#include "sockets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

enum { LINE_MAX_LEN = 512, WORD_MAX_LEN = 64, BUFFER_SIZE = 65536 };

/* Returns false for a line that is no socket, such as the title. */
typedef bool parse_fn(const char *line, struct lsof_socket *socket);

/*
 * "0000000031f2b3b1: 00000002 00000000 00010000 0001 01 33087 /run/x": the number, references, protocol, flags,
 * type, state, inode and name. A busy machine has thousands, for which scanf(3) is too slow.
 */
static bool parse_unix(const char *line, struct lsof_socket *socket)
{
        size_t len = strspn(line, "0123456789abcdef");
        unsigned long values[5];
        char *at;

        if (len == 0 || len >= sizeof(socket->number) || line[len] != ':')
                return false;
        memcpy(socket->number, line, len);
        at = (char *)(uintptr_t)line + len + 1;
        for (size_t i = 0; i < 5; i++) {
                if (*at != ' ')
                        return false;
                values[i] = strtoul(at, &at, 16);
        }
        socket->flags = (unsigned int)values[2];
        socket->type = (unsigned int)values[3];
        socket->state = (unsigned int)values[4];
        socket->inode = strtoull(at, &at, 10);
        socket->local = lsof_copy(*at == ' ' ? at + 1 : "");
        return true;
}

/* "00000000ea880b7c 0   0      00000000 0        0        0     2        0        33093" */
static bool parse_netlink(const char *line, struct lsof_socket *socket)
{
        unsigned long long inode;

        if (sscanf(line, "%*x %u %*s %*s %*s %*s %*s %*s %*s %llu", &socket->protocol, &inode) != 2)
                return false;
        socket->inode = inode;
        return true;
}

/* "00000000e83c49ac 3      3    0806   0     1 0      0      290490978" */
static bool parse_packet(const char *line, struct lsof_socket *socket)
{
        unsigned long long inode;

        if (sscanf(line, "%*x %*s %u %x %*s %*s %*s %*s %llu", &socket->type, &socket->protocol,
                   &inode) != 3)
                return false;
        socket->inode = inode;
        return true;
}

/* "   1: 00000000:0001 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 33095 …" */
static bool parse_raw(const char *line, struct lsof_socket *socket)
{
        char local[WORD_MAX_LEN], peer[WORD_MAX_LEN], word[WORD_MAX_LEN];
        unsigned long long inode;

        if (sscanf(line, " %*d: %63s %63s %63s %*s %*s %*s %*s %*s %llu", local, peer, word,
                   &inode) != 4)
                return false;
        socket->inode = inode;
        socket->local = lsof_copy(local);
        socket->peer = lsof_copy(peer);
        socket->word = lsof_copy(word);
        return true;
}

static const struct {
        const char *file;
        parse_fn *parse;
} kinds[LSOF_SOCKET_KINDS] = {
        [LSOF_SOCKET_UNIX] = {"unix", parse_unix},
        [LSOF_SOCKET_NETLINK] = {"netlink", parse_netlink},
        [LSOF_SOCKET_PACKET] = {"packet", parse_packet},
        [LSOF_SOCKET_RAW] = {"raw", parse_raw},
        [LSOF_SOCKET_RAW6] = {"raw6", parse_raw},
        [LSOF_SOCKET_ICMP] = {"icmp", parse_raw},
};

static void read_file(struct lsof_socket_table *table, const char *path)
{
        FILE *file = fopen(path, "re");
        char line[LINE_MAX_LEN], buffer[BUFFER_SIZE];

        if (!file)
                return;
        /* By itself it would be read in pieces of 1024 bytes. */
        setvbuf(file, buffer, _IOFBF, sizeof(buffer));
        while (fgets(line, sizeof(line), file)) {
                struct lsof_socket socket = {.kind = table->kind};

                line[strcspn(line, "\n")] = '\0';
                if (!kinds[table->kind].parse(line, &socket))
                        continue;
                table->sockets = lsof_grow(table->sockets, table->n, sizeof(socket));
                table->sockets[table->n++] = socket;
        }
        fclose(file);
}

static int compare(const void *a, const void *b)
{
        const struct lsof_socket *left = a, *right = b;

        return left->inode < right->inode ? -1 : left->inode > right->inode;
}

static void read_table(struct lsof_socket_table *table, pid_t pid)
{
        char path[64], directory[32] = "/proc/net";

        if (table->netns != 0)
                snprintf(directory, sizeof(directory), "/proc/%d/net", pid);
        snprintf(path, sizeof(path), "%s/%s", directory, kinds[table->kind].file);
        read_file(table, path);
        if (table->n > 0)
                qsort(table->sockets, table->n, sizeof(*table->sockets), compare);
}

static struct lsof_socket_table *find_table(struct lsof_sockets *sockets, int kind, uint64_t netns,
                                            pid_t pid)
{
        struct lsof_socket_table *table;

        for (size_t i = 0; i < sockets->n; i++)
                if (sockets->tables[i].netns == netns && sockets->tables[i].kind == kind)
                        return &sockets->tables[i];
        sockets->tables = lsof_grow(sockets->tables, sockets->n, sizeof(*table));
        table = &sockets->tables[sockets->n++];
        *table = (struct lsof_socket_table){.netns = netns, .kind = kind};
        read_table(table, pid);
        return table;
}

const struct lsof_socket *lsof_sockets_find(struct lsof_sockets *sockets, int kind, uint64_t inode,
                                            uint64_t netns, pid_t pid)
{
        const struct lsof_socket_table *table = find_table(sockets, kind, netns, pid);
        struct lsof_socket key = {.inode = inode};

        if (inode == 0 || table->n == 0)
                return NULL;
        return bsearch(&key, table->sockets, table->n, sizeof(key), compare);
}

static void free_table(struct lsof_socket_table *table)
{
        for (size_t i = 0; i < table->n; i++) {
                free(table->sockets[i].local);
                free(table->sockets[i].peer);
                free(table->sockets[i].word);
        }
        free(table->sockets);
}

void lsof_sockets_done(struct lsof_sockets *sockets)
{
        for (size_t i = 0; i < sockets->n; i++)
                free_table(&sockets->tables[i]);
        free(sockets->tables);
        *sockets = (struct lsof_sockets){0};
}
