#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# torture.sh KERNEL MINUTES [PROGRAM...]: random stress for about so long, in a virtual
# machine. For `make torture', which has built the programs. In each round the module is
# unloaded and loaded, and each test of each program gets a second for each minute, but
# 5 to 60. Before that it has to notice a Mutex which is granted although it has an
# owner. The last lines are the sums of all rounds.

set -euo pipefail

vm=$(dirname "$0")/../vm
kernel=$1 minutes=$2
shift 2
[ $# != 0 ] || set -- fuzz history murder stepped
out=$(readlink -f "$(dirname "$0")/../..")/build/torture-${kernel##*/}

"${0%/*}/broken.sh" "$kernel"

status=0
# The last round ends when it ends.
# shellcheck disable=SC2016 # the guest expands them
"$vm/run" -k "$kernel" -t $((60 * minutes + 3600)) -o "$out" -- bash -c '
	end=$((SECONDS + 60 * $1)) begin=$SECONDS rounds=0 failed=0
	export GOSYNC_TEST_SECONDS=$(($1 < 5 ? 5 : $1 > 60 ? 60 : $1))
	export GOSYNC_TEST_LIMIT=3600
	shift
	# What the fuzzer has found in a round it begins the next with.
	export GOSYNC_FUZZ_CORPUS=$GOSYNC_OUT/fuzz.corpus
	echo "# torture: begins"
	while [ $SECONDS -lt $end ]; do
		/gosync/tests/run_tests.sh --64 module "$@" || failed=$((failed + 1))
		rounds=$((rounds + 1))
		echo "# torture: $rounds rounds, $failed failed, $((SECONDS - begin)) s"
	done
	[ $failed = 0 ]' torture "$minutes" "$@" || status=$?
awk -f "${0%/*}/sum.awk" "$out/output.log" || [ $status != 0 ] || status=1
exit $status
