// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many waits for all of several things at once: nobody deadlocks in whatever
 * order they are named, and nobody starves.
 */
#include "storm.h"

/* Nobody waits longer for what others keep letting go. */
#define STARVED_NS	(60 * NSEC_PER_SEC)

SOME_OBJECTS(all);

/* --- many at once -------------------------------------------------------- */

#define LOCKS	4

static bool come_in(struct storm *storm, unsigned int lock, unsigned int me,
		    bool reads, bool died)
{
	if (reads)
		return died || !load(&storm->guarded[lock].inside);
	return enter(&storm->guarded[lock], me + 1, died);
}

static bool go_out(struct storm *storm, void *handle, unsigned int lock,
		   unsigned int me, bool reads, bool died)
{
	bool good;

	if (reads) {
		good = died || !load(&storm->guarded[lock].inside);
		return !gosync_rwmutex_runlock(handle) && good;
	}
	good = leave(&storm->guarded[lock], me + 1);
	good &= !died || !handle_recover(handle, IS_RW(lock));
	return !handle_unlock(handle, IS_RW(lock)) && good;
}

/* Some of the locks, in any order, all at once; or by one locking in order */
static void work(struct storm *storm, unsigned int how, unsigned int me)
{
	uint64_t seed = random_seed() + me;
	void *handles[LOCKS];
	unsigned int i;

	open_locks(storm, how, handles);
	do {
		struct gosync_wait_entry entries[LOCKS];
		unsigned int order[LOCKS], count = 0;
		bool reads = false, died[LOCKS];
		uint32_t r = random_u32(&seed);
		int ret = 0;

		if (me % 3 == 2) {
			/* Two, the lower one first */
			for (i = 0; i < LOCKS; i++)
				if (i == r % LOCKS || i == r / 8 % LOCKS)
					order[count++] = i;
			for (i = 0; i < count; i++) {
				ret = handle_lock(handles[order[i]],
						  IS_RW(order[i]));
				if (ret < 0)
					add(&storm->wrong, 1);
				died[i] = ret == 1;
			}
		} else {
			count = 2 + r % (LOCKS - 1);
			reads = r & 64;
			for (i = 0; i < LOCKS; i++) {
				unsigned int other = random_u32(&seed) % (i + 1);

				order[i] = order[other];
				order[other] = i;
			}
			for (i = 0; i < count; i++)
				entries[i] = entry(gosync_fd(handles[order[i]]),
						   !IS_RW(order[i]) ?
						   GOSYNC_IOC_MUTEX_LOCK :
						   reads ?
						   GOSYNC_IOC_RWMUTEX_RLOCK :
						   GOSYNC_IOC_RWMUTEX_LOCK, 0);
			ret = wait_all_until(entries, count, r & 128 ? 0 :
					     gosync_deadline(r / 256 % (4 *
							     NSEC_PER_MSEC)));
			if (ret == -ETIMEDOUT) {
				add(&storm->vain, 1);
				continue;
			}
			if (ret) {
				add(&storm->wrong, 1);
				continue;
			}
			add(&storm->granted, 1);
			for (i = 0; i < count; i++)
				died[i] = entries[i].result == 1;
		}
		for (i = 0; i < count; i++)
			if (!come_in(storm, order[i], me,
				     reads && IS_RW(order[i]), died[i]))
				add(&storm->wrong, 1);
		stay_inside(random_u32(&seed));
		for (i = 0; i < count; i++)
			if (!go_out(storm, handles[order[i]], order[i], me,
				    reads && IS_RW(order[i]), died[i]))
				add(&storm->wrong, 1);
		add(&storm->entered[me], 1);
	} while (!load(&storm->stop));
	_exit(0);
}

TEST_F(all, nobody_deadlocks_in_whatever_order)
{
	run_storm(_metadata, (void *)self->shared, LOCKS, work, variant->how,
		  false);
}

TEST_F(all, death_at_any_moment_leaves_nobody_hanging)
{
	run_storm(_metadata, (void *)self->shared, LOCKS, work, variant->how,
		  true);
}

/*
 * Many locks that are free, and one that others lock and unlock all the time:
 * often it is seen to be free, and gone when the others were taken.
 */
