#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test.sh KERNEL...: run the tests in a virtual machine with each of these, and
# look at the files that they have written. The last line is the sum. For
# `make test', which has built them; $TESTS and $SOAK are as there.

set -uo pipefail

vm=$(dirname "$0")/vm
build=$(readlink -f "$(dirname "$0")/..")/build
read -ra tests <<<"${TESTS:-}"
limit=2700
how=()
if [ -n "${SOAK:-}" ]; then
	# Randomised tests go on for so many seconds each (up to 60).
	how=(env GOSYNC_TEST_SECONDS="$SOAK" GOSYNC_TEST_LIMIT=7200)
	limit=20000
fi

# What the test of tracers wants in the guest. They are large, and the debug
# kernel is slow, so they are there on stock alone.
tracers=()
if [[ " ${tests[*]:-tracers trace_command} " == *\ trac* ]]; then
	"$vm/deps.sh" trace || exit
	for program in perf trace-cmd bpftrace; do
		! command -v "$program" >/dev/null || tracers+=(-p "$program")
	done
fi

for kernel; do
	out=$build/test-${kernel##*/}
	dirs+=("$out")
	rm -rf "$out" "$out-files"
	make module KERNEL="$kernel" || continue
	programs=()
	[ "$kernel" != stock ] || programs=("${tracers[@]}")
	"$vm/run" -k "$kernel" "${programs[@]}" -t $limit -o "$out" -- \
		"${how[@]}" /gosync/tests/run_tests.sh "${tests[@]}"
	if [ "$kernel" = stock ] && [ -e "$out/out/trace/recording" ]; then
		dirs+=("$out-files")
		mkdir -p "$out-files"
		"${0%/*}/trace_files.sh" "$out/out/trace" |
			tee "$out-files/output.log"
		echo "${PIPESTATUS[0]}" >"$out-files/status"
	fi
done
"$vm/summary.sh" "${dirs[@]}"
