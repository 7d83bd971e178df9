/* SPDX-License-Identifier: MIT */
#include "users.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "memory.h"
#include "text.h"

enum { NAME_MAX_LEN = LSOF_USER_MAX - 1 };

/* One user of the set: "root", "^1000". */
struct word {
        const char *text;
        size_t len;
        bool excluded;
};

static struct word next_word(const char **at)
{
        struct word word = {.excluded = **at == '^'};

        word.text = *at + word.excluded;
        word.len = strcspn(word.text, ",");
        *at = word.text + word.len;
        *at += **at == ',';
        return word;
}

static bool is_number(const struct word *word)
{
        return strspn(word->text, "0123456789") >= word->len;
}

static int look_up(const struct word *word, struct lsof_user *user)
{
        char name[LSOF_USER_MAX];
        const struct passwd *entry;

        if (word->len > NAME_MAX_LEN) {
                lsof_complain("-u login name > %d characters: %.*s", NAME_MAX_LEN, (int)word->len,
                              word->text);
                return -1;
        }
        snprintf(name, sizeof(name), "%.*s", (int)word->len, word->text);
        if (is_number(word)) {
                user->uid = 0;
                for (size_t i = 0; i < word->len; i++)
                        user->uid = user->uid * 10 + (uid_t)(name[i] - '0');
                return 0;
        }
        entry = getpwnam(name);
        if (!entry) {
                lsof_complain_about(name, "can't get UID for ");
                return -1;
        }
        user->uid = entry->pw_uid;
        return 0;
}

static struct lsof_user *find(const struct lsof_users *users, uid_t uid)
{
        for (size_t i = 0; i < users->n; i++)
                if (users->users[i].uid == uid)
                        return &users->users[i];
        return NULL;
}

static int add(struct lsof_users *users, const struct lsof_user *user)
{
        const struct lsof_user *known = find(users, user->uid);

        if (known && known->excluded != user->excluded) {
                lsof_complain("UID %d has been included and excluded.", (int)user->uid);
                return -1;
        }
        if (known)
                return 0;
        users->users = lsof_grow(users->users, users->n, sizeof(*user));
        users->users[users->n++] = *user;
        users->n_included += !user->excluded;
        return 0;
}

int lsof_users_add(struct lsof_users *users, const char *text)
{
        const char *at = text;
        int r = 0;

        if (!text) {
                lsof_complain("no UIDs specified");
                return -1;
        }
        while (*at) {
                struct word word = next_word(&at);
                struct lsof_user user = {.excluded = word.excluded};

                if (look_up(&word, &user) < 0 || add(users, &user) < 0)
                        r = -1;
        }
        return r;
}

bool lsof_users_excludes(const struct lsof_users *users, uid_t uid)
{
        const struct lsof_user *known = find(users, uid);

        return known && known->excluded;
}

bool lsof_users_match(const struct lsof_users *users, uid_t uid)
{
        const struct lsof_user *known = find(users, uid);

        return known && !known->excluded;
}

static int number(uid_t uid, char name[LSOF_USER_MAX])
{
        snprintf(name, LSOF_USER_MAX, "%8lu", (unsigned long)uid);
        return 0;
}

int lsof_users_name(uid_t uid, bool by_number, bool quiet, char name[LSOF_USER_MAX])
{
        static bool is_known;
        static uid_t last_uid;
        static char last_name[LSOF_USER_MAX];
        const struct passwd *entry;

        if (by_number)
                return number(uid, name);
        if (!is_known || last_uid != uid) {
                entry = getpwuid(uid);
                if (!entry && !quiet)
                        lsof_complain("no pwd entry for UID %lu", (unsigned long)uid);
                snprintf(last_name, sizeof(last_name), "%s", entry ? entry->pw_name : "");
                last_uid = uid;
                is_known = true;
        }
        if (!*last_name)
                return number(uid, name);
        memcpy(name, last_name, sizeof(last_name));
        return 1;
}
