#!/bin/sh
# SPDX-License-Identifier: MIT
# Every public header compiles alone, as C11 and as C++17, with each compiler that is here.
set -eu
include=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

compile() {
        compiler=$1 language=$2 standard=$3 header=$4
        command -v "$compiler" >/dev/null || return 0
        printf '#include <%s>\n#include <%s>\n' "$header" "$header" >"$scratch/alone.$language"
        echo "$compiler $standard $header"
        "$compiler" -std="$standard" -Wall -Wextra -pedantic -Werror -I"$include" \
                -c "$scratch/alone.$language" -o "$scratch/alone.o"
}

for header in $(cd "$include" && find . -name '*.h' | sed 's|^\./||'); do
        compile gcc c c11 "$header"
        compile clang c c11 "$header"
        compile g++ cc c++17 "$header"
        compile clang++ cc c++17 "$header"
done
