// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting for any of several things while owners and waiters die, signals come
 * and many get free at once: no grant is lost, and none is made twice.
 */
#include "storm.h"

SOME_OBJECTS(any);

/* --- deaths -------------------------------------------------------------- */

TEST_F(any, the_result_tells_that_an_owner_has_died)
{
	static const struct {
		uint32_t type;
		unsigned int locks, waits, unlocks;
	} rows[] = {
		{ GOSYNC_MUTEX, GOSYNC_IOC_MUTEX_LOCK,
		  GOSYNC_IOC_MUTEX_LOCK, GOSYNC_IOC_MUTEX_UNLOCK },
		{ GOSYNC_RWMUTEX, GOSYNC_IOC_RWMUTEX_LOCK,
		  GOSYNC_IOC_RWMUTEX_LOCK, GOSYNC_IOC_RWMUTEX_UNLOCK },
		{ GOSYNC_RWMUTEX, GOSYNC_IOC_RWMUTEX_LOCK,
		  GOSYNC_IOC_RWMUTEX_RLOCK, GOSYNC_IOC_RWMUTEX_RUNLOCK },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		int fd = new_object(rows[i].type);
		struct gosync_wait_entry entries[] = {
			entry_of_permits(self->semaphore, 1),
			entry(fd, rows[i].waits, 0),
		};
		pid_t owner = spawn_owner(fd, rows[i].locks), waiter;

		waiter = spawn();
		if (!waiter) {
			entries[1].fd = reopen_object(fd, 0);
			MUST(wait_any(entries, 2) == 1);
			MUST(entries[0].result == UNTOUCHED);
			MUST(entries[1].result == 1);
			MUST(!call(entries[1].fd, rows[i].unlocks, NULL));
			_exit(0);
		}
		ASSERT_TRUE(eventually(info_of(fd).waiters == 1));
		kill_and_reap(owner);
		EXPECT_EQ(0, reap_soon(waiter));
		EXPECT_EQ(1, info_of(fd).deaths);
		/* And to who need not wait */
		EXPECT_EQ(1, wait_any(entries, 2));
		EXPECT_EQ(1, entries[1].result);
		EXPECT_EQ(0, call(fd, rows[i].unlocks, NULL));
		EXPECT_EQ(0, info_of(self->semaphore).waiters);
	}
}

/*
 * With a processor to itself, the caller can let go and do something to whom it
 * woke before that one runs: it was granted then, whatever comes.
 */
TEST_F(any, who_is_killed_when_granted_passes_it_on)
{
	struct thing things[] = {
		thing_of(self->mutex, MUTEX, variant->how),
		new_thing(WRITE, variant->how),
		new_thing(READ, variant->how),
		thing_of(self->semaphore, PERMITS, variant->how),
	};
	unsigned int i, j;

	if (rule_one_cpu())
		SKIP(return, "cannot have a processor");
	for (i = 0; i < ARRAY_SIZE(things); i++) {
		struct thing *thing = &things[i];
		pid_t pids[2];

		ASSERT_EQ(0, keep(thing));
		for (j = 0; j < 2; j++) {
			pids[j] = spawn();
			if (!pids[j]) {
				struct thing own = own_thing(thing);
				struct gosync_wait_entry entries[] = {
					entry_of_mutex(new_object(GOSYNC_MUTEX)),
					entry_for(&own),
				};

				/* That one is ours. */
				lock_fd(entries[0].fd);
				MUST(wait_any(entries, 2) == 1);
				MUST(is_granted(&own, &entries[1]));
				MUST(!give_back(&own));
				_exit(0);
			}
			ASSERT_TRUE(eventually(waiters_of(thing) == j + 1));
		}
		EXPECT_EQ(0, let_go(thing));
		EXPECT_EQ(thing->kind == READ ? 0 : 1, waiters_of(thing));
		kill(pids[0], SIGKILL);
		EXPECT_EQ(128 + SIGKILL, reap_soon(pids[0]));
		EXPECT_EQ(0, reap_soon(pids[1]));
		EXPECT_EQ(0, info_of(thing->fd).word);
		EXPECT_EQ(0, info_of(thing->fd).deaths);
		EXPECT_EQ(0, info_of(thing->fd).readers);
		EXPECT_TRUE(is_accounted(thing->fd));
	}
}

