#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# system.sh: install what `make deb' has built in a root file system of Debian 12,
# boot that with systemd and its kernel in a virtual machine, and look whether all
# is as the pages say (system_check.sh). For `make test-packages'. Nothing is
# installed or loaded on this machine. TAP on standard output.

# shellcheck disable=SC2054 # qemu's arguments have commas

set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
top=$(readlink -f "$here/../..")
# shellcheck source=selftests/vm/processors.sh
. "$top/selftests/vm/processors.sh"
release=bookworm
packages=systemd-sysv,udev,dbus,kmod,initramfs-tools,linux-image-6.12-amd64
packages+=,podman,crun,uidmap,docker.io,apparmor,systemd-container,busybox-static
# In seconds; several times what it takes where it is emulated
limit=3600
out=$top/build/packages
root=$out/root

die()
{
	echo "system.sh: $*" >&2
	exit 1
}

say()
{
	echo "gosync: $*" >&2
}

# inside COMMAND...: as root of the file system, also where the caller is not root. All
# processes and mounts of it end with it.
inside()
{
	local who=()

	[ "$(id -u)" = 0 ] || who=(--map-root-user --map-auto)
	unshare "${who[@]}" --mount --pid --fork --kill-child "$@"
}

# in_root COMMAND...: in the root file system
in_root()
{
	# shellcheck disable=SC2016 # for that shell
	inside sh -c 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" &&
		exec chroot "$0" "$@"' "$root" env DEBIAN_FRONTEND=noninteractive \
		"$@" >>"$out/install.log" 2>&1 || die "see $out/install.log"
}

# mirror LABEL: where apt has this from
mirror()
{
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(LABEL) $(REPO_URI)' \
		'Created-By: Packages' | sed -n "s/^$1 //p" | head -1
}

# A system with the containers' programs, but without gosync, compiler, DKMS and
# headers. It is kept.
make_base()
{
	local sources

	base=$cache/roots/$release-$(echo "$packages" | sha256sum | cut -c 1-12).tar
	[ ! -e "$base" ] || return 0
	mkdir -p "$cache/roots"
	sources=("deb $(mirror Debian) $release main"
		"deb $(mirror Debian-Security) $release-security main")
	say "making a root file system of Debian's $release (some minutes, once)"
	mmdebstrap --variant=apt --include="$packages" --format=tar \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		"$release" "$base.$$" "${sources[@]}" >"$out/base.log" 2>&1 ||
		die "cannot make it: see $out/base.log"
	mv "$base.$$" "$base"
}

# The same packages, of a higher version
make_newer()
{
	local version dir=$out/newer/gosync

	version=$(sed -n 's/^MODULE_VERSION("\(.*\)");/\1/p' "$top/kmod/main.c")
	say "building packages of a higher version (a minute or two)"
	rm -rf "$out/newer"
	mkdir "$out/newer"
	cp -a "$top/build/deb/gosync-$version" "$dir"
	sed -i "1s/($version)/($version.1)/" "$dir/debian/changelog"
	sed -i "s/^MODULE_VERSION(\"$version\")/MODULE_VERSION(\"$version.1\")/" \
		"$dir/kmod/main.c"
	(cd "$dir" && env -u MAKEFLAGS -u MAKELEVEL dpkg-buildpackage -b -us -uc) \
		>"$out/newer.log" 2>&1 || die "see $out/newer.log"
	rm -f "$out"/newer/*-dbgsym_*
}

# A fresh system, then that with the packages, and what the test needs
make_root()
{
	inside rm -rf "$root"
	mkdir -p "$root/root/newer"
	inside tar -C "$root" -xf "$base" --exclude='./dev/*'
	inside cp /etc/resolv.conf "$root/etc/"
	inside cp "$top"/build/deb/*.deb "$root/root/"
	inside find "$root/root" -name '*-dbgsym_*' -delete
	inside cp "$out"/newer/*.deb "$root/root/newer/"
	in_root apt-get -qq update

	say "installing the packages (a minute or two)"
	SECONDS=0
	in_root sh -c 'cd /root && apt-get -q -y install ./*.deb'
	echo "# apt-get installed the packages, and DKMS built the module, in $SECONDS s"

	in_root apt-get -q -y --no-install-recommends install pkgconf liburing-dev
	# Reading each module, as depmod does, takes minutes where it is emulated. So
	# there are none for what the virtual machine does not have.
	# shellcheck disable=SC2016 # for that shell
	in_root sh -c 'cd /lib/modules/*/kernel/.. && rm -r kernel/sound kernel/drivers/gpu \
		kernel/drivers/media kernel/drivers/net/ethernet \
		kernel/drivers/net/wireless kernel/drivers/infiniband \
		kernel/drivers/scsi kernel/drivers/usb kernel/drivers/iio \
		kernel/drivers/hid kernel/drivers/hwmon &&
		depmod "${PWD##*/}"'
	in_root useradd -m -s /bin/bash alice
	inside cp "$here/system_check.sh" "$top/Documentation/containers.md" \
		"$root/root/"
	inside tee "$root/etc/systemd/system/check.service" >/dev/null <<-END
		[Unit]
		After=multi-user.target
		[Service]
		Type=oneshot
		ExecStart=/bin/bash /root/system_check.sh
		ExecStopPost=/bin/systemctl poweroff --force
		StandardOutput=file:/dev/ttyS1
		[Install]
		WantedBy=default.target
	END
	in_root systemctl -q enable check.service
	inside cp "$root/vmlinuz" "$root/initrd.img" "$out/"
	rm -f "$out/disk"
	inside mkfs.ext4 -q -d "$root" "$out/disk" 4G >>"$out/install.log"
	inside rm -rf "$root"
}

boot()
{
	local machine tee append="root=/dev/vda rw console=ttyS0 quiet panic=-1"

	if "$top/selftests/vm/kvm.sh" "$out/vmlinuz"; then
		machine=(-accel kvm -cpu host)
	else
		machine=(-accel tcg,thread=multi -cpu max)
		append+=" mitigations=off tsc=reliable no_timer_check"
		wait_for_processors 2
	fi
	say "booting it (where it is emulated, that takes a quarter of an hour)"
	# In the background, for a signal to reach us while it runs
	exec 7> >(sed -u 's/\r$//' | tee "$out/output.log")
	tee=$!
	timeout "$limit" qemu-system-x86_64 "${machine[@]}" -smp 2 -m 2G \
		-nodefaults -no-user-config -display none -no-reboot \
		-kernel "$out/vmlinuz" -initrd "$out/initrd.img" -append "$append" \
		-drive "file=$out/disk,format=raw,if=virtio,cache=unsafe" \
		-serial "file:$out/console.log" -serial stdio \
		</dev/null >&7 7>&- 2>"$out/qemu.log" &
	guest=$!
	exec 7>&-
	wait "$guest" || true
	guest=
	wait "$tee"
}

# shellcheck disable=SC2317 # it is reached, by the trap
cleanup()
{
	if [ -n "$guest" ]; then
		kill "$guest" || true
		wait "$guest" || true
	fi
	inside rm -rf "$root" "$out/disk"
}

mkdir -p "$out"
: >"$out/install.log"
ls "$top"/build/deb/*.deb >/dev/null 2>&1 || die "there are no packages: make deb"
guest=
trap cleanup EXIT
trap 'exit 130' HUP INT TERM
make_base
make_newer
make_root
boot
grep -q '^# totals: pass:[1-9][0-9]* fail:0 ' "$out/output.log" ||
	die "see $out/console.log"
