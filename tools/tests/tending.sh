#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The commands for administrators, where the module is loaded. TAP on
# standard output, as the other tests. With arguments only the tests of these
# names are run.

# shellcheck disable=SC2317 # functions are called by their names
# shellcheck disable=SC2016 # $ is for the shells of the commands

# shellcheck source=tools/tests/kit.sh
. "${0%/*}/kit.sh"

permits_are_not_made_by_releasing()
{
	gosync sem create --give-back "$N" 4 &&
		exits 1 gosync sem release "$N" 2 2>told &&
		grep -q 'sem limit' told && [ "$(gosync sem get "$N")" = 4 ] &&
		exits 1 gosync sem run -n "$N" 6 -- true
}

a_limit_changes()
{
	gosync sem create --give-back "$N" 2 && gosync sem limit "$N" 5 &&
		[ "$(gosync sem get "$N")" = 5 ] &&
		exits 65 gosync sem run --permits 2 "$N" true &&
		gosync sem run --permits 5 "$N" 5 -- gosync sem limit "$N" 1 2>told &&
		grep -q 'come back: 4' told &&
		[ "$(gosync sem get "$N")" = 1 ]
}

tokens_grow_over_rm()
{
	local a b

	a=$(gosync run "$N" -c 'echo $GOSYNC_TOKEN') && gosync rm "$N" &&
		b=$(gosync run "$N" -c 'echo $GOSYNC_TOKEN') && [ "$b" -gt "$a" ]
}

a_failure_poisons_if_asked_to()
{
	exits 3 gosync run "$N" -c 'exit 3' &&
		[ -z "$(gosync run "$N" -c 'echo $GOSYNC_OWNER_DIED')" ] &&
		exits 3 gosync run --poison-on-failure "$N" -c 'exit 3' &&
		[ "$(gosync run "$N" -c 'echo $GOSYNC_OWNER_DIED')" = 1 ] &&
		gosync run --poison-on-failure "$N" true &&
		[ -z "$(gosync run "$N" -c 'echo $GOSYNC_OWNER_DIED')" ] &&
		exits 2 gosync run -s --poison-on-failure "$N" touch wrong &&
		exits 2 gosync run -F --poison-on-failure "$N" touch wrong &&
		[ ! -e wrong ]
}

wg_run_always_counts_down()
{
	gosync wg add "$N" 5 && gosync wg run "$N" true &&
		exits 5 gosync wg run "$N" -- sh -c 'exit 5' &&
		exits 137 gosync wg run "$N" -c 'kill -9 $$' &&
		exits 127 gosync wg run "$N" nonsense &&
		exits 71 sh -c "ulimit -n 10 && gosync wg run $N touch wrong" &&
		[ ! -e wrong ] && [ "$(gosync wg get "$N")" = 0 ]
}

# The same as pkill -9 gosync
kill_all_gosync()
{
	local process

	for process in /proc/[0-9]*; do
		[ "$(cat "$process/comm" 2>&1)" != gosync ] ||
			kill -9 "${process#/proc/}"
	done
}

counts()
{
	[ "$(gosync wg get "$N")" = "$1" ]
}

wg_run_counts_down_when_gosync_is_killed()
{
	gosync wg add "$N" 2 || return 1
	gosync wg run "$N" -c "$going_on" &
	until_so [ -e running ] && kill_all_gosync &&
		ends 137 $! || return 1
	[ "$(gosync wg get "$N")" = 2 ] && touch stop &&
		until_so counts 1 && rm stop running || return 1
	gosync wg run -o "$N" -c "$going_on" &
	until_so [ -e running ] && kill_all_gosync && ends 137 $! &&
		gosync wg wait -w 100 "$N"
}

wg_run_wants_something_to_count_down()
{
	exits 66 gosync wg run "$N" touch wrong && gosync wg add "$N" &&
		gosync wg "done" "$N" && exits 1 gosync wg run "$N" touch wrong 2>told &&
		grep -q 'gosync wg add' told && [ ! -e wrong ]
}

