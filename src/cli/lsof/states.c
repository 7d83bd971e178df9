/* SPDX-License-Identifier: MIT */
#include "states.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "text.h"

enum { NAME_MAX_LEN = 128 };

static const char *const names[LSOF_STATES] = {
        "CLOSED",    "ESTABLISHED", "SYN_SENT",   "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2",
        "TIME_WAIT", "CLOSE",       "CLOSE_WAIT", "LAST_ACK", "LISTEN",    "CLOSING",
};

const char *lsof_states_name(int state)
{
        return state >= 0 && state < LSOF_STATES ? names[state] : NULL;
}

static int find(const char *name)
{
        for (int i = 0; i < LSOF_STATES; i++)
                if (strcasecmp(name, names[i]) == 0)
                        return i;
        return -1;
}

static int add(struct lsof_states *states, const char *name, bool excluded)
{
        bool *set = excluded ? states->excluded : states->included;
        int state = find(name);

        if (state < 0) {
                lsof_complain("unknown TCP state name: %s", name);
                return -1;
        }
        if (set[state]) {
                lsof_complain("duplicate TCP %sclusion: %s", excluded ? "ex" : "in", name);
                return -1;
        }
        set[state] = true;
        *(excluded ? &states->any_excluded : &states->any_included) = true;
        return 0;
}

static int add_all(struct lsof_states *states, const char *text)
{
        const char *at = strchr(text, ':') + 1;
        char name[NAME_MAX_LEN];
        bool excluded;
        size_t len;
        int r = 0;

        for (; *at; at += len + (at[len] == ',')) {
                excluded = *at == '^';
                at += excluded;
                len = strcspn(at, ",");
                snprintf(name, sizeof(name), "%.*s", (int)len, at);
                if (len == 0)
                        lsof_complain("NULL TCP state name in: %s", text);
                if (len == 0 || add(states, name, excluded) < 0)
                        r = -1;
        }
        return r;
}

int lsof_states_add(struct lsof_states *states, const char *text)
{
        bool is_tcp = strncasecmp(text, "tcp:", 4) == 0;

        if (!is_tcp && strncasecmp(text, "udp:", 4) != 0) {
                lsof_complain("unknown -s protocol: \"%s\"", text);
                return -1;
        }
        if (!text[4]) {
                lsof_complain("no %s state names in: %s", is_tcp ? "TCP" : "UDP", text);
                return -1;
        }
        /* Linux' UDP has none. */
        if (!is_tcp) {
                lsof_complain("no UDP state names available: %s", text);
                return -1;
        }
        return add_all(states, text);
}

int lsof_states_check(const struct lsof_states *states)
{
        int r = 0;

        for (int i = 0; i < LSOF_STATES; i++)
                if (states->included[i] && states->excluded[i]) {
                        lsof_complain("can't include and exclude TCP state: %s", names[i]);
                        r = -1;
                }
        return r;
}

bool lsof_states_is_listen_only(const struct lsof_states *states)
{
        for (int i = 0; i < LSOF_STATES; i++)
                if (states->included[i] != (strcmp(names[i], "LISTEN") == 0))
                        return false;
        return true;
}

bool lsof_states_match(struct lsof_states *states, int state)
{
        if (state < 0 || state >= LSOF_STATES)
                return !states->any_included;
        if (states->excluded[state])
                return false;
        if (states->any_included && !states->included[state])
                return false;
        states->found[state] = true;
        return true;
}
