/* SPDX-License-Identifier: MIT */
#include "family.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "proc.h"

/* A family deeper than that is a loop that we misread. */
#define DEPTH_MAX 64

void family_init(struct family *family)
{
        *family = (struct family){.ours = getpid()};
}

void family_done(struct family *family)
{
        free(family->members);
        *family = (struct family){0};
}

static struct member *find(const struct family *family, pid_t pid)
{
        for (size_t i = family->n; i > 0; i--)
                if (family->members[i - 1].pid == pid && !family->members[i - 1].gone)
                        return &family->members[i - 1];
        return NULL;
}

const struct member *family_find(const struct family *family, pid_t pid)
{
        return find(family, pid);
}

static struct member *append(struct family *family)
{
        struct member *larger;

        if (family->n == family->room) {
                family->room = family->room ? family->room * 2 : 16;
                larger = reallocarray(family->members, family->room, sizeof(*larger));
                if (!larger)
                        return NULL;
                family->members = larger;
        }
        return &family->members[family->n++];
}

static void update(const struct family *family, struct member *member, const struct proc_stat *stat,
                   uint64_t now)
{
        bool zombie = stat->state == 'Z' && stat->parent != family->ours;

        member->parent = stat->parent;
        member->state = stat->state;
        memcpy(member->name, stat->name, sizeof(member->name));
        member->last_seen = now;
        if (!zombie)
                member->zombie_since = 0;
        else if (member->zombie_since == 0)
                member->zombie_since = now;
}

/* Look at one process. Returns 1 if it is there, 0 if not, or -ENOMEM. */
static int see(struct family *family, pid_t pid, bool root, uint64_t now)
{
        struct member *member = find(family, pid);
        struct proc_stat stat;

        if (proc_read_stat(pid, &stat) < 0 || stat.state == 'X') {
                if (member)
                        member->gone = true;
                return 0;
        }
        if (member && member->start != stat.start) {
                member->gone = true;
                member = NULL;
        }
        if (!member) {
                member = append(family);
                if (!member)
                        return -ENOMEM;
                *member = (struct member){
                        .pid = pid, .start = stat.start, .epoch = family->epoch, .first_seen = now};
        }
        member->root |= root;
        update(family, member, &stat, now);
        return 1;
}

static int see_descendants(struct family *family, pid_t pid, uint64_t now, unsigned int depth)
{
        pid_t *children;
        size_t n;
        int r;

        if (depth == DEPTH_MAX || proc_read_children(pid, &children, &n) < 0)
                return 0;
        for (size_t i = 0; i < n; i++) {
                /* What was there a moment ago was born in this epoch, and stays what it was. */
                r = see(family, children[i], false, now);
                if (r > 0)
                        r = see_descendants(family, children[i], now, depth + 1);
                if (r < 0) {
                        free(children);
                        return r;
                }
        }
        free(children);
        return 0;
}

int family_add(struct family *family, pid_t pid)
{
        uint64_t now = hot__clock_now();
        int r = see(family, pid, true, now);

        if (r <= 0)
                return r < 0 ? r : -ESRCH;
        return see_descendants(family, pid, now, 0);
}

/*
 * A process whose parent has ended is somebody else's child now, but still one of ours: every member that
 * is known is looked at by itself.
 */
int family_look(struct family *family)
{
        uint64_t now = hot__clock_now();
        size_t n = family->n;
        int r = family->all_of_ours ? see_descendants(family, family->ours, now, 0) : 0;

        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                pid_t pid = family->members[i].pid;

                if (family->members[i].gone || family->members[i].last_seen == now)
                        continue;
                r = see(family, pid, false, now);
                if (r > 0)
                        r = see_descendants(family, pid, now, 0);
                if (r < 0)
                        return r;
        }
        return 0;
}

size_t family_count(const struct family *family)
{
        size_t n = 0;

        for (size_t i = 0; i < family->n; i++)
                n += !family->members[i].gone && family->members[i].state != 'Z';
        return n;
}

pid_t family_group(const struct family *family)
{
        for (size_t i = family->n; i > 0; i--)
                if (!family->members[i - 1].gone && family->members[i - 1].state != 'Z')
                        return getpgid(family->members[i - 1].pid);
        return 0;
}

pid_t family_head(const struct family *family, pid_t pid)
{
        const struct member *member = find(family, pid), *parent;

        for (unsigned int depth = 0; member && depth < DEPTH_MAX; depth++) {
                parent = find(family, member->parent);
                if (!parent || parent->epoch != member->epoch)
                        break;
                member = parent;
        }
        return member ? member->pid : pid;
}
