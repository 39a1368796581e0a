#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kernel.sh NAME [modules]: have a kernel in the cache, print the directory it is in.
#
#   stock, cloud, rt   Debian's 6.12 kernels, unpacked, not installed
#   new                Debian's newest for Debian 13 (backports)
#   testing            that of the release after it
#   arm64              Debian's 6.12 for arm64, which is built for and emulated here
#   kasan, kcsan,      debug kernels, built here from Debian's source: memory and
#   rt-lockdep         locks; data races; locks under PREEMPT_RT
#   latency            one that tells for how long preemption is off
#   PATH               a directory like the ones printed, or a kernel build tree
#   source             Debian's kernel source itself
#   herd7              no kernel, but a checker of memory models
#
# The directory has vmlinuz (what to boot) and build (what to build modules
# against), and where that needs another compiler, toolchain (see toolchain.sh). That of
# arm64 has guest, too: what other programs than ours the guest gets. That of stock and
# rt has modules: those of the kernel's own that a node of a cluster wants. If they are
# asked for and not in the cache, the kernel is fetched again.
# Nothing needs root, and what is in the cache needs no network. To move on to a
# newer Debian kernel, remove the cache's kernels/NAME.

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
	echo "gosync: $*" >&2
}

# lock NAME MEGABYTES WHAT: one process at a time gets this into the cache, which needs
# that much space. It is made in $tmp, and appears in its place by a rename.
lock()
{
	local space dir needs=0 more

	mkdir -p "$cache/kernels" "$cache/src" ||
		die "cannot write to $cache: set GOSYNC_CACHE to another directory"
	exec 9>>"$cache/lock.$1"
	if ! flock -n 9; then
		say "waiting for another process, which gets $3 for $cache"
		flock 9
	fi
	echo "$2" >"$cache/lock.$1"
	tmp=$cache/partial.$1
	trap 'rm -rf "$tmp"' EXIT
	trap 'die "interrupted; what was complete is kept, run it again to go on"' \
		HUP INT TERM
	rm -rf "$tmp"
	mkdir "$tmp"
	# What was killed has left its own. What lives needs space, as this does.
	for dir in "$cache"/partial.*; do
		flock -n "$cache/lock.${dir##*.}" rm -rf "$dir" && continue
		read -r more <"$cache/lock.${dir##*.}" || true
		needs=$((needs + more))
	done
	space=$(df -Pm "$cache" | awk 'NR == 2 { print $4 }')
	[ "$space" -ge "$needs" ] ||
		die "$cache needs $needs MB and has $space: make space, or set" \
			"GOSYNC_CACHE to a directory elsewhere"
}

# Of another suite or architecture than the machine's; see private_apt
suite=()

depends_on()
{
	apt-cache "${suite[@]}" show --no-all-versions "$1" 2>/dev/null |
		sed -n 's/^Depends:.*\blinux-image-\([^ ,]*\).*/\1/p' | head -1
}

apt_get()
{
	local opts=(-qq "${suite[@]}")

	[ "$(id -u)" != 0 ] || opts+=(-o APT::Sandbox::User=root)
	(cd "$tmp" && apt-get "${opts[@]}" "$@")
}

mirror()
{
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(LABEL) $(REPO_URI)' \
		'Created-By: Packages' | sed -n 's/^Debian //p' | head -1
}

# private_apt WHAT OPTION...: from here on apt speaks of that, as if nothing were
# installed
private_apt()
{
	local what=$1 apt=$tmp/apt

	shift
	mkdir -p "$apt"/{state/lists/partial,cache/archives/partial}
	: >"$apt/status"
	suite=(-o "Dir::State=$apt/state" -o "Dir::State::status=$apt/status"
		-o "Dir::Cache=$apt/cache" -o APT::Install-Recommends=false "$@")
	say "fetching the package lists of Debian's $what (half a minute)"
	apt_get update >&2 || die "cannot fetch the package lists of $what"
}

other_suite()
{
	local from

	from=$(mirror)
	if [ -z "$from" ]; then
		update_lists
		from=$(mirror)
	fi
	[ -n "$from" ] || die "apt knows no mirror of Debian"
	# Backports go with their release.
	printf 'deb [signed-by=%s] %s %s main\n' \
		/usr/share/keyrings/debian-archive-keyring.gpg "$from" "$1" \
		/usr/share/keyrings/debian-archive-keyring.gpg "$from" \
		"${1%-backports}" | sort -u >"$tmp/sources.list"
	private_apt "$1" -o "Dir::Etc::SourceList=$tmp/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null -o "APT::Default-Release=$1"
}

