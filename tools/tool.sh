#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The gosync command's own tests, where the module is loaded: TAP on standard
# output, as the other tests.

cd "$(dirname "$0")" || exit 1
examples=../examples
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
		cat "$out"/* | sed 's/^/# /'
	fi
	rm -f "$out"/*
}

demo_survives_a_death()
{
	gosync demo --seconds 1 >"$out/1" 2>&1 &&
		! grep -q FAILED "$out/1" && [ "$(grep -c '^ok' "$out/1")" = 6 ]
}

demo_leaves_nothing_behind()
{
	gosync demo --seconds 20 >"$out/1" 2>&1 & demo=$!
	tries=0
	until grep -q 'configuration 1:' "$out/1" || [ $tries = 100 ]; do
		tries=$((tries + 1))
		sleep 0.1
	done
	gosync ls >"$out/2" 2>&1
	kill "$demo"
	wait "$demo"
	[ $? = 143 ] && grep -q "mutex .* demo.$demo.lock$" "$out/2" || return 1
	gosync ls >"$out/3" 2>&1 && ! grep -q 'demo\.' "$out/3"
}

ls_and_info_show_an_object()
{
	$examples/config localhost 1 >"$out/1" 2>&1 || return 1
	gosync ls >"$out/2" 2>&1
	gosync info config.example >"$out/3" 2>&1 || return 1
	grep -Eq '^value +0644 root +0 +0 +- persist +config\.example$' \
		"$out/2" &&
		grep -q '^stored *1 times$' "$out/3" &&
		grep -q '^holders *0$' "$out/3"
}

rm_is_for_the_owner()
{
	su alice -c 'gosync rm config.example' >"$out/1" 2>&1 && return 1
	su alice -c 'gosync info config.example' >"$out/2" 2>&1 || return 1
	grep -q 'not permitted' "$out/1"
}

rm_takes_the_name_away()
{
	gosync rm config.example >"$out/1" 2>&1 || return 1
	gosync ls >"$out/2" 2>&1
	gosync rm config.example >"$out/3" 2>&1 && return 1
	! grep -q config.example "$out/2" && grep -q 'No such' "$out/3"
}

usage_errors_are_told()
{
	for args in "" nonsense "rm" "info" "ls --nonsense" "demo -w 1"; do
		# shellcheck disable=SC2086 # words
		gosync $args >"$out/1" 2>"$out/2"
		[ $? = 2 ] && [ -s "$out/2" ] && [ ! -s "$out/1" ] || return 1
	done
	gosync --help >"$out/1" 2>&1 && grep -q 'demo' "$out/1"
}

echo "TAP version 13"
echo "1..6"
demo_survives_a_death
result $? demo_survives_a_death
demo_leaves_nothing_behind
result $? demo_leaves_nothing_behind
ls_and_info_show_an_object
result $? ls_and_info_show_an_object
rm_is_for_the_owner
result $? rm_is_for_the_owner
rm_takes_the_name_away
result $? rm_takes_the_name_away
usage_errors_are_told
result $? usage_errors_are_told
exit $failed
