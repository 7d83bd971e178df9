/* SPDX-License-Identifier: MIT */
#include "ids.h"

#include <limits.h>
#include <stdlib.h>

#include "memory.h"
#include "text.h"

/* One number up to a comma or the end, or -1. */
static int read_id(const char **at)
{
        int id = 0;

        for (; **at && **at != ','; (*at)++) {
                if (**at < '0' || **at > '9')
                        return -1;
                id = id > INT_MAX / 10 - 1 ? INT_MAX : id * 10 + (**at - '0');
        }
        return id;
}

static struct lsof_id *find(const struct lsof_ids *ids, int id)
{
        for (size_t i = 0; i < ids->n; i++)
                if (ids->ids[i].id == id)
                        return &ids->ids[i];
        return NULL;
}

/* Once is enough, but not as both. */
static int add(struct lsof_ids *ids, struct lsof_id id, const char *kind)
{
        const struct lsof_id *known = find(ids, id.id);

        if (known && known->excluded != id.excluded) {
                lsof_complain("%sID %d has been included and excluded.", kind, id.id);
                return -1;
        }
        if (known)
                return 0;
        ids->ids = lsof_grow(ids->ids, ids->n, sizeof(id));
        ids->ids[ids->n++] = id;
        ids->n_included += !id.excluded;
        return 0;
}

int lsof_ids_add(struct lsof_ids *ids, const char *text, bool group)
{
        const char *kind = group ? "process group" : "process";
        struct lsof_id id = {0};
        const char *at = text;
        int r = 0;

        if (!text) {
                lsof_complain("no %s ID specified", kind);
                return -1;
        }
        while (*at) {
                id.excluded = *at == '^';
                at += id.excluded;
                id.id = read_id(&at);
                if (id.id < 0) {
                        lsof_complain_about(text, "illegal %s ID: ", kind);
                        return -1;
                }
                if (add(ids, id, group ? "PG" : "P") < 0)
                        r = -1;
                at += *at == ',';
        }
        return r;
}

bool lsof_ids_excludes(const struct lsof_ids *ids, int id)
{
        const struct lsof_id *known = find(ids, id);

        return known && known->excluded;
}

bool lsof_ids_match(struct lsof_ids *ids, int id)
{
        struct lsof_id *known = find(ids, id);

        if (!known || known->excluded)
                return false;
        known->found = true;
        return true;
}
