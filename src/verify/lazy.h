/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_LAZY_H
#define HOT_VERIFY_LAZY_H

/*
 * A library that is loaded when it is first needed, and not with the program: loading one takes longer than most
 * verbs of the command line run. A table of functions, X-macro style, becomes a struct with a member for each.
 */

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#define HOT__LAZY_MEMBER(name) __typeof__(&(name)) name;

/* dlsym(3) gives a pointer to an object; POSIX says that it may be taken for one to a function. */
#define HOT__LAZY_FIND(table, name)                           \
        do {                                                  \
                void *found = dlsym((table).library, #name);  \
                                                              \
                if (!found) {                                 \
                        (table).library = NULL;               \
                        return -ELIBACC;                      \
                }                                             \
                memcpy(&(table).name, &found, sizeof(found)); \
        } while (0);

/* It is never unloaded: what it registers at exit would be gone. */
static inline void *hot__lazy_open(const char *file)
{
        return dlopen(file, RTLD_NOW | RTLD_LOCAL);
}

#endif
