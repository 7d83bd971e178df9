/* SPDX-License-Identifier: MIT */
/*
 * version: of the library that this program runs with, which need not be the one it was compiled with.
 */
#include "verb.h"

#include <hotstart.h>

#include <stdio.h>

int verb_version(int argc, char **argv)
{
        if (argc > 1)
                return wrong_use("no argument is expected here: %s", argv[1]);
        printf("hotstart %s\n", hot_version());
        return 0;
}
