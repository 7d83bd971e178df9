/* SPDX-License-Identifier: MIT */
/*
 * One page, no script, nothing to load: it opens from a mail or a CI artifact as it does from a disk. The
 * verdict comes first; what is wide scrolls by itself, so that the page fits a phone.
 */
#include "report.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "causes.h"
#include "chart.h"
#include "escape.h"
#include "findings.h"
#include "table.h"

static const char style[] =
        ":root{--ink:#1b1f24;--dim:#667080;--paper:#fff;--card:#f5f6f8;--line:#d8dce2;--good:#"
        "1a7f4b;"
        "--bad:#c0392b;--warn:#9a6b00;--new:#fff1c9}\n"
        "@media (prefers-color-scheme:dark){:root{--ink:#e4e7eb;--dim:#98a2b0;--paper:#14171b;"
        "--card:#1e2329;--line:#343b45;--good:#4cc38a;--bad:#ff7b6e;--warn:#e0b04a;--new:#4a3d12}}"
        "\n"
        "*{box-sizing:border-box}\n"
        "body{margin:0 auto;padding:1rem;max-width:72rem;background:var(--paper);color:var(--ink);"
        "font:16px/1.5 system-ui,sans-serif}\n"
        "h1{margin:.2rem 0;font-size:1.7rem}h2{margin:2rem 0 .5rem;font-size:1.15rem}\n"
        "p{margin:.3rem 0}.dim{color:var(--dim)}.good{color:var(--good)}.bad{color:var(--bad)}\n"
        ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.6rem;"
        "margin:1rem 0}\n"
        ".card,.finding{background:var(--card);border-radius:.5rem;padding:.6rem .8rem}\n"
        ".card b{display:block;font-size:1.3rem;overflow-wrap:anywhere}\n"
        ".finding{border-left:.3rem solid var(--dim);margin:.6rem 0}.finding.suffered{border-color:"
        "var(--bad)}.finding.reconnect{border-color:var(--warn)}\n"
        ".wide{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem;width:100%}\n"
        "th,td{padding:.25rem .6rem;text-align:left;border-bottom:1px solid var(--line);"
        "white-space:nowrap}\n"
        "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}tr.new "
        "td{background:var(--new)}\n"
        "svg{display:block;width:100%}svg.timeline{min-width:40rem}svg.histogram{max-width:32rem}\n"
        "svg text{font:11px system-ui,sans-serif;fill:var(--dim)}.grid{stroke:var(--line)}\n"
        ".restart{stroke:var(--dim);stroke-dasharray:3 3}.failure{stroke:var(--bad);stroke-width:2;"
        "fill:none}\n"
        ".g0{fill:#4878cf}.g1{fill:#e0812c}.g2{fill:#3f9f5f}.g3{fill:#b45bcf}.g4{fill:#c2a02a}"
        ".g5{fill:#2aa7b8}\n"
        ".steady{fill:#4878cf}.around{fill:#e0812c}\n"
        ".grid2{display:grid;grid-template-columns:repeat(auto-fit,minmax(18rem,1fr));gap:1rem}\n";

static double ms(uint64_t ns)
{
        return (double)ns / (double)PROOF_MILLISECOND;
}

