#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The examples with real programs on both sides: what their first lines say must be so.
# tests/examples.sh BUILDDIR; needs root.
set -u
cd "$(dirname "$0")/.." || exit 1
B=$(realpath "${1:-build/release}")
for e in examples/*.click; do
    if err=$("$B/clickos" lint "$e" 2>&1); then
        echo "PASS examples/lint $(basename "$e")"
    else
        echo "FAIL examples/lint $(basename "$e")"
        echo "$err"
    fi
done
[ "$(id -u)" = 0 ] || { echo "SKIP examples: not root"; exit 0; }
type -P ping ip curl python3 >/dev/null || { echo "SKIP examples: no ping, ip, curl or python3"; exit 0; }
[ -c /dev/net/tun ] || { mkdir -p /dev/net && mknod /dev/net/tun c 10 200; } 2>/dev/null

T=$(mktemp -d /tmp/clickos-examples.XXXXXX)
export CLICKOS_SOCKET=$T/sock PATH="$B:$PATH"
LEFT=clickos-ex-l$$ RIGHT=clickos-ex-r$$ OTHER=clickos-ex-o$$
pids=()

cleanup() {
    trap - EXIT INT TERM
    clickos rm --all >/dev/null 2>&1
    kill "${pids[@]}" 2>/dev/null
    wait 2>/dev/null
    for ns in $LEFT $RIGHT $OTHER; do ip netns del $ns 2>/dev/null; done
    rm -rf "$T"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
fail() {
    echo "FAIL examples/$1: $2"
    tail -n 20 "$T/log"
    exit 1
}
step() { "$@" >"$T/out" 2>&1 || { cat "$T/out"; fail setup "$*"; }; }
is() { # NAME GOT WANT
    if [ "$2" = "$3" ]; then echo "PASS examples/$1"; else fail "$1" "'$2', not '$3'"; fi
}
has() { # NAME TEXT PATTERN
    if grep -qE -- "$3" <<<"$2"; then echo "PASS examples/$1"; else fail "$1" "no '$3' in: $2"; fi
}

# host NAMESPACE NETWORK ADDRESS [ROUTER]: a namespace with one interface and, if it has a
# page in $T/NAMESPACE, a web server
host() {
    step ip netns add "$1"
    step clickos port add "$1" tap --net "$2" --netns "$1" ifname=eth0
    step ip -n "$1" addr add "$3" dev eth0
    step ip -n "$1" link set eth0 up
    step ip -n "$1" link set lo up
    [ -z "${4:-}" ] || step ip -n "$1" route add default via "$4"
    [ -d "$T/$1" ] || return 0
    ip netns exec "$1" python3 -m http.server -d "$T/$1" 80 >/dev/null 2>"$T/$1.log" &
    pids+=($!)
    for _ in $(seq 50); do
        ip netns exec "$1" curl -s -o /dev/null http://127.0.0.1/ && return
        sleep 0.1
    done
    fail setup "no web server in $1"
}
page() { mkdir -p "$T/$1" && echo "$2" >"$T/$1/index.html"; }
from() { local ns=$1; shift; timeout 20 ip netns exec "$ns" "$@" 2>&1; }
get() { from "$1" curl -s -m 3 "$2"; }
count() { clickos read "$1" "$2"; }
undo() { # VM
    step clickos rm --all
    for p in $LEFT $RIGHT $OTHER; do clickos port rm $p >/dev/null 2>&1; ip netns del $p 2>/dev/null; done
    step clickos net rm left
    step clickos net rm right
    rm -rf "${T:?}/$LEFT" "${T:?}/$RIGHT" "${T:?}/$OTHER"
}
networks() { step clickos net add left && step clickos net add right; }

test_nat() {
    networks
    page $LEFT "private"
    page $RIGHT "outside"
    head -c 200000 /dev/zero >"$T/$RIGHT/big"
    host $LEFT left 192.168.1.2/24 192.168.1.1
    host $RIGHT right 10.0.0.2/24
    step clickos run nat examples/nat.click --net left,right
    has "nat: the gateway answers ping" "$(from $LEFT ping -c 2 -i 0.2 -W 2 192.168.1.1)" " 2 received"
    has "nat: ping goes through" "$(from $LEFT ping -c 2 -i 0.2 -W 2 10.0.0.2)" " 2 received"
    is "nat: so does the web" "$(get $LEFT http://10.0.0.2/)" outside
    has "nat: the server sees the gateway" "$(cat "$T/$RIGHT.log")" '^10\.0\.0\.1 .*GET / '
    step ip -n $RIGHT route add 192.168.1.0/24 via 10.0.0.1
    is "nat: the customer has a web server" "$(get $LEFT http://192.168.1.2/)" private
    is "nat: nothing comes in unasked" \
        "$(get $RIGHT http://10.0.0.1/)$(get $RIGHT http://192.168.1.2/)" ""
    is "nat: such packets are counted" "$(($(count nat not_mine.count) > 0))" 1
    ip netns exec $LEFT curl -s -m 15 --limit-rate 60000 -o "$T/got" http://10.0.0.2/big &
    local curl=$!
    sleep 0.7
    step clickos install nat examples/nat.click
    wait $curl
    is "nat: a transfer outlives a new configuration" "$(stat -c %s "$T/got")" 200000
    undo
}

test_load_balancer() {
    networks
    page $RIGHT "server a"
    page $OTHER "server b"
    host $LEFT left 10.0.0.2/24
    host $RIGHT right 192.168.1.2/24 192.168.1.1
    host $OTHER right 192.168.1.3/24 192.168.1.1
    step clickos run lb examples/load-balancer.click --net left,right
    is "load balancer: servers take turns" \
        "$(for _ in 1 2 3 4; do get $LEFT http://10.0.0.1/; done | sort | uniq -c | xargs)" \
        "2 server a 2 server b"
    get $LEFT http://10.0.0.1:81/ >/dev/null
    is "load balancer: other ports are refused" "$(($(count lb refused.count) > 0))" 1
    undo
}

test_ids() {
    networks
    page $RIGHT "a page"
    host $LEFT left 10.0.0.1/24
    host $RIGHT right 10.0.0.2/24
    step clickos run ids examples/ids.click --net left,right
    is "ids: what is harmless passes" "$(get $LEFT http://10.0.0.2/)" "a page"
    from $LEFT curl -s -m 1 --path-as-is http://10.0.0.2/../../etc/passwd >/dev/null
    is "ids: a signature does not" "$(($(count ids caught.count) > 0))" 1
    has "ids: and is reported" "$(clickos logs ids)" "signature found in: .*10\.0\.0\.1\.[0-9]+ > 10\.0\.0\.2\.80"
    is "ids: two connections were seen" "$(count ids connections.count)" 2
    undo
}

clickosd --foreground --state "$T/state" --socket "$CLICKOS_SOCKET" >"$T/log" 2>&1 &
pids+=($!)
step clickos wait --timeout 20
test_nat
test_load_balancer
test_ids
