#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The daemon is killed under traffic and started again: VMs and ports are taken over, and
# packets flow on. tests/restart.sh BUILDDIR; needs root.
#
# Two streams cross the switch: pings every 10 ms, TAP -> VM -> TAP, and 1,000 packets a
# second from a VM to a VM. Of the second nothing may be lost: while there is no switch
# they wait in the sender, whose wire has backpressure; a batch may come twice, if the
# switch died between handing it over and giving it back. The first must be back soon after
# the new start. The time it took is printed; the bound is wide, because other programs
# share the machine.
set -u
cd "$(dirname "$0")/.." || exit 1
B=$(realpath "${1:-build/release}")
[ "$(id -u)" = 0 ] || { echo "SKIP restart: not root"; exit 0; }
[ -c /dev/net/tun ] || { mkdir -p /dev/net && mknod /dev/net/tun c 10 200; } 2>/dev/null
type -P ping ip >/dev/null || { echo "SKIP restart: no ping or ip"; exit 0; }

T=$(mktemp -d /tmp/clickos-restart.XXXXXX)
export CLICKOS_SOCKET=$T/sock PATH="$B:$PATH"
NS1=clickos-rs-a$$ NS2=clickos-rs-b$$
LIMIT_MS=2000
BATCH=128 # packets that a switch can have in its hands when it dies
DAEMON= PING=

start_daemon() {
    clickosd --foreground --state "$T/state" --socket "$CLICKOS_SOCKET" >>"$T/log" 2>&1 &
    DAEMON=$!
}
cleanup() {
    trap - EXIT INT TERM
    [ -n "$PING" ] && kill "$PING" 2>/dev/null
    clickos rm --all >/dev/null 2>&1
    [ -n "$DAEMON" ] && kill "$DAEMON" 2>/dev/null && wait "$DAEMON" 2>/dev/null
    ip netns del $NS1 2>/dev/null
    ip netns del $NS2 2>/dev/null
    rm -rf "$T"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
fail() {
    echo "FAIL restart/$1: $2"
    tail -n 20 "$T/log"
    exit 1
}
step() { "$@" >"$T/out" 2>&1 || { cat "$T/out"; fail setup "$*"; }; }

set_up() { # ISOLATION
    step clickos net add a
    step clickos net add b
    step clickos net add c --wire --backpressure
    step ip netns add $NS1
    step ip netns add $NS2
    step clickos port add t1 tap --net a --netns $NS1
    step clickos port add t2 tap --net b --netns $NS2
    step ip -n $NS1 addr add 10.77.1.1/24 dev t1
    step ip -n $NS2 addr add 10.77.1.2/24 dev t2
    step clickos run fw --isolation "$1" --net a,b -e \
        'FromNetfront(0) -> ToNetfront(1); FromNetfront(1) -> ToNetfront(0);'
    step clickos run count --isolation "$1" --net c -e 'FromNetfront(0) -> c :: Counter -> Discard;'
    step clickos run send --isolation "$1" --net c -e \
        's :: RatedSource(RATE 1000) -> q :: Queue(100000) -> ToNetfront(0);'
    step ip netns exec $NS1 ping -c 2 -i 0.1 -W 2 10.77.1.2
}
tear_down() {
    step clickos rm fw send count
    step clickos port rm t1 t2
    step clickos net rm a b c
    ip netns del $NS1
    ip netns del $NS2
}

# The first reply after the time $1, in ms after it; nothing if there is none.
first_reply_ms() {
    awk -v t="$1" '/bytes from/ { s = substr($1, 2) + 0; if (s > t) { printf "%.0f", (s - t) * 1000; exit } }' "$T/pings"
}

kill_and_restart() { # ISOLATION
    local before started ready back
    ip netns exec $NS1 ping -D -i 0.01 -W 1 10.77.1.2 >"$T/pings" 2>/dev/null &
    PING=$!
    sleep 0.5
    kill -KILL "$DAEMON"
    wait "$DAEMON" 2>/dev/null
    sleep 0.3
    before=$(grep -c 'bytes from' "$T/pings")
    started=$(date +%s.%N)
    start_daemon
    clickos wait --timeout 20 >/dev/null || fail "$1" "the new daemon does not answer"
    ready=$(date +%s.%N)
    sleep 0.7
    kill "$PING"
    wait "$PING" 2>/dev/null
    PING=
    back=$(first_reply_ms "$started")
    [ -n "$back" ] || fail "$1" "no ping came back after the restart ($before before)"
    echo "restart/$1: pings flow $back ms after the new start (aim: 100), the daemon answers after" \
        "$(awk -v a="$started" -v b="$ready" 'BEGIN { printf "%.0f", (b - a) * 1000 }') ms"
    if [ "$back" -le $LIMIT_MS ]; then
        echo "PASS restart/$1/traffic-flows-again"
    else
        fail "$1/traffic-flows-again" "after $back ms"
    fi
}

# All that was sent from VM to VM has come.
compare_counts() { # ISOLATION
    local sent got lost
    step clickos write send s.active false
    for _ in $(seq 50); do
        sent=$(clickos read send s.count)
        got=$(clickos read count c.count)
        [ "$sent" = "$got" ] && break
        sleep 0.05
    done
    lost=$((sent - got))
    echo "restart/$1: of $sent packets from VM to VM $lost were lost (negative: came twice)"
    if [ $lost -le 0 ] && [ $lost -ge -$BATCH ] && [ "$sent" -gt 500 ]; then
        echo "PASS restart/$1/nothing-is-lost-between-vms"
    else
        fail "$1/nothing-is-lost-between-vms" "sent $sent, received $got"
    fi
}

start_daemon
clickos wait --timeout 20 >/dev/null || fail start "the daemon does not answer"
kinds=process
if [ -r /dev/kvm ] && [ -w /dev/kvm ]; then kinds="kvm process"; else echo "SKIP restart/kvm: no /dev/kvm"; fi
for kind in $kinds; do
    set_up "$kind"
    kill_and_restart "$kind"
    kill_and_restart "$kind"
    compare_counts "$kind"
    tear_down
done
