#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# gosync run, beyond what flock(1) does, and the holders that the command shows,
# where the module is loaded. TAP on standard output, as the other tests. With
# arguments only the tests of these names are run.

# shellcheck disable=SC2317 # functions are called by their names
# shellcheck disable=SC2016 # $ is for the shells of the commands

# shellcheck source=tools/tests/kit.sh
. "${0%/*}/kit.sh"

# A COMMAND that also leaves a daemon behind, which has all its descriptors
leaving='setsid sleep 1000 & echo $! >daemon; until [ -e daemon ]; do :; done; '

# A COMMAND that writes down its signals, until there is a file "stop"
noting='for s in HUP INT QUIT ABRT USR1 USR2 ALRM TERM WINCH; do
		trap "echo $s >>got" "$s"
	done
	echo "$$" >running
	until [ -e stop ]; do sleep 0.1; done; exit 3'

# has_descriptor PID: the process has a descriptor of gosync
has_descriptor()
{
	find "/proc/$1/fd" -exec readlink {} \; 2>/dev/null | grep -q gosync
}

# witness PID: the number of the witness of gosync PID
witness()
{
	local stat

	for stat in /proc/[0-9]*/stat; do
		grep -sq "(witness) [A-Z] $1 " "$stat" || continue
		stat=${stat%/stat}
		echo "${stat#/proc/}"
	done
}

# poison NAME: let an owner die with NAME
poison()
{
	exits 137 gosync run "$1" -c 'kill -9 $$'
}

token()
{
	gosync info "$1" | sed -n 's/^token  *//p'
}

# --- The environment of COMMAND -----------------------------------------------

nested_runs_tell_of_each_others_dead_owners()
{
	local around
	local tell='echo "died=$GOSYNC_OWNER_DIED"'

	for around in "run $N.b" "run -s $N.b" "run -o $N.b" "once $N.once.\$RANDOM" \
		"sem run --permits 1 $N.sem" \
		"once $N.once.\$RANDOM gosync sem run --permits 1 $N.sem gosync run $N.b"; do
		echo "$around"
		poison "$N.a" || return 1
		eval "set -- $around"
		exits 3 gosync run "$N.a" gosync "$@" sh -c "$tell; exit 3" >told &&
			[ "$(cat told)" = died=1 ] || return 1
		eval "set -- $around"
		gosync run "$N.a" gosync "$@" sh -c "$tell" >told &&
			[ "$(cat told)" = died=1 ] || return 1
		eval "set -- $around"
		gosync run "$N.a" gosync "$@" sh -c "$tell" >told &&
			[ "$(cat told)" = died= ] || return 1
	done
	poison "$N.b" && gosync run "$N.a" gosync run "$N.b" sh -c "$tell" >told &&
		[ "$(cat told)" = died=1 ] &&
		info "$N.a" flags persist && info "$N.b" flags persist
}

nested_runs_tell_the_tokens_and_descriptors_of_all()
{
	local a b token fd died name before

	gosync run "$N.a" true && gosync run "$N.a" true && poison "$N.b" || return 1
	before=$(token "$N.a") b=$(token "$N.b")
	gosync run "$N.a" gosync once "$N.once" gosync run "$N.b" \
		gosync sem run --permits 1 "$N.sem" gosync run -s "$N.c" \
		gosync run -o "$N d" sh -c '
			echo "$GOSYNC_LOCKS" >locks
			echo "$GOSYNC_TOKEN $GOSYNC_LOCK_FD" >innermost
			while read -r token fd rest; do
				[ "$fd" = - ] || readlink "/proc/$$/fd/$fd"
			done <locks >links' && gosync rm "$N d" || return 1
	[ "$(wc -l <locks)" = 4 ] && [ "$(grep -c gosync links)" = 3 ] || return 1
	read -r token fd died name <locks
	[ "$token $died $name" = "$((before + 1)) - $N.a" ] && [ "$fd" -ge 10 ] || return 1
	{ read -r _; read -r token fd died name; } <locks
	[ "$token $died $name" = "$((b + 1)) died $N.b" ] && [ "$fd" -ge 10 ] || return 1
	{ read -r _; read -r _; read -r a b died name; } <locks
	[ "$a $died $name" = "- - $N.c" ] || return 1
	[[ "$(tail -n 1 locks)" == *" - - \$'$N d'" ]] &&
		[ "$(cat innermost)" = "$(tail -n 1 locks | sed 's/ .*//') $b" ]
}

