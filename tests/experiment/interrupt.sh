#!/bin/sh
# SPDX-License-Identifier: MIT
# interrupt.sh HOTSTART SERVER: Ctrl-C in the middle of a restart ends the experiment with 130 and leaves
# no process of the server behind.
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkfifo "$scratch/output"

"$1" verify --experiment --port 0 --delay 60 --limit 50 -- "$2" >"$scratch/output" &
experiment=$!
pids=
while read -r line; do
        echo "$line"
        case $line in
        *'[pid '*']'*)
                pid=${line#*'[pid '}
                pids="$pids ${pid%%']'*}"
                ;;
        "SAME AS tells"*) # both processes of the server are there
                kill -INT "$experiment"
                ;;
        esac
done <"$scratch/output"

status=0
wait "$experiment" || status=$?
[ "$status" = 130 ] || { echo "exit status $status, not 130"; exit 1; }
[ "$(echo $pids | wc -w)" -ge 2 ] || { echo "there were not two processes"; exit 1; }
for pid in $pids; do
        ! kill -0 "$pid" 2>/dev/null || { echo "$pid was left behind"; exit 1; }
done
