#!/bin/sh
# SPDX-License-Identifier: MIT
# The man pages are clean mdoc(7). Whether the pages of others that they refer to are on this machine is not
# their fault; whether ours exist is looked at by man.py.
set -eu
if ! command -v mandoc >/dev/null; then
        echo "skipped: mandoc is not installed (tools/deps test)"
        exit 77
fi
cd "$(dirname "$0")/../../man"
findings=$(for page in *.[137]; do
        mandoc -Tlint -Wstyle "$page" 2>/dev/null || :
done | grep -v 'referenced manual not found' || :)
if [ -n "$findings" ]; then
        echo "$findings"
        exit 1
fi
echo "every page is clean"
