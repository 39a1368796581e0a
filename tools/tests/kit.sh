# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For the scripts that test the command and the examples: each of their tests is
# a function. A script sets $tests, defines the functions, and ends with
# check_all "$@".
#
# shellcheck disable=SC2034 # variables are for those scripts

top=$(mktemp -d) || exit 1
trap 'rm -rf "$top"' EXIT
chmod 755 "$top"
cd "$top" || exit 1
n=0
failed=0

# A script may define it: it is called after each test.
after()
{
	:
}

# skip REASON: the test cannot be done here; it is to return 0 then
skip()
{
	skipped=" # SKIP $*"
}

# check TEST: run it in a directory of its own, $out. The names that it makes
# begin with $N. What is in the directory is shown if the test fails.
check()
{
	n=$((n + 1))
	N=${0##*/}.$$.$n
	out=$top/$n
	skipped=
	mkdir "$out" && cd "$out" || exit 1
	if "$1" >output 2>errors; then
		echo "ok $n $1$skipped"
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
	after
	touch stop
	wait
	gosync ls 2>/dev/null | grep -o "${N}[^ ]*" | xargs -r gosync rm -f
	cd "$top" || exit 1
}

# exits STATUS COMMAND...: COMMAND exits with STATUS
exits()
{
	local want=$1 got

	shift
	"$@"
	got=$?
	[ $got = "$want" ] || echo "exit status $got, not $want: $*" >&2
	[ $got = "$want" ]
}

# are_wrong_usage WORDS...: gosync refuses each of these arguments, and says so
# on standard error only
are_wrong_usage()
{
	local args

	for args; do
		# shellcheck disable=SC2086 # words
		gosync $args >"$out/1" 2>"$out/2"
		[ $? = 2 ] && [ -s "$out/2" ] && [ ! -s "$out/1" ] && continue
		echo "not refused as it should be: gosync $args" >&2
		return 1
	done
}

# until_so COMMAND...: try COMMAND until it succeeds, for some minutes
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

# ends STATUS PID: a job in the background exits with STATUS
ends()
{
	until_so gone "$2" && exits "$1" wait "$2"
}

# info NAME FIELD VALUE: gosync info shows this VALUE
info()
{
	gosync info "$1" | grep -Eq "^$2 +$3\$"
}

# check_all [TEST...]: run these tests, or else all of $tests, and exit
check_all()
{
	local test

	# shellcheck disable=SC2086 # a list of words
	[ $# -gt 0 ] || set -- $tests
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

# A COMMAND that runs until there is a file "stop"
going_on='echo "$$" >running; until [ -e stop ]; do sleep 0.1; done'
