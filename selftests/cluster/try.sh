#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# try.sh: make this node of cluster.sh a member of the cluster, and run a program there:
# dlm_try, or what is said instead.

set -eu

PATH=/gosync/cluster:$PATH
[ $# != 0 ] || set -- dlm_try

join()
{
	# This node first
	nodes="$GOSYNC_NODE 10.77.0.$GOSYNC_NODE"
	for node in $(seq "$GOSYNC_NODES"); do
		[ "$node" = "$GOSYNC_NODE" ] || nodes="$nodes $node 10.77.0.$node"
	done
	# shellcheck disable=SC2086 # numbers and addresses
	gosync-dlm-members join $nodes
}

join
gosync-dlm-members watch &
"$@"
