/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "exchange.h"
#include "transport.h"
#include "tunnel.h"

#define QUEUE_KEEP 4096

struct hot_tunnel {
        atomic_uint shares;
        const struct hot__tunnel_service *service;
        void *state;                    /* the host's */
        char *path;                     /* owned: what it was opened at */
        bool shut;                      /* the loop's: the peer was told that no more comes */
        bool told;                      /* the loop's: the host was, of the peer's end */
        pthread_mutex_t lock;           /* of all that follows */
        struct hot__exchange *exchange; /* NULL: it has no connection yet, or no more */
        struct hot__bytes queue;        /* .at of it was sent */
        size_t at;
        bool opened;  /* the host knows of it */
        bool ending;  /* nothing more is queued */
        bool paused;  /* the host has not taken all there was */
        bool resumed; /* since it was asked the last time */
        bool moving;  /* nothing is taken any more */
        bool gone;    /* the connection has ended */
};

void hot_tunnel_hold(struct hot_tunnel *tunnel)
{
        atomic_fetch_add(&tunnel->shares, 1);
}

void hot_tunnel_release(struct hot_tunnel *tunnel)
{
        if (!tunnel || atomic_fetch_sub(&tunnel->shares, 1) != 1)
                return;
        hot__bytes_done(&tunnel->queue);
        pthread_mutex_destroy(&tunnel->lock);
        free(tunnel->path);
        free(tunnel);
}

struct hot_tunnel *hot__tunnel_new(const struct hot__tunnel_service *service, const char *path)
{
        struct hot_tunnel *tunnel = calloc(1, sizeof(*tunnel));

        if (!tunnel)
                return NULL;
        tunnel->path = strdup(path);
        if (!tunnel->path) {
                free(tunnel);
                return NULL;
        }
        pthread_mutex_init(&tunnel->lock, NULL);
        atomic_store(&tunnel->shares, 1);
        tunnel->service = service;
        return tunnel;
}

void hot__tunnel_set_open(struct hot_tunnel *tunnel, void *state)
{
        pthread_mutex_lock(&tunnel->lock);
        tunnel->state = state;
        tunnel->opened = true;
        pthread_mutex_unlock(&tunnel->lock);
}

void hot__tunnel_attach(struct hot_tunnel *tunnel, struct hot__exchange *exchange)
{
        pthread_mutex_lock(&tunnel->lock);
        tunnel->exchange = exchange;
        pthread_mutex_unlock(&tunnel->lock);
}

/* -- the loop's side -- */

/* The host takes some of it. It may resume from another thread before it has said that it has to wait. */
static size_t offer(struct hot_tunnel *tunnel, const char *bytes, size_t len)
{
        size_t n;

        pthread_mutex_lock(&tunnel->lock);
        tunnel->resumed = false;
        pthread_mutex_unlock(&tunnel->lock);
        n = tunnel->service->handler.bytes(tunnel, bytes, len, tunnel->state);
        if (n >= len)
                return len;
        pthread_mutex_lock(&tunnel->lock);
        tunnel->paused = !tunnel->resumed;
        pthread_mutex_unlock(&tunnel->lock);
        return n;
}

static bool is_paused(struct hot_tunnel *tunnel)
{
        bool paused;

        pthread_mutex_lock(&tunnel->lock);
        paused = tunnel->paused;
        pthread_mutex_unlock(&tunnel->lock);
        return paused;
}

/* Returns whether anything was taken. */
static bool pass_on(struct hot_tunnel *tunnel, struct hot__tunnel_input *input)
{
        const struct hot_tunnel_handler *handler = &tunnel->service->handler;
        size_t n = 0;

        if (input->len && !is_paused(tunnel)) {
                n = offer(tunnel, input->bytes, input->len);
                input->bytes += n;
                input->len -= n;
        }
        if (input->ended && !input->len && !tunnel->told) {
                tunnel->told = true;
                if (handler->ended)
                        handler->ended(tunnel, tunnel->state);
                else
                        hot_tunnel_end(tunnel);
        }
        return n > 0;
}

/* With the lock held. Returns 0 when all of it was sent, -EAGAIN, or another negative errno. */
static int send_queue(struct hot_tunnel *tunnel, struct hot__transport *transport, bool *ret_sent)
{
        while (tunnel->at < tunnel->queue.len) {
                ssize_t n = hot__transport_send(transport, tunnel->queue.data + tunnel->at,
                                                tunnel->queue.len - tunnel->at, false);

                if (n < 0)
                        return (int)n;
                tunnel->at += (size_t)n;
                *ret_sent = true;
        }
        hot__bytes_clear(&tunnel->queue, QUEUE_KEEP);
        tunnel->at = 0;
        if (!tunnel->ending || tunnel->shut)
                return 0;
        if (hot__transport_half_close(transport) == -EAGAIN)
                return -EAGAIN;
        tunnel->shut = true;
        return 0;
}

/* *ret_room: the queue was full of something, and is empty. */
static enum hot__tunnel_step send_out(struct hot_tunnel *tunnel, struct hot__transport *transport,
                                      bool *ret_sent, bool *ret_room)
{
        bool waited;
        int r;

        pthread_mutex_lock(&tunnel->lock);
        waited = tunnel->queue.len > 0;
        r = send_queue(tunnel, transport, ret_sent);
        *ret_room = waited && r == 0 && !tunnel->ending;
        pthread_mutex_unlock(&tunnel->lock);
        if (r < 0)
                return r == -EAGAIN ? HOT__TUNNEL_FULL : HOT__TUNNEL_BROKEN;
        return tunnel->shut && tunnel->told ? HOT__TUNNEL_ENDED : HOT__TUNNEL_WAITS;
}

