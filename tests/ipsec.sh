#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# An ESP tunnel between two VMs, and one between a VM and Linux. tests/ipsec.sh BUILDDIR;
# needs root.
#
#     namespace 10.1.0.1 -- VM 192.0.2.1 == ESP == VM 192.0.2.2 -- namespace 10.2.0.1
#     namespace 10.1.0.1 -- VM 192.0.2.1 == ESP == namespace 192.0.2.2, 10.2.0.1
set -u
cd "$(dirname "$0")/.." || exit 1
B=$(realpath "${1:-build/release}")
[ "$(id -u)" = 0 ] || { echo "SKIP ipsec: not root"; exit 0; }
[ -c /dev/net/tun ] || { mkdir -p /dev/net && mknod /dev/net/tun c 10 200; } 2>/dev/null
type -P ping ip >/dev/null || { echo "SKIP ipsec: no ping or ip"; exit 0; }

T=$(mktemp -d /tmp/clickos-ipsec.XXXXXX)
export CLICKOS_SOCKET=$T/sock PATH="$B:$PATH"
NS1=clickos-es-a$$ NS2=clickos-es-b$$ NS3=clickos-es-c$$
MAC1=02:00:00:00:01:01 MAC2=02:00:00:00:01:02 MAC3=02:00:00:00:01:03
GW=02:00:00:00:02:00
AES1=000102030405060708090a0b0c0d0e0f AES2=f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff
AUTH1=101112131415161718191a1b1c1d1e1f20212223
AUTH2=303132333435363738393a3b3c3d3e3f40414243
SALT=aabbccdd
CLEAR=434c454152 # "CLEAR", which nobody on the way may read
DAEMON=

cleanup() {
    trap - EXIT INT TERM
    clickos rm --all >/dev/null 2>&1
    [ -n "$DAEMON" ] && kill "$DAEMON" 2>/dev/null && wait "$DAEMON" 2>/dev/null
    for ns in $NS1 $NS2 $NS3; do ip netns del "$ns" 2>/dev/null; done
    rm -rf "$T"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
fail() {
    echo "FAIL ipsec/$1: $2"
    tail -n 20 "$T/log"
    exit 1
}
step() { "$@" >"$T/out" 2>&1 || { cat "$T/out"; fail setup "$*"; }; }
is() { # NAME GOT WANT
    if [ "$2" = "$3" ]; then echo "PASS ipsec/$1"; else fail "$1" "'$2', not '$3'"; fi
}

# gateway SUITE OWN PEER LAN PEER-LAN LAN-MAC WIRE-MAC SPI-IN KEYS-IN SPI-OUT KEYS-OUT
gateway() {
    local seal open
    case $1 in
    gcm) seal="IPsecAESGCM(1)" open="IPsecAESGCM(0)" ;;
    cbc) seal="IPsecAES(1) -> IPsecAuthHMACSHA1(0)" open="IPsecAuthHMACSHA1(1) -> IPsecAES(0)" ;;
    esac
    cat <<END
lan :: EtherEncap(0x0800, $GW, $6) -> ToNetfront(0);
wire :: EtherEncap(0x0800, $GW, $7) -> ToNetfront(1);
rt :: RadixIPsecLookup($2/32 0 $8 $9 1 32, $5 $3 1 ${10} ${11} 1 32, $4 3);
FromNetfront(0) -> from_lan :: Classifier(12/0800) -> Strip(14) -> CheckIPHeader -> rt;
FromNetfront(1) -> from_wire :: Classifier(12/0800) -> esp :: Counter
    -> clear :: StringMatcher(CLEAR) -> Strip(14) -> CheckIPHeader -> rt;
rt[1] -> IPsecESPEncap(NEXT_HEADER 4) -> $seal -> IPsecEncap(esp) -> FixIPSrc($2) -> wire;
rt[0] -> StripIPHeader -> $open -> back :: IPsecESPUnencap -> CheckIPHeader -> rt;
rt[2] -> Discard;
rt[3] -> lan;
END
}
keys() { # SUITE WHICH
    local aes=AES$2 auth=AUTH$2
    case $1 in
    gcm) echo "\\<${!aes}$SALT> \"\"" ;;
    cbc) echo "\\<${!aes}> \\<${!auth}>" ;;
    esac
}
near() { # SUITE PEER-MAC
    gateway "$1" 192.0.2.1 192.0.2.2 10.1.0.0/16 10.2.0.0/16 $MAC1 "$2" \
        1002 "$(keys "$1" 2)" 1001 "$(keys "$1" 1)"
}
far() { # SUITE
    gateway "$1" 192.0.2.2 192.0.2.1 10.2.0.0/16 10.1.0.0/16 $MAC2 $GW \
        1001 "$(keys "$1" 1)" 1002 "$(keys "$1" 2)"
}
pings() { # NAME
    if ip netns exec $NS1 ping -c 20 -i 0.01 -W 2 -s 1000 -p $CLEAR 10.2.0.1 >"$T/out" 2>&1; then
        echo "PASS ipsec/$1"
    else
        cat "$T/out"
        fail "$1" "no ping"
    fi
}

