/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_SERVER_H
#define HOT_HTTP_SERVER_H

/*
 * The server: what the host has asked for, and while it serves the workers and the core's `struct hot`.
 * Set up by one thread, read-only for the others once they run, but for what is marked.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <hotstart/http.h>

#include "access.h"
#include "bytes.h"
#include "giver.h"
#include "hangup.h"
#include "head.h"
#include "hooks.h"
#include "log.h"
#include "loop.h"
#include "metrics.h"
#include "pool.h"
#include "route.h"
#include "taker.h"
#include "tls.h"
#include "tunnel.h"
#include "websocket.h"
#include "worker.h"

struct hot__limits {
        unsigned int loops, pool, queue, connections;
        struct hot__head_limits head;
        size_t body, stream;
        unsigned int head_ms, read_ms, write_ms, idle_ms, handler_ms;
        unsigned int unready_ms;
        bool request_ids;
        unsigned int rate;          /* bytes/s of a body that is read as it arrives */
        unsigned int handover_pace; /* connections each ms; 0: no limit */
};

struct hot_http {
        atomic_uint shares; /* the owner's, and one of each thread of the pool */
        int error;          /* the first that setting up met */
        bool serving;       /* setting up is over */
        bool ran;

        struct hot_options options; /* for the core */
        struct hot__limits limits;
        struct hot__address {
                char *text; /* owned */
                bool plain; /* without TLS, whatever the others are */
        } * addresses;
        size_t n_addresses;
        struct hot__routes routes;
        struct hot__websocket_service *websockets; /* owned */
        struct hot__tunnel_service *tunnels;       /* owned */
        struct hot__hooks hooks;
        struct hot__bytes fields; /* sent with every response */
        struct hot__tls tls;
        struct hot__log log;
        hot_http_serving_hook *before_serving;
        void *before_serving_data;
        hot_http_handover_hook *on_handover;
        void *on_handover_data;
        hot_http_shutdown_hook *on_shutdown;
        void *on_shutdown_data;

        pthread_mutex_t lock; /* of .hot against hot_http_stop() and _restart() */
        struct hot *hot;      /* NULL while not open */
        bool stop_wished, restart_wished;

        uint64_t generation;
        struct hot__listener_pair {
                int lent; /* by the core, which may close it at a stop before every loop has let go */
                int ours; /* a duplicate, which loops poll; -EBADF when there is no need for it */
                bool tls;
                unsigned int member,
                        n_members;    /* of its SO_REUSEPORT group, which loops share out */
                atomic_bool leftover; /* the next generation has not taken it: we serve its queue */
        } * listeners;
        size_t n_listeners;
        struct hot__worker *workers;
        size_t n_workers;
        struct hot__pool *pool;
        struct hot__watch hot_watch;
        atomic_long connections; /* of all workers */
        int place;               /* kept free for the first of them until it may come */
        struct hot__access access;
        struct hot__hangup hangup;
        struct hot__metrics metrics;
        struct hot__giver giver; /* the first worker's thread's, and so is .taker */
        struct hot__taker taker;
        atomic_bool accepting; /* new connections */
        atomic_bool stopping;

        struct hot__order order; /* the last one given */
        pid_t heir;              /* who serves after us, while we drain */
        uint64_t heir_generation;
        bool confirming;            /* some worker is not yet as it says */
        bool quiescing;             /* the core waits for our word that nobody accepts */
        bool drain_told;            /* it was logged who serves after us */
        bool shutdown_told;         /* the hook was called */
        uint64_t drain_deadline;    /* ns; 0: none */
        int outcome;                /* what listen_and_serve returns */
        pthread_mutex_t order_lock; /* of the next three */
        uint64_t confirmed_number;
        size_t confirmed; /* workers that are as order confirmed_number says */
        int confirmed_error;
};

/* May it still be set up? Remembers @error, if it is one, and returns it. */
int hot__server_setting(struct hot_http *server, int error);

/* Shares keep the memory: the owner's and the pool's threads'. */
void hot__server_retain(void *server);
void hot__server_release(void *server);

#endif
