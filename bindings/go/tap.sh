#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# binding_go: run the tests of the Go binding and say their results as TAP. A test
# of which nothing is said, because the program has crashed or was killed before,
# has failed.

here=$(dirname "$(readlink -f "$0")")
program=$here/../go/gosync.test
said=$(mktemp)
trap 'rm -f "$said"' EXIT
export GOSYNC_TEST_DEVICE=1

tests=$("$program" -test.list "${GOSYNC_TEST_GO:-.}") || exit 1
"$program" -test.v -test.timeout 800s -test.run "${GOSYNC_TEST_GO:-.}" >"$said" 2>&1
status=$?

echo "$tests" | awk -v status=$status '
	FNR == NR { if ($1 ~ /^Test/) names[++n] = $1; next }
	/^--- (PASS|FAIL|SKIP): / { result[$3] = $2 }
	/^=== (RUN|PAUSE|CONT|NAME)|^ *--- (PASS|SKIP): |^PASS$/ { next }
	{ print "# " $0 }
	END {
		print "TAP version 13"
		print "1.." n
		for (i = 1; i <= n; i++) {
			r = result[names[i]]
			if (r != "PASS:" && r != "SKIP:")
				bad++
			print (r == "PASS:" || r == "SKIP:" ? "ok " : "not ok ") i " " \
				names[i] (r == "SKIP:" ? " # SKIP" : "")
		}
		exit(bad || status != 0 || !n)
	}' - "$said"