a_killed_command_is_a_death_for_each_lock_around_it()
{
	exits 137 gosync run "$N.a" gosync once "$N.once" gosync run "$N.b" \
		sh -c 'kill -9 $$' &&
		info "$N.a" deaths 1 && info "$N.b" deaths 1 &&
		info "$N.once" deaths 1
}

# --- When COMMAND has ended ---------------------------------------------------

# free_beside DAEMON COMMAND...: COMMAND gets it at once, although DAEMON has a copy
free_beside()
{
	local daemon

	daemon=$(cat "$1")
	shift
	has_descriptor "$daemon" && "$@" && has_descriptor "$daemon" &&
		kill "$daemon"
}

background_processes_keep_no_lock()
{
	exits 137 gosync run "$N" -c "$leaving kill -9 \$\$" &&
		free_beside daemon gosync run -n "$N" sh -c \
			'echo "$GOSYNC_OWNER_DIED" >told' &&
		[ "$(cat told)" = 1 ] && info "$N" deaths 1 &&
		exits 3 gosync run "$N" -c "$leaving exit 3" &&
		free_beside daemon gosync run -n "$N" true &&
		exits 143 gosync run -s "$N" -c "$leaving kill \$\$" &&
		free_beside daemon gosync run -n "$N" true &&
		gosync run -s "$N" -c "$leaving" &&
		free_beside daemon gosync run -n "$N" true && info "$N" deaths 1
}

background_processes_keep_no_once_and_no_permits()
{
	exits 137 gosync once "$N" -c "$leaving kill -9 \$\$" &&
		free_beside daemon gosync once -n "$N" false
	[ $? = 1 ] && kill "$(cat daemon)" &&
		exits 5 gosync once "$N" -c "$leaving exit 5" &&
		free_beside daemon gosync once -n "$N" sh -c \
			'echo "$GOSYNC_OWNER_DIED" >told' &&
		[ "$(cat told)" = 1 ] || return 1
	exits 137 gosync sem run --permits 1 "$N.sem" -c \
		"$leaving kill -9 \$\$" &&
		free_beside daemon gosync sem run -n "$N.sem" true &&
		gosync sem run "$N.sem" -c "$leaving" &&
		free_beside daemon gosync sem run -n "$N.sem" true
}

a_waiter_gets_it_when_the_command_is_killed()
{
	gosync run "$N" -c "$leaving$going_on" & run=$!
	until_so [ -e running ] || return 1
	gosync run "$N" -c 'echo "$GOSYNC_OWNER_DIED" >told' & waiter=$!
	until_so info "$N" waiters 1 && kill -9 "$(cat running)" &&
		ends 0 "$waiter" && [ "$(cat told)" = 1 ] && ends 137 "$run" &&
		has_descriptor "$(cat daemon)" && kill "$(cat daemon)"
}

# --- Holders ------------------------------------------------------------------

# columns COMMAND... : a line without headings, words with one blank between
columns()
{
	"$@" -rn
}

processes_with_the_descriptor_are_shown()
{
	local job innocent

	gosync run "$N" sleep 1000 & run=$!
	until_so eval 'job=$(columns gosync holders "$N" -o PID,COMMAND |
		sed -n "s/ sleep$//p") && [ -n "$job" ]' &&
		[ "$(columns gosync holders "$N" -o PID,COMMAND,HOLDS,OPENER |
			sort)" = "$(printf '%s\n' "$run gosync write $run" \
			"$job sleep write $run" | sort)" ] &&
		columns gosync ls -o LOCKED-BY,NAME | grep -qx "$run $N" &&
		kill -9 "$run" || return 1
	wait "$run"
	[ "$(columns gosync holders "$N" -o PID,COMMAND,OPENER)" = \
		"$job sleep ?" ] &&
		columns gosync ls -o LOCKED-BY,NAME | grep -qx "$job $N" &&
		gosync info "$N" | grep -q "of process $job\$" || return 1
	# Another process gets the number.
	if [ -w /proc/sys/kernel/ns_last_pid ]; then
		innocent=
		until_so eval 'echo $((run - 1)) >/proc/sys/kernel/ns_last_pid
			sleep 1000 & innocent=$!
			[ $innocent = $run ] || ! kill $innocent' || return 1
		[ "$(columns gosync holders "$N" -o PID,COMMAND,OPENER)" = \
			"$job sleep ?" ] &&
			columns gosync ls -o LOCKED-BY,NAME |
				grep -qx "$job $N" &&
			su alice -c "gosync ls -rno LOCKED-BY,NAME" |
				grep -qx "? $N" || return 1
		kill "$innocent"
	fi
	kill "$job"
}

