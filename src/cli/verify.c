/* SPDX-License-Identifier: MIT */
/*
 * verify: the proof that a server can be restarted without anybody noticing, and the experiment that shows
 * what becomes of every descriptor. See hotstart-verify(1).
 */
#include "verb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "experiment.h"
#include "proof.h"
#include "report.h"
#include "verify_options.h"

#define PROBLEM_MAX      512
#define EXIT_INTERRUPTED 130

static int run_experiment(const struct verify_options *options)
{
        const struct experiment_options experiment = {
                .demo = options->proof.program ? options->proof.program[0] : NULL,
                .port = (uint16_t)options->port,
                .delay = options->delay,
                .time_limit = options->limit,
        };
        int r;

        /* What is written is seen when it happens, also through a pipe. */
        setvbuf(stdout, NULL, _IOLBF, 0);
        r = experiment_run(&experiment);
        if (r == -EINTR)
                return EXIT_INTERRUPTED;
        return r == 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* A report that is not written whole is an error, not half a success. */
static int write_file(const char *path, const struct proof_evidence *evidence,
                      void (*report)(FILE *out, const struct proof_evidence *evidence))
{
        FILE *file = fopen(path, "we");
        bool bad;

        if (file) {
                report(file, evidence);
                bad = ferror(file) != 0;
                if (fclose(file) == 0 && !bad)
                        return 0;
        }
        fprintf(stderr, "hotstart: %s: %s\n", path, strerror(errno));
        return EXIT_SYSTEM;
}

static int tell(const struct verify_options *options, const struct proof_evidence *evidence)
{
        int status = proof_verdict(evidence), r = 0;

        if (!options->json)
                report_text(stdout, evidence);
        else if (report_json(stdout, evidence) < 0)
                r = EXIT_SYSTEM;
        if (options->report && r == 0)
                r = write_file(options->report, evidence, report_html);
        if (options->junit && r == 0)
                r = write_file(options->junit, evidence, report_junit);
        return r != 0 ? r : status;
}

/* Whoever has waited for a hundred restarts wants to have the report. What is there is kept until then. */
static bool can_write(const char *path)
{
        struct stat st;
        int fd;

        /* A pipe is opened once, when there is something for its reader. */
        if (!path || (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
                return true;
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        if (fd < 0)
                fprintf(stderr, "hotstart: %s: %s\n", path, strerror(errno));
        else
                close(fd);
        return fd >= 0;
}

static int run_proof(const struct verify_options *options)
{
        struct proof_evidence *evidence;
        char problem[PROBLEM_MAX] = "";
        int r, status;

        if (!can_write(options->report) || !can_write(options->junit))
                return EXIT_SYSTEM;
        evidence = calloc(1, sizeof(*evidence));
        if (!evidence)
                return EXIT_SYSTEM;
        r = proof_run(&options->proof, evidence, problem, sizeof(problem));
        if (r < 0) {
                fprintf(stderr, "hotstart: %s\n", problem);
                status = r == -EINVAL ? EXIT_USAGE : EXIT_SYSTEM;
        } else if (r == PROOF_INTERRUPTED) {
                fprintf(stderr, "hotstart: interrupted\n");
                status = EXIT_INTERRUPTED;
        } else {
                status = tell(options, evidence);
        }
        proof_evidence_done(evidence);
        free(evidence);
        return status;
}

int verb_verify(int argc, char **argv)
{
        struct verify_options options;
        int r = verify_options_parse(argc, argv, &options);

        if (r != 0)
                return r;
        return options.experiment ? run_experiment(&options) : run_proof(&options);
}
