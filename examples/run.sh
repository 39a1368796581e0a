#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Run the examples where the module is loaded, and see that they do what they
# say: TAP on standard output, as the other tests.

cd "$(dirname "$0")/../examples" || exit 1
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

lock_is()
{
	gosync info hello.lock >"$out/info" 2>&1 && grep -q "$1" "$out/info"
}

# Stop one while it has the lock, however slow this machine is.
hello_is_told_of_a_death()
{
	for delay in 0.2 0.4 0.6 0.8 1.0 1.2 1.4 1.6 1.8 2.0; do
		./hello >"$out/1" 2>&1 & one=$!
		sleep $delay
		kill -STOP $one
		lock_is "locked by .* process $one\$" && break
		kill -CONT $one
		wait $one
	done
	./hello >"$out/2" 2>&1 & two=$!
	wait_for lock_is '^waiters *1$'
	kill -KILL $one
	wait $two || return 1
	grep -q 'died in here' "$out/2" && grep -q 'hello' "$out/2"
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
