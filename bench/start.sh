#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Start-up of click: from process start to exit, the median of some runs, beside what Click
# 2.1 takes on a machine like the development ones. Time should grow linearly: the last
# column is the time for half as many elements times two.
#     bench/start.sh BUILDDIR [RUNS]
set -eu
click=$1/click
runs=${2:-15}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# configurations of a size
idle() { echo 'Idle -> Discard;'; }
chain() { echo "Idle"; for ((i = 0; i < $1; i++)); do echo "-> Null"; done; echo "-> Discard;"; }
pairs() { for ((i = 0; i < $1; i++)); do echo "Idle -> Discard;"; done; }
rules() {
    echo "Idle -> IPFilter("
    for ((i = 0; i < $1; i++)); do
        echo "allow src host 10.$((i >> 8)).$((i & 255)).1 && dst port $((i + 1)) && tcp,"
    done
    echo "deny all) -> Discard;"
}
routes() {
    echo "Idle -> r :: RadixIPLookup("
    for ((i = 0; i < $1; i++)); do
        echo "$((1 + (i >> 16))).$(((i >> 8) & 255)).$((i & 255)).0/24 0,"
    done
    echo "0.0.0.0/0 0) -> Discard;"
}

# median_ms FILE
median_ms() {
    local i start end
    for ((i = 0; i < runs; i++)); do
        start=${EPOCHREALTIME/./}
        "$click" -q "$1" >/dev/null 2>"$dir/err" || {
            cat "$dir/err" >&2
            return 1
        }
        end=${EPOCHREALTIME/./}
        echo $((end - start))
    done | sort -n | awk '{ v[NR] = $1 } END { printf "%.1f", v[int((NR + 1) / 2)] / 1000 }'
}

printf '%-34s %10s %12s %14s\n' "configuration" "ms" "Click, ms" "2 x half, ms"
measure() { # NAME FUNCTION SIZE CLICK
    local whole half=-
    if ! "$2" "$3" >"$dir/whole" || ! "$click" -q "$dir/whole" >/dev/null 2>&1; then
        printf '%-34s %10s\n' "$1" "not possible"
        return
    fi
    whole=$(median_ms "$dir/whole")
    if [ "$3" -gt 1 ]; then
        "$2" $(($3 / 2)) >"$dir/half"
        half=$(median_ms "$dir/half" | awk '{ printf "%.1f", 2 * $1 }')
    fi
    printf '%-34s %10s %12s %14s\n' "$1" "$whole" "$4" "$half"
}
measure "Idle -> Discard" idle 1 2.0
measure "chain of 10,000 elements" chain 10000 19
measure "5,000 pairs" pairs 5000 49
measure "IPFilter, 1,000 rules" rules 1000 21-97
measure "100,000 routes" routes 100000 101
