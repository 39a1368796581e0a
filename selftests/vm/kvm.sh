#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kvm.sh VMLINUZ: succeeds if KVM can run this kernel here. A /dev/kvm may exist and
# still not run one, so it is asked to, once a boot of this machine.

set -euo pipefail

cache=${GOSYNC_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/gosync}
known=$cache/kvm-$(cat /proc/sys/kernel/random/boot_id)

[ -w /dev/kvm ] || exit 1
if [ ! -e "$known" ]; then
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	mkdir -p "$cache" "$tmp/root/bin"
	cp "$(command -v busybox)" "$tmp/root/bin/busybox"
	cat >"$tmp/root/init" <<-'END'
	#!/bin/busybox sh
	/bin/busybox mount -t devtmpfs dev /dev || {
		/bin/busybox mkdir -p /dev
		/bin/busybox mount -t devtmpfs dev /dev
	}
	echo it works >/dev/ttyS1
	/bin/busybox reboot -f
	END
	chmod 755 "$tmp/root/init"
	(cd "$tmp/root" && find . | cpio -o -H newc -R 0:0 --quiet) >"$tmp/cpio"
	echo "gosync: looking whether KVM works here (up to 20 seconds, once)" >&2
	# In a shell of its own, which does not say that it has crashed.
	(timeout 20 qemu-system-x86_64 -accel kvm -cpu host -m 512M \
		-nodefaults -no-user-config -display none -no-reboot \
		-serial null -serial "file:$tmp/log" -kernel "$1" \
		-initrd "$tmp/cpio" -append "quiet panic=-1" \
		</dev/null >/dev/null 2>&1 || true) 2>/dev/null
	rm -f "$cache"/kvm-*
	if grep -qs 'it works' "$tmp/log"; then
		echo yes >"$known"
	else
		echo "gosync: it does not: virtual machines will be emulated" >&2
		echo no >"$known"
	fi
fi
[ "$(cat "$known")" = yes ]
