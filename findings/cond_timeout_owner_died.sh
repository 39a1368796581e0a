#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Expected: pthread_cond_timedwait(3) whose time is over returns ETIMEDOUT, as
# its page says, and a loop around it may end on that.
#
# What happens (glibc 2.36, a robust mutex whose owner died meanwhile): it
# returns EOWNERDEAD, although the time is over; ETIMEDOUT is not reported. A
# second call with the same time, after pthread_mutex_consistent(3), returns
# ETIMEDOUT.
#
# Why one meets it: it is the only way to tell both with one number, and who
# treats each result but 0 and ETIMEDOUT as a failure leaves the mutex locked. A
# wait with a deadline and a lock whose owner may die needs a rule for the order
# of the two.

set -u
# shellcheck source=findings/packages.bash
. "$(dirname "$0")/packages.bash"
get libc6=2.36-9+deb12u14

cd "$tmp" || exit
cat >both.c <<'END'
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct shared {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
};

int main(void)
{
	struct shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t mattr;
	pthread_condattr_t cattr;
	struct timespec end;

	pthread_mutexattr_init(&mattr);
	pthread_mutexattr_setpshared(&mattr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&mattr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&s->mutex, &mattr);
	pthread_condattr_init(&cattr);
	pthread_condattr_setpshared(&cattr, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&s->cond, &cattr);

	pthread_mutex_lock(&s->mutex);
	if (!fork()) {
		/* Gets it while the other waits, and dies as its owner. */
		pthread_mutex_lock(&s->mutex);
		sleep(3);
		_exit(0);
	}
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 1;
	puts(strerrorname_np(pthread_cond_timedwait(&s->cond, &s->mutex, &end)));
	wait(NULL);
	puts(strerrorname_np(pthread_mutex_consistent(&s->mutex)));
	puts(strerrorname_np(pthread_cond_timedwait(&s->cond, &s->mutex, &end)));
	return 0;
}
END
gcc -w -pthread -o both both.c
mapfile -t saw < <(with_its_libc ./both)
expect "the time is over and the owner died" "${saw[0]-}" EOWNERDEAD
expect "pthread_mutex_consistent()" "${saw[1]-}" 0
expect "the same wait again" "${saw[2]-}" ETIMEDOUT
exit $changed
