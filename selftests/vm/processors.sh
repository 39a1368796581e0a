# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For scripts that run a guest, to be read by them: where the cache is, and whether
# the machine has processors left.

cache=${GOSYNC_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/gosync}

# wait_for_processors CPUS: a guest whose idle processors poll wants as many of the
# host's. If they are taken by other guests, all would crawl, so wait for them. They
# are this process's until it ends.
wait_for_processors()
{
	local i slots=$(($(nproc) / $1)) said=''

	while :; do
		for ((i = 0; i == 0 || i < slots; i++)); do
			exec 6>"$cache/slot.$i"
			! flock -n 6 || return 0
		done
		[ -n "$said" ] ||
			echo "gosync: waiting for another virtual machine to end" >&2
		said=1
		sleep 0.5
	done
}
