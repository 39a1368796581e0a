#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# gosync deadlocks and gosync top, with demonstrations as their objects: TAP on
# standard output, as the other tests. With arguments only the tests of these
# names are run.

# shellcheck disable=SC2317 # functions are called by their names

bin=$(readlink -f "${0%/*}/../bin")
# shellcheck source=tools/tests/kit.sh
. "${0%/*}/kit.sh"
demos=
looks=200
[ "${GOSYNC_TEST_SECONDS%%.*}" -lt 5 ] 2>/dev/null || looks=1000

# demo FILE ARG...: begin a demonstration, with its output in $out/FILE
demo()
{
	file=$1
	shift
	gosync demo "$@" >"$out/$file" 2>&1 &
	demos="$demos $!"
}

end_demos()
{
	for demo in $demos; do
		kill "$demo"
		wait "$demo"
	done 2>/dev/null
	demos=
}

after()
{
	end_demos
}

# plant ARG...: begin a deadlock of philosophers
plant()
{
	demo demo --deadlock "$@" && until_so grep -qs '^Each has' "$out/demo"
}

# open_shop: begin the demonstration of contention, which runs until the test ends
open_shop()
{
	demo shop --contended --seconds 10000 && until_so is_open
}

is_open()
{
	gosync ls 2>&1 | grep -q demo.orders
}

# found TEXT [OPTION]: gosync deadlocks finds one deadlock, described by TEXT
found()
{
	# shellcheck disable=SC2086 # none or one
	gosync deadlocks $2 >"$out/1" 2>&1
	grep -q "^Found 1 $1" "$out/1"
}

# names N: each of N philosophers is listed, with its process and its fork
names()
{
	for i in $(seq "$1"); do
		pid=$(sed -n "s/^philosopher-$i is process //p" "$out/demo")
		grep -q "^\"philosopher-$i\" (pid $pid, thread $pid)$" "$out/1" &&
			grep -q "held .*by \"philosopher-$i\" (pid $pid)$" "$out/1" &&
			grep -q "waits .*\"demo.fork.$i\" (" "$out/1" ||
			return 1
	done
}

deadlocks_are_found_and_named_every_time()
{
	for size in 1 2 3 5; do
		plant "$size" || return 1
		gosync deadlocks -i 0.1 -n 300 >"$out/1" 2>&1
		[ $? = 1 ] && grep -q '^Found 1 deadlock:$' "$out/1" || return 1
		for _ in $(seq 20); do
			gosync deadlocks >"$out/1" 2>&1
			[ $? = 1 ] && names "$size" || return 1
		done
		end_demos
	done
}

