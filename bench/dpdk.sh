#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What DPDK's testpmd moves on this machine without huge pages: bench/dpdk.sh [SECONDS]
#
#   one-way MPPS BEST   virtio-user (txonly) -> vhost (rxonly), a process each
#   memif MPPS BEST     memif (txonly) -> memif (rxonly), a process each: shared memory as ours,
#                       between two who trust each other
#   loop MPPS BEST      null -> vhost -> virtio-user, io, virtio-user -> vhost -> null, both
#                       directions together: the same work as generator -> VM -> sink
#
# Two processes, a processor each, 64-byte packets. Prints a SKIP line without testpmd.
set -u
seconds=${1:-3}
type -P dpdk-testpmd >/dev/null || { echo "SKIP dpdk: no dpdk-testpmd (Debian: dpdk-dev)"; exit 0; }
[ "$(nproc)" -ge 2 ] || { echo "SKIP dpdk: one processor"; exit 0; }
T=$(mktemp -d /tmp/clickos-dpdk.XXXXXX)
trap 'rm -rf "$T"' EXIT

# testpmd NAME CORE VDEVS... -- OPTIONS...: in the background, ends by itself
testpmd() {
    local name=$1 core=$2 vdevs=()
    shift 2
    while [ "$1" != -- ]; do vdevs+=(--vdev "$1"); shift; done
    shift
    timeout $((seconds + 4)) dpdk-testpmd --no-huge -m 256 --no-pci --no-telemetry \
        --file-prefix "clickos-$$-$name" --lcores "0@$core,1@$core" "${vdevs[@]}" -- \
        --total-num-mbufs=8192 --stats-period 1 "$@" </dev/null >"$T/$name" 2>&1 &
}
# rate NAME WORD PORTS: of PORTS' WORD-pps together, the median and the best second, Mp/s
rate() {
    awk -v w="$2-pps:" -v ports=" $3 " '
        /NIC statistics for port/ { on = index(ports, " " $6 " ") > 0; if ($6 == 0) { if (sum) print sum; sum = 0 } }
        on && index($0, w) { for (i = 1; i < NF; i++) if ($i == w) sum += $(i + 1) }
        END { if (sum) print sum }' "$T/$1" | sort -n | awk '{ a[NR] = $1 } END { printf "%.3f %.3f", a[int((NR + 1) / 2)] / 1e6, a[NR] / 1e6 }'
}

testpmd host 0 "net_vhost0,iface=$T/a" -- --forward-mode=rxonly
sleep 1
testpmd user 1 "net_virtio_user0,path=$T/a,queues=1" -- --forward-mode=txonly
wait
echo "one-way $(rate host Rx 0)"

testpmd server 0 "net_memif0,role=server,socket=$T/m,socket-abstract=no,bsize=2048,rsize=10" -- \
    --forward-mode=rxonly
sleep 1
testpmd client 1 "net_memif0,role=client,socket=$T/m,socket-abstract=no,bsize=2048,rsize=10" -- \
    --forward-mode=txonly
wait
echo "memif $(rate server Rx 0)"

testpmd host2 0 "net_null0,size=64" "net_vhost0,iface=$T/b" "net_vhost1,iface=$T/c" \
    "net_null1,size=64" -- --forward-mode=io
sleep 1
testpmd user2 1 "net_virtio_user0,path=$T/b" "net_virtio_user1,path=$T/c" -- --forward-mode=io
wait
echo "loop $(rate host2 Tx '0 3')"
[ -z "${KEEP-}" ] || cp "$T"/* "$KEEP"
