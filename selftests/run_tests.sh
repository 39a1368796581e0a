#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# run_tests.sh [PROGRAM...]: run the tests, those of 32-bit programs too, print
# their results as TAP and the totals as the last line. Fails if anything does.
# A program that crashes, hangs or does not say what it planned is a failure.
#
# GOSYNC_TEST_SECONDS is how long each randomised test goes on (1).

here=$(dirname "$(readlink -f "$0")")
limit=${GOSYNC_TEST_LIMIT:-600}
output=$(mktemp)
trap 'rm -f "$output"' EXIT
pass=0 fail=0 skip=0

can_run_32()
{
	for program in "$here"32/*; do
		"$program" -h >"$output" 2>&1
		# That is the harness's own answer to -h.
		[ $? = 4 ] && return
		break
	done
	return 1
}

run()
{
	timeout -s KILL "$limit" "$1" >"$output" 2>&1
	status=$?
	# shellcheck disable=SC2046 # four numbers
	set -- "$1" "$2" $(awk '
		/^1\.\.[0-9]+/ { plan = substr($0, 4) + 0 }
		/^ok .*# *SKIP/ { skip++; next }
		/^ok / { pass++ }
		/^not ok / { fail++ }
		END { print plan + 0, pass + 0, fail + 0, skip + 0 }' "$output")
	echo "# $2: status $status, $4 passed, $5 failed, $6 skipped of $3"
	grep -vE '^# +(RUN|OK|Starting|PASSED|Totals)|^TAP' "$output" |
		sed "s/^\(ok\|not ok\) \([0-9]*\) /\1 \2 $(basename "$2"): /"
	pass=$((pass + $4)) fail=$((fail + $5)) skip=$((skip + $6))
	if [ "$3" = 0 ] || [ $(($4 + $5 + $6)) != "$3" ] ||
	   { [ "$5" = 0 ] && [ $status != 0 ] && [ $status != 4 ]; }; then
		echo "not ok - $2 ended with status $status"
		fail=$((fail + 1))
	fi
}

# The module is loaded anew in the first, so that the last to be unloaded is the
# one that all others have used.
if [ $# = 0 ]; then
	set -- module
	for program in "$here"/*; do
		case $program in
		*.sh | */module) ;;
		*) set -- "$@" "${program##*/}" ;;
		esac
	done
fi

echo "TAP version 13"
for name; do
	run "$here/$name" "$name"
done
if can_run_32; then
	for name; do
		[ ! -x "${here}32/$name" ] || run "${here}32/$name" "$name.32"
	done
else
	echo "# this kernel runs no 32-bit programs"
	skip=$((skip + $#))
fi

echo "# totals: pass:$pass fail:$fail skip:$skip"
[ $fail = 0 ] && [ $pass -gt 0 ]
