#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# preempt_off.sh [PROGRAM...]: for how long the module has preemption off, at the most,
# while these test programs run. It is for the guest of the kernel "latency"; see
# `make preempt-off'. Fails if it is 200 us.
#
# A stretch with preemption off counts if it begins in the module, wherever it ends. The
# clock counts instructions, 1 ns for each (--icount): so it stands still while the host
# does something else. Interrupts that come meanwhile count, and what the events take.

set -euo pipefail

limit=200
programs=("$@")
[ ${#programs[@]} != 0 ] ||
	programs=(fuzz hostile hostile_waits interrupted murder strangers)

cd /sys/kernel/tracing
if [ ! -e events/preemptirq/preempt_disable ] || [ "$GOSYNC_ACCEL" != icount ]; then
	echo "preempt_off.sh: needs the kernel latency, and --icount" >&2
	exit 1
fi

# Where something is is told by its distance from _stext.
text=0x$(awk '$3 == "_stext" { print $1 }' /proc/kallsyms)
functions=$(awk '$4 == "[gosync]" && $2 ~ /[tT]/ { print $1, $3 }' /proc/kallsyms | sort)
first=$((0x$(head -1 <<<"$functions" | cut -d' ' -f1) - text))
last=$((0x$(tail -1 <<<"$functions" | cut -d' ' -f1) - text + 4096))

# There is one processor, so the next that has preemption on again is who had it off.
echo 'gosync_preempt_off s32 where; u64 ns' >>synthetic_events
echo "hist:keys=common_cpu:since=common_timestamp,where=parent_offs" \
	"if parent_offs >= $first && parent_offs < $last" \
	>events/preemptirq/preempt_disable/trigger
# shellcheck disable=SC2016 # these are the tracer's variables
echo 'hist:keys=common_cpu:ns=common_timestamp-$since,from=$where:onmatch(preemptirq.preempt_disable).gosync_preempt_off($from,$ns)' \
	>events/preemptirq/preempt_enable/trigger
echo 'hist:keys=where,ns.buckets=1000:size=16384' \
	>events/synthetic/gosync_preempt_off/trigger

status=0
/gosync/tests/run_tests.sh --64 "${programs[@]}" || status=$?

# { where: DISTANCE, ns: ~ FROM-TO } hitcount: HOW_OFTEN
cat events/synthetic/gosync_preempt_off/hist >/tmp/hist
while read -r address name; do
	echo "function $((0x$address - text)) $name"
done <<<"$functions" | cat - /tmp/hist | awk -v limit=$limit '
	$1 == "function" { at[n] = $2; name[n++] = $3; next }
	/^ *Dropped: [1-9]/ { print "# " $0; bad = 1 }
	$1 != "{" { next }
	{
		gsub(/[{},~]/, " ")
		split($4, range, "-")
		us = (range[2] + 1) / 1000
		for (i = 0; i < n && at[i] <= $2; i++)
			where = name[i]
		all += $6
		many[us] += $6
		if (us > worst[where])
			worst[where] = us
		if (us > most)
			most = us
	}
	END {
		for (where in worst)
			printf "# %5d us  %s\n", worst[where], where | "sort -k 2nr"
		close("sort -k 2nr")
		for (us = 1; us < most && sum + many[us] < all * 0.9999; us++)
			sum += many[us]
		printf "# preempt_off: %d times, 99.99 %% less than %d us, all less than %d us\n",
			all, us, most
		exit bad || !all || most > limit
	}' || status=1
exit "$status"
