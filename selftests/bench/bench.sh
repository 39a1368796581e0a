#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# bench.sh [bench's options]: measure gosync beside its peers in a virtual
# machine, twice: nanoseconds with 2 CPUs, then instructions. Prints tables,
# and leaves bench.json, bench.md, bench.svg and the logs in build/.

set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
build=$(readlink -f "$here/../..")/build
run=$here/../vm/run
kernel=${KERNEL:-stock}

make -s -C "$here" O="$build/user"

# With idle CPUs polling, a guest needs two CPUs of its own.
read -r load _ </proc/loadavg
if [ "$(nproc)" -lt 3 ] && [ "${load%.*}" -ge 1 ]; then
	echo "bench: this machine is busy (load $load): do not trust the figures" >&2
fi

# What fails says so and the rest counts, as far as it comes.
status=0
measure() # DIR OPTIONS...
{
	local dir=$build/$1

	shift
	rm -f "$dir/output.log"
	"$run" -k "$kernel" -t 3600 -o "$dir" "$@" || status=1
}

measure bench -- /gosync/bench/bench "$@"
measure bench-icount --icount -- /gosync/bench/bench --instructions "$@"
echo
"$here/report.py" "$build" "$build/bench/output.log" \
	"$build/bench-icount/output.log" || status=1
echo "in build/: bench.json bench.md bench.svg"
exit $status
