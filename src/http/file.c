/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "exchange.h"
#include "file.h"
#include "socket.h"
#include "worker.h"

struct hot__file *hot__file_take(int fd, bool regular, off_t offset)
{
        struct hot__file *file = calloc(1, sizeof(*file));

        if (!file) {
                hot__socket_close(fd);
                return NULL;
        }
        file->fd = fd;
        file->regular = regular;
        file->offset = offset;
        if (!regular)
                hot__socket_unblock(fd);
        return file;
}

static struct hot__file *file_of(struct hot__watch *watch)
{
        return (struct hot__file *)((char *)watch - offsetof(struct hot__file, watch));
}

static void on_readable(struct hot__watch *watch, int events)
{
        (void)events;
        hot__watch_set(watch, 0);
        hot__exchange_post(file_of(watch)->exchange, HOT__LETTER_MORE);
}

static void on_closed(struct hot__watch *watch)
{
        free(file_of(watch));
}

/* What cannot be polled for (a regular file, some devices) never has nothing. */
static int await_more(struct hot__file *file)
{
        int r;

        if (!file->watched) {
                hot__watch_init(&file->watch, &file->exchange->worker->loop, file->fd);
                file->watch.ready = on_readable;
                file->watch.closed = on_closed;
                file->watched = true;
        }
        r = hot__watch_set(&file->watch, HOT__READABLE);
        return r < 0 ? r : -EAGAIN;
}

ssize_t hot__file_produce(void *data, char *buffer, size_t size)
{
        struct hot__file *file = data;
        ssize_t n =
                hot__socket_read_file(file->fd, buffer, size, file->regular ? &file->offset : NULL);

        return n == -EAGAIN ? await_more(file) : n;
}

void hot__file_done(void *data)
{
        struct hot__file *file = data;

        if (file->watched)
                hot__watch_close(&file->watch);
        file->fd = hot__socket_close(file->fd);
        if (!file->watched)
                free(file);
}
