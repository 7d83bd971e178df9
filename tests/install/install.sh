#!/bin/sh
# SPDX-License-Identifier: MIT
# install.sh BUILD: install into a folder of our own, then do what others do with it: find it with CMake and
# with pkg-config, from C and from C++, shared and static; run what comes out; uninstall and see that
# nothing stays.
set -eu
build=$1
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
prefix=$scratch/moved

# Installed in one place and moved to another: nothing in it may name the first.
cmake --install "$build" --prefix "$scratch/prefix" >/dev/null
mv "$scratch/prefix" "$prefix"

# A program prints the address of the listener that it got and leaves.
works() {
        answer=$(timeout -s KILL 60 "$@") || answer="status $?"
        echo "  ${program}: $answer"
        case $answer in
        "serving on "*) ;;
        *)
                echo "$*: said: $answer"
                exit 1
                ;;
        esac
}

echo "find_package:"
if ! { cmake -S "$here/consumer" -B "$scratch/cmake" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" &&
        cmake --build "$scratch/cmake"; } >"$scratch/log" 2>&1; then
        cat "$scratch/log"
        exit 1
fi
for program in c_static c_shared cxx_static cxx_shared http_static http_shared; do
        works "$scratch/cmake/$program"
done

echo "pkg-config:"
export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
[ "$(pkg-config --modversion hotstart)" = "$(sed -n 's/^project(.* VERSION \([0-9.]*\).*/\1/p' \
        "$root/CMakeLists.txt")" ]
# shellcheck disable=SC2046 # flags are words
{
        cc "$here/consumer/serve.c" -o "$scratch/pc_c_shared" $(pkg-config --cflags --libs hotstart)
        c++ "$here/consumer/serve.cc" -o "$scratch/pc_cxx_shared" $(pkg-config --cflags --libs hotstart)
        cc "$here/consumer/http.c" -o "$scratch/pc_http_shared" $(pkg-config --cflags --libs hotstart-http)
}
# A copy without the shared libraries: -lhotstart can only be the archive there.
cp -r "$prefix" "$scratch/archives"
rm "$scratch"/archives/lib/*.so*
export PKG_CONFIG_PATH="$scratch/archives/lib/pkgconfig"
# shellcheck disable=SC2046
{
        cc "$here/consumer/serve.c" -o "$scratch/pc_c_static" $(pkg-config --static --cflags --libs hotstart)
        cc "$here/consumer/http.c" -o "$scratch/pc_http_static" \
                $(pkg-config --static --cflags --libs hotstart-http)
}
for program in pc_c_shared pc_cxx_shared pc_http_shared; do
        works env LD_LIBRARY_PATH="$prefix/lib" "$scratch/$program"
done
for program in pc_c_static pc_http_static; do
        works "$scratch/$program"
done

echo "the rest:"
"$prefix/bin/hotstart" --version
for page in hotstart.1 hotstart.7 hot_open.3 hot_free.3; do
        [ -s "$prefix/share/man/man${page##*.}/$page" ] || {
                echo "no man page $page"
                exit 1
        }
done
[ -s "$prefix/share/doc/hotstart/examples/minimal.c" ]

# Another's file in a shared folder survives an uninstallation, ours do not.
cmake --install "$build" --prefix "$scratch/again" >/dev/null
touch "$scratch/again/lib/other.so"
"$root/tools/uninstall" "$build" "$scratch/again"
left=$(find "$scratch/again" ! -type d)
[ "$left" = "$scratch/again/lib/other.so" ] || {
        echo "left behind: $left"
        exit 1
}
echo "installed, used, uninstalled"
