/* SPDX-License-Identifier: MIT */
/*
 * connect(2) asks for write permission on the socket's file, so its mode and owner say who may come.
 */
#include "access.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_number(const char *text)
{
        return text[strspn(text, "0123456789")] == '\0';
}

/* Names as getpwnam_r(3) and getgrnam_r(3) know them; a number is one, whoever has it. */
static int find_user(const char *name, uid_t *ret)
{
        struct passwd entry, *found = NULL;
        char buffer[4096];
        int r;

        if (is_number(name)) {
                *ret = (uid_t)strtoul(name, NULL, 10);
                return 0;
        }
        r = getpwnam_r(name, &entry, buffer, sizeof(buffer), &found);
        if (!found)
                return r == ENOMEM || r == EMFILE || r == ENFILE ? -r : -ENXIO;
        *ret = found->pw_uid;
        return 0;
}

static int find_group(const char *name, gid_t *ret)
{
        struct group entry, *found = NULL;
        char buffer[16384];
        int r;

        if (is_number(name)) {
                *ret = (gid_t)strtoul(name, NULL, 10);
                return 0;
        }
        r = getgrnam_r(name, &entry, buffer, sizeof(buffer), &found);
        if (!found)
                return r == ENOMEM || r == EMFILE || r == ENFILE ? -r : -ENXIO;
        *ret = found->gr_gid;
        return 0;
}

int hot__access_find(const struct hot__settings *settings, struct hot__access *ret)
{
        struct hot__access access = {
                .mode = (mode_t)hot__settings_number(settings, HOT__SETTING_MODE, (uint32_t)-1),
                .uid = (uid_t)-1,
                .gid = (gid_t)-1,
        };
        int r = 0;

        if (hot__settings_has(settings, HOT__SETTING_OWNER))
                r = find_user(hot__settings_text(settings, HOT__SETTING_OWNER), &access.uid);
        if (r == 0 && hot__settings_has(settings, HOT__SETTING_GROUP))
                r = find_group(hot__settings_text(settings, HOT__SETTING_GROUP), &access.gid);
        if (r == 0)
                *ret = access;
        return r;
}

int hot__access_grant(const char *path, const struct hot__access *access)
{
        if ((access->uid != (uid_t)-1 || access->gid != (gid_t)-1) &&
            lchown(path, access->uid, access->gid) < 0)
                return -errno;
        /* After the owner: a change of owner may clear bits. */
        if (access->mode != (mode_t)-1 && chmod(path, access->mode) < 0)
                return -errno;
        return 0;
}