TEST_F(all, what_was_taken_in_vain_is_given_back)
{
	struct gosync_wait_entry entries[GOSYNC_WAIT_MAX];
	uint64_t end = end_of_budget(), seed = random_seed();
	unsigned int had = 0, vain = 0, i;
	pid_t hog;

	for (i = 0; i < GOSYNC_WAIT_MAX; i++)
		entries[i] = entry_of_mutex(new_object(GOSYNC_MUTEX));
	hog = spawn_hog(entries[i - 1].fd, variant->how, 5 * NSEC_PER_USEC,
			self->shared);
	do {
		uint64_t ns = random_u32(&seed) % (500 * NSEC_PER_USEC);
		int ret = wait_all_until(entries, GOSYNC_WAIT_MAX,
					 gosync_deadline(ns));

		ASSERT_TRUE(!ret || ret == -ETIMEDOUT);
		for (i = 0; i < GOSYNC_WAIT_MAX - 1; i++) {
			ASSERT_EQ(!ret, !!info_of(entries[i].fd).owner);
			if (!ret)
				ASSERT_EQ(0, unlock_fd(entries[i].fd));
		}
		if (!ret)
			ASSERT_EQ(0, unlock_fd(entries[i].fd));
		had += !ret;
		vain += !!ret;
	} while (budget_left(end) || !had);
	TH_LOG("%u times had, %u in vain, the other %u", had, vain,
	       load(self->shared));
	kill_and_reap(hog);
}

/* --- philosophers -------------------------------------------------------- */

#define PHILOSOPHERS	50

struct table {
	unsigned int stop, wrong;
	unsigned int meals[PHILOSOPHERS];
	struct guarded forks[PHILOSOPHERS];
};

static void dine(struct table *table, const int *fds, unsigned int n,
		 unsigned int me, unsigned int how)
{
	unsigned int forks[] = { me, (me + 1) % n }, i;
	struct gosync_wait_entry entries[2];
	gosync_mutex_t *mutexes[2];

	for (i = 0; i < 2; i++) {
		MUST(!gosync_mutex_from_fd(reopen_object(fds[forks[i]], 0), how,
					   &mutexes[i]));
		entries[i] = entry_of_mutex(gosync_fd(mutexes[i]));
	}
	while (!load(&table->stop)) {
		MUST(!wait_all(entries, 2));
		for (i = 0; i < 2; i++)
			if (!enter(&table->forks[forks[i]], me + 1, false))
				add(&table->wrong, 1);
		for (i = 0; i < 2; i++)
			if (!leave(&table->forks[forks[i]], me + 1))
				add(&table->wrong, 1);
		for (i = 0; i < 2; i++)
			MUST(!gosync_mutex_unlock(mutexes[i]));
		add(&table->meals[me], 1);
	}
	_exit(0);
}

static unsigned int all_meals(struct table *table, unsigned int n,
			      unsigned int *least, unsigned int *most)
{
	unsigned int sum = 0, i;

	*least = UINT32_MAX;
	*most = 0;
	for (i = 0; i < n; i++) {
		unsigned int meals = load(&table->meals[i]);

		sum += meals;
		if (meals < *least)
			*least = meals;
		if (meals > *most)
			*most = meals;
	}
	return sum;
}

/* Has everybody eaten more than @before at last? It may take its time. */
static bool all_eat(struct table *table, unsigned int n,
		    const unsigned int *before, uint64_t limit)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		while (load(&table->meals[i]) == before[i]) {
			if (!budget_left(limit)) {
				fprintf(stderr, "# %u of %u starves\n", i, n);
				return false;
			}
			sleep_ns(5 * NSEC_PER_MSEC);
		}
	return true;
}

