#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test.sh OUT: the tests of what the nodes of a cluster share, in three virtual machines;
# and what that costs a node that is alone, in another. For `make test-cluster', which
# has built the programs. What the nodes say goes to OUT/N/output.log, too.

set -uo pipefail

here=$(dirname "$0")
status=0
"$here/cluster.sh" 3 -t 420 -o "$1" -- sh cluster/node.sh | tee "$1.log" || status=$?
"$here/cluster.sh" 1 --icount -t 420 -o "$1/alone" -- sh cluster/cost.sh |
	tee -a "$1.log" || status=$?
awk '
	/^[0-9]: # totals: / {
		for (i = 4; i <= NF; i++) {
			split($i, part, ":")
			sum[part[1]] += part[2]
		}
	}
	/^[0-9]: ok .* cluster power: leaves/ { nodes++ }
	/^[0-9]: not ok / { print "#   failed: " $0 }
	END {
		# The others lose their power.
		if (nodes != 1)
			sum["fail"]++
		printf "# totals: pass:%d fail:%d skip:%d\n", sum["pass"],
			sum["fail"], sum["skip"]
		printf "%d passed, %d failed, %d skipped\n", sum["pass"],
			sum["fail"], sum["skip"]
		exit !sum["pass"] || sum["fail"]
	}' "$1.log" || status=1
exit $status
