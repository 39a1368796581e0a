#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Run the examples where the module is loaded, and see that they do what they
# say: TAP on standard output, as the other tests.

cd "$(dirname "$0")" || exit 1
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
		sed 's/^/# /' "$out"/*
	fi
	rm -f "$out"/*
}

# wait_for COMMAND...: until it succeeds, but not for ever
wait_for()
{
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ "$tries" -lt 100 ] || return 1
		sleep 0.1
	done
}

hello_takes_turns()
{
	./hello >"$out/1" 2>&1 & one=$!
	./hello >"$out/2" 2>&1 & two=$!
	./hello >"$out/3" 2>&1 & three=$!
	wait "$one" && wait "$two" && wait "$three" || return 1
	sed 's/.*visit //' "$out"/[123] | sort -n | tr '\n' ' ' >"$out/all"
	[ "$(cat "$out/all")" = "1 2 3 " ]
}

# shellcheck disable=SC2317 # called by wait_for
somebody_waits()
{
	gosync info hello.lock >"$out/info" 2>&1 &&
		grep -q '^waiters *1$' "$out/info"
}

hello_is_told_of_a_death()
{
	./hello >"$out/1" 2>&1 & one=$!
	./hello >"$out/2" 2>&1 & two=$!
	wait_for somebody_waits || return 1
	owner=$(sed -n 's/.* of process //p' "$out/info")
	case $owner in
	"$one") other=$two file=$out/2 ;;
	"$two") other=$one file=$out/1 ;;
	*) return 1 ;;
	esac
	kill -9 "$owner"
	wait "$other" || return 1
	grep -q 'died in here' "$file" && grep -q 'this is visit' "$file"
}

config_is_found_by_name()
{
	./config >"$out/none" 2>&1 && return 1
	./config example.org 443 >"$out/1" 2>&1 || return 1
	./config >"$out/2" 2>&1 || return 1
	[ "$(cat "$out/2")" = "example.org port 443" ]
}

config_change_is_seen()
{
	./config --watch 2 >"$out/watch" 2>&1 & watcher=$!
	wait_for grep -q 'port 443' "$out/watch" || return 1
	./config example.net 8443 >"$out/1" 2>&1 || return 1
	wait "$watcher" || return 1
	[ "$(tail -n 1 "$out/watch")" = "example.net port 8443" ]
}

config_is_removed()
{
	./config --remove >"$out/1" 2>&1 || return 1
	! ./config >"$out/2" 2>&1
}

echo "TAP version 13"
echo "1..5"
hello_takes_turns
result $? hello_takes_turns
hello_is_told_of_a_death
result $? hello_is_told_of_a_death
config_is_found_by_name
result $? config_is_found_by_name
config_change_is_seen
result $? config_change_is_seen
config_is_removed
result $? config_is_removed
exit $failed