static void have_dinner(struct __test_metadata *_metadata,
			FIXTURE_DATA(all) *self,
			const FIXTURE_VARIANT(all) *variant, unsigned int n)
{
	uint64_t begin = now_ns(CLOCK_MONOTONIC), end = end_of_budget();
	/* With time for it, a million meals */
	unsigned int wanted = end - begin < 10 * NSEC_PER_SEC ? 0 : 1000000;
	uint64_t limit = begin + 400 * NSEC_PER_SEC;
	struct table *table = (void *)self->shared;
	unsigned int before[PHILOSOPHERS], meals, least, most, i;
	int fds[PHILOSOPHERS];
	pid_t pids[PHILOSOPHERS];

	memset(table, 0, sizeof(*table));
	for (i = 0; i < n; i++)
		fds[i] = new_object(GOSYNC_MUTEX);
	for (i = 0; i < n; i++) {
		pids[i] = spawn();
		if (!pids[i])
			dine(table, fds, n, i, i % 4 ? variant->how :
			     variant->how ^ GOSYNC_IOCTL_ONLY);
	}
	/* Everybody eats. */
	memset(before, 0, sizeof(before));
	EXPECT_TRUE(all_eat(table, n, before, limit));
	while (budget_left(end) ||
	       (all_meals(table, n, &least, &most) < wanted &&
		budget_left(limit)))
		sleep_ns(5 * NSEC_PER_MSEC);
	/* Still */
	for (i = 0; i < n; i++)
		before[i] = load(&table->meals[i]);
	EXPECT_TRUE(all_eat(table, n, before, limit));
	store(&table->stop, 1);
	EXPECT_EQ(0, reap_all(pids, n));
	meals = all_meals(table, n, &least, &most);
	TH_LOG("%u philosophers, %u meals in %llu ms, each %u to %u (1 to %u.%u)",
	       n, meals, (unsigned long long)
	       ((now_ns(CLOCK_MONOTONIC) - begin) / NSEC_PER_MSEC), least, most,
	       most / (least ?: 1), most * 10 / (least ?: 1) % 10);
	EXPECT_EQ(0, table->wrong);
	EXPECT_LE(wanted, meals);
	for (i = 0; i < n; i++) {
		EXPECT_EQ(0, info_of(fds[i]).word);
		EXPECT_EQ(0, info_of(fds[i]).deaths);
		EXPECT_TRUE(is_accounted(fds[i]));
		close(fds[i]);
	}
}

TEST_F_TIMEOUT(all, five_philosophers_dine, 600)
{
	have_dinner(_metadata, self, variant, 5);
}

TEST_F_TIMEOUT(all, two_and_three_philosophers_dine, 1200)
{
	have_dinner(_metadata, self, variant, 2);
	have_dinner(_metadata, self, variant, 3);
}

TEST_F_TIMEOUT(all, fifty_philosophers_dine, 600)
{
	have_dinner(_metadata, self, variant, PHILOSOPHERS);
}

/* --- nobody starves ------------------------------------------------------ */

/* Wants all of this again and again; each time it must not take for ever. */
static void is_not_starved(struct __test_metadata *_metadata,
			   struct gosync_wait_entry *entries,
			   unsigned int count, const unsigned int *others)
{
	uint64_t end = end_of_budget(), longest = 0;
	unsigned int had = 0, i;

	do {
		uint64_t begin = now_ns(CLOCK_MONOTONIC), ns;

		ASSERT_EQ(0, wait_all_until(entries, count, begin + STARVED_NS));
		ns = now_ns(CLOCK_MONOTONIC) - begin;
		if (ns > longest)
			longest = ns;
		for (i = 0; i < count; i++) {
			bool is_lock = entries[i].op == GOSYNC_IOC_MUTEX_LOCK;

			EXPECT_EQ(0, is_lock ? unlock_fd(entries[i].fd) :
				  release_fd(entries[i].fd, entries[i].value));
		}
		had++;
		sleep_ns(NSEC_PER_MSEC / 10);
	} while (budget_left(end) || had < 3);
	TH_LOG("%u times, the others %u; longest wait %llu us", had,
	       load(others), (unsigned long long)(longest / NSEC_PER_USEC));
}

TEST_F(all, is_not_starved_by_those_who_lock_one)
{
	struct gosync_wait_entry entries[] = {
		entry_of_mutex(self->mutex), entry_of_mutex(new_object(GOSYNC_MUTEX)),
	};
	pid_t hogs[4];
	int i;

	for (i = 0; i < 4; i++)
		hogs[i] = spawn_hog(entries[i % 2].fd, variant->how,
				    50 * NSEC_PER_USEC, self->shared);
	is_not_starved(_metadata, entries, 2, self->shared);
	EXPECT_EQ(128 + SIGKILL, kill_all(hogs, 4));
}

