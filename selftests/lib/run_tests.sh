#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# run_tests.sh [--64|--32] [PROGRAM...]: run the tests, those of 32-bit programs
# too or only one of both, print their results as TAP and the totals as the last
# line. Fails if anything does. A program that crashes, hangs or does not say what
# it planned is a failure.
#
# GOSYNC_TEST_SECONDS is how long each randomised test goes on (0.5, and 0.2 as
# a 32-bit program). On the debug kernel 32-bit programs are run if GOSYNC_TEST_32
# is set.

here=$(dirname "$(readlink -f "$0")")
limit=${GOSYNC_TEST_LIMIT:-900}
output=$(mktemp)
trap 'rm -f "$output"' EXIT
number=0 pass=0 fail=0 skip=0
bits=
case ${1:-} in --64 | --32) bits=$1; shift ;; esac

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

bad()
{
	number=$((number + 1)) fail=$((fail + 1))
	echo "not ok $number $1"
}

# run PROGRAM NAME SECONDS
run()
{
	name=$2
	start=$(cut -d. -f1 /proc/uptime)
	GOSYNC_TEST_SECONDS=${GOSYNC_TEST_SECONDS:-$3} \
		timeout -s KILL "$limit" "$1" >"$output" 2>&1
	status=$?
	start=$(($(cut -d. -f1 /proc/uptime) - start))
	# The harness's own chatter is left out, the results are renumbered.
	awk -v name="$name" -v number=$number '
		/^# +(RUN|OK|Starting|PASSED|FAILED:|Totals|SKIP)|^TAP|^1\.\./ { next }
		/^ok |^not ok / {
			sub(/ok [0-9]+ /, "ok " ++number " " name ": ")
		}
		{ print }' "$output"
	# shellcheck disable=SC2046 # four numbers
	set -- $(awk '
		/^1\.\.[0-9]+/ { plan = substr($0, 4) + 0 }
		/^ok .*# *SKIP/ { skip++; next }
		/^ok / { pass++ }
		/^not ok / { fail++ }
		END { print plan + 0, pass + 0, fail + 0, skip + 0 }' "$output")
	echo "# $name: $2 passed, $3 failed, $4 skipped of $1, $start s"
	number=$((number + $2 + $3 + $4))
	pass=$((pass + $2)) fail=$((fail + $3)) skip=$((skip + $4))
	if [ "$1" = 0 ] || [ $(($2 + $3 + $4)) != "$1" ] ||
	   { [ "$3" = 0 ] && [ $status != 0 ] && [ $status != 4 ]; }; then
		bad "$name: ended with status $status"
	fi
	# Should a test of loading it have been cut short
	[ -e /dev/gosync ] || insmod /gosync/gosync.ko
}

# The module is loaded anew in the first two, so that the last to be unloaded is the
# one that all others have used.
if [ $# = 0 ]; then
	set -- compat module
	for program in "$here"/*; do
		case $program in
		*.sh | */compat | */module | */contend) ;;
		*) set -- "$@" "${program##*/}" ;;
		esac
	done
fi

echo "TAP version 13"
for program; do
	if [ "$bits" = --32 ]; then
		:
	elif [ -x "$here/$program" ]; then
		run "$here/$program" "$program" 0.5
	elif [ -x "$here/../bindings/tests/$program" ]; then
		run "$here/../bindings/tests/$program" "$program" 0.5
	else
		bad "$program: there is no such program"
	fi
done
if [ "$bits" = --64 ]; then
	:
elif [ -e /sys/kernel/debug/kmemleak ] && [ -z "$GOSYNC_TEST_32" ]; then
	# They take as long again as all the others there.
	number=$((number + 1)) skip=$((skip + 1))
	echo "ok $number 32-bit programs # SKIP without GOSYNC_TEST_32"
elif can_run_32; then
	for program; do
		[ ! -x "${here}32/$program" ] ||
			run "${here}32/$program" "$program.32" 0.2
	done
else
	number=$((number + 1)) skip=$((skip + 1))
	echo "ok $number 32-bit programs # SKIP there are none, or this kernel does not run them"
fi

echo "1..$number"
echo "# totals: pass:$pass fail:$fail skip:$skip"
[ $fail = 0 ] && [ $number -gt 0 ]
