#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The VM tests on another KVM: Debian's stock kernel with kvm-amd, in QEMU's software
# emulation, with our static programs in an initramfs. Needs no KVM and no root here.
#     tests/qemu_kvm_amd.sh BUILDDIR
set -u
build=$1
name=vm/qemu_kvm_amd
. tests/qemu.sh

find "$cache" -name '*.ko*' -exec cp {} "$root/lib" \;
for module in "$root"/lib/*.xz; do
    [ -e "$module" ] && xz -d "$module"
done
for program in clickos-vmm guest.elf hostile.elf tests/vm_boot tests/vm_crash; do
    cp "$build/$program" "$root/bin/" || {
        echo "FAIL $name: $build/$program is not built"
        exit 1
    }
done
if ldd "$build/clickos-vmm" 2>/dev/null | grep -q "=>"; then
    skip "$build/clickos-vmm is not static"
fi
cat >"$root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for m in irqbypass ccp kvm kvm-amd; do
    insmod /lib/$m.ko || echo "insmod $m failed"
done
[ -e /dev/kvm ] || echo "FAIL vm/qemu_kvm_amd: no /dev/kvm in the emulated machine"
vm_boot /bin kvm
echo "boot tests: $?"
vm_crash /bin kvm
echo "crash tests: $?"
echo ALL DONE
poweroff -f
INIT
boot_machine "kvm_amd in qemu"