TEST_F(any, a_grant_beats_the_deadline_and_a_signal)
{
	static const enum kind of[] = { MUTEX, PERMITS, WAITGROUP, VALUE };
	unsigned int i, tries = 0;

	if (rule_one_cpu())
		SKIP(return, "cannot have a processor");
	handle(count_signal, 0);
	for (i = 0; i < ARRAY_SIZE(of); i++) {
		struct thing thing = new_thing(of[i], variant->how);
		uint64_t deadline;
		pid_t pid;

		ASSERT_EQ(0, keep(&thing));
		deadline = gosync_deadline((tries + 1) * 100 * NSEC_PER_MSEC);
		pid = spawn();
		if (!pid) {
			struct gosync_wait_entry entries[] = {
				entry_of_permits(new_object(GOSYNC_SEMAPHORE), 1),
				entry_for(&thing),
			};

			MUST(wait_many(entries, 2, 0, deadline) == 1);
			MUST(is_granted(&thing, &entries[1]));
			_exit(0);
		}
		eventually(waiters_of(&thing) || gosync_deadline(0) > deadline);
		EXPECT_EQ(0, let_go(&thing));
		if (gosync_deadline(0) > deadline) {
			/* The machine was too slow for it. */
			kill_and_reap(pid);
			ASSERT_GT(20, ++tries);
			i--;
			continue;
		}
		kill(pid, SIGUSR1);
		while (gosync_deadline(0) <= deadline)
			;
		EXPECT_EQ(0, reap_soon(pid));
	}
}

/* --- signals ------------------------------------------------------------- */

/* With SA_RESTART the kernel goes on by itself, without we do. */
TEST_F(any, a_waitgroup_that_became_0_during_a_handler_is_not_missed)
{
	struct thing wg = new_thing(WAITGROUP, variant->how);
	int flags, more;
	pid_t pid;

	handler_stage = self->shared;
	for (flags = 0; flags != 2 * SA_RESTART; flags += SA_RESTART) {
		EXPECT_EQ(0, keep(&wg));
		store(handler_stage, 0);
		pid = spawn();
		if (!pid) {
			struct gosync_wait_entry entries[] = {
				entry_of_permits(self->semaphore, 1),
				entry_for(&wg),
			};
			int ret;

			handle(stay_in_handler, flags);
			ret = wait_any(entries, 2);
			if (!flags) {
				MUST(ret == -EINTR);
				ret = wait_any(entries, 2);
			}
			MUST(ret == 1);
			MUST(!entries[1].result);
			_exit(0);
		}
		ASSERT_TRUE(eventually(waiters_of(&wg) == 1));
		kill(pid, SIGUSR1);
		ASSERT_TRUE(eventually(load(handler_stage) == 1));
		for (more = 0; more < 3; more++) {
			EXPECT_EQ(0, let_go(&wg));
			EXPECT_EQ(0, keep(&wg));
		}
		store(handler_stage, 2);
		EXPECT_EQ(0, reap_soon(pid))
			TH_LOG("flags %x", flags);
		EXPECT_EQ(0, let_go(&wg));
		EXPECT_EQ(0, info_of(wg.fd).word);
		EXPECT_EQ(0, info_of(self->semaphore).word);
	}
}

/* Nobody waits for who is in a handler: what it left others have meanwhile. */
TEST_F(any, who_is_in_a_handler_holds_up_nobody)
{
	struct thing mutex = thing_of(self->mutex, MUTEX, variant->how);
	struct thing permits = thing_of(self->semaphore, PERMITS, variant->how);
	pid_t pid;

	handler_stage = self->shared;
	EXPECT_EQ(0, keep(&mutex));
	pid = spawn();
	if (!pid) {
		struct gosync_wait_entry entries[] = {
			entry_for(&mutex), entry_for(&permits),
		};

		handle(stay_in_handler, SA_RESTART);
		wait_any(entries, 2);
		_exit(0);
	}
	ASSERT_TRUE(eventually(waiters_of(&mutex) == 1));
	kill(pid, SIGUSR1);
	ASSERT_TRUE(eventually(load(handler_stage) == 1));
	EXPECT_EQ(0, let_go(&mutex));
	EXPECT_EQ(0, let_go(&permits));
	EXPECT_EQ(0, keep(&mutex));
	EXPECT_EQ(0, let_go(&mutex));
	EXPECT_EQ(0, gosync_semaphore_tryacquire(permits.other, PERMITS_LET_GO));
	EXPECT_EQ(0, info_of(self->mutex).word);
	EXPECT_EQ(0, info_of(self->semaphore).word);
	kill_and_reap(pid);
}

