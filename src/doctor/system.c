/* SPDX-License-Identifier: MIT */
#include "doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Returns 0 or a negative errno. */
static int read_number(const char *path, long *ret)
{
        FILE *file = fopen(path, "re");
        long number;
        int n;

        if (!file)
                return -errno;
        n = fscanf(file, "%ld", &number);
        fclose(file);
        if (n != 1)
                return -EINVAL;
        *ret = number;
        return 0;
}

static void check_queue(struct advices *advices)
{
        long value;

        if (read_number("/proc/sys/net/core/somaxconn", &value) == 0) {
                if (value < 1024)
                        advise(advices, ADVICE_WARN, "net.core.somaxconn",
                               "sysctl -w net.core.somaxconn=4096",
                               "%ld: between two generations connections wait in the listener's "
                               "queue, and no more than that fit; the rest have to try again.",
                               value);
                else
                        advise(advices, ADVICE_GOOD, "net.core.somaxconn", "",
                               "%ld connections may wait while generations change.", value);
        }
        if (read_number("/proc/sys/net/ipv4/tcp_abort_on_overflow", &value) == 0 && value != 0)
                advise(advices, ADVICE_BAD, "net.ipv4.tcp_abort_on_overflow",
                       "sysctl -w net.ipv4.tcp_abort_on_overflow=0",
                       "A full queue resets clients instead of letting them wait: whoever comes "
                       "while nobody accepts may be cut off.");
}

void doctor_system(struct advices *advices)
{
        long value;

        check_queue(advices);
        if (read_number("/proc/sys/vm/overcommit_memory", &value) == 0 && value == 2)
                advise(advices, ADVICE_WARN, "vm.overcommit_memory",
                       "Start new generations with vfork(2), clone(CLONE_VM) or posix_spawn(3), as "
                       "hotstart does.",
                       "2: a fork(2) of a large server needs as much memory again, and fails if it "
                       "is not there.");
        if (read_number("/proc/sys/kernel/yama/ptrace_scope", &value) == 0 && value >= 2)
                advise(advices, ADVICE_NOTE, "kernel.yama.ptrace_scope", "",
                       "%ld: the descriptors of other processes can be looked into by root only.",
                       value);
}
