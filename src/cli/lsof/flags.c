/* SPDX-License-Identifier: MIT */
#include "flags.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>

/* What the kernel calls a large file; libc's O_LARGEFILE is 0 where every file may be one. */
#define LARGE_FILE 0100000U

/* In lsof's order and words. The first flag that is set in full or in part is told, and taken away. */
static const struct {
        unsigned int flag;
        const char *name;
} names[] = {
        {O_WRONLY, "W"},      {O_RDWR, "RW"},      {O_CREAT, "CR"},   {O_EXCL, "EXCL"},
        {O_NOCTTY, "NTTY"},   {O_TRUNC, "TR"},     {O_APPEND, "AP"},  {O_NONBLOCK, "ND"},
        {O_SYNC, "SYN"},      {O_ASYNC, "ASYN"},   {O_DIRECT, "DIR"}, {O_DIRECTORY, "DTY"},
        {O_NOFOLLOW, "NFLK"}, {O_NOATIME, "NATM"}, {O_DSYNC, "DSYN"}, {O_RSYNC, "RSYN"},
        {LARGE_FILE, "LG"},   {O_CLOEXEC, "CX"},   {O_PATH, "PATH"},  {O_TMPFILE, "TMPF"},
};

void lsof_flags_format(unsigned int flags, bool hexadecimal, char text[LSOF_FLAGS_MAX])
{
        int len = 0;

        if (hexadecimal) {
                snprintf(text, LSOF_FLAGS_MAX, "0x%x;0x0", flags);
                return;
        }
        *text = '\0';
        for (size_t i = 0; i < sizeof(names) / sizeof(*names) && len < LSOF_FLAGS_MAX; i++) {
                if (!(flags & names[i].flag))
                        continue;
                len += snprintf(text + len, (size_t)(LSOF_FLAGS_MAX - len), "%s%s", len ? "," : "",
                                names[i].name);
                flags &= ~names[i].flag;
        }
        if (flags != 0 && len < LSOF_FLAGS_MAX)
                snprintf(text + len, (size_t)(LSOF_FLAGS_MAX - len), "%s0x%x", len ? "," : "",
                         flags);
}