# --- Signals ------------------------------------------------------------------

# begin COMMAND...: start gosync run in a process group of its own
begin()
{
	rm -f got running stop
	# Otherwise SIGINT and SIGQUIT would be ignored.
	set -m
	gosync run "$N" "$@" & run=$!
	set +m
	until_so [ -e running ] && job=$(cat running)
}

# got SIGNAL...: send USR2 as a last signal; only these came before it
got()
{
	kill -USR2 "$run" && until_so grep -q USR2 got &&
		[ "$(cat got)" = "$(printf '%s\n' "$@" USR2)" ] && rm got
}

a_signal_to_the_group_reaches_the_command_once()
{
	local signal

	begin -c "$noting" || return 1
	for signal in TERM INT HUP USR1; do
		kill -"$signal" -- "-$run" && until_so [ -e got ] &&
			got "$signal" || return 1
	done
	touch stop
	ends 3 "$run" && info "$N" deaths 0
}

a_signal_to_each_process_reaches_the_command_once()
{
	local signal

	begin -c "$noting" || return 1
	for signal in TERM HUP; do
		# The last process must get it before gosync looks.
		kill -STOP "$run" && kill -"$signal" "$run" &&
			kill -"$signal" "$job" &&
			kill -"$signal" "$(witness "$run")" &&
			kill -CONT "$run" && until_so [ -e got ] &&
			got "$signal" || return 1
	done
	touch stop
	ends 3 "$run"
}

a_signal_to_gosync_is_passed_on()
{
	local signal

	begin -c "$noting" || return 1
	for signal in HUP INT QUIT ABRT USR1 ALRM TERM WINCH; do
		kill -"$signal" "$run" && until_so grep -qs "$signal" got &&
			got "$signal" || return 1
	done
	touch stop
	ends 3 "$run" && info "$N" deaths 0 || return 1
	for signal in USR1:138 TERM:143 KILL:137; do
		begin -c "$going_on" || return 1
		kill -"${signal%:*}" "$job" && ends "${signal#*:}" "$run" || return 1
		begin -c "$going_on" || return 1
		[ "$signal" = KILL:137 ] || {
			kill -"${signal%:*}" "$run" &&
				ends "${signal#*:}" "$run" || return 1
		}
	done
	touch stop
	ends 0 "$run"
}

a_signal_of_the_command_does_not_come_back()
{
	begin -c "trap 'echo USR1 >>got' USR1; trap 'echo TERM >>got' TERM
		kill -USR1 \$PPID; kill -TERM 0; $noting" &&
		until_so grep -qs TERM got && rm got && got || return 1
	touch stop
	ends 3 "$run"
}

ignored_signals_stay_ignored()
{
	(trap '' HUP; exec setsid gosync run "$N" -c "$going_on") & run=$!
	until_so [ -e running ] && kill -HUP "$run" && kill -HUP -- "-$run" &&
		sleep 0.5 && touch stop && ends 0 "$run"
}

nothing_of_gosync_is_left()
{
	begin -c "$going_on" && [ -n "$(witness "$run")" ] &&
		! has_descriptor "$(witness "$run")" || return 1
	helper=$(witness "$run")
	kill -9 "$run" && until_so gone "$helper" && touch stop &&
		gosync run -w 60 "$N" true || return 1
	begin -c "$going_on" || return 1
	helper=$(witness "$run")
	touch stop
	ends 0 "$run" && gone "$helper"
}

# --- The first process of a container -----------------------------------------

# inside COMMAND...: run it as a first process; $first is its number here
first=
inside()
{
	set -m
	unshare --pid --fork --mount-proc "$@" & outer=$!
	set +m
	until_so eval 'first=$(cat "/proc/$outer/task/$outer/children") &&
		first=${first%% *} && [ -n "$first" ]'
}

