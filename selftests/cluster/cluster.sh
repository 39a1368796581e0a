#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# cluster.sh NODES [OPTION...] [--] COMMAND [ARG...]: boot so many virtual machines that
# reach each other by network, and run a command in all of them. The options are those
# of selftests/vm/run, for each of them; with -o DIR, node N has DIR/N.
#
# A node knows its number from GOSYNC_NODE, and how many there are from GOSYNC_NODES. Node
# N is nodeN by name and 10.77.0.N by address. The kernel's lock manager is loaded, and
# /gosync/cluster has what nodes need: meet, with which they wait for each other, and
# gosync-dlm-members.
#
# Each line of output has the node's number before it. If a node says
# "cluster: kill node N", that one is killed, as if its power were cut. If one says
# "cluster: boot node N", a node that was killed is booted again, with the same command
# and with GOSYNC_BOOTS=1 instead of 0. When a node fails, the others are ended. The exit
# status is 0 if that of each node is, but of those that were killed.

set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
vm=$here/../vm
# shellcheck source=selftests/vm/processors.sh
. "$vm/processors.sh"

usage()
{
	sed -n '4,/^$/s/^# \?//p' "$0" >&2
	exit 125
}

[[ ${1-} =~ ^[1-9]$ ]] || usage
nodes=$1 out=${GOSYNC_BUILD:-$here/../../build}/cluster
options=(-c 1 -m 512M)
shift
while [ $# -gt 0 ]; do
	case $1 in
	-o) out=$2; shift ;;
	-n | --icount) options+=("$1") ;;
	--) shift; break ;;
	-[kcmtpd]) options+=("$1" "$2"); shift ;;
	-*) usage ;;
	*) break ;;
	esac
	shift
done
[ $# -gt 0 ] || usage

tmp=$(mktemp -d) pids=() killed=() again=()
mkdir "$tmp/links"
mkfifo "$tmp/lines"
# Open for both, so that it has no end
exec 3<>"$tmp/lines"
# shellcheck disable=SC2317 # it is reached, by the trap
cleanup()
{
	kill "${pids[@]}" 2>/dev/null || true
	wait
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' HUP INT TERM

# boot N BOOTS COMMAND...
boot()
{
	local node=$1 boots=$2

	shift 2
	"$vm/run" "${options[@]}" -o "$out/$node" --node "$node/$nodes:$tmp/links" \
		-- env "GOSYNC_BOOTS=$boots" "$@" </dev/null 3<&- \
		> >(exec sed -u "s/^/$node: /" >"$tmp/lines") 2>&1 &
	pids[node]=$!
}

# It has the names of its sockets, which nobody else has, among its arguments.
cut_power()
{
	killed[$1]=1
	pkill -9 -f -- "local.path=$tmp/links/$1-" || true
}

status=0
# look_after COMMAND...: take notice of nodes that have ended, or are to be booted again
look_after()
{
	local node this

	for node in "${!pids[@]}"; do
		! kill -0 "${pids[node]}" 2>/dev/null || continue
		this=0
		wait "${pids[node]}" || this=$?
		unset "pids[node]"
		[ -z "${killed[node]-}" ] || continue
		echo "$node: cluster: exit status $this"
		[ $this = 0 ] || status=$this
	done
	for node in "${!again[@]}"; do
		[ -z "${pids[node]-}" ] || continue
		unset "again[node]" "killed[node]"
		boot "$node" 1 "$@"
	done
	[ $status = 0 ] || kill "${pids[@]}" 2>/dev/null || true
}

wait_for_processors "$nodes"
for ((node = 1; node <= nodes; node++)); do
	boot "$node" 0 "$@"
done
rest=
while :; do
	if IFS= read -r -t 0.5 line <&3; then
		line=$rest$line rest=
		echo "$line"
		case ${line#*: } in
		"cluster: kill node "[1-9]) cut_power "${line: -1}" ;;
		"cluster: boot node "[1-9]) again[${line: -1}]=1 ;;
		esac
		continue
	fi
	# Half a line may have come.
	rest+=$line
	look_after "$@"
	[ ${#pids[@]} != 0 ] || break
done
exit $status
