// SPDX-License-Identifier: GPL-2.0-only
/* Run this several times at once: one at a time says hello. */
#include <gosync-user.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	gosync_mutex_t *lock;
	gosync_int64_t *visits;
	int64_t n = 0;
	int ret;

	ret = gosync_mutex_open("hello.lock", GOSYNC_CREATE, 0600, &lock);
	if (!ret)
		ret = gosync_int64_open("hello.visits", 1, GOSYNC_CREATE, 0600,
					&visits);
	if (ret) {
		fprintf(stderr, "hello: %s\n", gosync_strerror(0, ret));
		return 1;
	}

	if (gosync_mutex_lock(lock) == 1) {
		printf("%d: the one before me died in here\n", getpid());
		/* Put right what the lock protects, and then: */
		gosync_mutex_recover(lock);
	}
	gosync_int64_add(visits, 0, 1, &n);
	printf("%d: hello, this is visit %lld\n", getpid(), (long long)n);
	sleep(1);
	gosync_mutex_unlock(lock);
	return 0;
}
