#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# mutants_guest.sh MUTANT...: the part of mutants.sh within the guest. A MUTANT is a
# directory in /gosync/lib/mutants, with the module or the library to be put in the place
# of the guest's, and with "programs", a list of test programs and of the seconds that
# each may take, and may say nothing. They are run until one fails. A line says when a
# mutant begins, how long each program took and was quiet, and what became of the mutant:
# "begins", "ran" and "ends". Where the module cannot be unloaded there is an end, because
# no other can be loaded.

set -u

here=/root/unchanged
export GOSYNC_TEST_SECONDS=0.2
# shellcheck source=/dev/null
. /vm.conf

# What is wrong with the kernel ends the guest at once.
for file in kernel/panic_on_warn kernel/softlockup_panic kernel/hung_task_panic \
	kernel/panic_on_rcu_stall; do
	[ ! -e /proc/sys/$file ] || echo 1 >/proc/sys/$file
done

# run PROGRAM SECONDS QUIET: $bad is what is wrong, if anything is; $quiet is how long it
# has said nothing, at the most
run()
{
	local begin=$SECONDS last=$SECONDS line='' tests='' n=0 pid status=0

	bad='' quiet=0
	exec 3< <(exec timeout -s KILL "$2" "/gosync/tests/$1" 2>&1)
	pid=$!
	# Who is left behind by a program may keep its output open.
	while [ "$n" != "$tests" ]; do
		read -r -t "$3" line <&3 || status=$?
		quiet=$((SECONDS - last > quiet ? SECONDS - last : quiet))
		last=$SECONDS
		case $line in
		"not ok "*) bad="killed by $1: $line"; return ;;
		"ok "*) n=$((n + 1)) ;;
		1..*) tests=${line#1..} tests=${tests%% *} ;;
		esac
		line=
		[ $status = 0 ] || break
	done
	if [ $status -gt 128 ]; then
		bad="hung in $1"
		return
	fi
	wait $pid
	status=$?
	if [ $status = 137 ] && [ $((SECONDS - begin)) -ge "$2" ]; then
		bad="hung in $1"
	elif [ "$n" != "$tests" ] || { [ $status != 0 ] && [ $status != 4 ]; }; then
		bad="killed by $1: ended with status $status after $n tests of $tests"
	fi
}

# What a test that was cut short leaves behind
clean()
{
	exec 3<&-
	kill -9 -1
	umount -l /tmp/gosync-cgroup
	find /sys/fs/cgroup -mindepth 1 -depth -type d -exec rmdir {} +
	rm -rf /tmp/* /tmp/.[!.]* /dev/shm/* /dev/mqueue/*
} 2>/dev/null

unload()
{
	local tries

	for ((tries = 0; tries < 50; tries++)); do
		rmmod gosync 2>/dev/null && return
		sleep 0.1
	done
	return 1
}

mkdir $here
cp /gosync/gosync.ko /gosync/lib/libgosync-user.so.* $here
unload || exit
for name; do
	mutant=/gosync/lib/mutants/$name
	echo "begins $name"
	cp $here/gosync.ko /gosync/
	cp $here/libgosync-user.so.* /gosync/lib/
	[ ! -e "$mutant/gosync.ko" ] || cp "$mutant/gosync.ko" /gosync/
	cp "$mutant"/libgosync-user.so.* /gosync/lib/ 2>/dev/null
	dmesg -c >/dev/null
	bad=
	insmod /gosync/gosync.ko || bad="killed by insmod"
	while [ -z "$bad" ] && read -r program seconds silence; do
		begin=$SECONDS
		run "$program" "$seconds" "$silence" </dev/null
		[ -n "$bad" ] || echo "ran $program $((SECONDS - begin)) $quiet"
		# As a test of loading it leaves it
		[ -e /dev/gosync ] || insmod /gosync/gosync.ko
	done <"$mutant/programs"
	[ -z "$bad" ] || clean
	unload || bad=${bad:-"killed by rmmod: the module is in use"}
	[ -n "$bad" ] || bad=$(dmesg | grep -m 1 -E "$SPLATS" | sed 's/^/crashed: /')
	echo "ends $name ${bad:-survived}"
	! grep -q '^gosync ' /proc/modules || exit 1
done
