/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "escape.h"
#include "findings.h"

/* Every class that can be named, in the order in which it is asked. */
static const char *const cases[][2] = {
        {"refused", "no request finds nobody listening"},
        {"connect_timeout", "every connection is made in time"},
        {"reset", "no fresh connection is reset"},
        {"queue_lost", "no connection is lost in a queue"},
        {"cut", "no answer is cut"},
        {"keepalive_race", "no request is lost in the keep-alive race"},
        {"timeout", "every request is answered in time"},
        {"malformed", "every answer is HTTP"},
        {"wrong_status", "every answer has the status that it had before"},
        {"wrong_bytes", "every answer has the right bytes"},
        {"client", "this machine can send every request"},
        {"both_generations", "one generation accepts at a time"},
        {"no_effect", "every restart takes effect"},
        {"trigger_failed", "every restart can be triggered"},
        {"leak", "no descriptor is left open"},
        {"zombie", "no zombie is left"},
        {"left_behind", "no old process is left"},
        {"down", "the server serves at the end"},
        {"reconnects", "no client has to reconnect"},
};

#define N_CASES (sizeof(cases) / sizeof(*cases))

static const struct proof_finding *find(const struct proof_evidence *evidence, const char *class)
{
        for (size_t i = 0; i < evidence->n_findings; i++)
                if (strcmp(evidence->findings[i].class, class) == 0)
                        return &evidence->findings[i];
        return NULL;
}

static bool counts(const struct proof_evidence *evidence, const struct proof_finding *finding)
{
        return finding &&
               finding->severity >= (evidence->options->strict ? PROOF_RECONNECT : PROOF_SUFFERED);
}

void report_junit(FILE *out, const struct proof_evidence *evidence)
{
        double seconds = (double)(evidence->ended - evidence->began) / (double)PROOF_SECOND;
        size_t failures = 0;

        for (size_t i = 0; i < N_CASES; i++)
                failures += counts(evidence, find(evidence, cases[i][0]));
        fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        fprintf(out,
                "<testsuite name=\"hotstart verify\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" "
                "skipped=\"0\" time=\"%.3f\">\n",
                N_CASES, failures, seconds);
        for (size_t i = 0; i < N_CASES; i++) {
                const struct proof_finding *finding = find(evidence, cases[i][0]);

                fprintf(out, "  <testcase classname=\"hotstart.verify.%s\" name=\"%s\" time=\"0\"",
                        cases[i][0], cases[i][1]);
                if (!counts(evidence, finding)) {
                        fputs("/>\n", out);
                        continue;
                }
                fprintf(out, ">\n    <failure type=\"%s\" message=\"%" PRIu64 "\">", cases[i][0],
                        finding->count);
                escape(out, finding->text);
                fputs("</failure>\n  </testcase>\n", out);
        }
        fputs("</testsuite>\n", out);
}
