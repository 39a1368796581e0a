// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What bench.rs measures itself against: the pairs of the C library, inline and
 * called. The loops are those of bench.rs.
 */
#include <gosync-user.h>

int bench_mutex(gosync_mutex_t *h, unsigned int n)
{
	int failed = 0;

	for (; n; n--) {
		failed |= gosync_mutex_lock(h);
		failed |= gosync_mutex_unlock(h);
	}
	return failed;
}

int bench_semaphore(gosync_semaphore_t *h, unsigned int n)
{
	int failed = 0;

	for (; n; n--) {
		failed |= gosync_semaphore_acquire(h, 1);
		failed |= gosync_semaphore_release(h, 1);
	}
	return failed;
}

int bench_read(gosync_rwmutex_t *h, unsigned int n)
{
	int failed = 0;

	for (; n; n--) {
		failed |= gosync_rwmutex_rlock(h);
		failed |= gosync_rwmutex_runlock(h);
	}
	return failed;
}

int bench_write(gosync_rwmutex_t *h, unsigned int n)
{
	int failed = 0;

	for (; n; n--) {
		failed |= gosync_rwmutex_lock(h);
		failed |= gosync_rwmutex_unlock(h);
	}
	return failed;
}

int bench_waitgroup(gosync_waitgroup_t *h, unsigned int n)
{
	int failed = 0;

	for (; n; n--) {
		failed |= gosync_waitgroup_add(h, 1);
		failed |= gosync_waitgroup_done(h);
	}
	return failed;
}

int bench_add(gosync_int64_t *h, unsigned int n)
{
	int failed = 0;

	for (; n; n--)
		failed |= gosync_int64_add(h, 0, 1, NULL);
	return failed;
}

/* By their addresses, as a language would that has no inline functions of C's */
int (*volatile bench_lock)(gosync_mutex_t *mutex) = gosync_mutex_lock;
int (*volatile bench_unlock)(gosync_mutex_t *mutex) = gosync_mutex_unlock;

int bench_called(gosync_mutex_t *h, unsigned int n)
{
	int (*lock)(gosync_mutex_t *mutex) = bench_lock;
	int (*unlock)(gosync_mutex_t *mutex) = bench_unlock;
	int failed = 0;

	for (; n; n--) {
		failed |= lock(h);
		failed |= unlock(h);
	}
	return failed;
}