/* --- grants are neither lost nor made ------------------------------------ */

/*
 * The first and the last of several things that are had by nobody yet, with
 * those between them that nobody ever gets. The more there are, the longer it
 * takes from looking at the first to looking at the last.
 */
static unsigned int put_between(struct gosync_wait_entry *entries,
				struct gosync_wait_entry first,
				struct gosync_wait_entry last, uint32_t r)
{
	unsigned int between = r % 4 ? r / 4 % (GOSYNC_WAIT_MAX - 1) : 0, i;
	static int never = -1;

	if (never < 0)
		never = new_object(GOSYNC_SEMAPHORE);
	entries[0] = first;
	for (i = 1; i <= between; i++)
		entries[i] = entry_of_permits(never, 1);
	entries[i] = last;
	return i;
}

struct rounds {
	unsigned int round, done, stop;
};

/*
 * One of two, that let go of theirs when a round begins. In half of the rounds one
 * of them lets go of both, the first entry first: by then it may have a waiter,
 * and the last not yet.
 */
static void let_go_in_rounds(struct rounds *rounds, unsigned int me,
			     const struct thing things[2])
{
	unsigned int mine = 0;

	for (;;) {
		while (load(&rounds->round) == mine) {
			if (load(&rounds->stop))
				_exit(0);
			sched_yield();
		}
		mine++;
		/* Now and then when it waits already, or sleeps */
		if (mine % 4 == 2 + me)
			spin_ns(mine % 64 * NSEC_PER_USEC);
		if (mine % 8 < 4) {
			MUST(!let_go(&things[me]));
		} else if (!me) {
			spin_ns(mine % 256 * NSEC_PER_USEC);
			MUST(!let_go(&things[(mine - 1) % 2]));
			MUST(!let_go(&things[mine % 2]));
		}
		add(&rounds->done, 1);
	}
}

/*
 * Two things of this kind get free at the same moment: one is granted, and the
 * other is still to be had.
 */
static void one_of_two_is_granted(struct __test_metadata *_metadata,
				  FIXTURE_DATA(any) *self, enum kind kind,
				  unsigned int how)
{
	struct rounds *shared = (void *)self->shared;
	struct thing things[2] = { new_thing(kind, how), new_thing(kind, how) };
	unsigned int i, round = 0, got[2] = {};
	uint64_t end = end_of_budget(), seed = random_seed();
	pid_t pids[2];

	for (i = 0; i < 2; i++) {
		pids[i] = spawn();
		if (!pids[i])
			let_go_in_rounds(shared, i, things);
	}
	do {
		struct gosync_wait_entry entries[GOSYNC_WAIT_MAX];
		const struct thing *first = &things[round % 2];
		const struct thing *second = &things[!(round % 2)];
		int last, ret;

		ASSERT_EQ(0, keep(first));
		ASSERT_EQ(0, keep(second));
		last = put_between(entries, entry_for(first), entry_for(second),
				   random_u32(&seed));
		store(&shared->round, ++round);
		ret = wait_any(entries, last + 1);
		ASSERT_TRUE(ret == 0 || ret == last);
		ASSERT_EQ(UNTOUCHED, entries[last - ret].result);
		ASSERT_TRUE(eventually(load(&shared->done) == 2 * round));
		ASSERT_TRUE(is_granted(ret ? second : first, &entries[ret]));
		got[!!ret]++;
		/* And the other one is to be had. */
		ASSERT_EQ(last - ret, wait_any(entries, last + 1));
		ASSERT_TRUE(is_granted(ret ? first : second,
				       &entries[last - ret]));
		for (i = 0; i < 2; i++) {
			ASSERT_EQ(0, give_back(&things[i]));
			ASSERT_EQ(0, info_of(things[i].fd).word);
		}
	} while (budget_left(end));
	store(&shared->stop, 1);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, reap_soon(pids[i]));
		EXPECT_TRUE(is_accounted(things[i].fd));
	}
	TH_LOG("%u rounds: the first %u times, the second %u", round, got[0],
	       got[1]);
}

TEST_F(any, of_two_released_at_the_same_moment_one_is_granted)
{
	one_of_two_is_granted(_metadata, self, PERMITS, variant->how);
}

TEST_F(any, of_two_unlocked_at_the_same_moment_one_is_granted)
{
	one_of_two_is_granted(_metadata, self, MUTEX, variant->how);
}

