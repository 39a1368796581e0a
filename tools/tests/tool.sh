#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The gosync command's own tests, where the module is loaded: TAP on standard
# output, as the other tests. With arguments only the tests of these names are
# run.
#
# shellcheck disable=SC2317 # the tests are called by their names
# shellcheck disable=SC2086 # arguments are lists of words
# shellcheck disable=SC2016 # $ is for awk and other shells

examples=$(readlink -f "${0%/*}/../examples")
export lib
lib=$(readlink -f "${0%/*}/../lib")
# shellcheck source=tools/tests/kit.sh
. "${0%/*}/kit.sh"

demo_survives_a_death()
{
	gosync demo --seconds 1 >"$out/1" 2>&1 &&
		! grep -q FAILED "$out/1" && [ "$(grep -c '^ok' "$out/1")" = 6 ]
}

demo_leaves_nothing_behind()
{
	gosync demo --seconds 20 >"$out/1" 2>&1 & demo=$!
	until_so grep -q 'configuration 1:' "$out/1"
	gosync ls >"$out/2" 2>&1
	kill "$demo"
	wait "$demo"
	[ $? = 143 ] && grep -q "mutex .* demo.$demo.lock$" "$out/2" || return 1
	gosync ls >"$out/3" 2>&1 && ! grep -q 'demo\.' "$out/3"
}

ls_and_info_show_an_object()
{
	"$examples/config" localhost 1 >"$out/1" 2>&1 || return 1
	gosync ls >"$out/2" 2>&1
	gosync info config.example >"$out/3" 2>&1 || return 1
	grep -Eq '^value +0644 root +0 +0 +- persist +[0-9.]+ [mun]?s config\.example$' \
		"$out/2" &&
		grep -q '^stored *1 times$' "$out/3" &&
		grep -q '^holders *0$' "$out/3"
}

rm_is_for_the_owner()
{
	su alice -c 'gosync rm config.example' >"$out/1" 2>&1 && return 1
	su alice -c 'gosync info config.example' >"$out/2" 2>&1 || return 1
	grep -q 'not permitted; you must be its owner' "$out/1"
}

rm_takes_the_name_away()
{
	gosync rm config.example >"$out/1" 2>&1 || return 1
	gosync ls >"$out/2" 2>&1
	gosync rm config.example >"$out/3" 2>&1 && return 1
	! grep -q config.example "$out/2" && grep -q 'No such' "$out/3"
}

rm_force_ignores_missing_names()
{
	gosync-scene many 2 || return 1
	gosync rm -f many.0 nonsense many.1 >"$out/1" 2>&1 || return 1
	[ ! -s "$out/1" ] && ! gosync info many.0 many.1 2>"$out/2" &&
		[ "$(grep -c 'No such' "$out/2")" = 2 ]
}

# says FILE LINE...: the file has these lines, if blanks are ignored
says()
{
	file=$1
	shift
	sed 's/  */ /g;s/ $//' "$file" >"$out/is"
	printf '%s\n' "$@" >"$out/should_be"
	cmp -s "$out/is" "$out/should_be"
}

columns_are_chosen()
{
	gosync ls -o name,TYPE >"$out/1" && gosync ls -o +id >"$out/2" &&
		gosync ls -no TYPE >"$out/3" &&
		gosync ls --output-all >"$out/4" &&
		gosync ls --list-columns >"$out/5" || return 1
	grep -q '^NAME  *TYPE$' "$out/1" && grep -q '^held  *mutex$' "$out/1" &&
		grep -q '^TYPE .* NAME  *ID$' "$out/2" &&
		! grep -q TYPE "$out/3" && grep -q '^mutex$' "$out/3" &&
		[ "$(head -n 1 "$out/4" | wc -w)" = "$(wc -l <"$out/5")" ]
}

# The scene has these names.
strange="new
line \"quote\" back\\slash $(printf '\033')[31m"
bytes=$(printf '\377\376 bytes')

