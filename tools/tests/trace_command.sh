#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# gosync trace and report, where the module is loaded: TAP on standard output,
# as the other tests. If $GOSYNC_OUT is set, the files stay in $GOSYNC_OUT/trace
# for trace_files.sh, which opens them with the programs that they are for.
# With arguments only the tests of these names are run.

# shellcheck disable=SC2317 # tests are called by their names

# shellcheck source=tools/tests/kit.sh
. "${0%/*}/kit.sh"
keep=$top/keep
[ -z "$GOSYNC_OUT" ] || keep=$GOSYNC_OUT/trace
mkdir -p "$keep"

# Outputs must write this name without harm.
hostile='</script><b>"&'\''\ x'

# number KEY LINE: print the NUMBER of "KEY":NUMBER in a line of JSON
number()
{
	local rest=${2#*\""$1"\":}

	echo "${rest%%[!0-9]*}"
}

lost()
{
	number lost "$(tail -n 1 "$1")"
}

# counted RECORDING TYPE: print the line of gosync-contend for the object of TYPE
counted()
{
	awk -v type="$2" '
		function get(key) {
			match($0, "\"" key "\":-?[0-9]+")
			return substr($0, RSTART + length(key) + 3,
				      RLENGTH - length(key) - 3) + 0
		}
		index($0, "\"type\":\"" type "\"") == 0 { next }
		/"event":"contention_end"/ {
			if (get("ret"))
				gave_up++
			else
				acquired++
		}
		/"event":"acquired"/ && !/"how":"barged"/ {
			ns += get("wait_ns")
			if (get("wait_ns") > max)
				max = get("wait_ns")
			handed_over += /"how":"handed-over"/
		}
		/"event":"owner_died"/ { deaths++ }
		END {
			printf "%s acquired %d handed_over %d gave_up %d wait_ns %.0f wait_max_ns %.0f deaths %d\n",
				type, acquired, handed_over, gave_up, ns, max,
				deaths
		}' "$1"
}

instances()
{
	find /sys/kernel/tracing/instances -mindepth 1 -maxdepth 1 \
		-name 'gosync-*'
}

# until_recording PID: wait until it has its instances and records
until_recording()
{
	until_so grep -qs 1 \
		"/sys/kernel/tracing/instances/gosync-$1/tracing_on"
}

# The end and the length of each wait agree, to the nanosecond.
trace_counts_as_the_kernel_does()
{
	local type

	gosync trace -J -o "$out/1" --perfetto "$keep/perfetto.json" \
		--pprof "$keep/pprof.pb.gz" -- \
		gosync-contend -a -p 6 -s 1.5 "$hostile" >"$out/2" 2>"$out/3" ||
		return 1
	cp "$out/1" "$keep/recording"
	if [ "$(lost "$out/1")" != 0 ]; then
		grep -q 'events were lost: .* --buffer-size' "$out/3"
		return
	fi
	for type in mutex rwmutex semaphore; do
		counted "$out/1" "$type" >>"$out/4"
	done
	grep -v rounds "$out/2" >"$out/5"
	grep -q 'none lost' "$out/3" && cmp -s "$out/4" "$out/5" &&
		grep -q '^mutex acquired [1-9].* gave_up [1-9].* deaths 1$' \
			"$out/4"
}

full_contention_loses_nothing_or_says_so()
{
	gosync trace -J -o "$out/1" -- gosync-contend -p 8 -s 5 busy >"$out/2" \
		2>"$out/3" || return 1
	counted "$out/1" mutex >"$out/4"
	{
		cat "$out/3"
		grep rounds "$out/2"
		gosync-contend -p 8 -s 5 busy | sed '/rounds/s/$/ untraced/'
	} >"$keep/figures"
	if [ "$(lost "$out/1")" = 0 ]; then
		grep -q 'none lost' "$out/3" &&
			grep -qxf "$out/4" "$out/2"
	else
		grep -q 'events were lost' "$out/3"
	fi
}

# The buffers are small, and the recorder is stopped until the kernel has lost some.
lost_events_are_counted_and_said()
{
	local tracer tries=0 stats='/sys/kernel/tracing/instances/*/per_cpu/cpu*/stats'

	gosync trace -J -b 4 -o "$out/1" 2>"$out/2" & tracer=$!
	until_recording "$tracer" || return 1
	kill -STOP "$tracer"
	# shellcheck disable=SC2086 # a pattern
	until grep -Eq '^(overrun|dropped events): [1-9]' $stats ||
		[ $((tries += 1)) -gt 30 ]; do
		gosync-contend -a -p 4 -s 1 busy >"$out/3"
	done
	kill -INT "$tracer"
	kill -CONT "$tracer"
	wait "$tracer" || return 1
	[ "$(lost "$out/1")" -gt 0 ] &&
		grep -q " $(lost "$out/1") events were lost: .* --buffer-size" \
			"$out/2"
}

# One name that the kernel's filter cannot contain, and one that it can
names_choose_the_recorded_objects()
{
	local name

	for name in "$hostile.sem" "plain.sem"; do
		gosync trace -J -o "$out/1" "$name" -- \
			gosync-contend -a -s 0.5 "${name%.sem}" >"$out/2" 2>&1 ||
			return 1
		grep -q '"type":"semaphore"' "$out/1" &&
			! grep -Eq '"type":"(rw)?mutex"' "$out/1" || return 1
	done
}

# The stacks and the slices of a recording have the same nanoseconds.
folded_stacks_have_all_waits()
{
	local folded slices

	gosync trace --folded -o "$out/1" --perfetto "$out/2" -- \
		gosync-contend -a -p 4 -s 1 stacked >"$out/3" 2>&1 || return 1
	cp "$out/1" "$keep/folded"
	folded=$(awk '{ ns += $NF } END { printf "%.0f", ns }' "$out/1")
	slices=$(awk 'match($0, /"wait_ns":[0-9]+/) {
			ns += substr($0, RSTART + 10, RLENGTH - 10)
		} END { printf "%.0f", ns }' "$out/2")
	echo "$folded, in slices $slices" >"$out/4"
	[ "$folded" -gt 0 ] && [ "$folded" = "$slices" ]
}

stacks_show_program_library_and_kernel()
{
	gosync trace --folded -o "$out/1" -- gosync-contend -p 4 -s 1 stacked \
		>"$out/2" 2>&1
	# Its caller in the kernel is there unless that was its last call.
	grep -q '^gosync-contend;.*;work_under_lock;.*;ioctl;\(gosync_object_ioctl_\[k\];\)\?gosync_mutex_lock_\[k\];.*;stacked [0-9]*$' \
		"$out/1"
}

text_tells_which_process_waited_for_which()
{
	gosync trace -o "$out/1" -- gosync-contend -a -p 4 -s 3 told >"$out/2" 2>&1 ||
		return 1
	cp "$out/1" "$keep/text"
	grep -q '^NAME .*HANDED-OVER' "$out/1" &&
		grep -q '^told  *mutex  *[1-9]' "$out/1" &&
		grep -q '^  gosync-contend [0-9]* *waited for gosync-contend [0-9]* ' \
			"$out/1" &&
		grep -q '^    work_under_lock ' "$out/1"
}

report_is_one_page()
{
	gosync report "$keep/recording" >"$out/1" 2>"$out/2" || return 1
	gosync report <"$keep/recording" >"$out/3" || return 1
	cp "$out/1" "$keep/report.html"
	cmp -s "$out/1" "$out/3" && [ ! -s "$out/2" ] &&
		grep -q '^</html>$' "$out/1" && grep -q '<rect ' "$out/1" &&
		! grep -Eq '<b>"|</?script' "$out/1"
}

report_wants_a_recording()
{
	echo '{"time":"x","event":[],"tid":{}}' >"$out/1"
	gosync report "$out/1" >"$out/2" 2>"$out/3" && return 1
	gosync report "$out/nothing" >>"$out/2" 2>>"$out/3" && return 1
	[ ! -s "$out/2" ] && grep -q 'no recording' "$out/3" &&
		grep -q 'No such file' "$out/3"
}

# For each way to end. After a kill, the next recorder removes the rest.
nothing_is_left_behind()
{
	local signal tracer status

	for signal in INT TERM HUP KILL; do
		gosync trace >"$out/1" 2>&1 & tracer=$!
		until_recording "$tracer" || return 1
		kill "-$signal" "$tracer"
		wait "$tracer" 2>/dev/null
		status=$?
		[ "$signal" = KILL ] || { [ "$status" = 0 ] && [ -z "$(instances)" ]; } ||
			return 1
	done
	[ -n "$(instances)" ] || return 1
	# The reader has enough.
	gosync trace -J -- gosync-contend -a -s 1 cut 2>"$out/1" | head -n 1 >"$out/2"
	[ -s "$out/2" ] && [ -z "$(instances)" ]
}

status_is_the_commands()
{
	gosync trace -- sh -c 'exit 7' >"$out/1" 2>&1
	[ $? = 7 ] || return 1
	gosync trace -- /nothing >"$out/1" 2>&1
	[ $? = 127 ] && grep -q '/nothing: No such file' "$out/1"
}

recording_is_for_root()
{
	su alice -c 'gosync trace -d 1' >"$out/1" 2>"$out/2" && return 1
	[ ! -s "$out/1" ] && grep -q 'root' "$out/2"
}

write_errors_are_told()
{
	gosync trace -d 0.1 -o /dev/full >"$out/1" 2>&1
	[ $? = 1 ] && grep -q 'No space' "$out/1" || return 1
	gosync trace -d 0.1 --perfetto /nothing/here >"$out/1" 2>&1
	[ $? = 1 ] && grep -q '/nothing/here: No such' "$out/1"
}

usage_errors_are_told()
{
	are_wrong_usage "trace --nonsense" "trace -d x" "trace -d 0" "trace -b 1" \
		"trace -J --folded" "trace --folded --no-stacks" \
		"trace -d 1 -- true" "trace -i x -d 1" "report a b"
}

tests="trace_counts_as_the_kernel_does
	full_contention_loses_nothing_or_says_so
	lost_events_are_counted_and_said
	names_choose_the_recorded_objects
	folded_stacks_have_all_waits
	stacks_show_program_library_and_kernel
	text_tells_which_process_waited_for_which
	report_is_one_page
	report_wants_a_recording
	nothing_is_left_behind
	status_is_the_commands
	recording_is_for_root
	write_errors_are_told
	usage_errors_are_told"

check_all "$@"
