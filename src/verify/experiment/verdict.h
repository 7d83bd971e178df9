/* SPDX-License-Identifier: MIT */
#ifndef EXPERIMENT_VERDICT_H
#define EXPERIMENT_VERDICT_H

#include "evidence.h"

/* The answer that GET /hello has. */
#define SLOW_BODY "hello world233333!!!!"

/* Answer the experiment's questions from the evidence, on paper. Returns whether all answers are yes. */
bool verdict_give(const struct evidence *evidence);

#endif
