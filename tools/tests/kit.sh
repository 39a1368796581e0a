# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For scripts of tests of the command: tests that are functions, and what they say
# of what they see.
# shellcheck disable=SC2034 # variables are for those scripts

top=$(mktemp -d) || exit 1
trap 'rm -rf "$top"' EXIT
chmod 755 "$top"
cd "$top" || exit 1
n=0
failed=0

# Each test is a function, run in a directory of its own, with N as the prefix
# of its names.
check()
{
	n=$((n + 1))
	N=${0##*/}.$$.$n
	mkdir "$top/$n" && cd "$top/$n" || exit 1
	if "$1" >output 2>errors; then
		echo "ok $n $1"
	else
		failed=1
		echo "not ok $n $1"
		gosync ls >list 2>&1
		for file in *; do
			echo "$file:"
			head -n 20 "$file" | cut -c 1-200 | cat -v
		done 2>/dev/null | sed 's/^/# /'
		jobs -p | xargs -r kill -9
	fi
	touch stop
	wait
	gosync ls 2>/dev/null | grep -o "${N}[^ ]*" | xargs -r gosync rm -f
	cd "$top" || exit 1
}

# exits STATUS COMMAND...: it exits with that
exits()
{
	local want=$1 got

	shift
	"$@"
	got=$?
	[ $got = "$want" ] || echo "exit status $got, not $want: $*" >&2
	[ $got = "$want" ]
}

# until_so COMMAND...: it succeeds, within minutes
until_so()
{
	local i

	for ((i = 0; i < 1000; i++)); do
		"$@" >until 2>&1 && return
		sleep 0.1
	done
	echo "never so: $*" >&2
	return 1
}

gone()
{
	! kill -0 "$1"
}

# ends STATUS PID: a job in the background exits with that
ends()
{
	until_so gone "$2" && exits "$1" wait "$2"
}

# info NAME FIELD VALUE: that is what gosync info tells
info()
{
	gosync info "$1" | grep -Eq "^$2 +$3\$"
}

# check_all TEST...: what the script ends with
check_all()
{
	local test

	echo "TAP version 13"
	echo "1..$#"
	for test; do
		check "$test"
	done
	if gosync ls | grep "${0##*/}\.$$"; then
		failed=1
	fi
	exit $failed
}

# A COMMAND that goes on until there is a file "stop"
going_on='echo "$$" >running; until [ -e stop ]; do sleep 0.1; done'