/*
 * Permits put into some semaphores while some wait for any of them, with short
 * deadlines and signals: as many are had as were released.
 */
TEST_F(any, each_permit_is_had_once)
{
	enum { N = 4, SEMAPHORES = 3 };
	struct {
		unsigned int had, left, wrong, stop;
	} *shared = (void *)self->shared;
	uint64_t end = end_of_budget(), seed = random_seed();
	gosync_semaphore_t *semaphores[SEMAPHORES];
	int fds[SEMAPHORES], i, j;
	unsigned int released = 0;
	pid_t pids[N];

	for (i = 0; i < SEMAPHORES; i++) {
		fds[i] = i ? new_object(GOSYNC_SEMAPHORE) : self->semaphore;
		ASSERT_EQ(0, gosync_semaphore_from_fd(reopen_object(fds[i], 0),
						      variant->how,
						      &semaphores[i]));
	}
	for (i = 0; i < N; i++) {
		struct gosync_wait_entry entries[SEMAPHORES];

		seed += i;
		handle(count_signal, i % 2 ? SA_RESTART : 0);
		pids[i] = spawn();
		if (pids[i])
			continue;
		do {
			uint32_t r = random_u32(&seed);
			int ret;

			for (j = 0; j < SEMAPHORES; j++)
				entries[j] = entry_of_permits(fds[(r + j) %
							      SEMAPHORES], 1);
			ret = wait_many(entries, SEMAPHORES, 0,
					gosync_deadline(r / 8 % NSEC_PER_MSEC));
			if (ret >= 0 && !entries[ret].result)
				add(&shared->had, 1);
			else if (ret == -ETIMEDOUT || ret == -EINTR)
				add(&shared->left, 1);
			else
				add(&shared->wrong, 1);
		} while (!load(&shared->stop));
		_exit(0);
	}
	do {
		uint32_t r = random_u32(&seed);

		ASSERT_EQ(0, gosync_semaphore_release(semaphores[r % SEMAPHORES],
						      1 + r / 8 % 3));
		released += 1 + r / 8 % 3;
		if (r % 4 == 1)
			kill(pids[r / 64 % N], SIGUSR1);
		if (r % 4 == 2)
			sleep_ns(r / 64 % NSEC_PER_MSEC);
	} while (budget_left(end));
	EXPECT_TRUE(eventually(load(&shared->had) == released));
	store(&shared->stop, 1);
	EXPECT_EQ(0, reap_all(pids, N));
	TH_LOG("%u released, %u had, %u times in vain", released, shared->had,
	       shared->left);
	EXPECT_EQ(0, shared->wrong);
	EXPECT_EQ(released, shared->had);
	for (i = 0; i < SEMAPHORES; i++) {
		EXPECT_EQ(0, info_of(fds[i]).word);
		EXPECT_TRUE(is_accounted(fds[i]));
	}
}

/* --- many at once -------------------------------------------------------- */

#define LOCKS	3

/* Between lock and unlock */
static void inside(struct storm *storm, unsigned int lock, unsigned int me,
		   bool died, uint32_t r)
{
	if (!enter(&storm->guarded[lock], me + 1, died))
		add(&storm->wrong, 1);
	stay_inside(r);
	if (!leave(&storm->guarded[lock], me + 1))
		add(&storm->wrong, 1);
	add(&storm->entered[me], 1);
}

/* Two Mutexes and an RWMutex: one of them at a time, by whatever way */
static void work(struct storm *storm, unsigned int how, unsigned int me)
{
	uint64_t seed = random_seed() + me;
	void *handles[LOCKS];
	unsigned int i;

	open_locks(storm, how, handles);
	do {
		struct gosync_wait_entry entries[LOCKS];
		uint32_t r = random_u32(&seed);
		unsigned int lock = r % LOCKS;
		uint64_t deadline = 0;
		bool is_rw, died;
		int ret;

		if (me % 3 == 2) {
			/* One of those who want this lock */
			ret = handle_lock(handles[lock], IS_RW(lock));
			if (ret < 0)
				add(&storm->wrong, 1);
			died = ret == 1;
		} else {
			for (i = 0; i < LOCKS; i++)
				entries[i] = entry(gosync_fd(handles[(r + i) %
								     LOCKS]),
						   IS_RW((r + i) % LOCKS) ?
						   GOSYNC_IOC_RWMUTEX_LOCK :
						   GOSYNC_IOC_MUTEX_LOCK, 0);
			if (r / 4 % 4 == 0)
				deadline = gosync_deadline(r / 16 %
							   NSEC_PER_MSEC);
			ret = wait_many(entries, 1 + r / 1024 % LOCKS, 0,
					deadline);
			if (ret == -ETIMEDOUT) {
				add(&storm->vain, 1);
				continue;
			}
			if (ret < 0) {
				add(&storm->wrong, 1);
				continue;
			}
			add(&storm->granted, 1);
			lock = (r + ret) % LOCKS;
			died = entries[ret].result == 1;
		}
		is_rw = IS_RW(lock);
		inside(storm, lock, me, died, random_u32(&seed));
		if (died && handle_recover(handles[lock], is_rw))
			add(&storm->wrong, 1);
		if (handle_unlock(handles[lock], is_rw))
			add(&storm->wrong, 1);
	} while (!load(&storm->stop));
	_exit(0);
}