rm_spares_held_names()
{
	gosync run "$N" -c "$going_on" &
	until_so [ -e running ] && exits 1 gosync rm "$N" 2>told &&
		grep -q -- --force told && exits 1 gosync rm --if-unused "$N" &&
		gosync info "$N" >there && gosync rm --force "$N" &&
		exits 1 gosync info "$N" && gosync rm -f "$N" || return 1
	touch stop
	gosync sem create --give-back "$N" 2 && gosync sem run "$N" gosync info "$N" >there &&
		exits 1 gosync sem run "$N" gosync rm "$N" &&
		gosync rm "$N"
}

rm_takes_unused_names()
{
	gosync run "$N" true && gosync ls -o NAME,IDLE >idle &&
		grep -Eq "^$N +[0-9.]+ [mun]?s$" idle &&
		gosync run "$N" gosync ls -o NAME,IDLE >used &&
		grep -Eq "^$N( +-)?$" used &&
		gosync rm --if-unused "$N" && exits 1 gosync info "$N"
}

the_mode_is_told()
{
	gosync run -m 0600 "$N" true && gosync run -m 600 "$N" true &&
		gosync run "$N" true || return 1
	exits 65 gosync run -m 0666 "$N" touch wrong 2>told &&
		[ ! -e wrong ] && grep -q 'its mode is 0600' told || return 1
	gosync rm "$N" && gosync run -m 0644 "$N" true || return 1
	exits 77 su alice -c "gosync run $N true" 2>told &&
		grep -q "its mode is 0644; root should .* -m 0666" told
}

mode_is()
{
	[ "$(gosync ls -o NAME,MODE | grep "^$N " | tr -s ' ')" = "$N $1" ]
}

the_mode_changes()
{
	gosync sem create -m 600 "$N" 2 && gosync chmod 640 "$N" && mode_is 0640 &&
		gosync chmod g-r,o+w "$N" && mode_is 0602 &&
		gosync chmod a=r "$N" && mode_is 0444 &&
		gosync chmod u+w,go= "$N" && mode_is 0600 || return 1
	exits 2 gosync chmod 1777 "$N" && exits 2 gosync chmod u+q "$N" &&
		exits 1 gosync chmod 600 "$N.not" && mode_is 0600 || return 1
	exits 1 gosync sem run "$N" gosync chmod 400 "$N" 2>told &&
		grep -q 'a process has it open' told && mode_is 0600 &&
		gosync sem run "$N" gosync chmod 644 "$N" && mode_is 0644
}

it_is_given_away()
{
	gosync sem create -m 600 "$N" 2 &&
		exits 1 su alice -c "gosync chmod 666 $N" 2>told &&
		grep -q 'be its owner' told &&
		exits 1 su alice -c "gosync chown alice $N" && mode_is 0600 &&
		gosync chown alice: "$N" &&
		gosync ls -o NAME,OWNER | grep -Eq "^$N +alice$" || return 1
	su alice -c "gosync chmod 660 $N && gosync sem run $N true" &&
		mode_is 0660 && exits 1 su alice -c "gosync chown root $N" 2>told &&
		grep -q 'only root gives it to another user' told &&
		gosync chown :0 "$N" && gosync chown 0 "$N" &&
		exits 77 su alice -c "gosync sem run $N touch wrong" || return 1
	exits 2 gosync chown nobody-there "$N" && exits 2 gosync chown : "$N" &&
		exits 2 gosync chown alice:nothing "$N"
}

tests="permits_are_not_made_by_releasing a_limit_changes
	tokens_grow_over_rm a_failure_poisons_if_asked_to
	wg_run_always_counts_down
	wg_run_counts_down_when_gosync_is_killed
	wg_run_wants_something_to_count_down
	rm_spares_held_names rm_takes_unused_names
	the_mode_is_told the_mode_changes it_is_given_away"

check_all "$@"
