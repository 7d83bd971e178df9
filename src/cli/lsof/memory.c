/* SPDX-License-Identifier: MIT */
#include "memory.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

enum { FIRST = 16 };

static void *checked(void *memory)
{
        if (!memory) {
                lsof_complain("no memory");
                exit(1);
        }
        return memory;
}

/* Full when the number of elements is a power of two; below FIRST there is room from the start. */
void *lsof_grow(void *elements, size_t n, size_t size)
{
        if (n == 0)
                return checked(reallocarray(elements, FIRST, size));
        if (n < FIRST || (n & (n - 1)) != 0)
                return elements;
        return checked(reallocarray(elements, n * 2, size));
}

void *lsof_new(size_t n, size_t size)
{
        return checked(calloc(n, size));
}

char *lsof_copy(const char *text)
{
        return checked(strdup(text));
}
