# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For the scripts beside this one: a temporary folder, and packages in it.

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# get PACKAGE=VERSION...: unpack these below $tmp/root; nothing is installed
get()
{
	local opts=(-qq)

	[ "$(id -u)" != 0 ] || opts+=(-o APT::Sandbox::User=root)
	mkdir -p "$tmp/root" "$tmp/deb"
	(cd "$tmp/deb" && apt-get "${opts[@]}" download "$@") || {
		echo "cannot have $*: is it another release, or the list old?" >&2
		exit 2
	}
	for deb in "$tmp"/deb/*.deb; do
		dpkg-deb -x "$deb" "$tmp/root"
	done
}

# The C library of $tmp/root runs a program that the host's compiler has built.
with_its_libc()
{
	local lib=$tmp/root/lib/x86_64-linux-gnu

	"$lib/ld-linux-x86-64.so.2" --library-path "$lib" "$@"
}

# expect WHAT SAW WANTED: print it, and fail in the end if it is another
changed=0
expect()
{
	echo "$1: $2"
	[ "$2" = "$3" ] || { echo "    was: $3"; changed=1; }
}
