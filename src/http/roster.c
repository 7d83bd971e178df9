/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "connection.h"
#include "roster.h"
#include "worker.h"

struct hot__connection *hot__roster_new(struct hot__worker *worker)
{
        struct hot__connection *connection = calloc(1, sizeof(*connection));
        struct hot__roster *roster = &worker->roster;

        if (!connection)
                return NULL;
        connection->worker = worker;
        connection->next = roster->first;
        if (connection->next)
                connection->next->prev = connection;
        roster->first = connection;
        roster->n++;
        return connection;
}

void hot__roster_remove(struct hot__connection *connection)
{
        struct hot__roster *roster = &connection->worker->roster;

        if (roster->cursor == connection)
                roster->cursor = connection->next;
        if (connection->prev)
                connection->prev->next = connection->next;
        else
                roster->first = connection->next;
        if (connection->next)
                connection->next->prev = connection->prev;
        roster->n--;
}

void hot__roster_rewind(struct hot__roster *roster)
{
        roster->cursor = roster->first;
}

struct hot__connection *hot__roster_next(struct hot__roster *roster)
{
        struct hot__connection *connection = roster->cursor;

        if (connection)
                roster->cursor = connection->next;
        return connection;
}

void hot__roster_each(struct hot__roster *roster, void (*act)(struct hot__connection *connection))
{
        struct hot__connection *next;

        for (struct hot__connection *c = roster->first; c; c = next) {
                next = c->next;
                act(c);
        }
}
