/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Owners of a lock, and its waiters and readers, that are killed at any moment:
 * it excludes all the same, deaths are told of, and nobody is left hanging.
 */
#ifndef DEATH_STORM_H
#define DEATH_STORM_H

#include "kills.h"

/* What a lock is taken for; a Mutex has owners alone. */
enum role { OWNER, WRITER, READER };

enum { WORKERS = 6 };

struct storm {
	unsigned int stop;
	unsigned int wrong;
	unsigned int inside;		/* who is, 0: nobody; under the lock */
	unsigned int one, two;		/* equal when nobody is inside */
	uint64_t token;
	unsigned int written, read;
	unsigned int reports;
	unsigned int is_inside[WORKERS];	/* as an owner */
	unsigned int seen;		/* deaths of those */
	bool is_rw;
	void *locks[2];		/* handles: one is mapped, one is not */
};

static inline int take_as(void *lock, enum role role)
{
	return role == OWNER ? gosync_mutex_lock(lock) :
	       role == WRITER ? gosync_rwmutex_lock(lock) :
				gosync_rwmutex_rlock(lock);
}

static inline int try_as(void *lock, enum role role)
{
	return role == OWNER ? gosync_mutex_trylock(lock) :
	       role == WRITER ? gosync_rwmutex_trylock(lock) :
				gosync_rwmutex_tryrlock(lock);
}

static inline int take_as_until(void *lock, enum role role,
				uint64_t deadline)
{
	return role == OWNER ? gosync_mutex_lock_until(lock, deadline, 0) :
	       role == WRITER ? gosync_rwmutex_lock_until(lock, deadline, 0) :
				gosync_rwmutex_rlock_until(lock, deadline, 0);
}

static inline int drop_as(void *lock, enum role role)
{
	return role == OWNER ? gosync_mutex_unlock(lock) :
	       role == WRITER ? gosync_rwmutex_unlock(lock) :
				gosync_rwmutex_runlock(lock);
}

static inline void own(struct storm *storm, void *lock, unsigned int me,
		       bool died, uint32_t r)
{
	uint64_t token;

	store(&storm->is_inside[me], 1);
	if (died) {
		/* Put right what the dead one left. */
		add(&storm->reports, 1);
		store(&storm->inside, 0);
		store(&storm->two, load(&storm->one));
		if (storm->is_rw ? gosync_rwmutex_recover(lock) :
				   gosync_mutex_recover(lock))
			add(&storm->wrong, 1);
	}
	if (load(&storm->inside) || load(&storm->one) != load(&storm->two))
		add(&storm->wrong, 1);
	store(&storm->inside, me + 1);
	if (storm->is_rw)
		gosync_rwmutex_token(lock, &token);
	else
		gosync_mutex_token(lock, &token);
	if (token <= load(&storm->token))
		add(&storm->wrong, 1);
	store(&storm->token, token);
	add(&storm->one, 1);
	/* Long enough for starvation, now and then */
	if (r % 32 == 5)
		sleep_ns(r % (3 * NSEC_PER_MSEC));
	add(&storm->two, 1);
	add(&storm->written, 1);
	if (load(&storm->inside) != me + 1)
		add(&storm->wrong, 1);
	store(&storm->inside, 0);
	store(&storm->is_inside[me], 0);
}

/* While it stays, no writer may come; after a death things may be spoilt. */
static inline void stay_as_reader(struct storm *storm, bool died, uint32_t r)
{
	unsigned int one = load(&storm->one);

	if (!died && (load(&storm->inside) || one != load(&storm->two)))
		add(&storm->wrong, 1);
	if (r % 32 == 5)
		sleep_ns(r % (2 * NSEC_PER_MSEC));
	else if (r % 8 == 1)
		sched_yield();
	if (load(&storm->one) != one)
		add(&storm->wrong, 1);
	add(&storm->read, 1);
}

/* Every other worker in the other way, so that the two meet */
static inline void work_in_storm(void *arg, unsigned int me)
{
	struct storm *storm = arg;
	void *lock = storm->locks[me % 3 == 0];
	uint64_t seed = random_seed() + me;

	do {
		uint64_t soon = gosync_deadline(random_u32(&seed) %
						(3 * NSEC_PER_MSEC));
		uint32_t r = random_u32(&seed);
		enum role role = !storm->is_rw ? OWNER :
				 r >> 16 & 1 ? READER : WRITER;
		int ret = r % 8 == 0 ? take_as_until(lock, role, soon) :
			  r % 8 == 1 ? try_as(lock, role) : take_as(lock, role);

		if (ret == -ETIMEDOUT || ret == -EBUSY)
			continue;
		MUST(ret >= 0);
		if (role == READER)
			stay_as_reader(storm, ret, r);
		else
			own(storm, lock, me, ret, r);
		if (drop_as(lock, role))
			add(&storm->wrong, 1);
	} while (!load(&storm->stop));
}

static inline void note_death(void *arg, unsigned int me)
{
	struct storm *storm = arg;

	storm->seen += load(&storm->is_inside[me]);
	store(&storm->is_inside[me], 0);
}

static inline void run_death_storm(struct __test_metadata *_metadata, bool is_rw,
				   void *lock, void *other)
{
	struct storm *storm = shared_memory(sizeof(*storm));
	pid_t pids[WORKERS];
	unsigned int kills;
	int ret;

	storm->is_rw = is_rw;
	storm->locks[0] = lock;
	storm->locks[1] = other;
	kills = kill_at_random(pids, WORKERS, work_in_storm, note_death,
			       &storm->written, storm);
	store(&storm->stop, 1);
	EXPECT_EQ(0, reap_all(pids, WORKERS));
	TH_LOG("%u owned, %u read, %u kills, %u deaths (%u seen), %u reports",
	       storm->written, storm->read, kills, info(lock).deaths,
	       storm->seen, storm->reports);
	EXPECT_EQ(0, storm->wrong);
	/* A death outside of what we see of the inside is one nevertheless. */
	EXPECT_LE(storm->seen, info(lock).deaths);
	EXPECT_LE(info(lock).deaths, kills);
	/* No report without a death */
	EXPECT_LE(storm->reports, info(lock).deaths);
	EXPECT_EQ(0, info(lock).waiters);
	EXPECT_EQ(0, info(lock).word & ~GOSYNC_MUTEX_POISONED);
	EXPECT_EQ(0, info(lock).readers);
	ret = try_as(lock, is_rw ? WRITER : OWNER);
	EXPECT_TRUE(ret == 0 || ret == 1);
	if (storm->inside || storm->one != storm->two)
		EXPECT_EQ(1, ret);
}

#endif /* DEATH_STORM_H */