set_up() {
    for net in left middle right outside; do step clickos net add $net --wire; done
    for ns in $NS1 $NS2 $NS3; do step ip netns add "$ns"; done
    step clickos port add ta tap --net left --netns $NS1 ifname=eth0 mac=$MAC1
    step clickos port add tb tap --net right --netns $NS2 ifname=eth0 mac=$MAC2
    step clickos port add tc tap --net outside --netns $NS3 ifname=eth0 mac=$MAC3
    step ip -n $NS1 addr add 10.1.0.1/16 dev eth0
    step ip -n $NS1 route add 10.2.0.0/16 via 10.1.0.254
    step ip -n $NS1 neigh replace 10.1.0.254 lladdr $GW dev eth0
    step ip -n $NS2 addr add 10.2.0.1/16 dev eth0
    step ip -n $NS2 route add 10.1.0.0/16 via 10.2.0.254
    step ip -n $NS2 neigh replace 10.2.0.254 lladdr $GW dev eth0
}

between_vms() { # SUITE
    near "$1" $GW >"$T/near.click"
    far "$1" >"$T/far.click"
    step clickos run near "$T/near.click" --net left,middle --isolation "$iso"
    step clickos run far "$T/far.click" --net right,middle --isolation "$iso"
    pings "$iso/$1"
    is "$iso/$1-nobody-can-read-it" "$(clickos read near clear.matches) $(clickos read far clear.matches)" "0 0"
    is "$iso/$1-all-of-it-is-esp" "$([ "$(clickos read far esp.count)" -ge 20 ] && echo yes)" yes
    is "$iso/$1-once-each" "$(clickos read far back.replay) $(clickos read far back.padding)" "0 0"
    step clickos rm near far
}

linux_state() { # SUITE SRC DST SPI WHICH
    local aes=AES$5 auth=AUTH$5
    case $1 in
    gcm) set -- "$@" aead 'rfc4106(gcm(aes))' "0x${!aes}$SALT" 128 ;;
    cbc) set -- "$@" enc 'cbc(aes)' "0x${!aes}" auth-trunc 'hmac(sha1)' "0x${!auth}" 96 ;;
    esac
    ip -n $NS3 xfrm state add src "$2" dst "$3" proto esp spi "$4" reqid 1 mode tunnel "${@:6}" \
        >"$T/out" 2>&1
}
with_linux() { # SUITE
    if ! linux_state "$1" 192.0.2.1 192.0.2.2 1001 1 ||
        ! linux_state "$1" 192.0.2.2 192.0.2.1 1002 2; then
        echo "SKIP ipsec/linux/$1: this kernel's ESP cannot do it: $(tail -n 1 "$T/out")"
        ip -n $NS3 xfrm state flush
        return
    fi
    near "$1" $MAC3 >"$T/near.click"
    step clickos run near "$T/near.click" --net left,outside --isolation "$iso"
    pings "linux/$1"
    step clickos rm near
    step ip -n $NS3 xfrm state flush
}
linux_set_up() {
    local tunnel_in="tmpl src 192.0.2.1 dst 192.0.2.2 proto esp reqid 1 mode tunnel"
    local tunnel_out="tmpl src 192.0.2.2 dst 192.0.2.1 proto esp reqid 1 mode tunnel"

    step ip -n $NS3 addr add 192.0.2.2/24 dev eth0
    step ip -n $NS3 link set lo up
    step ip -n $NS3 addr add 10.2.0.1/32 dev lo
    step ip -n $NS3 neigh replace 192.0.2.1 lladdr $GW dev eth0
    step ip -n $NS3 route add 10.1.0.0/16 via 192.0.2.1 src 10.2.0.1
    # shellcheck disable=SC2086
    ip -n $NS3 xfrm policy add src 10.1.0.0/16 dst 10.2.0.0/16 dir in $tunnel_in &&
        ip -n $NS3 xfrm policy add src 10.2.0.0/16 dst 10.1.0.0/16 dir out $tunnel_out
}

if [ -w /dev/kvm ]; then iso=kvm; else iso=process; fi
clickosd --foreground --state "$T/state" --socket "$CLICKOS_SOCKET" >>"$T/log" 2>&1 &
DAEMON=$!
step clickos wait --timeout 20
set_up
between_vms gcm
between_vms cbc
if linux_set_up >"$T/out" 2>&1; then
    with_linux gcm
    with_linux cbc
else
    echo "SKIP ipsec/linux: this kernel has no ESP: $(tail -n 1 "$T/out")"
fi
