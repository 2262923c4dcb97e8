#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The daemon is killed under traffic and started again: VMs and ports are taken over, and
# packets flow on. tests/restart.sh BUILDDIR; needs root.
#
# Two streams cross the switch: pings every 10 ms, TAP -> VM -> TAP, and 1,000 packets a
# second from a VM to a VM, each with a number of its own. Of the second nothing may be lost:
# while there is no switch they wait in the sender, whose wire has backpressure; a batch may
# come twice, if the switch died between handing it over and giving it back. Of the first
# only what came while there was no switch. The best of several restarts must have them
# flow again within 100 ms of the new start, each of them within a bound for a busy machine.
set -u
cd "$(dirname "$0")/.." || exit 1
B=$(realpath "${1:-build/release}")
[ "$(id -u)" = 0 ] || { echo "SKIP restart: not root"; exit 0; }
[ -c /dev/net/tun ] || { mkdir -p /dev/net && mknod /dev/net/tun c 10 200; } 2>/dev/null
type -P ping ip >/dev/null || { echo "SKIP restart: no ping or ip"; exit 0; }

T=$(mktemp -d /tmp/clickos-restart.XXXXXX)
export CLICKOS_SOCKET=$T/sock PATH="$B:$PATH"
NS1=clickos-rs-a$$ NS2=clickos-rs-b$$
RESTARTS=6
LIMIT_MS=2000
BEST_MS=100
BATCH=128 # packets that a switch can have in its hands when it dies
DAEMON= PING= back= neighbours=

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
    step clickos run count --isolation "$1" --net c -e 'FromNetfront(0) -> c :: Counter
        -> MarkIPHeader(14) -> AggregateIP(ip id) -> a :: AggregateCounter -> Discard;'
    step clickos run send --isolation "$1" --net c -e \
        's :: RatedSource(RATE 1000) -> UDPIPEncap(10.0.0.1, 1, 10.0.0.2, 2)
        -> EtherEncap(0x0800, 02:00:00:00:00:01, 02:00:00:00:00:02) -> Queue(50000) -> ToNetfront(0);'
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

# Each time one ping or more in a row have no reply, before one that has: the numbers around
# them, and when that came. A switch that is being killed may still hand on some packets and
# not those before them: what is missing between these belongs to what comes after.
gaps() {
    sed -n 's/^\[\([0-9.]*\)\].*icmp_seq=\([0-9]*\) .*/\2 \1/p' "$T/pings" | sort -un |
        awk -v a="$killed" -v b="$started" '
            $1 > last + 1 && ($2 < a || $2 > b) { print last "-" $1 " at " $2 }
            { last = $1 }'
}

# Packets that a VM had no buffers for, since it did not run for more than 0.1 s: a busy
# machine's doing, and a gap each, at most.
no_room() {
    for port in fw.0 fw.1; do clickos port show $port; done | awk '$1 == "full" { n += $2 } END { print n + 0 }'
}

replies() { grep -c 'bytes from' "$T/pings"; }
until_replies() { # COUNT
    for _ in $(seq 200); do
        [ "$(replies)" -ge "$1" ] && break
        sleep 0.05
    done
}

kill_and_restart() { # ISOLATION; sets $back and $neighbours
    local before killed started ready lost
    ip netns exec $NS1 ping -D -i 0.01 -W 1 10.77.1.2 >"$T/pings" 2>/dev/null &
    PING=$!
    until_replies 20
    lost=$(no_room)
    killed=$(date +%s.%N)
    kill -KILL "$DAEMON"
    wait "$DAEMON" 2>/dev/null
    sleep 0.3
    neighbours=$(ip -n $NS1 neigh show to 10.77.1.2)
    before=$(replies)
    started=$(date +%s.%N)
    start_daemon
    clickos wait --timeout 20 >/dev/null || fail "$1" "the new daemon does not answer"
    ready=$(date +%s.%N)
    until_replies $((before + 20))
    sleep 0.3 # in which there could be another gap
    kill "$PING"
    wait "$PING" 2>/dev/null
    PING=
    back=$(first_reply_ms "$started")
    [ -n "$back" ] || fail "$1" "no ping came back after the restart ($before before)"
    echo "restart/$1: pings flow $back ms after the new start, the daemon answers after" \
        "$(awk -v a="$started" -v b="$ready" 'BEGIN { printf "%.0f", (b - a) * 1000 }') ms"
    [ "$back" -le $LIMIT_MS ] || fail "$1/traffic-flows-again" "after $back ms"
    [ "$(gaps | wc -l)" -le $((1 + $(no_room) + lost)) ] ||
        fail "$1/pings-are-lost-once" "killed $killed, started $started, ready $ready; gaps: $(gaps)"
}

# Those of the kernel, while the tap has no carrier: a question for them could be lost.
check_neighbours() { # ISOLATION
    if ! ip netns exec $NS1 test -e /proc/sys/net/ipv4/conf/t1/arp_evict_nocarrier; then
        echo "SKIP restart/$1/neighbours-are-kept: the kernel always forgets them"
        return
    fi
    [[ $neighbours == *lladdr* ]] || fail "$1/neighbours-are-kept" "'$neighbours'"
    echo "PASS restart/$1/neighbours-are-kept"
}

restarts() { # ISOLATION
    local best=$LIMIT_MS
    for _ in $(seq $RESTARTS); do
        kill_and_restart "$1"
        [ "$back" -lt "$best" ] && best=$back
    done
    check_neighbours "$1"
    echo "PASS restart/$1/traffic-flows-again"
    echo "PASS restart/$1/pings-are-lost-once"
    [ "$best" -le $BEST_MS ] || fail "$1/within-$BEST_MS-ms" "the best of $RESTARTS took $best ms"
    echo "PASS restart/$1/within-$BEST_MS-ms"
}

# The daemon finds the sender's other end half a second later than the sender.
find_one_late() {
    local pid
    pid=$(clickos ps | awk '$1 == "count" { print $4 }')
    kill -KILL "$DAEMON"
    wait "$DAEMON" 2>/dev/null
    kill -STOP "$pid"
    start_daemon
    clickos wait --timeout 20 >/dev/null
    sleep 0.5
    kill -CONT "$pid"
}

# All that was sent from VM to VM has come.
compare_counts() { # ISOLATION
    local sent got different
    step clickos write send s.active false
    for _ in $(seq 200); do
        sent=$(clickos read send s.count)
        got=$(clickos read count c.count)
        different=$(clickos read count a.nagg)
        [ "$sent" = "$different" ] && break
        sleep 0.05
    done
    echo "restart/$1: of $sent packets from VM to VM $((sent - different)) were lost," \
        "$((got - different)) came twice"
    if [ "$sent" = "$different" ] && [ $((got - different)) -le $((BATCH * RESTARTS)) ] && [ "$sent" -gt 500 ]; then
        echo "PASS restart/$1/nothing-is-lost-between-vms"
    else
        clickos port show send.0
        clickos port show count.0
        fail "$1/nothing-is-lost-between-vms" "sent $sent, received $different, $got in all"
    fi
}

start_daemon
clickos wait --timeout 20 >/dev/null || fail start "the daemon does not answer"
kinds=process
if [ -r /dev/kvm ] && [ -w /dev/kvm ]; then kinds="kvm process"; else echo "SKIP restart/kvm: no /dev/kvm"; fi
for kind in $kinds; do
    set_up "$kind"
    restarts "$kind"
    find_one_late
    compare_counts "$kind"
    tear_down
done
