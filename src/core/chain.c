/* SPDX-License-Identifier: MIT */
#include "hot.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "control.h"
#include "fd.h"

/*
 * The chain of generations that still drain. The one that serves has a channel to each of them, so that
 * none needs the others to reach it: when a generation retires it gives the ends that it holds to its
 * successor, and becomes the last link itself. To an ancestor nothing changes: who answers at the other
 * end of its channel is the generation that serves.
 *
 * They are few (options.max_generations) and in the order of their age. What becomes of one is told by
 * its process, and by its channel only if it is closed.
 */

/* We, the one that would come, and who is still there. */
bool hot__chain_is_crowded(const struct hot *hot)
{
        return 2 + hot->n_ancestors + hot->life.has_predecessor > hot->options.max_generations;
}

static unsigned int channel_source(size_t index)
{
        return HOT__SOURCE_ANCESTOR + 2 * (unsigned int)index;
}

static int watch_link(struct hot *hot, size_t index)
{
        struct hot__ancestor *link = &hot->ancestors[index];
        int r = hot__watch(hot, link->process.pidfd, channel_source(index) + 1);

        if (r == 0)
                r = hot__watch(hot, link->channel.fd, channel_source(index));
        if (r == 0)
                hot__watch_channel(hot, &link->channel, channel_source(index));
        return r;
}

static void unwatch_link(struct hot *hot, const struct hot__ancestor *link)
{
        hot__unwatch(hot, link->channel.fd);
        hot__unwatch(hot, link->process.pidfd);
}

static void link_done(struct hot__ancestor *link)
{
        hot__channel_done(&link->channel);
        hot__process_done(&link->process);
}

/* Takes what @link owns, always: one that there is no room for is on its own. */
static void add_link(struct hot *hot, struct hot__ancestor link)
{
        struct hot__ancestor *larger = NULL;

        if (hot->n_ancestors < HOT__N_ANCESTORS)
                larger = reallocarray(hot->ancestors, hot->n_ancestors + 1, sizeof(*larger));
        if (!larger) {
                link_done(&link);
                return;
        }
        hot->ancestors = larger;
        larger[hot->n_ancestors++] = link;
        if (watch_link(hot, hot->n_ancestors - 1) < 0)
                hot__chain_remove(hot, hot->n_ancestors - 1);
}

/* Is nobody between it and us? Then what has been left to us it has left. */
bool hot__chain_is_youngest(const struct hot *hot, size_t index)
{
        if (hot->life.has_predecessor)
                return false;
        for (size_t i = 0; i < hot->n_ancestors; i++)
                if (hot->ancestors[i].generation > hot->ancestors[index].generation)
                        return false;
        return true;
}

void hot__chain_add_predecessor(struct hot *hot)
{
        struct hot__ancestor link = {
                .channel = hot->predecessor,
                .process = hot->predecessor_process,
                .generation = hot->generation - 1,
        };

        unwatch_link(hot, &link);
        hot->predecessor = (struct hot__channel){.fd = -EBADF};
        hot->predecessor_process = (struct hot__process){.pidfd = -EBADF};
        add_link(hot, link);
}

void hot__chain_take(struct hot *hot, int channel, int pidfd, pid_t pid, uint64_t generation)
{
        struct hot__ancestor link = {
                .channel = {.fd = -EBADF},
                .process = {.pid = pid, .pidfd = pidfd},
                .generation = generation,
        };

        if (hot__channel_init_inherited(&link.channel, channel, getuid()) < 0)
                hot__fd_close(channel);
        add_link(hot, link);
        hot->life.crowded = hot__chain_is_crowded(hot);
}

void hot__chain_pass_on(struct hot *hot)
{
        for (size_t i = 0; i < hot->n_ancestors; i++) {
                struct hot__ancestor *link = &hot->ancestors[i];
                int fds[HOT__ANCESTOR_N_FDS] = {link->channel.fd, link->process.pidfd};
                struct hot__frame frame = {
                        .type = HOT__ANCESTOR,
                        .pid = (uint32_t)link->process.pid,
                        .generation = link->generation,
                };

                unwatch_link(hot, link);
                if (fds[HOT__ANCESTOR_CHANNEL] >= 0 && fds[HOT__ANCESTOR_PIDFD] >= 0 &&
                    !hot->life.peer_is_seed)
                        hot__send_frame(hot, &hot->successor, HOT__SOURCE_SUCCESSOR, &frame, fds,
                                        HOT__ANCESTOR_N_FDS);
                link_done(link);
        }
        hot->n_ancestors = 0;
}

void hot__chain_remove(struct hot *hot, size_t index)
{
        struct hot__ancestor *link = &hot->ancestors[index];
        pid_t pid = link->process.pid;

        unwatch_link(hot, link);
        link_done(link);
        hot->n_ancestors--;
        for (size_t i = index; i < hot->n_ancestors; i++) {
                unwatch_link(hot, link + 1);
                *link = link[1];
                watch_link(hot, i);
                link++;
        }
        hot__control_lost(hot, pid);
}

void hot__chain_done(struct hot *hot)
{
        for (size_t i = 0; i < hot->n_ancestors; i++) {
                unwatch_link(hot, &hot->ancestors[i]);
                link_done(&hot->ancestors[i]);
        }
        free(hot->ancestors);
        hot->ancestors = NULL;
        hot->n_ancestors = 0;
}

void hot__chain_count(struct hot *hot)
{
        hot->life.crowded = hot__chain_is_crowded(hot);
        if (hot->life.crowded && hot->forced)
                hot__chain_force(hot);
        hot->forced = hot->forced && hot->life.crowded;
        hot__feed(hot, HOT__IN_ROOM);
}

void hot__chain_force(struct hot *hot)
{
        hot->forced = hot->life.crowded;
        if (!hot->forced)
                return;
        if (hot->n_ancestors > 0)
                hot__send_plain(hot, &hot->ancestors[0].channel, channel_source(0), HOT__END);
        else
                hot__send_plain(hot, &hot->predecessor, HOT__SOURCE_PREDECESSOR, HOT__ASK_RETIRE);
}
