/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "acceptor.h"
#include "connection.h"
#include "server.h"
#include "shortage.h"
#include "socket.h"
#include "worker.h"

#define ACCEPT_BATCH 16
#define FULL_TURNS   4
#define PAUSE_MS     50

/* So many connections beyond the limit get a 503 before we leave the rest to the kernel's queue. */
#define REFUSED_MAX 64

static struct hot__acceptor *acceptor_of(struct hot__watch *watch)
{
        return (struct hot__acceptor *)((char *)watch - offsetof(struct hot__acceptor, watch));
}

static void pause_accepting(struct hot__acceptor *acceptor)
{
        struct hot__worker *worker = acceptor->worker;

        hot__watch_set(&acceptor->watch, 0);
        worker->retry_at = hot__loop_now(&worker->loop) + PAUSE_MS;
        hot__loop_alarm(&worker->loop, worker->retry_at);
}

/* A connection that went away before we came, or whose network did: accept(2) has a list of these. What is
 * wrong with us or with the listener stays wrong, and would keep us here for ever. */
static bool concerns_one_connection(int error)
{
        switch (-error) {
        case ECONNABORTED:
        case EINTR:
        case ENETDOWN:
        case EPROTO:
        case ENOPROTOOPT:
        case EHOSTDOWN:
        case ENONET:
        case EHOSTUNREACH:
        case ENETUNREACH:
                return true;
        default:
                return false;
        }
}

/* Returns false when there is no more to accept now. */
static bool accept_one(struct hot__acceptor *acceptor, bool eager)
{
        struct hot__accepted accepted = {.tls = acceptor->tls, .eager = eager};
        struct hot_http *server = acceptor->worker->server;
        struct sockaddr_storage name;
        long max = (long)server->limits.connections;
        int fd;

        if (atomic_load(&server->connections) >= max + REFUSED_MAX) {
                pause_accepting(acceptor);
                return false;
        }
        fd = hot__socket_accept(*acceptor->listener, &name);
        if (fd == -EAGAIN) {
                hot__shortage_end(acceptor->worker);
                return false;
        }
        if (fd < 0 && concerns_one_connection(fd))
                return true;
        if (fd < 0) {
                if (hot__shortage_is(fd))
                        hot__shortage_begin(acceptor->worker);
                pause_accepting(acceptor);
                return false;
        }
        accepted.fd = fd;
        hot__peer_set(&accepted.peer, &name);
        accepted.refused = atomic_fetch_add(&server->connections, 1) >= max;
        hot__connection_take(acceptor->worker, &accepted);
        return true;
}

/* For an accept(2) that finds nobody the kernel makes a socket and throws it away. So no more are expected than came
 * the last time, until that many have come several times: who is not accepted now is reported in the next turn. */
static void expect(struct hot__acceptor *acceptor, unsigned int came)
{
        if (came < acceptor->expected) {
                acceptor->expected = came ? came : 1;
                acceptor->n_full = 0;
        } else if (++acceptor->n_full == FULL_TURNS) {
                acceptor->expected = came * 2 < ACCEPT_BATCH ? came * 2 : ACCEPT_BATCH;
                acceptor->n_full = 0;
        }
}

static void on_ready(struct hot__watch *watch, int events)
{
        struct hot__acceptor *acceptor = acceptor_of(watch);
        unsigned int came = 0;

        (void)events;
        while (came < acceptor->expected && accept_one(acceptor, true))
                came++;
        expect(acceptor, came);
}

static void on_closed(struct hot__watch *watch)
{
        struct hot__acceptor *acceptor = acceptor_of(watch);

        acceptor->closing = false;
        if (acceptor->wanted)
                hot__acceptor_set(acceptor, true);
}

void hot__acceptor_init(struct hot__acceptor *acceptor, struct hot__worker *worker,
                        const int *listener, bool tls)
{
        *acceptor = (struct hot__acceptor){
                .worker = worker, .listener = listener, .tls = tls, .expected = ACCEPT_BATCH};
}

static int start(struct hot__acceptor *acceptor)
{
        hot__watch_init(&acceptor->watch, &acceptor->worker->loop, *acceptor->listener);
        acceptor->watch.ready = on_ready;
        acceptor->watch.closed = on_closed;
        acceptor->on = true;
        hot__socket_ack_with_answer(*acceptor->listener);
        return hot__watch_set(&acceptor->watch, HOT__READABLE);
}

int hot__acceptor_set(struct hot__acceptor *acceptor, bool on)
{
        acceptor->wanted = on;
        if (on == acceptor->on || (on && acceptor->closing))
                return 0;
        if (on)
                return start(acceptor);
        hot__watch_close(&acceptor->watch);
        acceptor->closing = true;
        acceptor->on = false;
        hot__shortage_end(acceptor->worker);
        return 0;
}

void hot__acceptor_empty_queue(struct hot__acceptor *acceptor)
{
        /* Not eager: who is answered comes again, and the queue would never be empty. */
        while (acceptor->on && accept_one(acceptor, false))
                ;
}

void hot__acceptor_retry(struct hot__acceptor *acceptor)
{
        if (acceptor->on)
                hot__watch_set(&acceptor->watch, HOT__READABLE);
}