/*
 * Two locks that are never free at the same moment: who has one lets it go when
 * the other one has been locked anew. If that does not come, because somebody
 * waits for us, not for ever.
 */
static void spawn_alternating(const struct gosync_wait_entry *entries,
			      unsigned int how, unsigned int *turns, pid_t *pids)
{
	int i;

	for (i = 0; i < 2; i++) {
		gosync_mutex_t *mutex;

		pids[i] = spawn();
		if (pids[i])
			continue;
		mutex = ANOTHER(gosync_mutex, entries[i].fd, how);
		for (;;) {
			unsigned int seen = load(&turns[!i]);
			uint64_t limit = gosync_deadline(100 * NSEC_PER_MSEC);

			MUST(gosync_mutex_lock(mutex) >= 0);
			add(&turns[i], 1);
			while (load(&turns[!i]) == seen &&
			       gosync_deadline(0) < limit)
				sched_yield();
			MUST(!gosync_mutex_unlock(mutex));
		}
	}
	if (!eventually(load(&turns[0]) > 1 && load(&turns[1]) > 1))
		abort();
}

TEST_F(all, is_not_starved_by_locks_that_are_never_free_together)
{
	struct gosync_wait_entry entries[] = {
		entry_of_mutex(self->mutex), entry_of_mutex(new_object(GOSYNC_MUTEX)),
	};
	pid_t pids[2];

	spawn_alternating(entries, variant->how, self->shared, pids);
	is_not_starved(_metadata, entries, 2, self->shared);
	EXPECT_EQ(128 + SIGKILL, kill_all(pids, 2));
}

static int move_clock(int64_t ns)
{
	uint64_t now = now_ns(CLOCK_REALTIME) + ns;
	struct timespec ts = { now / NSEC_PER_SEC, now % NSEC_PER_SEC };

	return clock_settime(CLOCK_REALTIME, &ts) ? -errno : 0;
}

/*
 * In its turn it keeps one of two for a moment, of whose length its deadline's
 * clock does not decide.
 */
TEST_F(all, keeps_nothing_because_the_clock_is_set_back)
{
	const int64_t far = 2 * WATCHDOG * NSEC_PER_SEC;
	struct gosync_wait_entry entries[] = {
		entry_of_mutex(self->mutex), entry_of_mutex(new_object(GOSYNC_MUTEX)),
	};
	int fds[2] = {
		reopen_object(entries[0].fd, 0), reopen_object(entries[1].fd, 0),
	};
	struct gosync_wait_args args = { .size = sizeof(args) };
	int has = 1, ret;
	pid_t pid;
	bool met;

	if (move_clock(0))
		SKIP(return, "the clock cannot be set");
	ASSERT_EQ(0, lock_fd(fds[has]));
	pid = spawn();
	if (!pid) {
		wait_many(entries, 2, GOSYNC_WAIT_ALL | GOSYNC_CLOCK_REALTIME,
			  now_ns(CLOCK_REALTIME) + 2 * far);
		_exit(0);
	}
	ASSERT_TRUE(eventually(info_of(fds[0]).waiters));
	/* We always have one of the two, until it keeps the other. */
	met = eventually((ret = lock_fd(fds[!has]) ?: unlock_fd(fds[has]),
			  has = !has,
			  sleep_ns(NSEC_PER_MSEC),
			  ret || info_of(fds[!has]).owner));
	ASSERT_TRUE(met);
	ASSERT_EQ(0, ret);
	EXPECT_EQ(0, move_clock(-far));
	args.deadline = now_ns(CLOCK_MONOTONIC) + WATCHDOG / 2 * NSEC_PER_SEC;
	EXPECT_EQ(0, call(fds[!has], GOSYNC_IOC_MUTEX_LOCK, &args));
	EXPECT_EQ(0, move_clock(far));
	kill_and_reap(pid);
}

/*
 * Many wait for what is never let go, beside other things: they keep nobody
 * from getting what he waits for elsewhere.
 */
