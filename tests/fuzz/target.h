/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

/* The one function of a fuzz target: libFuzzer's name for it. It aborts on what must not be. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
