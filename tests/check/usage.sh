#!/bin/sh
# SPDX-License-Identifier: MIT
# usage.sh HOTSTART VERSION: what is asked for goes to stdout with status 0; a wrong use is one line on
# stderr with status 2, and nothing on stdout.
# shellcheck disable=SC2015,SC2013 # fail does not return; verbs are words
set -eu
hotstart=$1
version=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

run() {
        status=0
        "$hotstart" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
}

fail() {
        echo "hotstart $*"
        echo "status $status"
        cat "$scratch/out" "$scratch/err"
        exit 1
}

good() {
        run "$@"
        [ $status = 0 ] && [ -s "$scratch/out" ] && [ ! -s "$scratch/err" ] || fail "$@"
}

# $1 is what the hint must say.
wrong() {
        hint=$1
        shift
        run "$@"
        [ $status = 2 ] && [ ! -s "$scratch/out" ] || fail "$@"
        [ "$(wc -l <"$scratch/err")" = 1 ] && grep -q -- "$hint" "$scratch/err" || fail "$@"
}

good --version
[ "$(cat "$scratch/out")" = "hotstart $version" ] || fail --version
good version
good --help
cp "$scratch/out" "$scratch/list"
good help
cmp "$scratch/out" "$scratch/list" || fail help

# Every verb of the list can be asked for help, in both ways.
for verb in $(sed -n 's/^  \([a-z]*\) .*/\1/p' "$scratch/list"); do
        good help "$verb"
        grep -q "^usage: hotstart $verb" "$scratch/out" || fail help "$verb"
        cp "$scratch/out" "$scratch/help"
        good "$verb" --help
        cmp "$scratch/out" "$scratch/help" || fail "$verb" --help
        [ "$verb" = lsof ] || wrong "^hotstart: " "$verb" --no-such-option
done

# lsof speaks lsof's language, exit status included.
run lsof --no-such-option
[ $status = 1 ] && [ ! -s "$scratch/out" ] && grep -q "^lsof: illegal option" "$scratch/err" ||
        fail lsof --no-such-option

wrong "a verb is missing"
wrong "no such option: --verison" --verison
wrong "no such verb: hlep (did you mean help?)" hlep
wrong "no such verb: versoin (did you mean version?)" versoin
wrong "no such verb: wxyz;" wxyz
wrong "no such verb: hlep (did you mean help?)" help hlep
wrong "takes one" help help version

# What cannot be written is not a success.
status=0
"$hotstart" help >/dev/full 2>"$scratch/err" || status=$?
[ $status = 3 ] && grep -q "cannot write" "$scratch/err" || fail "help >/dev/full"
echo "hotstart is used right, and refuses to be used wrong"
