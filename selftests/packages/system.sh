#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# system.sh bookworm|trixie: build the packages in a root file system of Debian 12 or 13,
# as an administrator of that would. Boot another, fresh one with systemd and its kernel
# in a virtual machine, install the packages there, and look whether all is as the pages
# say (system_check.sh). For `make test-packages'. Nothing is installed or loaded on this
# machine. TAP on standard output.

# shellcheck disable=SC2054 # qemu's arguments have commas

set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
top=$(readlink -f "$here/../..")
# shellcheck source=selftests/vm/processors.sh
. "$top/selftests/vm/processors.sh"
release=${1-}
case $release in
bookworm) kernel=6.12-amd64 packages='' ;;
trixie) kernel=amd64 packages=docker-cli, ;;
*) echo "system.sh: say bookworm or trixie" >&2; exit 2 ;;
esac
second=${kernel/amd64/cloud-amd64}
packages+=systemd-sysv,udev,dbus,kmod,initramfs-tools,linux-image-$kernel
packages+=,podman,crun,uidmap,docker.io,apparmor,systemd-container,busybox-static
packages+=,autopkgtest
# For a user who is not root
PATH+=:/usr/sbin:/sbin
# In seconds; several times what it takes where it is emulated
limit=7200
out=$top/build/packages/$release
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

# root_of NAME WHAT ARGUMENT...: make the root file system that mmdebstrap makes of
# these in $root. What NAME, WHAT and the arguments ask for is kept in the cache.
root_of()
{
	local name=$1 what=$2 tar sources

	shift 2
	tar=$cache/roots/$release-$name.tar
	if [ ! -e "$tar" ]; then
		mkdir -p "$cache/roots"
		sources=("deb $(mirror Debian) $release main"
			"deb $(mirror Debian-Security) $release-security main")
		say "making a root file system of Debian's $release $what (some" \
			"minutes, once)"
		mmdebstrap --variant=apt --format=tar \
			--dpkgopt='path-exclude=/usr/share/locale/*' "$@" \
			"$release" "$tar.$$" "${sources[@]}" >>"$out/install.log" 2>&1 || {
			rm -f "$tar.$$"
			die "cannot make it: see $out/install.log"
		}
		mv "$tar.$$" "$tar"
	fi
	inside rm -rf "$root"
	mkdir "$root"
	inside tar -C "$root" -xf "$tar" --exclude='./dev/*'
	inside cp /etc/resolv.conf "$root/etc/"
}

digest()
{
	sha256sum | cut -c 1-12
}

# Build the packages, and the same of a higher version. lintian has nothing to say.
build_packages()
{
	local deps=$top/selftests/vm/deps.sh

	# shellcheck disable=SC2016 # for mmdebstrap
	root_of "build-$(digest <"$deps")" "that builds packages" --include=make \
		--customize-hook="upload $deps /root/deps.sh" \
		--customize-hook='chroot "$1" sh /root/deps.sh deb'
	inside mkdir "$root/root/gosync"
	tar -C "$top" -c --exclude-vcs --exclude-vcs-ignores --exclude=./build . |
		inside tar -C "$root/root/gosync" -x --no-same-owner
	say "building the packages in Debian's $release (a minute or two)"
	in_root make -C /root/gosync deb
	in_root sh -c 'cd /root/gosync && lintian --allow-root --info \
		--fail-on error,warning build/deb/*.changes'
	echo "# lintian has no errors and no warnings in Debian's $release"

	# shellcheck disable=SC2016 # for that shell
	in_root sh -c 'cd /root/gosync && mv build/deb /root/deb &&
		version=$(dpkg-parsechangelog -SVersion) &&
		sed -i "1s/($version)/($version.1)/" debian/changelog &&
		sed -i "s/^MODULE_VERSION(\"$version\")/MODULE_VERSION(\"$version.1\")/" \
			kmod/main.c && make deb'
	rm -rf "$out/deb" "$out/newer"
	mkdir "$out/deb" "$out/newer"
	inside rm -f "$root"/root/{,gosync/build/}deb/*-dbgsym_*
	# shellcheck disable=SC2016
	inside sh -c 'cp "$0"/root/deb/*.deb "$0"/root/deb/*.tar.* "$1/deb" &&
		cp "$0"/root/gosync/build/deb/*.deb "$1/newer"' "$root" "$out"
}

# A system with the containers' programs, but without gosync, compiler, DKMS and
# headers. What it will install is fetched, since the virtual machine has no network.
make_root()
{
	root_of "$(echo "$packages" | digest)" "with containers" --include="$packages"
	inside cp -r "$out/newer" "$out"/deb/*.deb "$root/root/"
	inside tar -C "$root/root" -xf "$out"/deb/*.tar.* --no-same-owner
	in_root apt-get -qq update
	say "fetching what the packages depend on (half a minute)"
	SECONDS=0
	in_root sh -c 'cd /root && apt-get -q -y --download-only install ./*.deb'
	echo "$SECONDS" | inside tee "$root/root/fetched" >/dev/null
	in_root apt-get -q -y --download-only --no-install-recommends install \
		pkgconf liburing-dev "linux-image-$second" "linux-headers-$second"
	echo "linux-image-$second linux-headers-$second" |
		inside tee "$root/root/second" >/dev/null

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
	inside mkfs.ext4 -q -d "$root" "$out/disk" 6G >>"$out/install.log"
	inside rm -rf "$root"
}

# boot WHICH: the first or the second kernel
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
	say "booting it with $1 (where it is emulated, that takes a quarter of an hour)"
	# In the background, for a signal to reach us while it runs
	exec 7> >(sed -u 's/\r$//' | tee -a "$out/output.log")
	tee=$!
	timeout "$limit" qemu-system-x86_64 "${machine[@]}" -smp 2 -m 2G \
		-nodefaults -no-user-config -display none -no-reboot \
		-kernel "$out/vmlinuz" -initrd "$out/initrd.img" -append "$append" \
		-drive "file=$out/disk,format=raw,if=virtio,cache=unsafe" \
		-serial "file:$out/console-$1.log" -serial stdio \
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
: >"$out/output.log"
guest=
trap cleanup EXIT
trap 'exit 130' HUP INT TERM
build_packages
make_root
boot the-first-kernel
# What the guest has put there for us
for file in vmlinuz initrd.img; do
	rm "$out/$file"
	debugfs -R "dump /root/next/$file $out/$file" "$out/disk" 2>>"$out/install.log"
	[ -s "$out/$file" ] || die "there is no second kernel: see $out/console-*.log"
done
boot the-second-kernel
grep -q '^# totals: pass:[1-9][0-9]* fail:0 ' "$out/output.log" ||
	die "see $out/console-*.log"
