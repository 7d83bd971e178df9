/* SPDX-License-Identifier: MIT */
#include "budget.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define SPARE    32
#define COUNT_NS 200000000

/* Before Linux 6.2 the size is 0. Without /proc nothing is known, and nothing is taken. */
static size_t count_open(void)
{
        struct stat st;
        size_t n = 0;
        DIR *dir;

        if (stat("/proc/self/fd", &st) == 0 && st.st_size > 0)
                return (size_t)st.st_size;
        dir = opendir("/proc/self/fd");
        if (!dir)
                return SIZE_MAX;
        while (readdir(dir))
                n++;
        closedir(dir);
        return n;
}

size_t hot__budget_left(struct hot__budget *budget, uint64_t now)
{
        struct rlimit limit;
        size_t open;

        if (budget->counted_at && now - budget->counted_at < COUNT_NS)
                return budget->left;
        budget->counted_at = now;
        budget->left = 0;
        open = count_open();
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && open < SIZE_MAX - SPARE &&
            limit.rlim_cur > open + SPARE)
                budget->left = limit.rlim_cur - open - SPARE;
        return budget->left;
}

void hot__budget_spend(struct hot__budget *budget, size_t n)
{
        budget->left -= n < budget->left ? n : budget->left;
}
