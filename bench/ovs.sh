#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What Open vSwitch with DPDK forwards between two null ports: bench/ovs.sh [SECONDS]
#
#   ovs MPPS BEST   64-byte packets from each port to the other, both together, one polling
#                   thread
#
# A database and a switch of its own, without huge pages and without the system's, in a
# folder that goes again. Where the programs are: OVS_ROOT, for packages that were only
# unpacked. Prints a SKIP line without them.
set -u
seconds=${1:-3}
root=${OVS_ROOT-}
vswitchd=$root/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk
PATH=$root/usr/bin:$root/usr/sbin:$PATH
[ -x "$vswitchd" ] || { echo "SKIP ovs: no $vswitchd (Debian: openvswitch-switch-dpdk)"; exit 0; }
[ "$(nproc)" -ge 2 ] || { echo "SKIP ovs: one processor"; exit 0; }
T=$(mktemp -d /tmp/clickos-ovs.XXXXXX)
pids=()
finish() {
    for p in "${pids[@]}"; do kill "$p" 2>/dev/null; done
    wait 2>/dev/null
    [ -z "${KEEP-}" ] || cp "$T"/*.log "$KEEP"
    rm -rf "$T"
}
trap finish EXIT
trap 'exit 130' INT TERM
export OVS_RUNDIR=$T OVS_DBDIR=$T OVS_LOGDIR=$T
vsctl() { timeout 20 ovs-vsctl --db="unix:$T/db.sock" "$@"; }
# Packets that went out of the ports, as of now.
sent() {
    timeout 5 ovs-ofctl dump-ports br0 2>/dev/null |
        awk '/ port / { on = !/LOCAL/ }
             on && sub(/.*tx pkts=/, "") { n += $0 + 0 } END { printf "%.0f", n }'
}
fail() { echo "SKIP ovs: $1"; [ -z "${VERBOSE-}" ] || cat "$T"/*.log; exit 0; }

ovsdb-tool create "$T/conf.db" "$root/usr/share/openvswitch/vswitch.ovsschema" || fail "no database"
ovsdb-server "$T/conf.db" --remote="punix:$T/db.sock" --unixctl="$T/db.ctl" >"$T/db.log" 2>&1 &
pids+=($!)
for _ in $(seq 50); do [ -S "$T/db.sock" ] && break; sleep 0.1; done
vsctl --no-wait init
vsctl --no-wait set Open_vSwitch . other_config:dpdk-init=true other_config:pmd-cpu-mask=0x2 \
    other_config:dpdk-extra="--no-huge --legacy-mem -m 1024 --no-pci --no-telemetry --file-prefix clickos-ovs-$$ -l 0"
"$vswitchd" "unix:$T/db.sock" --unixctl="$T/vswitchd.ctl" >"$T/vswitchd.log" 2>&1 &
pids+=($!)
vsctl add-br br0 -- set bridge br0 datapath_type=netdev fail-mode=secure ||
    fail "the switch does not start"
for i in 0 1; do
    vsctl add-port br0 n$i -- set Interface n$i type=dpdk options:dpdk-devargs="net_null$i,size=64"
done
[ "$(vsctl get Interface n0 error)$(vsctl get Interface n1 error)" = "[][]" ] || fail "$(vsctl get Interface n0 error)"
for ports in n0,n1 n1,n0; do
    timeout 5 ovs-ofctl add-flow br0 "in_port=${ports%,*},actions=output:${ports#*,}" || fail "no flow"
done
sleep 1
for _ in $(seq $((seconds * 5))); do
    a=$(sent) ta=$(date +%s%N)
    sleep 0.2
    b=$(sent) tb=$(date +%s%N)
    echo "$(((b - a) * 1000000 / (tb - ta)))" # packets a millisecond
done | sort -n | awk '{ a[NR] = $1 } END { printf "ovs %.3f %.3f\n", a[int((NR + 1) / 2)] / 1e3, a[NR] / 1e3 }'
