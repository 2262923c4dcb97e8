#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The VM tests on another KVM: Debian's stock kernel with kvm-amd, in QEMU's software
# emulation, with our static programs in an initramfs. Needs no KVM and no root here.
#     tests/qemu_kvm_amd.sh BUILDDIR
set -u
build=$1
name=vm/qemu_kvm_amd
cache=build/qemu
limit_s=${QEMU_LIMIT_S:-300}

skip() {
    echo "SKIP $name: $*"
    exit 0
}
command -v qemu-system-x86_64 >/dev/null || skip "no qemu-system-x86_64"
command -v cpio >/dev/null || skip "no cpio"
busybox=$(command -v busybox) || skip "no busybox"

# The kernel is downloaded, not installed, and kept.
fetch_kernel() {
    local package deb
    ls "$cache"/vmlinuz-* >/dev/null 2>&1 && return 0
    package=$(apt-cache depends linux-image-amd64 2>/dev/null |
        sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
    [ -n "$package" ] || return 1
    mkdir -p "$cache"
    (cd "$cache" && apt-get -qq download "$package" >/dev/null 2>&1) || return 1
    deb=$(ls "$cache"/linux-image-*.deb | head -n 1)
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$cache" --strip-components=1 \
        --wildcards './boot/vmlinuz-*' './lib/modules/*/kernel/virt/lib/irqbypass.ko*' \
        './lib/modules/*/kernel/drivers/crypto/ccp/ccp.ko*' \
        './lib/modules/*/kernel/arch/x86/kvm/kvm.ko*' \
        './lib/modules/*/kernel/arch/x86/kvm/kvm-amd.ko*' || return 1
    mv "$cache"/boot/vmlinuz-* "$cache"/ && rm -f "$deb"
}
fetch_kernel || skip "the package linux-image-amd64 cannot be downloaded"
kernel=$(ls "$cache"/vmlinuz-* | head -n 1)

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,lib,proc,sys,dev,tmp}
cp "$busybox" "$root/bin/busybox"
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
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet) | gzip -1 >"$root.cpio.gz"
log=$(mktemp)
trap 'rm -rf "$root" "$root.cpio.gz" "$log"' EXIT

timeout "$limit_s" qemu-system-x86_64 -accel tcg -cpu max -smp 1 -m 512 -nodefaults \
    -nographic -serial stdio -monitor none -no-reboot -kernel "$kernel" \
    -initrd "$root.cpio.gz" -append "console=ttyS0 quiet panic=1" </dev/null >"$log" 2>&1

tr -d '\r' <"$log" | grep -aoE '(PASS|FAIL|SKIP) vm/.*' |
    sed -E 's/ \(kvm\)/ (kvm_amd in qemu)/'
if ! grep -aq 'ALL DONE' "$log"; then
    echo "FAIL $name: the emulated machine did not come to the end"
    tail -n 20 "$log"
    exit 1
fi
