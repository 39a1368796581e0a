#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kernel.sh NAME: have a kernel in the cache, print the directory it is in.
#
#   stock, cloud, rt   Debian's 6.12 kernels, unpacked, not installed
#   kasan              the debug kernel, built here from Debian's source
#   PATH               a directory like the ones printed, or a kernel build tree
#   source             Debian's kernel source itself
#
# The directory has vmlinuz (what to boot) and build (what to build modules
# against). Nothing needs root, and what is in the cache needs no network. To
# move on to a newer Debian kernel, remove the cache's kernels/NAME.

set -euo pipefail

vm=$(dirname "$(readlink -f "$0")")
cache=${GOSYNC_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/gosync}
series=6.12

die()
{
	echo "kernel.sh: $*" >&2
	exit 1
}

say()
{
	echo "kernel.sh: $*" >&2
}

# One process at a time fills the cache; everything appears by a rename.
lock()
{
	mkdir -p "$cache/kernels" "$cache/src"
	exec 9>"$cache/lock"
	flock 9
	tmp=$(mktemp -d "$cache/tmp.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	trap 'exit 1' HUP INT TERM
}

depends_on()
{
	apt-cache show --no-all-versions "$1" 2>/dev/null |
		sed -n 's/^Depends:.*\blinux-image-\([^ ,]*\).*/\1/p' | head -1
}

apt_download()
{
	local opts=(-qq)

	[ "$(id -u)" != 0 ] || opts+=(-o APT::Sandbox::User=root)
	(cd "$tmp" && apt-get "${opts[@]}" download "$@" >&2)
}

update_lists()
{
	local as_root=()

	[ "$(id -u)" = 0 ] || as_root=(sudo)
	"${as_root[@]}" apt-get -qq update >&2
}

get_debian()
{
	local flavour=$1 suffix=$2 version abi common deb dir

	version=$(depends_on "linux-image-$series-$flavour")
	if [ -z "$version" ]; then
		update_lists
		version=$(depends_on "linux-image-$series-$flavour")
	fi
	[ -n "$version" ] || die "apt knows no linux-image-$series-$flavour"
	abi=${version%-"$flavour"}
	common=linux-headers-$abi-common$suffix

	say "fetching Debian's $version"
	set -- "linux-image-$version" "linux-headers-$version" "$common" \
		"linux-kbuild-$abi"
	apt_download "$@" || { update_lists && apt_download "$@"; } ||
		die "cannot download $version"

	dir=$tmp/root
	mkdir "$dir"
	for deb in "$tmp"/*.deb; do
		case $deb in
		*/linux-image-*)
			dpkg-deb --fsys-tarfile "$deb" |
				tar -x -C "$dir" --wildcards './boot/*'
			;;
		*)
			dpkg-deb -x "$deb" "$dir"
			;;
		esac
		rm "$deb"
	done
	# It expects to be installed below /.
	echo "include \$(dir \$(lastword \$(MAKEFILE_LIST)))../$common/Makefile" \
		>"$dir/usr/src/linux-headers-$version/Makefile"
	ln -s "root/boot/vmlinuz-$version" "$tmp/vmlinuz"
	ln -s "root/usr/src/linux-headers-$version" "$tmp/build"
	[ -e "$tmp/vmlinuz" ] || die "$version is not laid out as expected"

	chmod 755 "$tmp"
	rm -rf "$cache/kernels/$version"
	mv "$tmp" "$cache/kernels/$version"
	ln -sfn "$version" "$cache/kernels/$name"
}

debian()
{
	local link=$cache/kernels/$name

	if [ ! -e "$link/vmlinuz" ]; then
		lock
		[ -e "$link/vmlinuz" ] || get_debian "$@" || exit 1
	fi
	readlink -f "$link"
}

source_tree()
{
	local src=$cache/src/linux-source-$series

	if [ ! -e "$src" ]; then
		lock
		[ -e "$src" ] || get_source
	fi
	echo "$src"
}

get_source()
{
	say "fetching Debian's linux-source-$series"
	apt_download "linux-source-$series" ||
		{ update_lists && apt_download "linux-source-$series"; } ||
		die "cannot download linux-source-$series"
	dpkg-deb --fsys-tarfile "$tmp"/linux-source-*.deb |
		tar -xO "./usr/src/linux-source-$series.tar.xz" |
		tar -xJ -C "$tmp" || die "cannot unpack the source"
	mv "$tmp/linux-source-$series" "$src"
}

# Every line of the fragment must have survived olddefconfig.
check_config()
{
	local line option bad=0

	while read -r line; do
		case $line in
		CONFIG_*=*)
			grep -qxF "$line" "$1" && continue
			;;
		"# CONFIG_"*" is not set")
			option=${line#"# "}
			grep -q "^${option% is not set}=" "$1" || continue
			;;
		*)
			continue
			;;
		esac
		say "kasan.config: did not take: $line"
		bad=1
	done <"$vm/kasan.config"
	return $bad
}

get_kasan()
{
	local dir=$1 obj=$tmp/kasan/build make

	mkdir -p "$obj"
	make=(make -s -C "$src" O="$obj" "-j$(($(nproc) + 1))")
	say "building the debug kernel, this takes minutes (log: $cache/kasan.log)"
	{
		"${make[@]}" tinyconfig &&
		"$src/scripts/kconfig/merge_config.sh" -m -O "$obj" \
			"$obj/.config" "$vm/kasan.config" &&
		"${make[@]}" olddefconfig
	} >"$cache/kasan.log" 2>&1 </dev/null || {
		tail -20 "$cache/kasan.log" >&2
		die "cannot configure the debug kernel"
	}
	check_config "$obj/.config" || die "the debug kernel lacks options"
	"${make[@]}" bzImage modules \
		>>"$cache/kasan.log" 2>&1 </dev/null || {
		tail -20 "$cache/kasan.log" >&2
		die "cannot build the debug kernel"
	}
	# Modules don't need the kernel's objects.
	find "$obj" -path "$obj/scripts" -prune -o -path "$obj/tools" -prune \
		-o -name '*.[oa]' -type f -exec rm {} +
	ln -s build/arch/x86/boot/bzImage "$tmp/kasan/vmlinuz"
	mv "$tmp/kasan" "$dir"
}

kasan()
{
	local src dir

	src=$(source_tree)
	dir=$cache/kernels/kasan-$({
		head -5 "$src/Makefile"
		cat "$vm/kasan.config"
		gcc --version
	} | sha256sum | cut -c 1-12)
	if [ ! -e "$dir" ]; then
		lock
		[ -e "$dir" ] || get_kasan "$dir"
	fi
	echo "$dir"
}

path()
{
	local dir

	dir=$(readlink -f "$1")
	if [ -e "$dir/arch/x86/boot/bzImage" ]; then
		mkdir -p "$cache/kernels"
		name=$cache/kernels/path-$(echo "$dir" | sha256sum | cut -c 1-12)
		mkdir -p "$name"
		ln -sfn "$dir" "$name/build"
		ln -sfn build/arch/x86/boot/bzImage "$name/vmlinuz"
		dir=$name
	fi
	[[ -e $dir/vmlinuz && -e $dir/build/Makefile ]] ||
		die "no kernel and build directory in $1"
	echo "$dir"
}

case ${1-} in
stock) name=stock; debian amd64 "" ;;
cloud) name=cloud; debian cloud-amd64 "" ;;
rt) name=rt; debian rt-amd64 -rt ;;
kasan) kasan ;;
source) source_tree ;;
*/*) path "$1" ;;
*) die "no kernel named '${1-}': stock, cloud, rt, kasan or a path" ;;
esac
