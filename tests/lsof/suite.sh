#!/bin/bash
# SPDX-License-Identifier: MIT
#
# suite.sh HOTSTART: the tests of lsof's own source package, with `hotstart lsof` in lsof's place.
#
# All of them look at lsof from outside. The source is HOT_LSOF_SOURCE, a directory with lsof 4.95 unpacked, or
# what `apt-get source lsof` downloads; without either this is skipped (77). A case that says that it cannot run
# here (status 2), and those that change the machine (mount images, add addresses), are left out and named.
set -u

hotstart=$1
scratch=$(mktemp -d)
failed=0
n=0

# A case may mount a file system: in a mount namespace of our own, if we may have one.
if [ -z "${HOT_LSOF_ALONE:-}" ] && unshare --mount true 2>/dev/null; then
        HOT_LSOF_ALONE=yes exec unshare --mount -- "$BASH" "$0" "$@"
fi
trap 'rm -rf "$scratch"' EXIT

skip() {
        echo "skipped: $*"
        exit 77
}

download() {
        mkdir -p "$scratch/apt/lists/partial" "$scratch/apt/parts"
        sed 's/^Types: deb$/Types: deb-src/' /etc/apt/sources.list.d/debian.sources \
                >"$scratch/apt/parts/source.sources" 2>/dev/null || return 1
        local options=(-q -o Dir::Etc::sourcelist=/dev/null "-o Dir::Etc::sourceparts=$scratch/apt/parts"
                "-o Dir::State::lists=$scratch/apt/lists" -o APT::Sandbox::User=root)
        cd "$scratch" && apt-get ${options[*]} update && apt-get ${options[*]} source --download-only lsof
}

unpack() {
        mkdir "$scratch/lsof"
        if [ -n "${HOT_LSOF_SOURCE:-}" ]; then
                cp -r "$HOT_LSOF_SOURCE/." "$scratch/lsof"
        else
                download >"$scratch/log" 2>&1 || skip "no source of lsof: set HOT_LSOF_SOURCE"
                tar -xf "$scratch"/lsof_*.orig.tar.* -C "$scratch/lsof" --strip-components=1
        fi
}

build() {
        cd "$scratch/lsof" || return 1
        grep -q '4\.95' version || skip "this is not the source of lsof 4.95"
        ./Configure -n linux && make -C dialects/linux/tests && cd tests || return 1
        for test in LTbasic LTnlink LTsock LTszoff LTunix LTbigf LTdnlc LTlock; do
                # shellcheck disable=SC2046 # words of the configuration
                $(cat config.cc) -w -I. -I.. $(cat config.cflags) $test.c LTlib.c $(cat config.xobj) \
                        -o $test || return 1
        done
}

report() {
        n=$((n + 1))
        case $2 in
        0) echo "ok      $1" ;;
        2 | 77) echo "skipped $1" ;;
        *)
                echo "failed  $1 (status $2)"
                tail -n 20 "$scratch/report"
                failed=$((failed + 1))
                ;;
        esac
}

run_programs() {
        cd "$scratch/lsof/tests" || exit 1
        for test in LTbasic LTnlink LTsock LTszoff LTunix LTbigf LTdnlc LTlock; do
                LT_LSOF_PATH=$lsof timeout 60 ./$test >"$scratch/report" 2>&1
                status=$?
                grep -q 'OK$' "$scratch/report" || status=1
                report $test $status
        done
}

run_cases() {
        cd "$scratch/lsof" || exit 1
        ln -sf "$lsof" lsof
        for case in tests/case-[02]*.bash dialects/linux/tests/case-*.bash; do
                case $case in
                *20-mmap* | *20-inet6-ffffffff*)
                        echo "skipped $case: changes the machine"
                        continue
                        ;;
                esac
                : >"$scratch/report"
                timeout 60 bash "$case" "$lsof" "$scratch/report" "$(dirname "$case")" linux \
                        >>"$scratch/report" 2>&1
                status=$?
                if [ $status != 0 ] && grep -q 'nc: command not found\|client side' "$scratch/report" &&
                        ! command -v nc >/dev/null; then
                        status=2
                fi
                report "$case" $status
        done
}

command -v make >/dev/null && command -v cc >/dev/null || skip "no compiler"
unpack
build >"$scratch/log" 2>&1 || {
        tail -n 20 "$scratch/log"
        skip "lsof's tests cannot be built here"
}
lsof=$scratch/bin/lsof
mkdir "$scratch/bin"
cp "$hotstart" "$lsof"
run_programs
run_cases
echo "$n tests of lsof's, $failed failed"
[ $failed = 0 ]
