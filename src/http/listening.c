/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hotstart/inspect.h>

#include "listening.h"
#include "server.h"
#include "socket.h"

void hot__listening_log_failure(struct hot_http *server)
{
        const struct hot_failure *failure = hot_failure(server->hot);
        char text[512];

        if (failure)
                hot__log(&server->log, "%s", hot_failure_string(failure, text, sizeof(text)));
}

static void log_address_in_use(struct hot_http *server, const char *address)
{
        char name[32];
        pid_t pid;

        if (hot_inspect_holder(address, &pid, name, sizeof(name)) == 0)
                hot__log(&server->log, "listen: %s: address in use by pid %d (%s)", address,
                         (int)pid, name);
        else
                hot__log(&server->log, "listen: %s: address in use", address);
}

static int add_listener(struct hot_http *server, int fd, bool tls, unsigned int member,
                        unsigned int n_members)
{
        struct hot__listener_pair *grown =
                realloc(server->listeners, (server->n_listeners + 1) * sizeof(*grown));

        if (!grown)
                return -ENOMEM;
        server->listeners = grown;
        server->listeners[server->n_listeners++] = (struct hot__listener_pair){
                .lent = fd, .ours = -EBADF, .tls = tls, .member = member, .n_members = n_members};
        return 0;
}

static int add_group(struct hot_http *server, int first, bool tls)
{
        unsigned int n = 1;
        int r = 0;

        while (hot_listener_member(server->hot, first, n) >= 0)
                n++;
        for (unsigned int i = 0; i < n && r == 0; i++)
                r = add_listener(server, hot_listener_member(server->hot, first, i), tls, i, n);
        return r;
}

/* "reuseport=loops" is a member for each loop: only we know how many these are. */
static void count_loops(const struct hot_http *server, const char *address, char *buffer,
                        size_t size)
{
        static const char asked[] = "reuseport=loops";
        const char *at = strchr(address, '?');

        at = at ? strstr(at, asked) : NULL;
        if (at)
                snprintf(buffer, size, "%.*sreuseport=%u%s", (int)(at - address), address,
                         server->limits.loops, at + strlen(asked));
        else
                snprintf(buffer, size, "%s", address);
}

static int listen_at(struct hot_http *server, size_t index)
{
        const char *asked = server->addresses[index].text;
        char address[1024], name[32] = "http";
        int fd;

        count_loops(server, asked, address, sizeof(address));
        if (index > 0)
                snprintf(name, sizeof(name), "http-%zu", index + 1);
        fd = hot_listen(server->hot, name, address);
        if (fd == -EADDRINUSE)
                log_address_in_use(server, address);
        else if (fd < 0)
                hot__listening_log_failure(server);
        if (fd < 0)
                return fd;
        if (!hot__socket_is_stream(fd)) {
                hot__log(&server->log, "listen: %s: not a stream socket", address);
                return -EPROTONOSUPPORT;
        }
        return add_group(server, fd, server->tls.on && !server->addresses[index].plain);
}

/* What a service manager gave beside what we asked for: no HTTP over datagrams, the rest is served. */
static int adopt(struct hot_http *server)
{
        int fd;

        while ((fd = hot_adopt(server->hot, NULL)) >= 0) {
                int r = hot__socket_is_stream(fd) ? add_listener(server, fd, server->tls.on, 0, 1)
                                                  : 0;

                if (r < 0)
                        return r;
        }
        return fd == -ENOENT ? 0 : fd;
}

int hot__listening_open(struct hot_http *server)
{
        int r = 0;

        for (size_t i = 0; i < server->n_addresses && r == 0; i++)
                r = listen_at(server, i);
        if (r == 0)
                r = adopt(server);
        if (r == 0 && server->n_listeners == 0) {
                hot__log(&server->log, "listen: no address was given");
                r = -EDESTADDRREQ;
        }
        return r;
}

int hot__listening_copy(struct hot_http *server)
{
        for (size_t i = 0; i < server->n_listeners; i++) {
                int copy;

                if (server->listeners[i].ours >= 0)
                        continue;
                copy = hot__socket_dup(server->listeners[i].lent);
                if (copy < 0) {
                        hot__log(&server->log, "cannot listen: %s", strerror(-copy));
                        return copy;
                }
                server->listeners[i].ours = copy;
        }
        return 0;
}

/* Our copy may be closed already: they were found empty, and then somebody came. Returns 0 or a negative errno. */
static int be_leftover(struct hot__listener_pair *listener)
{
        if (listener->ours < 0)
                listener->ours = hot__socket_dup(listener->lent);
        if (listener->ours < 0)
                return listener->ours;
        atomic_store(&listener->leftover, true);
        return 0;
}

bool hot__listening_find_leftovers(struct hot_http *server)
{
        bool any = false;
        int fd, r = 0;

        while ((fd = hot_leftover(server->hot)) >= 0)
                for (size_t i = 0; i < server->n_listeners; i++)
                        if (server->listeners[i].lent == fd) {
                                r = be_leftover(&server->listeners[i]);
                                any = any || r == 0;
                        }
        if (r < 0)
                hot__log(&server->log, "cannot accept from what is left: %s", strerror(-r));
        return any;
}

void hot__listening_forget_leftovers(struct hot_http *server)
{
        for (size_t i = 0; i < server->n_listeners; i++)
                atomic_store(&server->listeners[i].leftover, false);
}

void hot__listening_close_copies(struct hot_http *server)
{
        for (size_t i = 0; i < server->n_listeners; i++) {
                struct hot__listener_pair *listener = &server->listeners[i];

                if (!atomic_load(&listener->leftover))
                        listener->ours = hot__socket_close(listener->ours);
        }
}