the_first_of_a_container_ends_while_it_waits()
{
	local signal

	gosync run "$N" -c "$going_on" &
	until_so [ -e running ] || return 1
	for signal in TERM:143 INT:130; do
		inside gosync run "$N" touch wrong &&
			until_so info "$N" waiters 1 &&
			kill -"${signal%:*}" "$first" &&
			ends "${signal#*:}" "$outer" || return 1
	done
	gosync wg add "$N.wg" && inside gosync wg wait "$N.wg" &&
		until_so info "$N.wg" waiters 1 && kill -TERM "$first" &&
		ends 143 "$outer" || return 1
	touch stop
	gosync run -w 60 "$N" true && [ ! -e wrong ] && info "$N" deaths 0
}

the_first_of_a_container_passes_on_and_reaps()
{
	inside gosync run "$N" -c "trap 'exit 3' TERM
		for i in 1 2 3; do sh -c 'sh -c \"echo \\\$\\\$ >>orphans\" &'; done
		$going_on" &&
		until_so eval '[ "$(wc -l <orphans)" = 3 ]' &&
		until_so eval '! grep -l "^State:.*Z" /proc/[0-9]*/status' &&
		kill -TERM "$first" && ends 3 "$outer" && info "$N" deaths 0
}

# --- Limits, options, statuses ------------------------------------------------

too_few_descriptors_are_told_and_nothing_is_taken()
{
	local command

	for command in "run $N" "run -s $N" "once $N.once" \
		"sem run --permits 1 $N.sem"; do
		# shellcheck disable=SC2086 # words
		(ulimit -n 10 && exits 71 gosync $command touch wrong 2>told) &&
			grep -q 'ulimit -n' told && [ ! -e wrong ] || return 1
	done
	info "$N" deaths 0 && info "$N" flags persist &&
		info "$N.once" deaths 0 && [ "$(gosync sem get "$N.sem")" = 1 ] ||
		return 1
	(ulimit -n 10 && gosync run -o "$N" true) &&
		(ulimit -n 10 && gosync run -F "$N" true)
	[ $? = 71 ] && (ulimit -n 4 && exits 71 gosync run "$N" true) 2>told &&
		grep -q 'ulimit -n' told && info "$N" deaths 0
}

options_stand_before_and_behind_names()
{
	gosync run "$N" -c "$going_on" &
	until_so [ -e running ] &&
		exits 9 gosync run -n -E 9 "$N" true &&
		exits 9 gosync run "$N" -n -E 9 true &&
		exits 9 gosync run -n "$N" -E 9 -- true &&
		exits 9 gosync run "$N" -nE9 -c true &&
		exits 8 gosync run "$N" -s -w 0.1 -E 8 -- true &&
		exits 2 gosync run "$N" -n && touch stop || return 1
	[ "$(gosync run -w 60 "$N" echo a -E 9 --help -- -c)" = \
		"a -E 9 --help -- -c" ] &&
		[ "$(gosync run "$N" -- echo a -- -b)" = "a -- -b" ] &&
		exits 127 gosync run "$N" -- -n &&
		[ "$(gosync once "$N.once" -w 5 echo one)" = one ] &&
		[ "$(gosync sem run "$N.sem" --permits 2 -- echo two)" = two ] &&
		[ "$(gosync sem run "$N.sem" -w 5 2 -- echo three -w)" = "three -w" ]
}

each_reason_has_its_status()
{
	local limit=/sys/module/gosync/parameters/max_objects_per_user was

	gosync run -m 600 "$N" true && gosync once "$N.once" true || return 1
	exits 77 su alice -c "gosync run $N true" &&
		exits 77 su alice -c "gosync run -n $N true" &&
		exits 65 gosync run "$N.once" true &&
		exits 66 gosync sem run "$N.sem" true &&
		exits 2 gosync run "$N" && exits 7 gosync run "$N" sh -c 'exit 7' ||
		return 1
	was=$(cat "$limit") && echo 0 >"$limit"
	exits 73 su alice -c "gosync run $N.alice true"
	status=$?
	echo "$was" >"$limit"
	[ "$status" = 0 ] || return 1
	gosync run "$N" -c "$going_on" &
	until_so [ -e running ] && exits 1 gosync run -n "$N" true &&
		exits 1 gosync run -w 0.1 "$N" true || return 1
	chmod 600 /dev/gosync
	exits 77 su alice -c "gosync run $N true" && exits 77 su alice -c "gosync ls"
	status=$?
	chmod 666 /dev/gosync
	[ "$status" = 0 ] || return 1
	mv /dev/gosync /dev/gosync.away
	exits 69 gosync run "$N" true && exits 69 gosync ls
	status=$?
	mv /dev/gosync.away /dev/gosync
	return "$status"
}

