#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Run the examples where the module is loaded, and see that they do what they
# say: TAP on standard output, as the other tests. With arguments only the tests
# of these names are run.

# shellcheck disable=SC2317 # functions are called by their names

PATH=$(readlink -f "${0%/*}/../examples"):$PATH
# shellcheck source=tools/tests/kit.sh
. "${0%/*}/kit.sh"

hello_takes_turns()
{
	hello >"$out/1" 2>&1 & one=$!
	hello >"$out/2" 2>&1 & two=$!
	hello >"$out/3" 2>&1 & three=$!
	wait "$one" && wait "$two" && wait "$three" || return 1
	sed 's/.*visit //' "$out"/[123] | sort -n | tr '\n' ' ' >"$out/all"
	[ "$(cat "$out/all")" = "1 2 3 " ]
}

# info_says NAME PATTERN: a line of gosync info matches PATTERN
info_says()
{
	gosync info "$1" >"$out/info" 2>&1 && grep -q "$2" "$out/info"
}

# stop_one COMMAND NAME HAS: start COMMAND, and stop it when gosync info shows
# "HAS process N" for NAME, however slow this machine is
stop_one()
{
	for delay in 0.2 0.4 0.6 0.8 1.0 1.2 1.4 1.6 1.8 2.0; do
		"$1" >"$out/1" 2>&1 & one=$!
		sleep "$delay"
		kill -STOP "$one"
		info_says "$2" "$3.* process $one\$" && return
		kill -CONT "$one"
		wait "$one"
		gosync rm "$2" 2>/dev/null
	done
	return 1
}

hello_is_told_of_a_death()
{
	stop_one hello hello.lock 'locked by' || return 1
	hello >"$out/2" 2>&1 & two=$!
	until_so info_says hello.lock '^waiters *1$'
	kill -KILL "$one"
	wait "$two" || return 1
	grep -q 'died in here' "$out/2" && grep -q 'hello' "$out/2"
}

config_is_found_by_name()
{
	config >"$out/none" 2>&1 && return 1
	config example.org 443 >"$out/1" 2>&1 || return 1
	config >"$out/2" 2>&1 || return 1
	[ "$(cat "$out/2")" = "example.org port 443" ]
}

config_change_is_seen()
{
	config --watch 2 >"$out/watch" 2>&1 & watcher=$!
	until_so grep -q 'port 443' "$out/watch" || return 1
	config example.net 8443 >"$out/1" 2>&1 || return 1
	wait "$watcher" || return 1
	[ "$(tail -n 1 "$out/watch")" = "example.net port 8443" ]
}

config_is_removed()
{
	config --remove >"$out/1" 2>&1 || return 1
	! config >"$out/2" 2>&1
}

prices_are_always_right()
{
	prices 4 2000 >"$out/1" 2>&1 || return 1
	[ "$(cat "$out/1")" = \
	  "2000 changes, 4 readers, 0 of them saw a wrong total" ]
}

fanout_waits_for_all()
{
	fanout 8 1000 >"$out/1" 2>&1 || return 1
	[ "$(cat "$out/1")" = "8 workers: 333833500" ]
}

setup_is_done_once()
{
	setup >"$out/1" 2>&1 & one=$!
	setup >"$out/2" 2>&1 & two=$!
	setup >"$out/3" 2>&1 & three=$!
	wait "$one" && wait "$two" && wait "$three" || return 1
	setup >"$out/4" 2>&1 || return 1
	[ "$(cat "$out"/[1234] | grep -c ': set it up')" = 1 ] &&
		[ "$(cat "$out"/[1234] | grep -c 'found it set up')" = 3 ] &&
		setup --remove
}

setup_goes_on_after_a_death()
{
	stop_one setup setup.example 'run by' || return 1
	setup >"$out/2" 2>&1 & two=$!
	until_so info_says setup.example '^waiters *1$'
	kill -KILL "$one"
	wait "$two" || return 1
	setup --remove
	grep -q 'began and died' "$out/2" && grep -q ': set it up' "$out/2" &&
		[ ! -s "$out/1" ]
}

queue_hands_on_everything()
{
	queue take 60 >"$out/1" 2>&1 & one=$!
	queue take 40 >"$out/2" 2>&1 & two=$!
	until_so info_says queue.ring '^holders *2$'
	queue put 1 50 >"$out/3" 2>&1 & three=$!
	queue put 51 100 >"$out/4" 2>&1 & four=$!
	wait "$one" && wait "$two" && wait "$three" && wait "$four" || return 1
	sort -n "$out"/[12] >"$out/all"
	seq 1 100 | cmp -s - "$out/all"
}

