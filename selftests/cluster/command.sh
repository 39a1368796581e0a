#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# command.sh: gosync(1) in a cluster. This runs on each node of cluster.sh, as a member.

PATH=/gosync/bin:/gosync/cluster:$PATH
number=0 failed=0

ok()
{
	what=$1
	shift
	number=$((number + 1))
	if "$@"; then
		echo "ok $number cluster command: $what"
	else
		echo "not ok $number cluster command: $what"
		failed=$((failed + 1))
	fi
}

shows_all_nodes()
{
	# shellcheck disable=SC2046 # words
	set -- $(gosync cluster status -no LOCKSPACE,STATE,NODE,MEMBERS,MISSING)
	[ "$*" = "gosync running $GOSYNC_NODE 1 2 3 - gosync-data running $GOSYNC_NODE 1 2 3 -" ]
}

is_refused()
{
	gosync run --cluster -n cluster.run true
	[ $? = 1 ]
}

is_at_another_node()
{
	gosync ls -no NAME,LOCKED-BY | grep -q '^cluster\.run  *node$'
}

runs()
{
	# shellcheck disable=SC2016 # the other shell's
	token=$(gosync run --cluster cluster.run sh -c 'echo "$GOSYNC_TOKEN"') &&
		[ "$token" -gt 1 ]
}

ok "shows the nodes" shows_all_nodes
if [ "$GOSYNC_NODE" = 1 ]; then
	ok "runs a command while other nodes may not" gosync run --cluster cluster.run \
		sh -c 'meet "command runs" && meet "command was refused"'
else
	meet "command runs"
	ok "is refused while another node runs one" is_refused
	ok "shows that the lock is there" is_at_another_node
	meet "command was refused"
fi
ok "runs one in its turn" runs
ok "runs one beside those of other nodes" gosync run --cluster -s cluster.run true
meet "command end"
ok "removes the name, whoever has the lock" gosync rm cluster.run
echo "1..$number"
echo "# totals: pass:$((number - failed)) fail:$failed skip:0"
[ $failed = 0 ]