/* Whoever waits for any of some locks has one of them alone. */
TEST_F(any, excludes_many)
{
	run_storm(_metadata, (void *)self->shared, LOCKS, work, variant->how,
		  false);
}

TEST_F(any, death_at_any_moment_leaves_nobody_hanging)
{
	struct storm *storm = (void *)self->shared;
	unsigned int kills, deaths = 0, i;

	kills = run_storm(_metadata, storm, LOCKS, work, variant->how, true);
	for (i = 0; i < LOCKS; i++)
		deaths += info_of(storm->fds[i]).deaths;
	/* Nobody held more than one. */
	EXPECT_LE(deaths, kills);
}

/*
 * Who waits while being killed takes nothing with it: permits that are given
 * back by no one are all there in the end.
 */
TEST_F(any, who_is_killed_while_waiting_takes_no_permits)
{
	enum { N = 4 };
	int fds[2], i;
	uint64_t end = end_of_budget(), seed = random_seed();
	unsigned int *had = self->shared, kills = 0;
	pid_t pids[N] = {};

	for (i = 0; i < 2; i++)
		fds[i] = open_bytes(GOSYNC_SEMAPHORE, NULL, 0, GOSYNC_CREATE |
				    GOSYNC_GIVE_BACK, 0600, 1);
	do {
		uint32_t r = random_u32(&seed);

		i = r % N;
		if (!spawn_again(&pids[i], &kills)) {
			struct gosync_wait_entry entries[2];

			for (i = 0; i < 2; i++)
				entries[i] = entry_of_permits(reopen_object(fds[i],
									    0),
							      1);
			for (;;) {
				i = wait_any(entries, 2);
				MUST(i >= 0);
				add(had, 1);
				MUST(!release_fd(entries[i].fd, 1));
			}
		}
		if (r % 4 == 0)
			sleep_ns(r / 64 % NSEC_PER_MSEC);
	} while (budget_left(end) || !load(had) || kills < N);
	for (i = 0; i < N; i++)
		if (pids[i])
			kill_and_reap(pids[i]);
	TH_LOG("%u kills, %u times had", kills, *had);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(1, info_of(fds[i]).word);
		EXPECT_TRUE(is_accounted(fds[i]));
	}
}

/* Two locks are each held 100 us at a time without pause. */
TEST_F(any, nobody_starves_beside_hogs)
{
	struct gosync_wait_entry entries[] = {
		entry_of_mutex(self->mutex), entry_of_mutex(new_object(GOSYNC_MUTEX)),
	};
	uint64_t end = end_of_budget();
	unsigned int had[2] = {}, i;
	pid_t hogs[2];

	for (i = 0; i < 2; i++)
		hogs[i] = spawn_hog(entries[i].fd, variant->how,
				    100 * NSEC_PER_USEC, &self->shared[i]);
	do {
		int ret = wait_any(entries, 2);

		ASSERT_TRUE(ret == 0 || ret == 1);
		had[ret]++;
		ASSERT_EQ(0, unlock_fd(entries[ret].fd));
		sleep_ns(100 * NSEC_PER_USEC);
	} while (budget_left(end) || had[0] + had[1] < 30);
	TH_LOG("%u and %u times, the hogs %u and %u", had[0], had[1],
	       load(&self->shared[0]), load(&self->shared[1]));
	EXPECT_EQ(128 + SIGKILL, kill_all(hogs, 2));
}

TEST_HARNESS_MAIN