# Each command makes a file while it runs, and counts the files.
limit_is_kept()
{
	mkdir "$out/running"
	for i in 1 2 3 4 5 6; do
		# shellcheck disable=SC2016 # for the inner shell
		limit 2 sh -c 'touch "$1/running/$2"; ls "$1/running" | wc -l
			sleep 0.2; rm "$1/running/$2"' sh "$out" "$i" \
			>"$out/$i" 2>&1 &
	done
	wait
	rmdir "$out/running" || return 1
	cat "$out"/[1-6] | sort -n >"$out/all"
	[ "$(wc -l <"$out/all")" = 6 ] && [ "$(tail -n 1 "$out/all")" -le 2 ]
}

limit_is_given_back_by_the_dead()
{
	limit 1 sleep 1000 >"$out/1" 2>&1 & one=$!
	until_so info_says limit.example '^permits *0'
	limit 1 echo mine >"$out/2" 2>&1 & two=$!
	until_so info_says limit.example '^waiters *1$'
	kill -KILL "$one"
	wait "$two" && [ "$(cat "$out/2")" = mine ]
}

registry_knows_the_addresses()
{
	registry mail 10.0.0.1 >"$out/1" 2>&1 || return 1
	registry web 10.0.0.2 >"$out/2" 2>&1 || return 1
	registry web 10.0.0.3 >"$out/3" 2>&1 && return 1
	[ "$(registry web)" = 10.0.0.2 ] || return 1
	registry | sort >"$out/all"
	printf 'mail 10.0.0.1\nweb 10.0.0.2\n' | cmp -s - "$out/all" || return 1
	registry --drop web >"$out/4" 2>&1 && gosync rm registry.example
}

reload_sees_a_change()
{
	reload "$out/socket" >"$out/1" 2>&1 & server=$!
	until_so [ -S "$out/socket" ] &&
		[ "$(reload --ask "$out/socket" Ann)" = "Hello, Ann!" ] &&
		reload --set Welcome >"$out/2" 2>&1 &&
		until_so grep -qx 'reloaded: Welcome' "$out/1" &&
		[ "$(reload --ask "$out/socket" Bob)" = "Welcome, Bob!" ] &&
		reload --set Servus >"$out/3" 2>&1 &&
		until_so grep -qx 'reloaded: Servus' "$out/1" &&
		[ "$(reload --ask "$out/socket" Eva)" = "Servus, Eva!" ] &&
		[ "$(wc -l <"$out/1")" = 2 ]
	status=$?
	kill "$server"
	wait "$server" 2>/dev/null
	rm -f "$out/socket"
	gosync rm reload.example && return "$status"
}

dispatch_takes_the_urgent_first()
{
	dispatch --put bulk 3 && dispatch --put normal 2 &&
		dispatch --put urgent 1 || return 1
	dispatch >"$out/1" 2>&1 & one=$!
	until_so info_says dispatch.bulk '^permits *0' &&
		until_so info_says dispatch.urgent '^waiters *1$' &&
		dispatch --put normal 1 &&
		kill -TERM "$one" && wait "$one" || return 1
	tr '\n' ' ' <"$out/1" >"$out/all"
	[ "$(cat "$out/all")" = "urgent normal normal bulk bulk bulk normal " ]
}

dispatchers_share_the_jobs()
{
	dispatch >"$out/1" 2>&1 & one=$!
	dispatch >"$out/2" 2>&1 & two=$!
	# Not before it has blocked the signal
	until_so info_says dispatch.urgent '^waiters *2$' || return 1
	dispatch --put bulk 300 && dispatch --put urgent 200 || return 1
	# A dispatcher that is told to stop does the remaining jobs first.
	kill -TERM "$one" "$two"
	wait "$one" && wait "$two" && dispatch --remove || return 1
	[ "$(cat "$out/1" "$out/2" | grep -c '^bulk$')" = 300 ] &&
		[ "$(cat "$out/1" "$out/2" | grep -c '^urgent$')" = 200 ]
}

thousand_locks_are_taken_by_one_thread()
{
	if [ ! -e /proc/sys/kernel/io_uring_disabled ]; then
		skip "no io_uring"
		return
	fi
	thousand >"$out/1" 2>&1 || return 1
	printf '900 at once\n100 as they were let go, 100 of them in that order\n1000 held by one thread\n' |
		cmp -s - "$out/1"
}

tests="hello_takes_turns
	hello_is_told_of_a_death
	config_is_found_by_name
	config_change_is_seen
	config_is_removed
	prices_are_always_right
	fanout_waits_for_all
	setup_is_done_once
	setup_goes_on_after_a_death
	queue_hands_on_everything
	limit_is_kept
	limit_is_given_back_by_the_dead
	registry_knows_the_addresses
	reload_sees_a_change
	dispatch_takes_the_urgent_first
	dispatchers_share_the_jobs
	thousand_locks_are_taken_by_one_thread"

check_all "$@"