static void card(FILE *out, const char *label, const char *format, double value)
{
        fputs("<div class=\"card\"><span class=\"dim\">", out);
        escape(out, label);
        fputs("</span><b>", out);
        /* The formats are literals of this file, each for one double. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        fprintf(out, format, value);
#pragma GCC diagnostic pop
        fputs("</b></div>\n", out);
}

static void write_head(FILE *out, const struct proof_evidence *evidence)
{
        bool clean = proof_verdict(evidence) == 0;

        fprintf(out,
                "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                "<meta name=\"color-scheme\" content=\"light dark\">\n"
                "<title>%s: hotstart verify</title>\n<link rel=\"icon\" href=\"data:,\">\n"
                "<style>\n%s</style></head><body>\n",
                clean ? "clean" : "suffered", style);
        fprintf(out, "<h1 class=\"%s\">%s</h1>\n", clean ? "good" : "bad",
                clean ? "Clean: no request failed" : "Suffered");
        fprintf(out, "<p>%zu restarts of ", evidence->n_restarts);
        escape(out, evidence->address);
        fputs(" under traffic, no request ever retried.</p>\n", out);
        if (evidence->fault[0]) {
                fputs("<p>Done on purpose: ", out);
                escape(out, evidence->fault);
                fputs(".</p>\n", out);
        }
}

static void write_cards(FILE *out, const struct proof_evidence *evidence)
{
        struct findings_restarts times;
        struct hot__tally_profile sum;

        proof_sum(evidence, &sum);
        findings_restarts(evidence, &times);
        fputs("<div class=\"cards\">\n", out);
        card(out, "requests", "%.0f", (double)hot__tally_sent(&sum));
        card(out, "failed", "%.0f", (double)hot__tally_failed(&sum));
        card(out, "forced reconnects", "%.0f", (double)proof_reconnects(&sum));
        if (times.effective > 0)
                card(out, "trigger to first answer (median)", "%.1f ms", ms(times.median));
        card(out, "longest time without an answer", "%.1f ms", ms(evidence->gap));
        if (evidence->before.memory > 0)
                card(out, "memory while they overlapped", "%.1f MiB",
                     (double)evidence->memory_peak / 1024);
        if (evidence->queue_room > 0)
                card(out, "longest queue of the listener", "%.0f", (double)evidence->queue_peak);
        fputs("</div>\n", out);
}

static void write_findings(FILE *out, const struct proof_evidence *evidence)
{
        static const char *const severities[] = {"note", "reconnect", "suffered"};

        for (size_t i = 0; i < evidence->n_findings; i++) {
                const struct proof_finding *finding = &evidence->findings[i];

                fprintf(out, "<div class=\"finding %s\"><b>", severities[finding->severity]);
                escape(out, finding->class);
                fprintf(out, "</b> &times; %" PRIu64 "<p>", finding->count);
                escape(out, finding->text);
                fputs("</p>", out);
                if (finding->mend[0]) {
                        fputs("<p class=\"dim\">Mend: ", out);
                        escape(out, finding->mend);
                        fputs("</p>", out);
                }
                fputs("</div>\n", out);
        }
}

static void write_traffic(FILE *out, const struct proof_evidence *evidence)
{
        fputs("<h2>Traffic</h2>\n<div class=\"wide\"><table><tr><th>kind</th><th "
              "class=\"n\">clients"
              "</th><th class=\"n\">requests</th><th class=\"n\">failed</th><th "
              "class=\"n\">reconnects</th><th class=\"n\">p50</th><th class=\"n\">p99</th><th "
              "class=\"n\">p99 around restarts</th></tr>\n",
              out);
        for (size_t i = 0; i < evidence->n_profiles; i++) {
                const struct hot__tally_profile *row = &evidence->rows[i];
                uint64_t failed = hot__tally_failed(row);

                fprintf(out,
                        "<tr><td>%s</td><td class=\"n\">%u</td><td class=\"n\">%" PRIu64 "</td>",
                        causes_profile(evidence->profiles[i].name), evidence->profiles[i].clients,
                        hot__tally_sent(row));
                fprintf(out, "<td class=\"n%s\">%" PRIu64 "</td><td class=\"n\">%" PRIu64 "</td>",
                        failed > 0 ? " bad" : "", failed, proof_reconnects(row));
                fprintf(out,
                        "<td class=\"n\">%.2f ms</td><td class=\"n\">%.2f ms</td><td "
                        "class=\"n\">%.2f ms</td></tr>\n",
                        ms(hot__histogram_at(&evidence->steady[i], 500)),
                        ms(hot__histogram_at(&evidence->steady[i], 990)),
                        ms(hot__histogram_at(&evidence->around[i], 990)));
        }
        fputs("</table></div>\n", out);
        for (size_t i = 0; i < evidence->n_skips; i++) {
                fprintf(out, "<p class=\"dim\">Skipped: %s (",
                        causes_profile(evidence->skips[i].name));
                escape(out, evidence->skips[i].reason);
                fputs(")</p>\n", out);
        }
}

static void write_histograms(FILE *out, const struct proof_evidence *evidence)
{
        fputs("<h2>Latencies: <span style=\"color:#4878cf\">steady</span>, <span "
              "style=\"color:#e0812c\">around restarts</span></h2>\n<div class=\"grid2\">\n",
              out);
        for (size_t i = 0; i < evidence->n_profiles; i++) {
                fprintf(out, "<div><p>%s</p>", causes_profile(evidence->profiles[i].name));
                chart_histogram(out, &evidence->steady[i], &evidence->around[i]);
                fputs("</div>\n", out);
        }
        fputs("</div>\n", out);
}

static void write_name(FILE *out, const struct hot_inspect_fd *fd)
{
        if (fd->local[0] == '\0') {
                escape(out, fd->target);
                return;
        }
        escape(out, fd->local);
        if (fd->peer[0]) {
                fputs(" → ", out);
                escape(out, fd->peer);
        }
        if (fd->listening)
                fputs(" (listens)", out);
}

static void write_process(FILE *out, const struct hot_inspect *process,
                          const struct hot_inspect *before)
{
        const struct hot_inspect_fd *fd;
        size_t left_out = 0;

        fputs("<p>", out);
        escape(out, hot_inspect_name(process));
        fprintf(out,
                " %d</p><div class=\"wide\"><table><tr><th class=\"n\">fd</th><th>kind</th><th>"
                "mode</th><th>close on exec</th><th>name</th></tr>\n",
                hot_inspect_pid(process));
        for (size_t i = 0; (fd = hot_inspect_at(process, i)); i++) {
                if (table_is_connection(fd)) {
                        left_out++;
                        continue;
                }
                fprintf(out, "<tr%s><td class=\"n\">%d</td><td>%s</td><td>%s</td><td>%s</td><td>",
                        before && table_is_new(before, process, i) ? " class=\"new\"" : "", fd->fd,
                        hot_inspect_kind_name(fd->kind),
                        fd->access == O_RDONLY   ? "r"
                        : fd->access == O_WRONLY ? "w"
                                                 : "u",
                        fd->cloexec ? "yes" : "no");
                write_name(out, fd);
                fputs("</td></tr>\n", out);
        }
        fputs("</table></div>\n", out);
        if (left_out > 0)
                fprintf(out, "<p class=\"dim\">and %zu connections</p>\n", left_out);
}

static void write_table(FILE *out, const char *title, const struct proof_table *table,
                        const struct proof_table *before)
{
        if (table->n == 0)
                return;
        fprintf(out, "<h2>%s</h2>\n", title);
        for (size_t i = 0; i < table->n; i++)
                write_process(out, table->processes[i],
                              before ? table_counterpart(before, table, table->processes[i])
                                     : NULL);
}

static void write_restarts(FILE *out, const struct proof_evidence *evidence)
{
        fputs("<h2>Restarts</h2>\n<div class=\"wide\"><table><tr><th class=\"n\">#</th><th "
              "class=\"n\">at</th><th class=\"n\">first answer after</th><th "
              "class=\"n\">by</th><th "
              "class=\"n\">longest gap</th><th class=\"n\">failed</th><th "
              "class=\"n\">reconnects</th></tr>\n",
              out);
        for (size_t i = 0; i < evidence->n_restarts; i++) {
                const struct proof_restart *restart = &evidence->restarts[i];

                fprintf(out, "<tr><td class=\"n\">%zu</td><td class=\"n\">%.2f s</td>", i + 1,
                        ms(restart->at - evidence->began) / 1000);
                if (restart->effect != 0)
                        fprintf(out, "<td class=\"n\">%.1f ms</td><td class=\"n\">%d</td>",
                                ms(restart->effect - restart->at), restart->pid);
                else
                        fputs("<td class=\"n\">–</td><td class=\"n\">–</td>", out);
                fprintf(out,
                        "<td class=\"n\">%.1f ms</td><td class=\"n\">%" PRIu64
                        "</td><td class=\"n\">%" PRIu64 "</td></tr>\n",
                        ms(restart->gap), restart->failed, restart->reconnects);
        }
        fputs("</table></div>\n", out);
}

void report_html(FILE *out, const struct proof_evidence *evidence)
{
        write_head(out, evidence);
        write_cards(out, evidence);
        write_findings(out, evidence);
        fputs("<h2>What happened when</h2>\n<p class=\"dim\">Each dot is the slowest answer of its "
              "kind in its moment, in the colour of the generation that gave it; dashed lines are "
              "restarts, crosses are failed requests.</p>\n<div class=\"wide\">\n",
              out);
        chart_timeline(out, evidence);
        fputs("</div>\n", out);
        write_traffic(out, evidence);
        write_histograms(out, evidence);
        write_restarts(out, evidence);
        write_table(out, "Descriptors before the first restart, at rest", &evidence->before, NULL);
        write_table(out, "During it: what the new ones have more is marked", &evidence->during,
                    &evidence->before);
        write_table(out, "After the last restart, at rest: what is more than before is marked",
                    &evidence->after, &evidence->before);
        fputs("</body></html>\n", out);
}
