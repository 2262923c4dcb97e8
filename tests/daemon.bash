# SPDX-License-Identifier: BSD-3-Clause
# What tests of a running clickosd share; sourced, after `area` (the first word of each
# result) and `B` (the build folder) are set. Results are "PASS area/isolation/name".
#
# Gives: $T, a folder of this run that ends with it; $NS1 and $NS2, names for two network
# namespaces, removed at the end if they were made; $CLICKOS_SOCKET; $iso, to be set by who
# runs the same tests under several isolations.
# A function on_exit, if there is one, runs before anything is taken down.
# shellcheck shell=bash

[ "$(id -u)" = 0 ] || { echo "SKIP $area: not root"; exit 0; }
[ -c /dev/net/tun ] || { mkdir -p /dev/net && mknod /dev/net/tun c 10 200; } 2>/dev/null

T=$(mktemp -d "/tmp/clickos-$area.XXXXXX")
: >"$T/log"
export CLICKOS_SOCKET=$T/sock PATH="$B:$PATH"
NS1=clickos-$area-a$$ NS2=clickos-$area-b$$
DAEMON=
iso=auto

start_daemon() { # [OPTION ...]
    clickosd --foreground --state "$T/state" --socket "$CLICKOS_SOCKET" "$@" >>"$T/log" 2>&1 &
    DAEMON=$!
    clickos wait --timeout 20
}
stop_daemon() { # signal
    kill "-$1" "$DAEMON" 2>/dev/null
    wait "$DAEMON" 2>/dev/null
}
cleanup() {
    trap - EXIT INT TERM
    [ "$(type -t on_exit)" = function ] && on_exit
    clickos rm --all >/dev/null 2>&1
    [ -n "$DAEMON" ] && stop_daemon TERM
    umount "$T/small" 2>/dev/null
    ip netns del "$NS1" 2>/dev/null
    ip netns del "$NS2" 2>/dev/null
    rm -rf "$T"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

pass() { echo "PASS $area/$iso/$1"; }
fail() {
    echo "FAIL $area/$iso/$1: $2"
    echo "--- stdout"; head -n 20 "$T/out"; echo "--- stderr"; head -n 20 "$T/err"
    echo "--- daemon"; tail -n 20 "$T/log"
}
# expect NAME STATUS STDERR-PATTERN COMMAND... : exit status, and what stderr must match
# ("" means nothing at all on stderr)
expect() {
    local name=$1 status=$2 pattern=$3 got
    shift 3
    timeout 60 "$@" >"$T/out" 2>"$T/err" </dev/null
    got=$?
    if [ $got != "$status" ]; then
        fail "$name" "exit status $got, not $status, of: $*"
    elif [ -z "$pattern" ] && [ -s "$T/err" ]; then
        fail "$name" "unexpected message of: $*"
    elif [ -n "$pattern" ] && ! grep -qE -- "$pattern" "$T/err"; then
        fail "$name" "no '$pattern' on stderr of: $*"
    else
        pass "$name"
    fi
}
# The same, and the error must be one line.
refuse() {
    expect "$@"
    [ "$(wc -l <"$T/err")" = 1 ] || fail "$1" "more than one line"
}
is() { # NAME GOT WANT
    if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "'$2', not '$3'"; fi
}
vm_member() { # VM KEY: from `clickos ps`
    clickos ps "$1" --json | python3 -c 'import json, sys
print(json.load(sys.stdin)["vms"][0][sys.argv[1]])' "$2"
}