update_lists()
{
	local as_root=()

	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null ||
			die "apt's package lists are old or missing:" \
				"as root, run apt-get update"
		as_root=(sudo)
	fi
	say "fetching new package lists (half a minute)"
	flock "$cache/lock.lists" "${as_root[@]}" apt-get -qq update >&2 ||
		die "cannot fetch the package lists: is there a network?"
}

# download WHAT PACKAGE...: into $tmp, saying how much it is
download()
{
	local what=$1 bytes

	shift
	bytes=$(apt_get download --print-uris "$@" 2>/dev/null |
		awk '{ sum += $3 } END { printf "%d", sum / 1000000 }') || bytes=0
	say "downloading $what, $bytes MB (about a minute)"
	apt_get download "$@" >&2 && return
	update_lists
	say "downloading $what once more"
	apt_get download "$@" >&2 ||
		die "cannot download $what: is there a network? Run it again to try again"
}

# Check what was unpacked in $tmp, and move it to its place in the cache.
keep_debian()
{
	[ -e "$tmp/vmlinuz" ] || die "$version is not laid out as expected"
	rm -rf "$cache/kernels/$version"
	mv "$tmp" "$cache/kernels/$version"
	ln -sfn "$version" "$cache/kernels/$name"
}

# What a node of a cluster loads, each after what it needs
node_modules=(configfs dlm failover net_failover virtio_net)

# get_modules DEB: put them into $tmp/modules, with their turn before the name. The
# cloud kernel has no dlm; so it gets none.
get_modules()
{
	local module to turn=0

	mkdir "$tmp/xz" "$tmp/modules"
	# Those that are not there are missed below.
	dpkg-deb --fsys-tarfile "$1" | tar -x -C "$tmp/xz" --transform='s|.*/||' \
		--wildcards --no-anchored "${node_modules[@]/%/.ko.xz}" 2>/dev/null || true
	for module in "${node_modules[@]}"; do
		turn=$((turn + 1))
		to=$tmp/modules/$turn-$module.ko
		if ! xz -dc "$tmp/xz/$module.ko.xz" >"$to" 2>/dev/null; then
			rm -r "$tmp/modules"
			break
		fi
	done
	rm -r "$tmp/xz"
}

get_debian()
{
	local flavour=$1 suffix=$2 version abi common deb dir

	version=$(depends_on "linux-image-$series-$flavour")
	if [ -z "$version" ]; then
		update_lists
		version=$(depends_on "linux-image-$series-$flavour")
	fi
	[ -n "$version" ] ||
		die "apt knows no linux-image-$series-$flavour: it comes with Debian 12's" \
			"security updates, and with Debian 13"
	abi=${version%-"$flavour"}
	common=linux-headers-$abi-common$suffix

	download "Debian's kernel $version and its headers" \
		"linux-image-$version" "linux-headers-$version" "$common" \
		"linux-kbuild-$abi"

	say "unpacking them into $cache (some seconds)"
	dir=$tmp/root
	mkdir "$dir"
	for deb in "$tmp"/*.deb; do
		case $deb in
		*/linux-image-*)
			dpkg-deb --fsys-tarfile "$deb" |
				tar -x -C "$dir" --wildcards './boot/*'
			get_modules "$deb"
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
	keep_debian
}

