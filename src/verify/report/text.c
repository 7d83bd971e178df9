/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "causes.h"
#include "findings.h"
#include "table.h"

#define COLUMNS 96

enum ink { PLAIN, BOLD, DIM, GOOD, BAD, WARN };

static const char *ink_of(FILE *out, enum ink ink)
{
        static const char *const codes[] = {"\033[0m",  "\033[1m",    "\033[2m",
                                            "\033[32m", "\033[1;31m", "\033[33m"};
        const char *no_color = getenv("NO_COLOR");

        return isatty(fileno(out)) && !(no_color && no_color[0]) ? codes[ink] : "";
}

/* Words from @text in lines of at most COLUMNS, each after @indent blanks. */
static void fill(FILE *out, const char *text, size_t indent)
{
        size_t at = 0, length;

        for (const char *word = text; *word; word += length + strspn(word + length, " ")) {
                length = strcspn(word, " ");
                if (at > 0 && at + 1 + length > COLUMNS) {
                        putc('\n', out);
                        at = 0;
                }
                at += (size_t)(at == 0 ? fprintf(out, "%*s", (int)indent, "") : fprintf(out, " "));
                at += (size_t)fprintf(out, "%.*s", (int)length, word);
        }
        putc('\n', out);
}

static double ms(uint64_t ns)
{
        return (double)ns / (double)PROOF_MILLISECOND;
}

static void print_traffic(FILE *out, const struct proof_evidence *evidence)
{
        fprintf(out, "\n  %s%-34s %8s %9s %7s %10s  %s%s\n", ink_of(out, BOLD), "traffic",
                "clients", "requests", "failed", "reconnects",
                "p50 / p99 steady, around restarts (ms)", ink_of(out, PLAIN));
        for (size_t i = 0; i < evidence->n_profiles; i++) {
                const struct hot__tally_profile *row = &evidence->rows[i];
                uint64_t failed = hot__tally_failed(row);

                fprintf(out, "  %-34s %8u %9" PRIu64 " %s%7" PRIu64 "%s %10" PRIu64,
                        causes_profile(evidence->profiles[i].name), evidence->profiles[i].clients,
                        hot__tally_sent(row), ink_of(out, failed > 0 ? BAD : PLAIN), failed,
                        ink_of(out, PLAIN), proof_reconnects(row));
                fprintf(out, "  %.2f / %.2f, %.2f / %.2f\n",
                        ms(hot__histogram_at(&evidence->steady[i], 500)),
                        ms(hot__histogram_at(&evidence->steady[i], 990)),
                        ms(hot__histogram_at(&evidence->around[i], 500)),
                        ms(hot__histogram_at(&evidence->around[i], 990)));
        }
        for (size_t i = 0; i < evidence->n_skips; i++)
                fprintf(out, "  %s%-34s skipped: %s%s\n", ink_of(out, DIM),
                        causes_profile(evidence->skips[i].name), evidence->skips[i].reason,
                        ink_of(out, PLAIN));
}

static void print_restarts(FILE *out, const struct proof_evidence *evidence)
{
        struct findings_restarts times;

        findings_restarts(evidence, &times);
        fprintf(out, "\n  %zu restarts in %.1f s", evidence->n_restarts,
                ms(evidence->ended - evidence->began) / 1000);
        if (evidence->lineage.n > 0)
                fprintf(out, ", %zu generations answered", evidence->lineage.n);
        if (times.effective > 0)
                fprintf(out,
                        "; from the trigger to the first answer of the new one %.1f ms (median; "
                        "%.1f to %.1f)",
                        ms(times.median), ms(times.shortest), ms(times.longest));
        fprintf(out, "\n  longest time without any answer %.1f ms", ms(evidence->gap));
        if (evidence->is_local && evidence->queue_room > 0)
                fprintf(out, "; longest queue of the listener %u of %u", evidence->queue_peak,
                        evidence->queue_room);
        putc('\n', out);
        if (evidence->before.memory > 0)
                fprintf(out,
                        "  memory %.1f MiB before, %.1f MiB at most while generations overlapped, "
                        "%.1f MiB after\n",
                        (double)evidence->before.memory / 1024,
                        (double)evidence->memory_peak / 1024,
                        (double)evidence->after.memory / 1024);
        if (evidence->fault[0])
                fprintf(out, "  fault: %s\n", evidence->fault);
}

static void print_table(FILE *out, const char *title, const struct proof_table *table)
{
        if (table->n == 0)
                return;
        fprintf(out, "  %-7s", title);
        for (size_t i = 0; i < table->n; i++)
                fprintf(out, "%s%s %d: %zu + %zu", i > 0 ? ", " : "",
                        hot_inspect_name(table->processes[i]), hot_inspect_pid(table->processes[i]),
                        table_size(table->processes[i]), table_connections(table->processes[i]));
        putc('\n', out);
}

static void print_audit(FILE *out, const struct proof_evidence *evidence)
{
        if (evidence->before.n == 0)
                return;
        fprintf(out, "\n  %sdescriptors of each process, + connections%s\n", ink_of(out, BOLD),
                ink_of(out, PLAIN));
        print_table(out, "before", &evidence->before);
        print_table(out, "during", &evidence->during);
        print_table(out, "after", &evidence->after);
}

static void print_finding(FILE *out, const struct proof_evidence *evidence,
                          const struct proof_finding *finding)
{
        static const enum ink inks[] = {DIM, WARN, BAD};
        bool counts = finding->severity == PROOF_SUFFERED ||
                      (finding->severity == PROOF_RECONNECT && evidence->options->strict);

        fprintf(out, "\n  %s%s %s%s\n", ink_of(out, counts ? BAD : inks[finding->severity]),
                counts ? "NO" : "--", finding->class, ink_of(out, PLAIN));
        fill(out, finding->text, 5);
        if (finding->mend[0]) {
                char text[480];

                snprintf(text, sizeof(text), "Mend: %s", finding->mend);
                fill(out, text, 5);
        }
}

void report_text(FILE *out, const struct proof_evidence *evidence)
{
        struct hot__tally_profile sum;
        bool clean = proof_verdict(evidence) == 0;

        proof_sum(evidence, &sum);
        fprintf(out,
                "%s%s%s  %s: %zu restarts, %" PRIu64 " requests, %" PRIu64 " failed, %" PRIu64
                " forced reconnects\n",
                ink_of(out, clean ? GOOD : BAD), clean ? "CLEAN" : "SUFFERED", ink_of(out, PLAIN),
                evidence->address, evidence->n_restarts, hot__tally_sent(&sum),
                hot__tally_failed(&sum), proof_reconnects(&sum));
        print_traffic(out, evidence);
        print_restarts(out, evidence);
        print_audit(out, evidence);
        for (size_t i = 0; i < evidence->n_findings; i++)
                print_finding(out, evidence, &evidence->findings[i]);
}
