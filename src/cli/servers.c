/* SPDX-License-Identifier: MIT */
/*
 * Every server of a user: each name in each of his places is tried once for each socket, since all
 * generations of a server have names for the same one.
 */
#include "servers.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "complain.h"
#include "control_path.h"
#include "places.h"

struct seen {
        dev_t dev;
        ino_t ino;
};

struct hunt {
        int patience_ms;
        struct talk *talks;
        size_t n_talks;
        struct seen *seen;
        size_t n_seen;
        int error;
};

static bool note_socket(struct hunt *hunt, const struct stat *st)
{
        struct seen *more;

        for (size_t i = 0; i < hunt->n_seen; i++)
                if (hunt->seen[i].dev == st->st_dev && hunt->seen[i].ino == st->st_ino)
                        return false;
        more = reallocarray(hunt->seen, hunt->n_seen + 1, sizeof(*more));
        if (!more) {
                hunt->error = -ENOMEM;
                return false;
        }
        hunt->seen = more;
        hunt->seen[hunt->n_seen++] = (struct seen){st->st_dev, st->st_ino};
        return true;
}

static void keep(struct hunt *hunt, struct talk *talk)
{
        struct talk *more = reallocarray(hunt->talks, hunt->n_talks + 1, sizeof(*more));

        if (!more) {
                hunt->error = -ENOMEM;
                talk_close(talk);
                return;
        }
        hunt->talks = more;
        hunt->talks[hunt->n_talks++] = *talk;
}

static void try_server(struct hunt *hunt, int directory, uid_t owner, const char *name)
{
        char path[PATH_MAX];
        struct talk talk;
        struct stat st;
        int r = hot__control_address(directory, name, path, sizeof(path));

        /* A link whose server is gone leads nowhere. */
        if (r < 0 || stat(path, &st) < 0 || !S_ISSOCK(st.st_mode) || !note_socket(hunt, &st))
                return;
        r = talk_open(&talk, path, owner, hunt->patience_ms);
        if (r == 0)
                keep(hunt, &talk);
        else if (r != -ECONNREFUSED && r != -ENOENT)
                complain("process %s: its control socket: %s", name, words_for(r));
}

static bool look_into(void *data, int directory, uid_t owner)
{
        struct hunt *hunt = data;
        struct place_names names;

        if (place_names_read(directory, &names) < 0)
                return false;
        for (size_t i = 0; i < names.n; i++)
                try_server(hunt, directory, owner, names.name[i]);
        place_names_free(&names);
        return false;
}

static int compare_servers(const void *a, const void *b)
{
        json_int_t x = talk_number(((const struct talk *)a)->hello, "pid", 0);
        json_int_t y = talk_number(((const struct talk *)b)->hello, "pid", 0);

        return (x > y) - (x < y);
}

int servers_find(int patience_ms, struct talk **ret)
{
        struct hunt hunt = {.patience_ms = patience_ms};

        places_of_user(look_into, &hunt);
        free(hunt.seen);
        if (hunt.error < 0) {
                servers_close(hunt.talks, hunt.n_talks);
                return hunt.error;
        }
        if (hunt.n_talks > 0)
                qsort(hunt.talks, hunt.n_talks, sizeof(hunt.talks[0]), compare_servers);
        *ret = hunt.talks;
        return (int)hunt.n_talks;
}

void servers_close(struct talk *talks, size_t n)
{
        for (size_t i = 0; i < n; i++)
                talk_close(&talks[i]);
        free(talks);
}