# --- Output without a reader --------------------------------------------------

printing_ends_when_the_reader_is_gone()
{
	local job

	gosync value set "$N" first && mkfifo pipe || return 1
	for job in "value watch $N" "value watch --new $N" "deadlocks -i 0.1" \
		"stat -i 0.1 -r none"; do
		echo "$job"
		# shellcheck disable=SC2086 # words
		gosync $job >pipe & job=$!
		: <pipe
		until_so gone "$job" || return 1
		wait "$job"
		[ $? = 141 ] || return 1
	done
	[ "$(gosync value watch "$N" | head -n 1)" = first ]
}

# --- gosync deadlocks ---------------------------------------------------------

# deadlocked PROCESSES: a deadlock of this size is found, and by a second look
deadlocked()
{
	exits 1 gosync deadlocks -i 0.1 -n 600 >found &&
		exits 1 gosync deadlocks >found &&
		grep -q '^Found 1 deadlock:$' found &&
		[ "$(grep -c '^"' found)" = "$1" ] &&
		exits 1 gosync deadlocks -J >json && grep -q '"children"' json
}

runs_that_wait_for_their_own_lock_are_seen()
{
	exits 0 gosync deadlocks || return 1
	setsid gosync run "$N" gosync run "$N" touch wrong & run=$!
	deadlocked 2 && kill -- "-$run" && until_so gone "$run" || return 1
	wait "$run"
	exits 0 gosync deadlocks || return 1
	# The same with shells between, which wait for their children
	setsid gosync run "$N" sh -c "gosync run $N touch wrong; true" & run=$!
	deadlocked 3 && kill -- "-$run" && until_so gone "$run" || return 1
	wait "$run"
	exits 0 gosync deadlocks && [ ! -e wrong ]
}

runs_that_wait_for_each_other_are_seen()
{
	echo 'until [ -e $1 ]; do sleep 0.1; done; gosync run $2 touch wrong; true' >other
	setsid gosync run "$N.a" sh -c "touch a; . ./other" - b "$N.b" & a=$!
	setsid gosync run "$N.b" sh -c "touch b; . ./other" - a "$N.a" & b=$!
	deadlocked 6 && kill -- "-$a" && ends 0 "$b" &&
		exits 0 gosync deadlocks
}

runs_that_only_wait_are_no_deadlock()
{
	gosync run "$N" sh -c "$going_on; true" &
	until_so [ -e running ] || return 1
	gosync run "$N" true &
	gosync run "$N.b" gosync run "$N" true &
	until_so info "$N" waiters 2 && exits 0 gosync deadlocks >found &&
		grep -q 'No deadlock' found && touch stop
}

a_repeated_search_for_deadlocks_can_be_ended()
{
	local signal

	for signal in INT:130 TERM:143; do
		set -m
		gosync deadlocks -i 0.2 & look=$!
		set +m
		# Before that it is the shell of this script.
		until_so grep -qx gosync "/proc/$look/comm" &&
			kill -"${signal%:*}" "$look" &&
			ends "${signal#*:}" "$look" ||
			return 1
	done
}

tests="nested_runs_tell_of_each_others_dead_owners
	nested_runs_tell_the_tokens_and_descriptors_of_all
	a_killed_command_is_a_death_for_each_lock_around_it
	background_processes_keep_no_lock
	background_processes_keep_no_once_and_no_permits
	a_waiter_gets_it_when_the_command_is_killed
	processes_with_the_descriptor_are_shown
	a_signal_to_the_group_reaches_the_command_once
	a_signal_to_each_process_reaches_the_command_once
	a_signal_to_gosync_is_passed_on
	a_signal_of_the_command_does_not_come_back
	ignored_signals_stay_ignored
	nothing_of_gosync_is_left
	the_first_of_a_container_ends_while_it_waits
	the_first_of_a_container_passes_on_and_reaps
	too_few_descriptors_are_told_and_nothing_is_taken
	options_stand_before_and_behind_names
	each_reason_has_its_status
	printing_ends_when_the_reader_is_gone
	runs_that_wait_for_their_own_lock_are_seen
	runs_that_wait_for_each_other_are_seen
	runs_that_only_wait_are_no_deadlock
	a_repeated_search_for_deadlocks_can_be_ended"

check_all "$@"
