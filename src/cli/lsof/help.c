/* SPDX-License-Identifier: MIT */
#include "help.h"

#include <hotstart.h>

/* Whose language it is: the revision of lsof that the golden tests compare with. */
#define REVISION "4.95.0"

void lsof_usage(FILE *out)
{
        fputs(" usage: lsof [-?ahlnNPQRtUvVw] [-c c] [+c w] [-d s] [+d s] [+D D] [+|-f[gG]] [-F "
              "[f]]\n"
              " [-g [s]] [-i [i]] [-K i] [+|-L [l]] [-o [o]] [-p s] [+|-r [t]] [-s [p:s]] [+|-T "
              "[qs]]\n"
              " [-u s] [-x [fl]] [--] [names]\n"
              "Use the ``-h'' option to get more help information.\n",
              out);
}

void lsof_help(FILE *out)
{
        fputs("hotstart lsof: the language of lsof " REVISION "; hotstart-lsof(1) has it all.\n"
              "Which files (any of these is enough; -a: all of them are needed; ^x: not x):\n"
              "  -p PIDS  -g [PGIDS]  -u USERS  -c COMMAND|/REGEX/[bix]  -d FDS\n"
              "  -i [4|6][tcp|udp|udplite][@HOST][:PORTS]  -s TCP:STATES  -U UNIX sockets  -N NFS\n"
              "  +L NUMBER fewer links  +d DIRECTORY  +D TREE  -x [f][l] other systems, links  "
              "NAMES\n"
              "How:\n"
              "  +c WIDTH of COMMAND  -l users by number  -n hosts by number  -P ports by number\n"
              "  -R PPID  -g PGID  +L NLINK  -o offsets  -s sizes  +f g|G flags  -T [q][s] queues, "
              "states\n"
              "  -F [FIELDS] for programs  -t PIDs only  -r [SECONDS][cROUNDS][mFORMAT]  +r until "
              "nothing\n"
              "  -V what was not found  -Q that is no error  -w no warnings  -K i no threads\n"
              "  -h this  -v version  -F? fields  -- names follow\n",
              out);
}

void lsof_version(FILE *out)
{
        fprintf(out,
                "lsof version information:\n"
                "    revision: " REVISION "\n"
                "    program: hotstart %s, which speaks that revision's language\n",
                hot_version());
}