json_says_the_same()
{
	plant 3 || return 1
	gosync deadlocks -J -i 0.1 -n 300 >"$out/1" 2>&1
	[ $? = 1 ] && [ "$(grep -c '"name": "demo.fork' "$out/1")" = 3 ] &&
		grep -q '"certainty": "certain"' "$out/1" &&
		[ "$(grep -c '"wants": "drain"' "$out/1")" = 1 ]
}

others_names_are_not_looked_at()
{
	plant 2 || return 1
	gosync deadlocks -i 0.1 -n 300 >"$out/1" 2>&1
	[ $? = 1 ] || return 1
	su alice -c 'gosync deadlocks' >"$out/2" 2>&1 &&
		grep -q '^No deadlock.$' "$out/2"
}

a_wait_with_a_deadline_is_no_deadlock()
{
	plant 3 --deadline 10000 || return 1
	until_so found 'deadlock that a deadline will end:$' || return 1
	gosync deadlocks >"$out/1" 2>&1 && names 3 &&
		grep -q 'and until a deadline,$' "$out/1"
}

a_thread_that_runs_may_release()
{
	plant 3 --threads || return 1
	until_so found 'possible deadlock' --all && names 3 || return 1
	gosync deadlocks --all >"$out/1" 2>&1
	[ $? = 1 ] || return 1
	gosync deadlocks >"$out/2" 2>&1 && grep -q '^No deadlock.$' "$out/2"
}

no_deadlock_is_seen_where_there_is_none()
{
	open_shop && demo demo --seconds 10000 || return 1
	gosync deadlocks -i 0 -n "$looks" >"$out/1" 2>&1 &&
		grep -q '^No deadlock.$' "$out/1"
}

an_ended_process_ends_the_deadlock()
{
	plant 2 || return 1
	gosync deadlocks -i 0.1 -n 300 >"$out/1" 2>&1
	[ $? = 1 ] || return 1
	kill -9 "$(sed -n 's/^philosopher-2 is process //p' "$out/demo")"
	until_so gosync deadlocks >"$out/1" 2>&1
}

top_shows_the_longest_waits_first()
{
	open_shop || return 1
	gosync top -d 2 >"$out/1" 2>&1 || return 1
	gosync top -b -d 1 -n 2 -s name >"$out/2" 2>&1 || return 1
	# Which it is, is the scheduler's business on a busy machine.
	sed -n 2p "$out/1" | grep -q '^NAME .*>WAIT%' &&
		sed -n '3,$s/%.*//p' "$out/1" | awk '{ print $NF }' >"$out/3" &&
		[ "$(wc -l <"$out/3")" = 3 ] && sort -c -r -n "$out/3" &&
		grep -q '^demo.orders *mutex ' "$out/1" &&
		sed -n 3p "$out/2" | grep -q '^demo.db *semaphore ' &&
		[ "$(grep -c '^NAME' "$out/2")" = 2 ]
}

top_is_plain_without_a_terminal()
{
	open_shop || return 1
	gosync top >"$out/1" 2>&1 &&
		grep -q 'demo.orders' "$out/1" && ! grep -q "$(printf '\033')" "$out/1"
}

top_shows_blocks_where_they_can_be_shown()
{
	open_shop || return 1
	LC_ALL=C.UTF-8 gosync top >"$out/1" 2>&1 || return 1
	LC_ALL=C gosync top >"$out/2" 2>&1 || return 1
	grep -q '█' "$out/1" && ! grep -q '█' "$out/2" && grep -q '#' "$out/2"
}

top_leaves_the_terminal_as_it_was()
{
	for how in quit int term hup stop size; do
		"$bin/gosync-tty" "$how" gosync top -d 0.1 >"$out/1" 2>"$out/2" ||
			return 1
		# The first screen is back, and the cursor.
		tail -c 40 "$out/1" | grep -q "$(printf '\033')\[?25h" &&
			tail -c 40 "$out/1" | grep -q '\[?1049l' || return 1
	done
}

top_has_colours_unless_they_are_not_wanted()
{
	open_shop || return 1
	"$bin/gosync-tty" quit gosync top >"$out/1" 2>&1 &&
		grep -q "$(printf '\033')\[7m" "$out/1" &&
		NO_COLOR=1 "$bin/gosync-tty" quit gosync top >"$out/2" 2>&1 &&
		! grep -q "$(printf '\033')\[7m" "$out/2"
}

usage_errors_are_told()
{
	are_wrong_usage "deadlocks -n 0" "deadlocks -i x" "deadlocks x" \
		"top -d 0" "top -s nothing" "top x" \
		"demo --deadlock 0" "demo --deadlock 2 --contended"
}

tests="deadlocks_are_found_and_named_every_time
	json_says_the_same
	others_names_are_not_looked_at
	a_wait_with_a_deadline_is_no_deadlock
	a_thread_that_runs_may_release
	no_deadlock_is_seen_where_there_is_none
	an_ended_process_ends_the_deadlock
	top_shows_the_longest_waits_first
	top_is_plain_without_a_terminal
	top_shows_blocks_where_they_can_be_shown
	top_leaves_the_terminal_as_it_was
	top_has_colours_unless_they_are_not_wanted
	usage_errors_are_told"

check_all "$@"
