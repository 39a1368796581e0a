/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of statistics and of tracepoints share: what an object says of
 * itself, children that wait, and one that starves.
 */
#ifndef GOSYNC_TEST_TRACE_H
#define GOSYNC_TEST_TRACE_H

#include "gosync_test.h"

#define TRACING		"/sys/kernel/tracing"

static inline struct gosync_stat stat_of(const void *object)
{
	struct gosync_stat stat;

	if (gosync_stat(object, &stat))
		memset(&stat, 0xff, sizeof(stat));
	return stat;
}

/* Until so many wait */
static inline bool come(const void *object, unsigned int n)
{
	return eventually(info(object).waiters == n);
}

static inline uint64_t sum(const struct gosync_stat *stat)
{
	uint64_t n = 0;
	int i;

	for (i = 0; i < GOSYNC_HISTOGRAM; i++)
		n += stat->histogram[i];
	return n;
}

/* The range of the histogram that this is in */
static inline unsigned int range_of(uint64_t ns)
{
	unsigned int i = 0;

	for (ns >>= GOSYNC_HISTOGRAM_SHIFT; ns && i < GOSYNC_HISTOGRAM - 1;
	     ns >>= 1)
		i++;
	return i;
}

/* The party of this process; zeros if there is none */
static inline struct gosync_party waiter_of(const void *object, pid_t pid)
{
	struct gosync_party parties[16];
	int i, n = gosync_waiters(object, parties, ARRAY_SIZE(parties));

	for (i = 0; i < n; i++)
		if (parties[i].pid == (uint32_t)pid)
			return parties[i];
	return (struct gosync_party) {};
}

struct search {
	uint32_t holder;
	struct gosync_party found;
};

static inline int look(const struct gosync_party *party, void *arg)
{
	struct search *search = arg;

	if (party->holder != search->holder)
		return 0;
	search->found = *party;
	return 1;
}

static inline struct gosync_party holder_of(const void *object, uint32_t holder)
{
	struct search search = { .holder = holder };

	gosync_holders(object, look, &search);
	return search.found;
}

static inline struct gosync_party myself(const void *object)
{
	return holder_of(object, info(object).holder);
}

/* --- what is done --------------------------------------------------------- */

static inline int lock_once(gosync_mutex_t *mutex)
{
	int ret = gosync_mutex_lock(mutex);

	return ret < 0 ? ret : gosync_mutex_unlock(mutex);
}

static inline int lock_in_time(gosync_mutex_t *mutex, uint64_t ns)
{
	int ret = gosync_mutex_lock_until(mutex, gosync_deadline(ns), 0);

	return ret < 0 ? ret : gosync_mutex_unlock(mutex);
}

static inline int write_once(gosync_rwmutex_t *rwmutex)
{
	int ret = gosync_rwmutex_lock(rwmutex);

	return ret < 0 ? ret : gosync_rwmutex_unlock(rwmutex);
}

static inline int read_once(gosync_rwmutex_t *rwmutex)
{
	int ret = gosync_rwmutex_rlock(rwmutex);

	return ret < 0 ? ret : gosync_rwmutex_runlock(rwmutex);
}

static inline int acquire_once(gosync_semaphore_t *semaphore, unsigned int n)
{
	return gosync_semaphore_acquire(semaphore, n) ?:
	       gosync_semaphore_release(semaphore, n);
}

static inline int wait_for_signal(gosync_cond_t *cond, gosync_mutex_t *mutex)
{
	return gosync_mutex_lock(mutex) ?: gosync_cond_wait(cond, mutex) ?:
	       gosync_mutex_unlock(mutex);
}

static inline int die_with(int ret)
{
	if (!ret)
		raise(SIGKILL);
	return ret;
}

/*
 * A child waits for the caller's lock, is woken, finds it taken again, and has
 * waited too long. The caller rules the processor.
 */
static inline pid_t starve(gosync_mutex_t *mutex)
{
	pid_t pid;

	if (gosync_mutex_lock(mutex))
		return -1;
	pid = CHILD(lock_once(mutex));
	come(mutex, 1);
	sleep_ns(2 * NSEC_PER_MSEC);
	if (gosync_mutex_unlock(mutex) || gosync_mutex_lock(mutex))
		return -1;
	MUST(eventually(waiter_of(mutex, pid).flags & GOSYNC_PARTY_STARVING));
	return pid;
}

static inline void pause_here(int sig)
{
	pause();
}

#endif /* GOSYNC_TEST_TRACE_H */
