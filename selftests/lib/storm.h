/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Many workers that use some locks in whatever way, live on or are killed, and
 * see to it that they exclude each other.
 */
#ifndef STORM_H
#define STORM_H

#include "wait_many.h"

enum { LOCKS_MOST = 4, WORKERS = 6 };

struct storm {
	unsigned int stop, wrong, vain, granted;
	unsigned int locks;
	int fds[LOCKS_MOST];
	struct guarded guarded[LOCKS_MOST];
	unsigned int entered[WORKERS];
	/* What worker @me does until it is to stop; it does not return. */
	void (*work)(struct storm *storm, unsigned int how, unsigned int me);
};

/* The third is an RWMutex. */
#define IS_RW(lock)	((lock) == 2)

static inline int handle_lock(void *handle, bool is_rw)
{
	return is_rw ? gosync_rwmutex_lock(handle) : gosync_mutex_lock(handle);
}

static inline int handle_unlock(void *handle, bool is_rw)
{
	return is_rw ? gosync_rwmutex_unlock(handle) :
		       gosync_mutex_unlock(handle);
}

static inline int handle_recover(void *handle, bool is_rw)
{
	return is_rw ? gosync_rwmutex_recover(handle) :
		       gosync_mutex_recover(handle);
}

/* In a child: a holder of each of its own */
static inline void open_locks(const struct storm *storm, unsigned int how,
			      void **handles)
{
	unsigned int i;

	for (i = 0; i < storm->locks; i++) {
		int fd = reopen_object(storm->fds[i], 0);

		MUST(!(IS_RW(i) ?
		       gosync_rwmutex_from_fd(fd, how, (void *)&handles[i]) :
		       gosync_mutex_from_fd(fd, how, (void *)&handles[i])));
	}
}

/* Stay inside; long enough for starvation, now and then */
static inline void stay_inside(uint32_t r)
{
	if (r % 32 == 5)
		sleep_ns(r % (3 * NSEC_PER_MSEC));
	else if (r % 8 == 2)
		spin_ns(r % (20 * NSEC_PER_USEC));
}

/* Holds the lock for that long, without a pause; it has had it by now. */
static inline pid_t spawn_hog(int fd, unsigned int how, uint64_t ns,
			      unsigned int *turns)
{
	unsigned int before = load(turns);
	gosync_mutex_t *mutex;
	pid_t pid = spawn();

	if (!pid) {
		mutex = ANOTHER(gosync_mutex, fd, how);
		for (;;) {
			/* Another one may have been killed with it. */
			MUST(gosync_mutex_lock(mutex) >= 0);
			add(turns, 1);
			spin_ns(ns);
			MUST(!gosync_mutex_unlock(mutex));
		}
	}
	MUST(eventually(load(turns) != before));
	return pid;
}

static inline pid_t spawn_worker(struct storm *storm, unsigned int how,
				 unsigned int me)
{
	pid_t pid = spawn();

	if (!pid)
		storm->work(storm, how, me);
	return pid;
}

/*
 * Go on until the test's time is over: some work with mapped state and one
 * without, or the other way round. If @kills, they are killed all the time and
 * others take their places. In the end each goes on; then all stop, nothing is
 * held, nobody waits, and each lock can be had. Return: how many were killed
 */
static inline unsigned int run_storm(struct __test_metadata *_metadata,
				     struct storm *storm, unsigned int locks,
				     void (*work)(struct storm *storm,
						  unsigned int how,
						  unsigned int me),
				     unsigned int how, bool kills)
{
	uint64_t end = end_of_budget(), seed = random_seed();
	unsigned int killed = 0, i;
	pid_t pids[WORKERS];

	storm->locks = locks;
	storm->work = work;
	for (i = 0; i < locks; i++)
		storm->fds[i] = new_object(IS_RW(i) ? GOSYNC_RWMUTEX : GOSYNC_MUTEX);
	for (i = 0; i < WORKERS; i++)
		pids[i] = spawn_worker(storm, i || kills ? how :
				       how ^ GOSYNC_IOCTL_ONLY, i);
	do {
		sleep_ns(random_u32(&seed) % (2 * NSEC_PER_MSEC));
		if (!kills)
			continue;
		i = random_u32(&seed) % WORKERS;
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(pids[i]));
		killed++;
		pids[i] = spawn_worker(storm, how, i);
	} while (budget_left(end));
	for (i = 0; i < WORKERS; i++) {
		unsigned int before = load(&storm->entered[i]);

		EXPECT_TRUE(eventually(load(&storm->entered[i]) != before))
			TH_LOG("%u is stuck", i);
	}
	store(&storm->stop, 1);
	EXPECT_EQ(0, reap_all(pids, WORKERS));
	EXPECT_EQ(0, storm->wrong);
	for (i = 0; i < storm->locks; i++) {
		struct gosync_info info = info_of(storm->fds[i]);
		int ret = call(storm->fds[i], IS_RW(i) ?
			       GOSYNC_IOC_RWMUTEX_TRYLOCK :
			       GOSYNC_IOC_MUTEX_TRYLOCK, NULL);

		EXPECT_EQ(0, info.word & ~(kills ? GOSYNC_MUTEX_POISONED : 0));
		EXPECT_EQ(0, info.readers);
		EXPECT_TRUE(is_accounted(storm->fds[i]));
		EXPECT_TRUE(ret == 0 || (ret == 1 && kills));
		EXPECT_LE(storm->guarded[i].reports, info.deaths);
		if (!kills)
			EXPECT_EQ(0, info.deaths);
		TH_LOG("lock %u: entered %u times", i, storm->guarded[i].entered);
	}
	TH_LOG("%u times granted, %u in vain; %u killed", storm->granted,
	       storm->vain, killed);
	return killed;
}

#endif /* STORM_H */
