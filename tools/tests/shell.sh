#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The primitives from a shell, where the module is loaded: each test has two or
# more processes that meet by name. TAP on standard output, as the other tests.
# With arguments only the tests of these names are run.

# shellcheck disable=SC2317 # functions are called by their names
# shellcheck disable=SC2016 # $ is for the shells of the commands

examples=$(readlink -f "$(dirname "$0")/../examples")
# shellcheck source=tools/tests/kit.sh
. "${0%/*}/kit.sh"

run_is_mutual_exclusion()
{
	local i k job=() token

	token=$(gosync run "$N" -c 'echo "$GOSYNC_TOKEN"') || return 1
	echo 0 >sum
	for i in 1 2 3 4; do
		for ((k = 0; k < 15; k++)); do
			gosync run "$N" -- sh -c \
				'n=$(cat sum); echo $((n + 1)) >sum' || exit
		done &
		job+=($!)
	done
	for i in "${job[@]}"; do
		ends 0 "$i" || return 1
	done
	[ "$(cat sum)" = 60 ] && info "$N" token "$((token + 60))"
}

run_exits_as_its_command()
{
	echo '#!/bin/sh' >plain
	gosync run "$N" true &&
		exits 7 gosync run "$N" sh -c 'exit 7' &&
		exits 8 gosync run "$N" -c 'exit 8' &&
		exits 9 gosync run -c 'exit 9' "$N" &&
		exits 127 gosync run "$N" ./nowhere &&
		exits 126 gosync run "$N" ./plain &&
		exits 127 gosync run -F "$N" ./nowhere &&
		info "$N" deaths 0 &&
		grep -q 'nowhere: No such file' errors &&
		grep -q 'plain: Permission denied' errors
}

run_gives_up_as_told()
{
	gosync run "$N" -c "$going_on" &
	until_so [ -e running ] &&
		exits 1 gosync run -n "$N" true 2>silent && [ ! -s silent ] &&
		exits 9 gosync run -nE 9 "$N" true &&
		exits 0 gosync run -E 0 --nb "$N" false &&
		exits 1 gosync run --nonblock --verbose "$N" true 2>verbose &&
		grep -q 'another process has it' verbose &&
		exits 1 gosync run -w 0.2 "$N" true 2>told &&
		grep -q 'timed out after 0.2 seconds' told &&
		exits 5 gosync run --timeout 0.1 -E 5 "$N" true &&
		exits 1 gosync run -s -w 0 "$N" true &&
		touch stop && gosync run -w 30 "$N" true
}

shared_ones_exclude_exclusive_ones()
{
	gosync run -s "$N" -c "$going_on" &
	until_so [ -e running ] && rm running || return 1
	gosync run -s "$N" -c "$going_on" &
	until_so [ -e running ] && info "$N" readers 2 &&
		exits 1 gosync run -n "$N" true &&
		gosync run -n -s "$N" true || return 1
	touch stop
	gosync run -w 30 "$N" true && rm stop running || return 1
	gosync run "$N" -c "$going_on" &
	until_so [ -e running ] && exits 1 gosync run -ns "$N" true
}