TEST_F(all, is_not_starved_by_those_who_wait_in_vain)
{
	enum { N = 100 };
	struct gosync_wait_entry entries[] = {
		entry_of_mutex(self->mutex), entry_of_mutex(new_object(GOSYNC_MUTEX)),
	};
	int kept = new_object(GOSYNC_MUTEX), i;
	pid_t pids[N], others[2];

	EXPECT_EQ(0, lock_fd(kept));
	for (i = 0; i < N; i++) {
		struct gosync_wait_entry in_vain[] = {
			entry_of_mutex(new_object(GOSYNC_MUTEX)),
			entry_of_mutex(kept),
		};

		pids[i] = spawn();
		if (!pids[i]) {
			wait_all(in_vain, 2);
			_exit(1);
		}
		close(in_vain[0].fd);
	}
	ASSERT_TRUE(eventually(info_of(kept).waiters >= N));
	/* So long that what they do now is what they do for ever */
	sleep_ns(NSEC_PER_SEC);
	spawn_alternating(entries, variant->how, self->shared, others);
	is_not_starved(_metadata, entries, 2, self->shared);
	EXPECT_EQ(128 + SIGKILL, kill_all(others, 2));
	EXPECT_EQ(128 + SIGKILL, kill_all(pids, N));
	EXPECT_EQ(0, info_of(kept).waiters);
}

/* Those to the left and to the right want the same, beside something else. */
TEST_F(all, is_not_starved_by_its_neighbours)
{
	enum { N = 4 };
	int fds[N + 1], i;
	struct gosync_wait_entry entries[2];
	pid_t pids[N];

	for (i = 0; i <= N; i++)
		fds[i] = new_object(GOSYNC_MUTEX);
	/* Ours are 2 and 3; others have 0 and 2, 1 and 2, 3 and 0, 3 and 4 */
	for (i = 0; i < N; i++) {
		static const unsigned int pairs[N][2] = {
			{ 0, 2 }, { 2, 1 }, { 3, 0 }, { 4, 3 },
		};
		int j;

		pids[i] = spawn();
		if (pids[i])
			continue;
		for (j = 0; j < 2; j++)
			entries[j] = entry_of_mutex(reopen_object(fds[pairs[i][j]],
								  0));
		for (;;) {
			MUST(!wait_all(entries, 2));
			add(self->shared, 1);
			spin_ns(50 * NSEC_PER_USEC);
			for (j = 0; j < 2; j++)
				MUST(!unlock_fd(entries[j].fd));
		}
	}
	ASSERT_TRUE(eventually(load(self->shared)));
	for (i = 0; i < 2; i++)
		entries[i] = entry_of_mutex(fds[2 + i]);
	is_not_starved(_metadata, entries, 2, self->shared);
	EXPECT_EQ(128 + SIGKILL, kill_all(pids, N));
}

/* It wants all permits, and there always are some that others have. */
TEST_F(all, is_not_starved_by_those_who_take_one_permit)
{
	enum { N = 4 };
	struct gosync_wait_entry entries[] = {
		entry_of_permits(self->semaphore, N),
		entry_of_mutex(self->mutex),
	};
	pid_t pids[N], hog;
	int i;

	EXPECT_EQ(0, release_fd(self->semaphore, N));
	for (i = 0; i < N; i++) {
		gosync_semaphore_t *semaphore;

		pids[i] = spawn();
		if (pids[i])
			continue;
		MUST(!gosync_semaphore_from_fd(reopen_object(self->semaphore, 0),
					       variant->how, &semaphore));
		for (;;) {
			MUST(!gosync_semaphore_acquire(semaphore, 1));
			add(self->shared, 1);
			spin_ns(20 * NSEC_PER_USEC);
			MUST(!gosync_semaphore_release(semaphore, 1));
		}
	}
	hog = spawn_hog(self->mutex, variant->how, 50 * NSEC_PER_USEC,
			self->shared + 16);
	ASSERT_TRUE(eventually(load(self->shared)));
	is_not_starved(_metadata, entries, 2, self->shared);
	EXPECT_EQ(128 + SIGKILL, kill_all(pids, N));
	kill_and_reap(hog);
}

TEST_HARNESS_MAIN
