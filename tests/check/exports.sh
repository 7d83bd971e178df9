#!/bin/sh
# SPDX-License-Identifier: MIT
# exports.sh SHARED ARCHIVE...
# The shared library needs libc and nothing else, and exports only hot_ names, each of them declared in a
# public header; the archives define no global symbol outside our prefix. The sanitizers' libraries and
# symbols, in a build with one, are not ours.
set -eu
shared=$1
shift
status=0

complain() {
        echo "$1"
        status=1
}

needed=$(readelf -d "$shared" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -v -e '^lib[a-z]*san\.so')
[ "$needed" = libc.so.6 ] || complain "$shared needs $(echo "$needed" | tr '\n' ' ')"

strangers=$(nm -D --defined-only "$shared" | awk '$3 !~ /^hot_[a-z]/ { print $3 }')
[ -z "$strangers" ] || complain "$shared exports $strangers"
[ -n "$(nm -D --defined-only "$shared")" ] || complain "$shared exports nothing"

for archive in "$@"; do
        strangers=$(nm -g --defined-only "$archive" 2>/dev/null |
                awk 'NF == 3 && $3 !~ /^(hot_|llhttp_|_*(asan|tsan|ubsan|odr_asan))/ { print $3 }')
        [ -z "$strangers" ] || complain "$archive defines $strangers"
done
exit $status