the_next_is_told_of_a_death()
{
	local died='echo "died=$GOSYNC_OWNER_DIED"'

	gosync run "$N" -c "$died" >died.1 &&
		exits 137 gosync run "$N" -c 'kill -9 $$' &&
		info "$N" deaths 1 &&
		exits 3 gosync run "$N" -c "$died; exit 3" >died.2 &&
		gosync run -s "$N" -c "$died" >died.3 &&
		gosync run "$N" -c "$died" >died.4 &&
		gosync run "$N" -c "$died" >died.5 || return 1
	[ "$(cat died.[1-5])" = "died=
died=1
died=1
died=1
died=" ] && [ "$(grep -c 'an owner died' errors)" = 3 ]
}

waiters_are_told_of_a_death()
{
	gosync run -t "$N" -c "$going_on" &
	until_so [ -e running ] || return 1
	gosync run "$N" -c 'echo "$GOSYNC_OWNER_DIED" >told' & waiter=$!
	until_so info "$N" waiters 1 && kill -9 "$(cat running)" &&
		ends 0 "$waiter" && [ "$(cat told)" = 1 ] &&
		! gosync info "$N"
}

the_command_keeps_the_lock_if_gosync_is_killed()
{
	gosync run "$N" -c "$going_on" & run=$!
	until_so [ -e running ] && kill -9 "$run" || return 1
	wait "$run"
	exits 1 gosync run -n "$N" true &&
		exits 1 gosync run -w 0.5 "$N" true &&
		kill -0 "$(cat running)" && touch stop &&
		gosync run -w 30 "$N" true && grep -q 'an owner died' errors
}

close_leaves_the_lock_with_gosync()
{
	gosync run -o "$N" -c "$going_on" & run=$!
	until_so [ -e running ] && exits 1 gosync run -n "$N" true &&
		kill -9 "$run" || return 1
	wait "$run"
	gosync run -w 30 "$N" true && kill -0 "$(cat running)" &&
		! gosync run -o "$N" -c 'test "$GOSYNC_LOCK_FD"'
}

no_fork_becomes_the_command()
{
	gosync run -F "$N" -c "$going_on" & run=$!
	until_so [ -e running ] && [ "$(cat running)" = "$run" ] &&
		exits 1 gosync run -n "$N" true && touch stop && ends 0 "$run" &&
		gosync run -w 30 "$N" true && grep -q 'an owner died' errors
}

a_background_process_does_not_keep_it()
{
	gosync run "$N" -c "($going_on) & until [ -e running ]; do sleep 0.1; done" &&
		gosync run -n "$N" true && info "$N" deaths 0
}

signals_are_passed_on()
{
	gosync run "$N" -c "trap 'exit 3' TERM; $going_on" & run=$!
	until_so [ -e running ] && kill "$run" && ends 3 "$run" &&
		info "$N" deaths 0 && rm running || return 1
	gosync run "$N" -c "$going_on" & run=$!
	until_so [ -e running ] && kill -HUP "$run" && ends 129 "$run" &&
		info "$N" deaths 1
}

a_waiter_can_be_ended()
{
	local signal

	gosync run "$N" -c "$going_on" &
	until_so [ -e running ] || return 1
	for signal in TERM KILL; do
		gosync run "$N" touch wrong & run=$!
		until_so info "$N" waiters 1 && kill -"$signal" "$run" &&
			until_so gone "$run" || return 1
		wait "$run"
		[ $? -gt 128 ] && until_so info "$N" waiters 0 || return 1
	done
	touch stop
	gosync run -w 30 "$N" true && [ ! -e wrong ] && info "$N" deaths 0
}

tokens_grow()
{
	local a b

	a=$(gosync run "$N" -c 'echo "$GOSYNC_TOKEN"') &&
		exits 137 gosync run "$N" -c 'kill -9 $$' &&
		b=$(gosync run "$N" -c 'echo "$GOSYNC_TOKEN"') &&
		[ "$a" -gt 0 ] && [ "$b" -gt "$a" ] &&
		[ -z "$(gosync run -s "$N" -c 'echo "$GOSYNC_TOKEN"')" ]
}

run_takes_a_programs_mutex()
{
	gosync demo --seconds 30 >log 2>&1 & demo=$!
	until_so grep -q 'configuration 1:' log &&
		gosync run -w 30 "demo.$demo.lock" true &&
		exits 65 gosync run -s "demo.$demo.lock" true 2>told
	status=$?
	kill "$demo"
	wait "$demo"
	[ "$status" = 0 ] && grep -q 'which cannot be shared' told
}

once_runs_once()
{
	local i job=()

	for i in 1 2 3 4; do
		gosync once "$N" -c 'sleep 0.5; echo done >>list' &
		job+=($!)
	done
	for i in "${job[@]}"; do
		ends 0 "$i" && [ -s list ] || return 1
	done
	gosync once "$N" false && [ "$(cat list)" = "done" ]
}

once_is_tried_until_it_is_done()
{
	local i last job=()

	gosync once "$N" -c "$going_on; kill -9 \$\$" & job=($!)
	until_so [ -e running ] &&
		exits 1 gosync once -n "$N" true 2>silent && [ ! -s silent ] &&
		exits 6 gosync once -w 0.1 -E 6 "$N" true || return 1
	for i in 2 3 4; do
		gosync once "$N" -c \
			'echo "died=$GOSYNC_OWNER_DIED" >>list; kill -9 $$' &
		job+=($!)
	done
	until_so info "$N" waiters 3 && touch stop || return 1
	for i in "${job[@]}"; do
		ends 137 "$i" || return 1
	done
	exits 5 gosync once "$N" -c 'echo fails >>list; exit 5' || return 1
	last=$(gosync once "$N" -c 'echo "last=$GOSYNC_OWNER_DIED"') &&
		[ "$last" = last=1 ] && [ -z "$(gosync once "$N" echo no)" ] &&
		[ "$(cat list)" = "died=1
died=1
died=1
fails" ]
}

once_goes_on_if_gosync_is_killed()
{
	gosync once "$N" -c "$going_on" & run=$!
	until_so [ -e running ] && kill -9 "$run" || return 1
	wait "$run"
	exits 1 gosync once -w 0.3 "$N" touch wrong && [ ! -e wrong ] &&
		touch stop && gosync once -w 30 "$N" touch right &&
		[ -e right ]
}

wg_waits_for_all()
{
	gosync wg add "$N" 2 && gosync wg add "$N" || return 1
	gosync wg wait "$N" & waiter=$!
	until_so info "$N" waiters 1 && gosync wg "done" "$N" 2 &&
		[ "$(gosync wg get "$N")" = 1 ] && kill -0 "$waiter" &&
		exits 1 gosync wg wait -w 0.1 "$N" &&
		exits 1 gosync wg wait -n "$N" &&
		gosync wg "done" "$N" && ends 0 "$waiter" &&
		gosync wg wait "$N" &&
		exits 1 gosync wg "done" "$N" 2>told &&
		grep -q 'negative WaitGroup counter' told &&
		[ "$(gosync wg get "$N")" = 0 ]
}

a_name_is_waited_for()
{
	exits 66 gosync wg wait "$N" 2>told && grep -q -- --wait-for-name told &&
		exits 1 gosync wg wait --wait-for-name -w 0.1 "$N" &&
		exits 1 gosync wg wait --wait-for-name -n "$N" &&
		exits 1 gosync sem acquire --wait-for-name -w 0.1 "$N.s" &&
		! gosync ls | grep -q "$N" || return 1
	gosync wg wait --wait-for-name "$N" & waiter=$!
	gosync sem acquire --wait-for-name "$N.s" & taker=$!
	gosync value get --wait-for-name "$N.t" 2>told & getter=$!
	gosync wg add "$N" && until_so info "$N" waiters 1 &&
		exits 1 gosync wg wait --wait-for-name -w 0.1 "$N" &&
		gosync wg "done" --wait-for-name "$N" && ends 0 "$waiter" &&
		gosync sem create "$N.s" 1 && ends 0 "$taker" &&
		[ "$(gosync sem get "$N.s")" = 0 ] &&
		gosync wg add "$N.t" && ends 65 "$getter" &&
		gosync rm "$N.s" "$N.t"
}

sem_counts()
{
	exits 66 gosync sem acquire "$N" 2>told && grep -q -- --permits told &&
		gosync sem create "$N" 2 && gosync sem acquire "$N" &&
		gosync sem acquire -n "$N" && [ "$(gosync sem get "$N")" = 0 ] &&
		exits 1 gosync sem acquire -n "$N" &&
		exits 1 gosync sem acquire -w 0.1 "$N" || return 1
	gosync sem acquire "$N" 3 & waiter=$!
	until_so info "$N" waiters 1 && gosync sem release "$N" 2 &&
		kill -0 "$waiter" && gosync sem release "$N" && ends 0 "$waiter" &&
		[ "$(gosync sem get "$N")" = 0 ] &&
		exits 1 gosync sem create "$N" 2 &&
		exits 65 gosync sem acquire --permits 3 "$N" 2>told &&
		grep -q 'created with 2 permits' told
}

sem_run_lets_in_as_many_as_there_are_permits()
{
	local i job=()

	for i in 1 2 3 4 5 6; do
		# mkdir fails if two are in one place.
		gosync sem run --permits 2 "$N" -c \
			'mkdir a 2>/dev/null && d=a || { mkdir b && d=b; } &&
				sleep 0.3 && rmdir $d' &
		job+=($!)
	done
	for i in "${job[@]}"; do
		ends 0 "$i" || return 1
	done
	[ "$(gosync sem get "$N")" = 2 ] &&
		exits 4 gosync sem run "$N" 2 -- sh -c 'exit 4' &&
		[ "$(gosync sem run "$N" 2 -- gosync sem get "$N")" = 0 ] &&
		exits 1 gosync sem acquire "$N" 2>told &&
		grep -q 'use gosync sem run' told
}

sem_run_gives_back_the_permits_of_the_killed()
{
	gosync sem run --permits 1 "$N" -c "$going_on" & run=$!
	until_so [ -e running ] && kill -9 "$run" || return 1
	wait "$run"
	exits 3 gosync sem run -n -E 3 "$N" true &&
		kill -9 "$(cat running)" && gosync sem run -w 30 "$N" true
}

cond_wakes_in_order()
{
	local i job=()

	[ "$(gosync cond signal "$N")" = 0 ] || return 1
	for i in 1 2 3 4 5; do
		gosync cond wait "$N" && echo "$i" >>order &
		job+=($!)
		until_so info "$N" waiters "$i" || return 1
	done
	exits 1 gosync cond wait -w 0.1 "$N" || return 1
	for i in 1 2 3; do
		[ "$(gosync cond signal "$N")" = 1 ] &&
			ends 0 "${job[i - 1]}" || return 1
	done
	[ "$(gosync cond broadcast "$N")" = 2 ] && ends 0 "${job[3]}" &&
		ends 0 "${job[4]}" && [ "$(head -n 3 order)" = "1
2
3" ] && [ "$(wc -l <order)" = 5 ] && [ "$(gosync cond signal "$N")" = 0 ]
}

cond_gives_up_the_lock_of_run()
{
	local i lock

	for lock in -x -s; do
		rm -f jobs
		gosync run "$lock" "$N.lock" -c '
			until [ -s jobs ]; do
				gosync cond wait --lock '"$N"' || exit
			done
			cat jobs' >got &
		for i in 1 2 3; do
			until_so info "$N" waiters 1 &&
				[ "$(gosync run -w 30 "$N.lock" \
					gosync cond signal "$N")" = 1 ] ||
				return 1
		done
		until_so info "$N" waiters 1 &&
			gosync run -w 30 "$N.lock" -c "
				echo job >jobs; gosync cond broadcast $N" &&
			ends 0 $! && [ "$(cat got)" = job ] || return 1
	done
	info "$N.lock" deaths 0 &&
		exits 1 env -u GOSYNC_LOCK_FD gosync cond wait --lock "$N"
}

a_killed_cond_wait_takes_nobodys_lock()
{
	gosync run "$N.lock" -c 'gosync cond wait -l '"$N"' &
		echo $! >pid; wait $!' & run=$!
	until_so info "$N" waiters 1 || return 1
	gosync run "$N.lock" -c "$going_on" &
	until_so [ -e running ] && kill -9 "$(cat pid)" &&
		ends 137 "$run" && grep -q 'without the lock' errors &&
		exits 1 gosync run -n "$N.lock" true
}

values_are_any_bytes()
{
	local size

	for size in 0 1 3000 200000; do
		head -c "$size" /dev/urandom >in
		gosync value set "$N.$size" <in &&
			gosync value get "$N.$size" >out && cmp in out ||
			return 1
	done
	gosync value set "$N.3000" text && [ "$(gosync value get "$N.3000")" = text ] &&
		printf x | gosync value set "$N.3000" - &&
		[ "$(gosync value get "$N.3000")" = x ] &&
		exits 1 gosync value set "$N.3000" <out 2>told &&
		grep -q -- '--capacity 200000' told &&
		[ "$(gosync value get "$N.3000")" = x ] &&
		exits 66 gosync value get "$N.none" &&
		exits 66 gosync value get "$N.none" 2>told &&
		grep -q 'No such' told
}

value_watch_sees_each_set()
{
	gosync value set "$N" one || return 1
	gosync value watch --count 3 "$N" >seen & watch=$!
	gosync value watch --new "$N" >new 2>told & new=$!
	until_so grep -q one seen && until_so info "$N" holders 2 &&
		gosync value set "$N" "two
lines" && until_so grep -q lines seen && until_so grep -q lines new &&
		gosync value set "$N" three && ends 0 "$watch" &&
		until_so grep -q three new && gosync rm "$N" &&
		ends 1 "$new" && grep -q 'name was removed' told &&
		[ "$(cat seen)" = "one
two
lines
three" ] && [ "$(cat new)" = "two
lines
three" ]
}

value_of_a_program_is_not_overwritten()
{
	"$examples/config" localhost 1 >config || return 1
	gosync value get config.example >before &&
		exits 1 gosync value set config.example text 2>told &&
		gosync value get config.example >after
	status=$?
	gosync rm config.example
	[ "$status" = 0 ] && [ -s before ] && cmp before after &&
		grep -q 'the data of a program' told
}

maps_hold_any_bytes()
{
	local key

	key=$(printf 'k%.0s' {1..255})
	head -c 60000 /dev/urandom >in
	gosync map set --key-size 255 --value-size 65536 --entries 3 \
		"$N" "$key" <in &&
		gosync map get "$N" "$key" >out && cmp in out &&
		gosync map set "$N" 'a "b"' '' && gosync map set "$N" c text &&
		[ "$(gosync map get "$N" c)" = text ] &&
		gosync map get "$N" 'a "b"' >empty && [ ! -s empty ] || return 1
	exits 73 gosync map set "$N" d text 2>told && grep -q -- '--entries' told &&
		exits 1 gosync map set "$N" "${key}k" text 2>told &&
		grep -q 'its keys have 1 to 255' told &&
		exits 65 gosync map set --entries 4 "$N" c new 2>told &&
		grep -q 'created with --entries 3' told &&
		[ "$(gosync map get "$N" c)" = text ] || return 1
	[ "$(gosync map ls "$N" | LC_ALL=C sort)" = "\$'a \"b\"'
c
$key" ] && gosync map ls -0 "$N" | tr '\0' '\n' | grep -qx 'a "b"' &&
		gosync map ls -v "$N" | grep -q "^c	text\$" || return 1
	gosync map del "$N" c "$key" && exits 1 gosync map get "$N" c &&
		exits 1 gosync map del "$N" c && gosync map clear "$N" &&
		[ -z "$(gosync map ls "$N")" ]
}

add_loses_nothing()
{
	local i k job=()

	for i in 1 2 3 4; do
		for ((k = 0; k < 15; k++)); do
			gosync add "$N" 2 && gosync add "$N" -1 || exit
		done >>sums &
		job+=($!)
	done
	for i in "${job[@]}"; do
		ends 0 "$i" || return 1
	done
	[ "$(gosync atomic get "$N")" = 60 ] && [ "$(wc -l <sums)" = 120 ] &&
		[ "$(gosync add "$N" -100)" = -40 ]
}

atomic_swaps_and_waits()
{
	gosync atomic set "$N" -5 && gosync atomic cas "$N" -5 7 &&
		exits 1 gosync atomic cas "$N" -5 8 &&
		exits 1 gosync atomic wait -w 0.1 "$N" 7 || return 1
	gosync atomic wait "$N" 7 >now & waiter=$!
	until_so info "$N" waiters 1 && gosync add "$N" && ends 0 "$waiter" &&
		[ "$(cat now)" = 8 ] &&
		exits 2 gosync atomic set "$N" 9223372036854775808 &&
		exits 2 gosync atomic set "$N.none" x &&
		exits 66 gosync atomic get "$N.none" &&
		[ "$(gosync atomic get "$N")" = 8 ]
}

a_denied_user_is_told()
{
	(umask 022 && gosync value set "$N" data && gosync run "$N.lock" true) &&
		gosync map set -m 600 "$N.map" k v || return 1
	[ "$(su alice -c "gosync value get $N")" = data ] &&
		exits 77 su alice -c "gosync value set $N other" 2>told &&
		grep -q "$N: Permission denied; its mode" told &&
		exits 77 su alice -c "gosync run $N.lock true" 2>told &&
		grep -q "$N.lock: Permission denied; its mode" told &&
		exits 77 su alice -c "gosync map get $N.map k" 2>told &&
		grep -q "$N.map: Permission denied; its mode" told &&
		[ "$(gosync value get "$N")" = data ]
}

a_name_of_another_type_is_told()
{
	gosync once "$N" true && gosync wg add "$N.wg" || return 1
	exits 65 gosync value set "$N" data 2>told &&
		grep -q 'it is a once, not a value' told &&
		exits 65 gosync run "$N" true 2>told &&
		grep -q 'it is a once, not a rwmutex' told &&
		exits 65 gosync add "$N.wg" 2>told &&
		grep -q 'it is a waitgroup, not a number' told &&
		exits 65 gosync cond signal "$N" 2>told &&
		grep -q 'it is a once, not a cond' told
}

wrong_usage_makes_nothing()
{
	local args

	for args in run "run $N" "run -w x $N true" "run -w -1 $N true" \
		"run -m 8 $N true" "run -oF $N true" "run -E 256 $N true" \
		"run $N -c true true" "value set" "value put $N" "map set $N" \
		"map set --key-size 256 $N k v" "add $N 1 2" "add $N x" \
		"wg add $N x" "wg done $N -1" "sem acquire --permits 0 $N" \
		"sem create $N -1" "cond wait" "once $N" "atomic cas $N 1"; do
		# shellcheck disable=SC2086 # words
		exits 2 gosync $args >said 2>told && [ -s told ] &&
			[ ! -s said ] || return 1
	done
	exits 1 gosync run '' true || exits 2 gosync run '' true || return 1
	! gosync ls | grep -q "$N"
}

tests="run_is_mutual_exclusion run_exits_as_its_command run_gives_up_as_told
	shared_ones_exclude_exclusive_ones the_next_is_told_of_a_death
	waiters_are_told_of_a_death
	the_command_keeps_the_lock_if_gosync_is_killed
	close_leaves_the_lock_with_gosync no_fork_becomes_the_command
	a_background_process_does_not_keep_it signals_are_passed_on
	a_waiter_can_be_ended tokens_grow run_takes_a_programs_mutex
	once_runs_once once_is_tried_until_it_is_done
	once_goes_on_if_gosync_is_killed wg_waits_for_all
	a_name_is_waited_for sem_counts
	sem_run_lets_in_as_many_as_there_are_permits sem_run_gives_back_the_permits_of_the_killed
	cond_wakes_in_order cond_gives_up_the_lock_of_run
	a_killed_cond_wait_takes_nobodys_lock values_are_any_bytes
	value_watch_sees_each_set value_of_a_program_is_not_overwritten
	maps_hold_any_bytes add_loses_nothing atomic_swaps_and_waits
	a_denied_user_is_told a_name_of_another_type_is_told
	wrong_usage_makes_nothing"

check_all "$@"
