#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Quotas under version 2 of control groups, which this machine may not have: the daemon in an
# emulated one, with Debian's stock kernel. Needs no root here.
#     tests/qemu_cgroup2.sh BUILDDIR
set -u
build=$1
name=ctl/qemu_cgroup2
. tests/qemu.sh

for program in clickos clickosd clickos-vmm guest.elf; do
    cp "$build/$program" "$root/bin/" || {
        echo "FAIL $name: $build/$program is not built"
        exit 1
    }
done
ldd "$build/clickosd" "$build/clickos" | grep -q 'lib[at]san' && skip "not with sanitizers"
for lib in $(ldd "$build/clickosd" "$build/clickos" | grep -oE '/[^ ]+\.so[^ ]*' | sort -u); do
    mkdir -p "$root/$(dirname "$lib")"
    cp -L "$lib" "$root/$lib"
done
cat >"$root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin CLICKOS_SOCKET=/tmp/sock
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t cgroup2 none /sys/fs/cgroup
G=/sys/fs/cgroup/clickos
is() { # NAME GOT WANT
    if [ "$2" = "$3" ]; then echo "PASS quota/v2/$1"; else echo "FAIL quota/v2/$1: '$2', not '$3'"; fi
}
clickosd --foreground --pool 0 --state /tmp/state --socket /tmp/sock 2>/tmp/log &
clickos wait --timeout 100
clickos run thin -e 'Idle -> c :: Counter -> Discard;'
clickos run busy -e 'i :: InfiniteSource -> Discard;' --cpu 20
is cpu-max "$(cat $G/busy/cpu.max)" '20000 100000'
is cpu-processes "$(wc -l <$G/busy/cgroup.procs)" 2
usage() { awk '/^usage_usec/ {print $2}' $G/busy/cpu.stat; }
before=$(usage)
sleep 5
used=$(($(usage) - before))
echo "# $used us of 5000000"
is cpu-share "$((used > 200000 && used < 1600000))" 1
clickos rm busy
clickos run fat -e 'Idle -> c :: Counter -> Discard;' --memory-max 6M --memory 200M
is memory-max "$(cat $G/fat/memory.max)" 6291456
(echo -n '// '; head -c 3900000 /dev/zero | tr '\0' x; echo; echo 'Idle -> Discard;') >/tmp/fat.click
clickos install fat /tmp/fat.click
is memory-install-fails "$?" 1
for i in $(seq 60); do
    clickos ps fat | grep -q crashed && break
    sleep 0.5
done
is memory-says-so "$(clickos ps fat | grep -c 'crashed .*out of memory: .*--memory-max')" 1
is memory-of-one "$(clickos read thin c.class)" Counter
clickos rm fat
for i in $(seq 60); do
    [ -d $G/fat ] || [ -d $G/busy ] || break
    sleep 0.5
done
is no-groups-left "$(ls -d $G/fat $G/busy 2>/dev/null | wc -l)" 0
clickos rm --all
cat /tmp/log
echo ALL DONE
poweroff -f
INIT
boot_machine "in qemu"
