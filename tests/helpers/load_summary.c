/* SPDX-License-Identifier: MIT */
#include "load_summary.h"

#include <inttypes.h>

static void print_string(FILE *out, const char *text)
{
        putc('"', out);
        for (; *text; text++) {
                unsigned char c = (unsigned char)*text;

                if (c == '"' || c == '\\')
                        fprintf(out, "\\%c", c);
                else if (c < ' ' || c >= 127)
                        fprintf(out, "\\u%04x", c);
                else
                        putc(c, out);
        }
        putc('"', out);
}

static void print_requests(FILE *out, const struct hot__tally_profile *profile)
{
        const char *separator = "";

        fprintf(out, "\"requests\": {\"sent\": %" PRIu64 ", \"ok\": %" PRIu64,
                hot__tally_sent(profile), profile->outcomes[HOT__OUTCOME_OK]);
        fprintf(out, ", \"unserved\": %" PRIu64 ", \"failed_total\": %" PRIu64 ", \"failed\": {",
                profile->outcomes[HOT__OUTCOME_UNSERVED], hot__tally_failed(profile));
        for (int i = 0; i < HOT__OUTCOME_COUNT; i++) {
                if (!hot__outcome_is_failure((enum hot__outcome)i))
                        continue;
                fprintf(out, "%s\"%s\": %" PRIu64, separator, hot__outcome_name(i),
                        profile->outcomes[i]);
                separator = ", ";
        }
        fputs("}}", out);
}

static void print_common(FILE *out, const struct hot__tally_profile *profile)
{
        const char *separator = "";

        print_requests(out, profile);
        fputs(", \"reconnects\": {", out);
        for (int i = 0; i < HOT__RECONNECT_COUNT; i++) {
                fprintf(out, "%s\"%s\": %" PRIu64, separator, hot__reconnect_name(i),
                        profile->reconnects[i]);
                separator = ", ";
        }
        fprintf(out, "}, \"overlapped\": %" PRIu64 ", \"stale\": %" PRIu64, profile->overlapped,
                profile->stale);
}

static uint64_t answers_of(const struct hot__generation *generation, size_t n_profiles)
{
        uint64_t answers = 0;

        for (size_t i = 0; i < n_profiles; i++)
                answers += generation->answers[i];
        return answers;
}

static void print_generations(FILE *out, const struct hot__tally *tally)
{
        const char *separator = "";

        fputs(", \"generations\": [", out);
        for (size_t i = 1; i <= tally->generations.count; i++) {
                const struct hot__generation *generation =
                        hot__generations_get(&tally->generations, i);

                fprintf(out, "%s{\"generation\": %" PRIu64 ", \"pid\": %d, \"answers\": %" PRIu64,
                        separator, generation->number, generation->pid,
                        answers_of(generation, tally->n_profiles));
                fprintf(out, ", \"first\": %" PRIu64 ", \"last\": %" PRIu64 "}", generation->first,
                        generation->last);
                separator = ", ";
        }
        putc(']', out);
}

static void print_generations_of(FILE *out, const struct hot__tally *tally, size_t profile)
{
        const char *separator = "";

        fputs(", \"generations\": [", out);
        for (size_t i = 1; i <= tally->generations.count; i++) {
                const struct hot__generation *generation =
                        hot__generations_get(&tally->generations, i);

                if (generation->answers[profile] == 0)
                        continue;
                fprintf(out,
                        "%s{\"generation\": %" PRIu64 ", \"pid\": %d, \"answers\": %" PRIu64 "}",
                        separator, generation->number, generation->pid,
                        generation->answers[profile]);
                separator = ", ";
        }
        putc(']', out);
}

static void print_latency(FILE *out, const struct hot__histogram *latency)
{
        fprintf(out, ", \"latency\": {\"count\": %" PRIu64 ", \"min\": %" PRIu64, latency->count,
                latency->lowest);
        fprintf(out, ", \"p50\": %" PRIu64 ", \"p90\": %" PRIu64 ", \"p99\": %" PRIu64,
                hot__histogram_at(latency, 500), hot__histogram_at(latency, 900),
                hot__histogram_at(latency, 990));
        fprintf(out, ", \"p999\": %" PRIu64 ", \"max\": %" PRIu64 "}",
                hot__histogram_at(latency, 999), latency->highest);
}

static void print_profile(FILE *out, const struct hot__tally *tally, size_t index,
                          const struct hot__profile *profile)
{
        const struct hot__tally_profile *row = &tally->profiles[index];

        fputs("{\"name\": ", out);
        print_string(out, profile->name);
        fprintf(out, ", \"clients\": %u, \"path\": ", profile->clients);
        print_string(out, profile->path);
        fputs(", ", out);
        print_common(out, row);
        fprintf(out, ", \"bytes\": %" PRIu64, row->bytes);
        print_generations_of(out, tally, index);
        print_latency(out, &row->latency);
        putc('}', out);
}

void load_summary_print(FILE *out, const struct hot__tally *tally,
                        const struct hot__profile *profiles)
{
        struct hot__tally_profile sum;

        hot__tally_sum(tally, &sum);
        fprintf(out, "{\"began\": %" PRIu64 ", \"ended\": %" PRIu64 ", ", tally->began,
                tally->ended);
        print_common(out, &sum);
        print_generations(out, tally);
        fputs(", \"profiles\": [", out);
        for (size_t i = 0; i < tally->n_profiles; i++) {
                fputs(i > 0 ? ", " : "", out);
                print_profile(out, tally, i, &profiles[i]);
        }
        fputs("]}\n", out);
}
