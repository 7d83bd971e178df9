/* SPDX-License-Identifier: MIT */
#include "doctor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A number in a file of the process' control group; UINT64_MAX for "max" and what is not there. */
static uint64_t group_number(const struct patient *patient, const char *name)
{
        char path[PATH_MAX + 64], text[32] = "";
        FILE *file;

        snprintf(path, sizeof(path), "/sys/fs/cgroup%s/%s", patient->cgroup, name);
        file = patient->cgroup[0] ? fopen(path, "re") : NULL;
        if (!file)
                return UINT64_MAX;
        (void)!fgets(text, sizeof(text), file);
        fclose(file);
        return text[0] >= '0' && text[0] <= '9' ? strtoull(text, NULL, 10) : UINT64_MAX;
}

static uint64_t available_kib(void)
{
        FILE *file = fopen("/proc/meminfo", "re");
        char line[128];
        uint64_t kib = UINT64_MAX;

        while (file && fgets(line, sizeof(line), file))
                if (sscanf(line, "MemAvailable: %" SCNu64, &kib) == 1)
                        break;
        if (file)
                fclose(file);
        return kib;
}

static void check_memory(struct advices *advices, const struct patient *patient)
{
        uint64_t limit = group_number(patient, "memory.max");
        uint64_t used = group_number(patient, "memory.current");

        if (patient->resident_kib > available_kib())
                advise(advices, ADVICE_BAD, "memory", "Make room, or make it smaller.",
                       "It has %" PRIu64 " MiB, and %" PRIu64 " MiB are available: two generations "
                       "do not fit beside each other.",
                       patient->resident_kib / 1024, available_kib() / 1024);
        else if (limit != UINT64_MAX && used != UINT64_MAX &&
                 used + patient->resident_kib * 1024 > limit)
                advise(advices, ADVICE_BAD, "memory", "Raise MemoryMax=.",
                       "Its control group has %" PRIu64 " of %" PRIu64 " MiB in use, and a second "
                       "generation needs %" PRIu64 " more: the kernel will kill one of them.",
                       used >> 20, limit >> 20, patient->resident_kib / 1024);
        else
                advise(advices, ADVICE_GOOD, "memory", "",
                       "Two generations of %" PRIu64 " MiB fit beside each other.",
                       patient->resident_kib / 1024);
}

static void check_processes(struct advices *advices, const struct patient *patient)
{
        uint64_t limit = group_number(patient, "pids.max");
        uint64_t used = group_number(patient, "pids.current");

        if (limit != UINT64_MAX && used != UINT64_MAX && used > limit / 2)
                advise(advices, used >= limit ? ADVICE_BAD : ADVICE_WARN, "processes",
                       "Raise TasksMax=.",
                       "Its control group has %" PRIu64 " of %" PRIu64 " threads: a second "
                       "generation with as many does not fit.",
                       used, limit);
}

static void check_processors(struct advices *advices, const struct patient *patient)
{
        long online = sysconf(_SC_NPROCESSORS_ONLN);

        if (patient->cpus > 0 && online > 0 && patient->cpus < (unsigned long)online)
                advise(advices, ADVICE_NOTE, "processors",
                       "A new generation should get the affinity that the first one was started "
                       "with.",
                       "Its first thread may run on %u of %ld: what it starts inherits that.",
                       patient->cpus, online);
}

void doctor_room(struct advices *advices, const struct patient *patient)
{
        check_memory(advices, patient);
        check_processes(advices, patient);
        check_processors(advices, patient);
}
