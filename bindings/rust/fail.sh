#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# fail.sh RLIB: what must not compile does not. Each program in fail/ says in its
# second line with which error, and by //~ where; without that line it compiles.

set -uo pipefail

cd "$(dirname "$0")" || exit 1
rlib=$(readlink -f "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

n=0
for program in fail/*.rs; do
	n=$((n + 1))
	error=$(sed -n '2s|^//! \(error\[E[0-9]*\]\): .*|\1|p' "$program")
	line=$(grep -n ' //~$' "$program" | cut -d: -f1)
	if "${RUSTC:-/usr/bin/rustc}" --edition 2021 --emit metadata -A warnings \
		--extern gosync="$rlib" -L "${rlib%/*}" -o "$work/out" \
		"$program" 2>"$work/log"; then
		echo "$program: it compiles"
		status=1
		continue
	fi
	# Which errors there are, and where
	got=$(grep -A 1 '^error\[' "$work/log" | sed -nE \
		"s|^(error\[E[0-9]+\]).*|\1|p; s|^ *--> $program:([0-9]+):.*|\1|p" | sort -u)
	[ "$got" = "$(printf '%s\n' "$line" "$error" | sort -u)" ] && continue
	echo "$program: not just $error in line $line:"
	cat "$work/log"
	status=1
done
[ $n -gt 10 ] || { echo "there are no programs"; status=1; }
exit $status
