#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# ThreadSanitizer on a program that uses the library: it has nothing to say of
# one that locks, and finds the race of one that does not.

out=$(mktemp)
trap 'rm -f "$out"' EXIT
number=0

result()
{
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number $2"
	else
		echo "not ok $number $2"
		sed 's/^/# /' "$out"
	fi
}

echo "TAP version 13"
echo "1..2"
if gosync-sanitized >"$out" 2>&1; then
	! grep -q 'WARNING: ThreadSanitizer' "$out"
	result $? tsan_is_silent_where_the_library_orders
elif grep -q 'FATAL: ThreadSanitizer\|libtsan' "$out"; then
	echo "ok 1 tsan_is_silent_where_the_library_orders # SKIP it does not run"
	echo "ok 2 tsan_finds_a_race_beside_it # SKIP it does not run"
	exit
else
	result 1 tsan_is_silent_where_the_library_orders
fi
gosync-sanitized racy >"$out" 2>&1
[ "$(grep -c 'WARNING: ThreadSanitizer: data race' "$out")" = 1 ]
result $? tsan_finds_a_race_beside_it
