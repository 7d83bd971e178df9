#!/bin/sh
# SPDX-License-Identifier: MIT
# alone.sh PROGRAM...: each runs when it is copied out of the build folder, so it needs no library of ours
# from there.
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for program in "$@"; do
        name=$(basename "$program")
        cp "$program" "$scratch/$name"
        if ldd "$scratch/$name" | grep -e hotstart -e 'not found'; then
                echo "$name needs that"
                exit 1
        fi
        if readelf -d "$scratch/$name" | grep -e RPATH -e RUNPATH; then
                echo "$name looks for libraries where it was built"
                exit 1
        fi
        echo "$name stands alone"
done
