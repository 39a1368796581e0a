#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Expected: lslocks(8) shows who holds a file lock, and lslocks -p PID what a process
# holds.
#
# What happens (util-linux 2.38.1; Linux 6.18): an open file description lock
# (F_OFD_SETLK) has the PID -1, no command and no path, and -p of its holder does not
# list it. A flock(2) lock has the PID of the process that took it. If that has ended,
# and a child that inherited the descriptor goes on, the command is "(unknown)", the
# path is lost, and -p of the child lists nothing.
#
# Why one meets it: one wants to know whom to kill when a lock is stuck, and a lock
# that outlives its taker in some child is what sticks most. Both kinds belong to open
# files, and /proc/locks has no way to say whose these are. What says it is
# /proc/PID/fdinfo, whose lines "lock:" are there for all holders of the descriptor.

set -u
# shellcheck source=findings/packages.bash
. "$(dirname "$0")/packages.bash"
get util-linux=2.38.1-5+deb12u3 libmount1=2.38.1-5+deb12u3 \
	libblkid1=2.38.1-5+deb12u3 libsmartcols1=2.38.1-5+deb12u3

cd "$tmp" || exit
cat >hold.c <<'END'
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* hold KIND: lock a file of that name; a child says its number and goes on. */
int main(int argc, char **argv)
{
	int fd = open(argv[1], O_RDWR | O_CREAT, 0600);
	struct flock lock = { .l_type = F_WRLCK };

	if (!strcmp(argv[1], "posix"))
		fcntl(fd, F_SETLK, &lock);
	else if (!strcmp(argv[1], "ofd"))
		fcntl(fd, F_OFD_SETLK, &lock);
	else
		flock(fd, LOCK_EX);
	/* As a service does that goes into the background */
	if (!strcmp(argv[1], "flock") && fork())
		return 0;
	printf("%d\n", getpid());
	fflush(stdout);
	fclose(stdout);
	pause();
	return 0;
}
END
gcc -w -o hold hold.c
lslocks()
{
	LD_LIBRARY_PATH=$tmp/root/lib/x86_64-linux-gnu "$tmp/root/usr/bin/lslocks" "$@"
}
for kind in posix ofd flock; do
	exec 3< <(exec ./hold $kind)
	read -r pid <&3
	echo "$kind: the holder is there, and"
	listed=$(lslocks -n -o TYPE -p "$pid" | tr -d ' ')
	locks=$(awk '/^lock:/ { print $3 }' "/proc/$pid/fdinfo"/*)
	case $kind in
	posix) wanted=(POSIX POSIX) ;;
	ofd) wanted=('' OFDLCK) ;;
	flock) wanted=('' FLOCK) ;;
	esac
	expect "  lslocks -p lists for it" "$listed" "${wanted[0]}"
	expect "  its fdinfo tells" "$locks" "${wanted[1]}"
	kill "$pid"
done
exit $changed