# with_compiler PACKAGE...: the kernel that is in the packages $alone, with all that
# a build takes, which are these packages and what they need.
with_compiler()
{
	local deb dir=$tmp/root to
	local tools=(make dash bash coreutils sed grep mawk perl-base findutils
		diffutils binutils gzip)

	say "downloading Debian's kernel $version, its headers and a compiler," \
		"150 to 220 MB (some minutes)"
	apt_get -y --download-only install "$@" "${tools[@]}" >&2 ||
		die "cannot download them: is there a network? Run it again to try again"
	apt_get download "${alone[@]}" >&2 || die "cannot download ${alone[*]}"

	say "unpacking them into $cache (some seconds)"
	# Packages of Debian 12 have files beside /usr.
	mkdir -p "$dir/usr"/{bin,sbin,lib,lib64}
	ln -s usr/{bin,sbin,lib,lib64} "$dir"
	for deb in "$tmp/apt/cache/archives"/*.deb "$tmp"/*.deb; do
		to=$dir
		case ${deb##*/} in
		bash_*_arm64.deb | busybox-static_* | strace_*) to=$tmp/guest ;;
		esac
		mkdir -p "$to"
		dpkg-deb --fsys-tarfile "$deb" |
			tar -x --keep-directory-symlink -C "$to"
	done
	ln -sf mawk "$dir/usr/bin/awk"
	find "$dir" -name "vmlinuz*" -type f -exec mv {} "$tmp/vmlinuz" \;
	rm -rf "$tmp/apt" "$tmp"/*.deb "$tmp/sources.list" "$dir/usr/lib/modules" \
		"$dir"/usr/share/{doc,info,locale,man}
	# Where toolchain.sh has it: its Makefile knows no other place.
	ln -s "/usr/src/linux-headers-$version" "$tmp/build"
	ln -s root/usr "$tmp/toolchain"
	keep_debian
}

# Of another suite: the tools that its headers need are newer than this machine's.
get_other()
{
	local version alone

	other_suite "$1"
	version=$(depends_on linux-image-amd64)
	[ -n "$version" ] || die "Debian's $1 has no linux-image-amd64"
	alone=("linux-binary-$version")
	apt-cache "${suite[@]}" show "${alone[0]}" >/dev/null 2>&1 ||
		alone=("linux-image-$version")
	with_compiler "linux-headers-$version"
}

# Of the release that has it, with its libraries, in the place of toolchain
get_herd7()
{
	local deb dir=$tmp/toolchain

	other_suite forky
	say "downloading herd7, 40 MB (about a minute)"
	apt_get -y --download-only install herdtools7 >&2 ||
		die "cannot download herd7: is there a network? Run it again to try again"
	mkdir "$dir"
	for deb in "$tmp/apt/cache/archives"/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dir" \
			--strip-components=2 --exclude='./usr/share/doc' ./usr
	done
	find "$dir/bin" -type f -not -name herd7 -delete
	rm -rf "$tmp/apt" "$tmp/sources.list"
	mv "$tmp" "$cache/herd7"
}

# Of another architecture: a cross compiler would not be installed beside
# gcc-multilib, and libraries of it only where dpkg knows the architecture. The
# headers' own dependencies would be a compiler that runs there.
get_arm64()
{
	local version abi alone

	private_apt arm64 -o APT::Architectures::=amd64 \
		-o APT::Architectures::=arm64
	version=$(depends_on "linux-image-$series-arm64:arm64")
	[ -n "$version" ] || die "apt knows no linux-image-$series-arm64"
	abi=${version%-arm64}
	# What the guest has in its /bin are programs of these.
	alone=("linux-image-$version:arm64" "linux-headers-$version:arm64"
		"linux-headers-$abi-common" {bash,busybox-static,strace}:arm64)
	with_compiler "linux-kbuild-$abi" perl {gcc,g++}-aarch64-linux-gnu pkgconf \
		systemtap-sdt-dev lib{tinfo6,unwind8}:arm64 zlib1g-dev:arm64 \
		lib{json-c,smartcols,tracefs,traceevent,dw,uring}-dev:arm64
}

# debian MEGABYTES FUNCTION ARGUMENT...: FUNCTION gets it, if it isn't there
debian()
{
	local link=$cache/kernels/$name space=$1

	shift
	if [ ! -e "$link/$wanted" ]; then
		lock "$name" "$space" "the kernel $name"
		[ -e "$link/$wanted" ] || "$@" || exit 1
		[ -e "$link/$wanted" ] || die "$name lacks modules that a cluster wants"
	fi
	readlink -f "$link"
}

source_tree()
{
	local src=$cache/src/linux-source-$series

	if [ ! -e "$src" ]; then
		lock source 2500 "the kernel's source"
		[ -e "$src" ] || get_source
	fi
	echo "$src"
}

get_source()
{
	download "the kernel's source" "linux-source-$series"
	say "unpacking it into $cache (a minute)"
	dpkg-deb --fsys-tarfile "$tmp"/linux-source-*.deb |
		tar -xO "./usr/src/linux-source-$series.tar.xz" |
		tar -xJ -C "$tmp" || die "cannot unpack the source"
	mv "$tmp/linux-source-$series" "$src"
}

# Every line of the fragments must have survived olddefconfig, unless a later one
# says something else.
check_config()
{
	local line option bad=0
	local -A lines

	while read -r line; do
		case $line in
		CONFIG_*=*) lines[${line%%=*}]=$line ;;
		"# CONFIG_"*" is not set")
			line=${line#"# "}
			lines[${line%% *}]= ;;
		esac
	done < <(cat "${fragments[@]}")
	for option in "${!lines[@]}"; do
		line=${lines[$option]}
		if [ -n "$line" ]; then
			grep -qxF "$line" "$1" && continue
		else
			grep -q "^$option=" "$1" || continue
		fi
		say "$name.config: did not take: ${line:-# $option is not set}"
		bad=1
	done
	return $bad
}

# $fragments of a configuration, and with which $settings it is built
get_debug()
{
	local dir=$1 log=$cache/$name.log obj=$tmp/$name/build make

	mkdir -p "$obj"
	make=(make -s -C "$src" O="$obj" "-j$(($(nproc) + 1))" "${settings[@]}")
	say "building the debug kernel $name, about 5 minutes on two processors," \
		"once (log: $log)"
	{
		"${make[@]}" tinyconfig &&
		"$src/scripts/kconfig/merge_config.sh" -m -O "$obj" \
			"$obj/.config" "${fragments[@]}" &&
		"${make[@]}" olddefconfig
	} >"$log" 2>&1 </dev/null || {
		tail -20 "$log" >&2
		die "cannot configure the debug kernel"
	}
	check_config "$obj/.config" || die "the debug kernel lacks options"
	"${make[@]}" bzImage modules >>"$log" 2>&1 </dev/null || {
		tail -20 "$log" >&2
		die "cannot build the debug kernel"
	}
	# Modules don't need the kernel's objects.
	find "$obj" -path "$obj/scripts" -prune -o -path "$obj/tools" -prune \
		-o -name '*.[oa]' -type f -exec rm {} +
	ln -s build/arch/x86/boot/bzImage "$tmp/$name/vmlinuz"
	mv "$tmp/$name" "$dir"
}

# debug SETTING...: of make, for the kernel's own code
debug()
{
	local src dir settings=("$@")
	local fragments=("$vm/debug.config" "$vm/$name.config")

	src=$(source_tree)
	dir=$cache/kernels/$name-$({
		head -5 "$src/Makefile"
		cat "${fragments[@]}"
		echo "$*"
		gcc --version
	} | sha256sum | cut -c 1-12)
	if [ ! -e "$dir" ]; then
		lock "$name" 3000 "the debug kernel $name"
		[ -e "$dir" ] || get_debug "$dir"
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

case ${2-}:${1-} in
:*) wanted=vmlinuz ;;
modules:stock | modules:rt) wanted=modules ;;
*) die "the modules of a cluster are there for stock and rt, not for '${1-}'" ;;
esac
case ${1-} in
stock) name=stock; debian 500 get_debian amd64 "" ;;
cloud) name=cloud; debian 500 get_debian cloud-amd64 "" ;;
rt) name=rt; debian 500 get_debian rt-amd64 -rt ;;
new) name=new; debian 1500 get_other trixie-backports ;;
testing) name=testing; debian 1500 get_other forky ;;
arm64) name=arm64; debian 1500 get_arm64 ;;
kasan | rt-lockdep | latency) name=$1; debug ;;
kcsan)
	# The kernel's own code is not watched: it has races that are meant. But its
	# locks order what the module does.
	name=kcsan
	locks=(spinlock mutex rwsem osq_lock qspinlock qrwlock tree srcutree update
		workqueue task_work rcuref refcount)
	locks=("${locks[@]/#/KCSAN_INSTRUMENT_BARRIERS_}")
	debug KCSAN_SANITIZE=n "${locks[@]/%/.o=y}"
	;;
source) source_tree ;;
herd7)
	if [ ! -e "$cache/herd7" ]; then
		lock herd7 600 herd7
		[ -e "$cache/herd7" ] || get_herd7
	fi
	echo "$cache/herd7"
	;;
*/*) path "$1" ;;
*) die "no kernel named '${1-}': stock, cloud, rt, new, testing," \
	"arm64, kasan, kcsan, rt-lockdep, latency or a path" ;;
esac
