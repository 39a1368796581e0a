#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Expected: when a process dies, whoever locks one of its robust mutexes next is told
# so, by EOWNERDEAD, however many of them it held.
#
# What happens (glibc 2.36; Linux 6.18; 6.12 by its source): the kernel walks the list of a
# dead thread's robust mutexes for 2,048 entries and then stops, without a word. The
# mutexes further on stay locked: pthread_mutex_trylock(3) says EBUSY, and
# pthread_mutex_lock(3) would wait for ever. Those taken last come first in the list,
# so the ones that are lost are those that have been held for longest. Nothing has
# failed when they were locked.
#
# Why one meets it: a table with a robust mutex for each row or connection, all of
# them locked for a consistent copy or for a resize. Fewer locks that cover more, or a
# lock that knows its holders in the kernel, do not have this limit.

set -u
# shellcheck source=findings/packages.bash
. "$(dirname "$0")/packages.bash"
get libc6=2.36-9+deb12u14

cd "$tmp" || exit
cat >many.c <<'END'
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ALL = 3000 };

int main(void)
{
	pthread_mutex_t *table = mmap(NULL, ALL * sizeof(*table),
				      PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int told = 0, busy = 0, first_busy = -1, last_busy = -1;
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	for (int i = 0; i < ALL; i++)
		pthread_mutex_init(&table[i], &attr);
	if (!fork()) {
		for (int i = 0; i < ALL; i++)
			if (pthread_mutex_lock(&table[i]))
				_exit(1);
		_exit(0);
	}
	wait(NULL);
	for (int i = 0; i < ALL; i++) {
		int ret = pthread_mutex_trylock(&table[i]);

		told += ret == EOWNERDEAD;
		if (ret == EBUSY) {
			busy++;
			last_busy = i;
			if (first_busy < 0)
				first_busy = i;
		}
	}
	printf("%d\n%d\n%d to %d\n", told, busy, first_busy, last_busy);
	return 0;
}
END
gcc -w -pthread -o many many.c
mapfile -t saw < <(with_its_libc ./many)
echo "a process ends while it holds 3000 robust mutexes; of these"
expect "  EOWNERDEAD" "${saw[0]-}" 2048
expect "  EBUSY" "${saw[1]-}" 952
expect "  which are those it locked as number" "${saw[2]-}" "0 to 951"
exit $changed
