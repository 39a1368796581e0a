#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# deps.sh [arm64] [m32] [bindings] [check] [bench] [coverage] [trace] [system], or deps.sh deb:
# install the Debian packages that are missing. Says nothing when none is. It never
# removes one: where that would be needed, it fails. Kernels are not installed: see
# kernel.sh.

set -eu

packages="build-essential bc flex bison libelf-dev libssl-dev
	pahole cpio xz-utils kmod qemu-system-x86 busybox-static strace
	libjson-c-dev libsmartcols-dev libtracefs-dev libtraceevent-dev libdw-dev zlib1g-dev
	systemtap-sdt-dev liburing-dev pkg-config python3"

for set in "$@"; do
	case $set in
	arm64) packages="$packages qemu-system-arm" ;;
	m32) packages="$packages gcc-multilib" ;;
	bindings) packages="$packages g++ golang-go rustc python3-dev" ;;
	check) packages="$packages sparse spin g++ clang clang-format golang-go
		rustc rustfmt rust-clippy musl-tools shellcheck perl man-db" ;;
	bench) packages="$packages gnuplot-nox" ;;
	coverage) packages="$packages lcov clang llvm libclang-rt-dev" ;;
	trace) packages="$packages linux-perf trace-cmd bpftrace
		chromium golang-go" ;;
	# uidmap is for a user who is not root
	system) packages="$packages mmdebstrap uidmap e2fsprogs" ;;
	# Just what debian/control wants, and lintian
	deb) packages="build-essential fakeroot debhelper dh-dkms lintian
		libjson-c-dev libsmartcols-dev libtracefs-dev libtraceevent-dev libdw-dev
		zlib1g-dev systemtap-sdt-dev pkgconf python3 dh-python python3-dev" ;;
	*) echo "deps.sh: no such set: $set" >&2; exit 2 ;;
	esac
done

if ! command -v dpkg-query >/dev/null; then
	# shellcheck disable=SC2086 # a list of words
	echo "gosync: not a Debian system; what it calls these must be there:" \
		$packages >&2
	exit 0
fi

# shellcheck disable=SC2086,SC2016 # a list of words; dpkg expands ${}
have=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $packages \
	2>/dev/null | sed -n 's/ installed$//p' || true)
missing=
for p in $packages; do
	echo "$have" | grep -qx "$p" || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "deps.sh: there is no sudo; as root, run:" \
			"apt-get install$missing" >&2
		exit 1
	fi
	as_root=sudo
fi

echo "gosync: installing Debian packages${as_root:+ with sudo}" \
	"(a minute or two):$missing" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'echo "deps.sh: interrupted; run it again to go on" >&2; exit 1' HUP INT TERM

apt_install()
{
	# shellcheck disable=SC2086 # a list of words
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
		--no-remove --no-install-recommends $missing >"$log" 2>&1 </dev/null
}

apt_install && exit 0
echo "gosync: fetching new package lists, and trying again (a minute or two)" >&2
if $as_root apt-get update -qq >"$log" 2>&1 && apt_install; then
	exit 0
fi
tail -20 "$log" >&2
echo "deps.sh: cannot install the packages: see what apt-get says above." \
	"It needs a network, space in /var, and root's rights. By hand:" \
	"apt-get install$missing" >&2
exit 1
