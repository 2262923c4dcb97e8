# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Debian's stock kernel in QEMU's software emulation: what the qemu_*.sh tests share. They
# set `name`, and source this.
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

root=$(mktemp -d /tmp/clickos-qemu.XXXXXX)
log=$(mktemp)
trap 'rm -rf "$root" "$root.cpio.gz" "$log"' EXIT
mkdir -p "$root"/{bin,lib,proc,sys,dev,tmp,run}
cp "$busybox" "$root/bin/busybox"

# Boot what is in $root, whose /init prints the results and "ALL DONE".
boot_machine() { # WHERE, for the results' names
    chmod +x "$root/init"
    (cd "$root" && find . | cpio -o -H newc --quiet) | gzip -1 >"$root.cpio.gz"
    timeout "$limit_s" qemu-system-x86_64 -accel tcg -cpu max -smp 1 -m 768 -nodefaults \
        -nographic -serial stdio -monitor none -no-reboot -kernel "$kernel" \
        -initrd "$root.cpio.gz" -append "console=ttyS0 quiet panic=1" </dev/null >"$log" 2>&1
    tr -d '\r' <"$log" | grep -aoE '(PASS|FAIL|SKIP) [a-z]+/.*' | sed -E "s/ \\(kvm\\)/ ($1)/"
    grep -aq 'ALL DONE' "$log" && return
    echo "FAIL $name: the emulated machine did not come to the end"
    tail -n 20 "$log"
    exit 1
}