strange_names_do_no_harm()
{
	gosync ls >"$out/1" && gosync ls -r >"$out/2" && gosync stat -a \
		>"$out/3" && gosync waiters >"$out/4" || return 1
	! cat "$out"/* | tr -d '\n' | grep -q '[^ -~]' &&
		grep -q 'new\\x0aline "quote" back\\\\slash \\x1b\[31m' "$out/1"
}

strange_names_can_be_pasted()
{
	name=$(gosync ls -no NAME | grep 'x0aline') || return 1
	eval "set -- $name"
	[ "$1" = "$strange" ] && gosync info "$1" >"$out/1" 2>&1
}

strange_names_are_right_in_json_and_raw()
{
	gosync ls -J >"$out/1" && gosync ls -rno NAME >"$out/2" || return 1
	[ "$(gosync-json objects 0 name <"$out/1")" = "$strange" ] &&
		[ "$(printf %b "$(head -n 1 "$out/2")")" = "$strange" ] &&
		[ "$(printf %b "$(sed -n 2p "$out/2")")" = "$bytes" ] &&
		gosync-json objects 1 name <"$out/1" |
			grep -q "$(printf '^\357\277\275\357\277\275 bytes$')" &&
		[ "$(gosync-json objects 2 name <"$out/1")" = "$(printf 'w\303\244re')" ]
}

every_table_is_json()
{
	for args in "ls" "ls --output-all" "holders" "holders -a --output-all" \
		    "waiters" "waiters --output-all" "stat" "stat -b" \
		    "stat -a --output-all" "limits" "limits --output-all" \
		    "info held shared" "ls -o NAME" "stat nonsense"; do
		echo "$args" >"$out/0"
		gosync $args -J >"$out/1" 2>"$out/2"
		gosync-json <"$out/1" >"$out/3" 2>&1 || return 1
	done
	gosync info -J held >"$out/1" && gosync stat -Jb held >"$out/2" &&
		[ "$(gosync-json objects 0 state <"$out/1")" = locked ] &&
		[ "$(gosync-json objects 0 locked-by <"$out/1")" = "$scene" ] &&
		[ "$(gosync-json objects 0 histogram 31 <"$out/1")" = 0 ] &&
		[ "$(gosync-json stat 0 histogram 31 <"$out/2")" = 0 ]
}

long_tables_are_whole()
{
	gosync-scene many 700 || return 1
	gosync ls >"$out/1" && gosync ls -rno NAME >"$out/2" &&
		gosync ls -J >"$out/3" || return 1
	seq 0 699 | sed s/^/many./ >"$out/4"
	# shellcheck disable=SC2046 # words
	gosync rm $(cat "$out/4") || return 1
	awk '$NF ~ /^many/ { print $NF }' "$out/1" | cmp - "$out/4" &&
		grep '^many' "$out/2" | cmp - "$out/4" &&
		gosync-json <"$out/3" | grep -o '"many[^"]*' | tr -d \" |
			cmp - "$out/4" || return 1
	# All names begin in one column.
	awk '$NF ~ /^many/ { print index($0, "many") }' "$out/1" | uniq |
		wc -l | grep -qx 1
}

most_memory()
{
	busybox time -v "$@" 2>&1 >/dev/null |
		sed -n 's/.*Maximum resident.*: //p'
}

long_tables_take_no_more_memory()
{
	gosync-scene many 400 || return 1
	few=$(most_memory gosync ls --output-all)
	gosync-scene many 4000 || return 1
	many=$(most_memory gosync ls --output-all)
	gosync ls -rno NAME | grep '^many' | xargs gosync rm
	echo "few $few many $many" >"$out/1"
	[ "$many" -gt 0 ] && [ "$many" -lt $((few + 1500)) ]
}

holders_are_those_that_hold_something()
{
	gosync holders -rno NAME,PID,COMMAND,HOLDS,COUNT >"$out/1" || return 1
	says "$out/1" "dead.held $scene gosync-scene lock -" \
		"shared $scene gosync-scene read 2" \
		"permits $scene gosync-scene permits 3" \
		"either $scene gosync-scene lock -" \
		"held $scene gosync-scene lock -" || return 1
	gosync holders -an held >"$out/1" && [ "$(wc -l <"$out/1")" = 4 ] &&
		grep -q ' lock .* >=[0-9.]* m*s held$' "$out/1" &&
		gosync holders -n dead.mutex >"$out/1" && [ ! -s "$out/1" ]
}

waiters_stand_in_their_order()
{
	gosync waiters -rno NAME,POSITION,WANTS,TIMED held >"$out/1" || return 1
	says "$out/1" "held 1 lock no" "held 2 lock yes" "held 3 lock no" ||
		return 1
	gosync waiters -rno NAME,POSITION,WANTS,COUNT,AMONG,ASYNC either or \
		>"$out/1" || return 1
	says "$out/1" "either 1 lock - yes no" "or 1 permits 2 yes no" ||
		return 1
	gosync waiters -rno WAITED,COMMAND,PID held >"$out/1" || return 1
	sort -rn "$out/1" | cmp -s - "$out/1" &&
		! grep -vq "it's\\\\x0ame" "$out/1" || return 1
	while read -r waited command pid; do
		[ -d "/proc/$pid" ] && [ -n "$waited$command" ] || return 1
	done <"$out/1"
	gosync waiters shared >"$out/1" && [ ! -s "$out/1" ]
}

stat_says_how_the_waits_went()
{
	gosync stat -rno CONTENDED,ACQUIRED,GAVE-UP,DEATHS contended held \
		dead.mutex shared >"$out/1" || return 1
	says "$out/1" "2 1 1 0" "3 0 0 0" "0 0 0 1" "0 0 0 0" || return 1
	gosync stat -rno MEAN,P50,P99,LONGEST,TOTAL contended >"$out/1" ||
		return 1
	awk '!($1 > 0 && $1 == $4 && $1 == $5 && $2 <= $3 && $3 <= $4) {
		exit 1 }' "$out/1" || return 1
	gosync stat -rno NAME >"$out/1" && grep -qx contended "$out/1" &&
		! grep -qx shared "$out/1" &&
		gosync stat -arno NAME >"$out/1" && grep -qx shared "$out/1"
}

# Samples of a metric stand together behind its two comments; buckets only grow.
stat_speaks_to_prometheus()
{
	gosync stat --prometheus >"$out/1" || return 1
	awk '
		/^# HELP / { help = $3; next }
		/^# TYPE / { metric = $3; if (metric != help || seen[metric]++) exit 1; next }
		{
			this = substr($0, 1, index($0, "{") - 1)
			sub(/_(bucket|sum|count)$/, "", this)
			if (this != metric || !/^[a-z_]+\{id="[0-9]+",type="[a-z0-9]+",name="([^"\\]|\\.)*"(,le="[^"]*")?\} [0-9.e+-]+$/)
				exit 1
			if (/le="1.024e-06"/)
				last = 0
			if (/_bucket/) {
				if ($NF < last)
					exit 1
				last = $NF
			}
			if (/_count\{/ && $NF != last)
				exit 1
		}' "$out/1" || return 1
	grep -q '^gosync_waits_total{.*name="contended"} 2$' "$out/1" &&
		grep -q '^gosync_gave_up_total{.*name="contended"} 1$' "$out/1" &&
		grep -q '^gosync_owner_deaths_total{.*name="dead.mutex"} 1$' \
			"$out/1" &&
		grep -q '^gosync_wait_seconds_count{.*name="contended"} 1$' \
			"$out/1" &&
		grep -q '^gosync_waits_total{.*name="shared"} 0$' "$out/1" &&
		gosync stat --prometheus held >"$out/2" &&
		! grep -q 'name="shared"' "$out/2"
}

stat_draws_how_long_waits_were()
{
	gosync stat --histogram contended >"$out/1" || return 1
	[ "$(wc -l <"$out/1")" = 2 ] && head -n 1 "$out/1" |
		grep -q '^contended: 2 times contended, 1 waits ended' &&
		grep -q '^  below  *[0-9.]* [mun]*s |##* 1$' "$out/1"
}

# The sum of the rounds is the number of all waits.
stat_shows_the_waits_since_the_last_time()
{
	gosync stat -i 0.2 -rno CONTENDED,ACQUIRED,GAVE-UP contended \
		>"$out/1" 2>&1 & stat=$!
	until_so [ -s "$out/1" ]
	gosync-scene contend
	now=$(gosync stat -rno CONTENDED contended)
	until_so awk -v now="$now" '{ n += $1 } END { exit n != now }' "$out/1"
	kill $stat
	wait $stat 2>"$out/2"
	head -n 1 "$out/1" | grep -qx '2 1 1' && [ "$now" -gt 2 ] &&
		awk -v now="$now" 'NR > 1 { c += $1; a += $2; g += $3 }
			END { exit c != now - 2 || a != 1 || g != 1 }' "$out/1"
}

stat_counts_its_rounds()
{
	gosync stat -i 0.01 -c 3 -n contended >"$out/1" || return 1
	[ "$(grep -c 'contended$' "$out/1")" = 3 ] &&
		[ "$(grep -c '^$' "$out/1")" = 2 ]
}

limits_are_the_modules()
{
	gosync limits -rno LIMIT,VALUE,USED >"$out/1" || return 1
	for name in max_objects_per_user max_objects_per_ns; do
		value=$(cat /sys/module/gosync/parameters/$name)
		grep -q "^$name $value $(gosync ls -n | wc -l)\$" "$out/1" ||
			return 1
	done
	gosync-scene many 1 && gosync limits -rno USED >"$out/2" &&
		gosync rm many.0 || return 1
	[ "$(head -n 1 "$out/2")" = \
		$(($(sed -n '1s/.* //p' "$out/1") + 1)) ]
}

recover_makes_a_poisoned_lock_good()
{
	gosync ls -no NAME,FLAGS >"$out/1"
	grep -q 'dead.mutex .*poisoned' "$out/1" &&
		grep -q 'dead.rwmutex .*poisoned' "$out/1" || return 1
	gosync recover dead.mutex dead.rwmutex >"$out/2" 2>&1 || return 1
	gosync ls -no NAME,FLAGS,STATE >"$out/3"
	! grep -q '^dead\.[mr].*poisoned' "$out/3" &&
		[ "$(grep -c '^dead\.[mr].*free' "$out/3")" = 2 ] &&
		[ "$(grep -c 'recovered' "$out/2")" = 2 ]
}

recover_refuses_locks_that_are_not_poisoned()
{
	for name in dead.mutex held shared permits; do
		echo $name >"$out/1"
		gosync recover $name >"$out/2" 2>"$out/3"
		[ $? = 1 ] && [ ! -s "$out/2" ] && [ -s "$out/3" ] || return 1
	done
	gosync holders -rno NAME held | grep -qx held
}

recover_does_not_wait_longer_than_told()
{
	for how in -n "-w 0.01" "--wait=0.01" "-w 0"; do
		gosync recover $how dead.held >"$out/1" 2>"$out/2"
		[ $? = 1 ] && grep -q 'another process has it' "$out/2" || return 1
	done
	gosync ls -no NAME,FLAGS | grep -q '^dead.held .*poisoned'
}

denied_operations_are_told()
{
	for command in info holders waiters stat recover break rm; do
		echo $command >"$out/1"
		su alice -c "gosync $command private" >"$out/2" 2>"$out/3"
		[ $? = 1 ] && [ ! -s "$out/2" ] &&
			grep -Eq "^gosync $command: private: .*(denied|permitted); .*owner" \
				"$out/3" || return 1
	done
	su alice -c "gosync recover dead.held" 2>"$out/3" && return 1
	grep -q 'denied' "$out/3" && su alice -c 'gosync ls' >"$out/2" &&
		! grep -q private "$out/2" && grep -q held "$out/2"
}

one_that_is_missing_does_not_hide_the_others()
{
	for command in "info" "holders -a" "waiters" "stat" "stat -J" \
		       "info -J"; do
		gosync $command nonsense held >"$out/1" 2>"$out/2"
		[ $? = 1 ] && grep -q held "$out/1" &&
			grep -q 'nonsense: No such .*; gosync ls' "$out/2" ||
			return 1
	done
}

a_full_disk_is_told()
{
	gosync ls >/dev/full 2>"$out/1" && return 1
	grep -q 'standard output: No space' "$out/1"
}

# completes LINE WORD...: bash offers these words at the end of LINE
completes()
{
	line=$1
	shift
	bash -c '. "$lib/gosync.bash" && complete -p gosync >/dev/null || exit
		COMP_LINE=$1 COMP_POINT=${#1}
		_gosync && printf "<%s>\n" "${COMPREPLY[@]}"' - "$line" \
		>"$out/is" 2>&1 || return 1
	printf '%s\n' "$line" "$@" >"$out/should_be"
	for word; do
		grep -qxF "<$word>" "$out/is" || return 1
	done
}

bash_completes_commands_options_columns_and_names()
{
	completes "gosync " ls info holders demo || return 1
	completes "gosync hol" holders && ! grep -q '<ls>' "$out/is" || return 1
	completes "gosync holders --o" --output --output-all || return 1
	completes "gosync ls -no " NAME STATE || return 1
	completes "gosync ls -o NAME,TY" NAME,TYPE || return 1
	completes "gosync holders --output=+HO" +HOLDER +HOLDS || return 1
	completes "gosync info " held dead.mutex private || return 1
	completes "gosync stat -i 1 dead." dead.mutex dead.rwmutex &&
		! grep -q '<held>' "$out/is" || return 1
	completes "gosync recover dead.mutex -- hel" held || return 1
	completes "gosync stat -i " '' && completes "gosync ls " '' || return 1
	# The offered words can be pasted.
	completes "gosync rm " held || return 1
	name=$(sed -n '/line/s/^<\(.*\)>$/\1/p' "$out/is")
	[ "$(bash -c "printf %s $name")" = "$strange" ]
}

usage_errors_are_told()
{
	are_wrong_usage "" nonsense "rm" "info" "recover" "ls --nonsense" \
		"ls argument" "limits argument" "demo -w 1" "ls -o FOO" \
		"ls -o NAME,,TYPE" "ls -o +" "holders -o WANTS" \
		"waiters -o HOLDS" "ls -Jr" "stat -i 0" "stat -i x" \
		"stat -c 0" "stat -c x" "stat -br" "stat -pJ" "stat -pi 1" \
		"recover -w x held" "recover -w -1 held" || return 1
	gosync --help >"$out/1" 2>&1 && grep -q 'demo' "$out/1"
}

hung_is_held()
{
	gosync holders -rno NAME,HOLDS | grep -qx 'hung write'
}

break_takes_a_lock_from_a_process_that_lives()
{
	gosync run hung -c "until [ -e $out/end ]; do sleep 0.1; done" \
		2>"$out/1" & run=$!
	until_so hung_is_held
	gosync break -H 99 hung >"$out/2" 2>"$out/3" && return 1
	grep -q 'no such holder' "$out/3" && [ ! -s "$out/2" ] || return 1
	gosync break hung >"$out/2" 2>"$out/3" || return 1
	grep -Eqx 'hung: taken from holder [0-9]+, process [0-9]+ \(gosync\)' \
		"$out/2" || return 1
	[ "$(gosync run -n hung env 2>/dev/null | grep GOSYNC_OWNER_DIED)" = \
	  GOSYNC_OWNER_DIED=1 ] || return 1
	gosync break hung >"$out/2" 2>"$out/3"
	[ $? = 1 ] && [ ! -s "$out/2" ] &&
		grep -qx 'gosync break: hung: nobody holds it' "$out/3" ||
		return 1
	# The process lives: it is told when its command ends.
	: >"$out/end"
	wait $run && grep -q 'without the lock' "$out/1" || return 1
	gosync run -n hung true && gosync rm hung
}

tests="demo_survives_a_death
	demo_leaves_nothing_behind
	ls_and_info_show_an_object
	rm_is_for_the_owner
	rm_takes_the_name_away
	rm_force_ignores_missing_names
	columns_are_chosen
	strange_names_do_no_harm
	strange_names_can_be_pasted
	strange_names_are_right_in_json_and_raw
	every_table_is_json
	long_tables_are_whole
	long_tables_take_no_more_memory
	holders_are_those_that_hold_something
	waiters_stand_in_their_order
	stat_says_how_the_waits_went
	stat_speaks_to_prometheus
	stat_draws_how_long_waits_were
	stat_shows_the_waits_since_the_last_time
	stat_counts_its_rounds
	limits_are_the_modules
	recover_makes_a_poisoned_lock_good
	recover_refuses_locks_that_are_not_poisoned
	recover_does_not_wait_longer_than_told
	break_takes_a_lock_from_a_process_that_lives
	denied_operations_are_told
	one_that_is_missing_does_not_hide_the_others
	a_full_disk_is_told
	bash_completes_commands_options_columns_and_names
	usage_errors_are_told"

# It must not be a job of this shell, as check() waits for jobs.
scene=$(gosync-scene >"$top/scene" & echo $!)
trap 'kill "$scene"; rm -rf "$top"' EXIT
until_so grep -q ready "$top/scene"
check_all "$@"
