#!/bin/sh
# SPDX-License-Identifier: MIT
# expect.sh HOTSTART SERVER FAULT STATUS [QUESTION]...
# Runs the experiment on a server with a fault. It must exit with STATUS, and among the answers that are no
# must be those to the questions that contain QUESTION; without one, none may be no.
set -eu
hotstart=$1 server=$2 fault=$3 status=$4
shift 4

got=0
output=$(RESTARTER_FAULT=$fault "$hotstart" verify --experiment --port 0 --delay 1 --limit 10 -- "$server") || got=$?
echo "$output"

[ "$got" = "$status" ] || { echo "exit status $got, not $status"; exit 1; }
no=$(echo "$output" | grep '^NO ' || true)
[ $# -gt 0 ] || [ -z "$no" ] || { echo "no answer should be no"; exit 1; }
for question in "$@"; do
        echo "$no" | grep -q "$question" || { echo "'$question' should be no"; exit 1; }
done
# The server says who it is; whatever it started must be gone.
for pid in $(echo "$output" | sed -n 's/.*\[pid \([0-9]*\)\].*/\1/p' | sort -u); do
        ! kill -0 "$pid" 2>/dev/null || { echo "$pid was left behind"; exit 1; }
done
