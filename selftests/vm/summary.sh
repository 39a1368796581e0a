#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# summary.sh DIR...: add up what the tests said in each of run's output
# directories. A run that failed otherwise, or said nothing, is one failure.
# What failed is named again here, where it is found without searching through
# thousands of lines. Fails if anything did.

set -eu

pass=0 fail=0 skip=0
for dir in "$@"; do
	totals=$(sed -n 's/^# totals: pass:\([0-9]*\) fail:\([0-9]*\) skip:\([0-9]*\).*/\1 \2 \3/p' \
		"$dir/output.log" 2>/dev/null | tail -n 1)
	status=$(cat "$dir/status" 2>/dev/null || echo 125)
	# shellcheck disable=SC2086 # three numbers
	set -- ${totals:-0 0 0}
	p=$1 f=$2 s=$3
	note=
	if [ -z "$totals" ]; then
		note=", no totals" f=1
	elif [ "$status" = 125 ]; then
		note=", trouble with the machine" f=$((f + 1))
	elif [ "$status" != 0 ] && [ "$f" = 0 ]; then
		note=", exit status $status" f=1
	fi
	echo "# ${dir##*/}: $p passed, $f failed, $s skipped$note"
	sed -n 's/^not ok [0-9]* /#   failed: /p' "$dir/output.log" 2>/dev/null || :
	pass=$((pass + p)) fail=$((fail + f)) skip=$((skip + s))
done
echo "$pass passed, $fail failed, $skip skipped"
[ "$fail" = 0 ] && [ "$pass" -gt 0 ]
