#!/bin/sh
# SPDX-License-Identifier: MIT
# Every C file is as clang-format leaves it.
set -eu
if ! command -v clang-format >/dev/null; then
        echo "skipped: clang-format is not installed (tools/deps heavy)"
        exit 77
fi
cd "$(dirname "$0")/../.."
find include src examples tests bench -name '*.[ch]' -exec clang-format --dry-run -Werror {} +
echo "every C file is formatted"
