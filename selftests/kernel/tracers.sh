#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# perf, trace-cmd and bpftrace, as Debian has them, look at a load that waits:
# TAP on standard output, as the other tests. A test whose tool is not there is
# skipped. (selftests/vm/run -p perf -p trace-cmd -p bpftrace has them there.)
#
# With GOSYNC_OUT set, what the tools said is left there.
#
# shellcheck disable=SC2317 # the tests are reached, through check

cd "$(dirname "$0")" || exit 1
contend=$PWD/contend
lib=$(readlink -f ../lib/libgosync-user.so)
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
n=0
failed=0

# result STATUS NAME: one line of TAP, with the reason when it failed
result()
{
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n $2"
	else
		failed=1
		echo "not ok $n $2"
		tail -n 50 "$out/said" "$out/missed" | sed 's/^/# /'
	fi
	if [ -d "$GOSYNC_OUT" ]; then
		cat "$out/said" >"$GOSYNC_OUT/$2"
	fi
	rm -f "$out"/*
}

# check TOOL NAME: do the test, or skip it if there is no such tool
check()
{
	if command -v "$1" >/dev/null && [ -d /sys/kernel/tracing/events/gosync ]
	then
		(cd "$out" && "$2")
		result $? "$2"
	else
		n=$((n + 1))
		echo "ok $n $2 # SKIP no $1 here"
	fi
}

# say COMMAND...: run it, and keep what it says
say()
{
	echo "# $*" >>said
	"$@" >>said 2>&1
}

# said REGEX...: each is in some line of what was said
said()
{
	for regex; do
		grep -Eq -- "$regex" said && continue
		echo "not said: $regex" >missed
		return 1
	done
}

perf_lock_contention_lists_them()
{
	say perf lock record -o data -- "$contend" 4 100 &&
		say perf lock contention -i data &&
		said '[1-9][0-9.]* [mun]?s +[0-9.]+ [mun]?s +[0-9.]+ [mun]?s +mutex +gosync_mutex_lock\+' \
			' rwsem:R +gosync_rwmutex_rlock\+' \
			' rwsem:W +(lock_taken|gosync_rwmutex_lock)\+' \
			' semaphore ' &&
		say perf lock contention --stack-skip 2 -i data &&
		said ' semaphore +gosync_semaphore_acquire\+'
}

perf_shows_who_called()
{
	say perf record -g -o data -e lock:contention_begin \
		-e lock:contention_end -- "$contend" 4 100 &&
		say perf script -i data &&
		said 'lock:contention_begin: .*\(flags=MUTEX\)' \
			'lock:contention_begin: .*\(flags=(READ|WRITE)\)' \
			'lock:contention_begin: .*\(flags=\)' \
			'lock:contention_end: .*\(ret=0\)' \
			'gosync_mutex_acquire\+'
}

events_are_readable()
{
	said 'gosync_create: +name=contend\.mutex id=[0-9]+ type=mutex holder=0 token=[0-9]+' \
		'gosync_contention_begin: +name=contend\.mutex .* wants=it owner=[1-9][0-9]* owner_pid=[1-9]' \
		'gosync_contention_begin: +name=contend\.rwmutex id=[0-9]+ type=rwmutex .* wants=(read|drain) ' \
		'gosync_acquired: +name=contend\.semaphore .* type=semaphore .* how=handed-over wait_ns=[1-9]' \
		'gosync_wake: +name=contend\.mutex .* how=(woken|handed-over) tid=[1-9]' \
		'gosync_contention_end: .* ret=0' &&
		! grep -iq 'bad op\|error\|unknown\|failed' said
}

perf_prints_the_events()
{
	say perf record -o data -e 'gosync:*' -- "$contend" 4 40 &&
		say perf script -i data && events_are_readable
}

trace_cmd_prints_the_events()
{
	say trace-cmd record -e gosync -o data "$contend" 4 40 &&
		say trace-cmd report -i data && events_are_readable
}

bpftrace_draws_histograms()
{
	say bpftrace -e 'tracepoint:gosync:gosync_acquired /args->wait_ns/ {
		@[str(args->name)] = hist(args->wait_ns); }' \
			-c "$contend 4 100" &&
		said '^@\[contend\.mutex\]:' '^@\[contend\.rwmutex\]:' \
			'^@\[contend\.semaphore\]:' '^\[.*[1-9][0-9]* \|@+'
}

bpftrace_tells_who_woke_whom()
{
	say bpftrace -e 'tracepoint:gosync:gosync_wake {
		@[str(args->name), pid, args->tid] = count(); }' \
			-c "$contend 3 50" &&
		said '^@\[contend\.mutex, [0-9]+, [0-9]+\]: [1-9]' \
			'^@\[contend\.semaphore, [0-9]+, [0-9]+\]: [1-9]'
}

bpftrace_tells_whom_they_waited_for()
{
	say bpftrace -e 'tracepoint:gosync:gosync_contention_begin {
		@since[tid] = nsecs; @owner[tid] = args->owner_pid; }
	tracepoint:gosync:gosync_contention_end /@since[tid]/ {
		@ns[str(args->name), @owner[tid]] = sum(nsecs - @since[tid]);
		delete(@since[tid]); delete(@owner[tid]); }' \
			-c "$contend 3 50" &&
		said '^@ns\[contend\.mutex, [1-9][0-9]*\]: [1-9]'
}

# Also the locks for which nobody waited: the library's own copy of the
# function has a probe. The first program is there to see when it is in place.
bpftrace_counts_what_is_not_waited_for()
{
	ln -s "$contend" warm-up
	ln -s "$contend" counted
	echo "# bpftrace -e 'usdt:$lib:libgosync:mutex_entry { ... }'" >>said
	bpftrace -e "usdt:$lib:libgosync:mutex_entry {
		@locks[comm] = count();
		if (comm == \"warm-up\") { printf(\"in place\\n\"); } }" \
			>>said 2>&1 &
	bpftrace=$!
	tries=0
	until grep -q '^in place' said || [ "$tries" = 300 ]; do
		tries=$((tries + 1))
		./warm-up 1 1
		sleep 0.1
	done
	./counted 2 500
	kill -INT "$bpftrace"
	wait "$bpftrace"
	said '^@locks\[counted\]: 1000$'
}

echo "TAP version 13"
echo "1..8"
check perf perf_lock_contention_lists_them
check perf perf_shows_who_called
check perf perf_prints_the_events
check trace-cmd trace_cmd_prints_the_events
check bpftrace bpftrace_draws_histograms
check bpftrace bpftrace_tells_who_woke_whom
check bpftrace bpftrace_tells_whom_they_waited_for
check bpftrace bpftrace_counts_what_is_not_waited_for
exit $failed