enum hot__tunnel_step hot__tunnel_turn(struct hot_tunnel *tunnel, struct hot__tunnel_input *input,
                                       struct hot__transport *transport, bool *ret_moved)
{
        const struct hot_tunnel_handler *handler = &tunnel->service->handler;
        enum hot__tunnel_step step;
        bool room;

        *ret_moved = pass_on(tunnel, input);
        if (!transport)
                return HOT__TUNNEL_FULL;
        step = send_out(tunnel, transport, ret_moved, &room);
        if (room && handler->room) {
                handler->room(tunnel, tunnel->state);
                step = send_out(tunnel, transport, ret_moved, &room);
        }
        return step;
}

unsigned int hot__tunnel_patience(const struct hot_tunnel *tunnel)
{
        return tunnel->service->handler.idle_ms;
}

void hot__tunnel_gone(struct hot_tunnel *tunnel, int error)
{
        const struct hot_tunnel_handler *handler = &tunnel->service->handler;

        pthread_mutex_lock(&tunnel->lock);
        tunnel->exchange = NULL;
        tunnel->gone = true;
        pthread_mutex_unlock(&tunnel->lock);
        if (tunnel->opened && handler->closed)
                handler->closed(tunnel, error, tunnel->state);
        hot_tunnel_release(tunnel);
}

/* -- anybody's side -- */

/* With the lock held: why nothing more can be done with it, or 0. */
static int check(const struct hot_tunnel *tunnel)
{
        if (tunnel->moving)
                return -ESTALE;
        return tunnel->gone ? -EPIPE : 0;
}

/* Have the loop look after it. With the lock held. Before its request is answered it will anyway, or never. */
static void wake(struct hot_tunnel *tunnel)
{
        if (tunnel->opened && tunnel->exchange)
                hot__exchange_post(tunnel->exchange, HOT__LETTER_MORE);
}

/* What was sent makes room at the front before the memory grows. */
static int append(struct hot_tunnel *tunnel, const void *bytes, size_t len)
{
        struct hot__bytes *queue = &tunnel->queue;
        int r;

        if (tunnel->at && tunnel->at >= queue->len / 2) {
                memmove(queue->data, queue->data + tunnel->at, queue->len - tunnel->at);
                queue->len -= tunnel->at;
                tunnel->at = 0;
        }
        r = hot__bytes_append(queue, bytes, len);
        queue->failed = false; /* all of these or none: the others are whole */
        return r;
}

int hot_tunnel_send(struct hot_tunnel *tunnel, const void *bytes, size_t length)
{
        int r;

        pthread_mutex_lock(&tunnel->lock);
        r = check(tunnel);
        if (r == 0 && tunnel->ending)
                r = -EPIPE;
        if (r == 0 && tunnel->queue.len - tunnel->at >= tunnel->service->handler.queue_size)
                r = -EAGAIN;
        if (r == 0)
                r = append(tunnel, bytes, length);
        if (r == 0)
                wake(tunnel);
        pthread_mutex_unlock(&tunnel->lock);
        return r;
}

int hot_tunnel_resume(struct hot_tunnel *tunnel)
{
        int r;

        pthread_mutex_lock(&tunnel->lock);
        r = check(tunnel);
        tunnel->paused = false;
        tunnel->resumed = true;
        if (r == 0)
                wake(tunnel);
        pthread_mutex_unlock(&tunnel->lock);
        return r;
}

int hot_tunnel_end(struct hot_tunnel *tunnel)
{
        int r;

        pthread_mutex_lock(&tunnel->lock);
        r = check(tunnel);
        if (r == 0) {
                tunnel->ending = true;
                wake(tunnel);
        }
        pthread_mutex_unlock(&tunnel->lock);
        return r;
}

void *hot_tunnel_state(const struct hot_tunnel *tunnel)
{
        return tunnel->state;
}

/* -- from and to other generations; on the loop's thread -- */

const struct hot__tunnel_service *hot__tunnel_service(const struct hot_tunnel *tunnel)
{
        return tunnel->service;
}

const char *hot__tunnel_path(const struct hot_tunnel *tunnel)
{
        return tunnel->path;
}

void hot__tunnel_seal(struct hot_tunnel *tunnel, bool sealed)
{
        pthread_mutex_lock(&tunnel->lock);
        tunnel->moving = sealed;
        pthread_mutex_unlock(&tunnel->lock);
}

const char *hot__tunnel_output(const struct hot_tunnel *tunnel, size_t *ret_len)
{
        *ret_len = tunnel->queue.len - tunnel->at;
        return *ret_len ? tunnel->queue.data + tunnel->at : NULL;
}

int hot__tunnel_set_output(struct hot_tunnel *tunnel, const void *bytes, size_t len)
{
        return hot__bytes_append(&tunnel->queue, bytes, len);
}

unsigned int hot__tunnel_ends(const struct hot_tunnel *tunnel)
{
        return (tunnel->ending ? HOT__TUNNEL_ENDING : 0) | (tunnel->shut ? HOT__TUNNEL_SHUT : 0) |
               (tunnel->told ? HOT__TUNNEL_TOLD : 0);
}

void hot__tunnel_set_ends(struct hot_tunnel *tunnel, unsigned int ends)
{
        tunnel->ending = (ends & HOT__TUNNEL_ENDING) != 0;
        tunnel->shut = (ends & HOT__TUNNEL_SHUT) != 0;
        tunnel->told = (ends & HOT__TUNNEL_TOLD) != 0;
}
