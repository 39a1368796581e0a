// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mutex: locking, tokens, and who gets the lock when several want it. What death
 * does to it is in death.c, and what each wait promises in contract.c.
 */
#include "object.h"
#include "sleeps.h"

OPENER(open_mutex, gosync_mutex)
OBJECT_FIXTURE(mutex, gosync_mutex, mutex, open_mutex)

static bool is_starving(gosync_mutex_t *mutex)
{
	return info(mutex).word & GOSYNC_MUTEX_STARVING;
}

static bool is_woken(gosync_mutex_t *mutex)
{
	return info(mutex).word & GOSYNC_MUTEX_WOKEN;
}

TEST_F(mutex, excludes)
{
	gosync_mutex_t *other = open_mutex(self->name, variant->how);

	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(-EBUSY, gosync_mutex_trylock(other));
	/* It is not recursive. */
	EXPECT_EQ(-EBUSY, gosync_mutex_trylock(self->mutex));
	EXPECT_EQ(info(self->mutex).holder, info(other).owner);
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, info(other).word);
	EXPECT_EQ(0, gosync_mutex_trylock(other));
	EXPECT_EQ(-EBUSY, gosync_mutex_trylock(self->mutex));
	EXPECT_EQ(0, gosync_mutex_unlock(other));
	EXPECT_EQ(0, info(other).owner);
}

TEST_F(mutex, unlocking_what_is_not_locked_is_an_error)
{
	EXPECT_EQ(-EPERM, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, info(self->mutex).word);
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(-EPERM, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(-EPERM, gosync_mutex_recover(self->mutex));
	EXPECT_EQ(0, info(self->mutex).word);
}

TEST_F(mutex, anyone_may_unlock)
{
	gosync_mutex_t *other = open_mutex(self->name, variant->how);

	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(-EPERM, gosync_mutex_recover(other));
	EXPECT_EQ(0, gosync_mutex_unlock(other));
	EXPECT_EQ(0, gosync_mutex_trylock(other));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
}

TEST_F(mutex, errorcheck_lets_only_the_owner_unlock)
{
	gosync_mutex_t *mine = open_mutex(unique_name(), GOSYNC_CREATE |
					  GOSYNC_ERRORCHECK | variant->how);
	gosync_mutex_t *other = open_mutex((char *)info(mine).name, variant->how);

	ASSERT_NE(NULL, mine);
	ASSERT_NE(NULL, other);
	EXPECT_EQ(0, gosync_mutex_lock(mine));
	EXPECT_EQ(-EPERM, gosync_mutex_unlock(other));
	EXPECT_EQ(info(mine).holder, info(mine).owner);
	EXPECT_EQ(0, gosync_mutex_unlock(mine));
	EXPECT_EQ(-EPERM, gosync_mutex_unlock(mine));
}

TEST_F(mutex, readers_only_look)
{
	gosync_mutex_t *reader = open_mutex(self->name, GOSYNC_RDONLY |
					    variant->how);

	ASSERT_NE(NULL, reader);
	EXPECT_EQ(-EBADF, gosync_mutex_lock(reader));
	EXPECT_EQ(-EBADF, gosync_mutex_trylock(reader));
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(-EBADF, gosync_mutex_unlock(reader));
	EXPECT_EQ(-EBADF, gosync_mutex_recover(reader));
	EXPECT_EQ(info(self->mutex).holder, info(reader).owner);
}

/* --- many at once -------------------------------------------------------- */

/*
 * Processes, some mapped and some not, that lock for shorter and longer times.
 * The two counters are only equal if nobody is inside beside another, and the
 * token in the lock only grows.
 */
TEST_F(mutex, excludes_many_and_its_token_only_grows)
{
	enum { N = 5 };
	uint64_t end = end_of_budget();
	struct {
		uint64_t one, two, token;
		unsigned int wrong;
	} *shared = shared_memory(sizeof(*shared));
	pid_t pids[N];
	int i;

	for (i = 0; i < N; i++) {
		uint64_t seed = random_seed() + i, token;
		gosync_mutex_t *mutex;
		int ret;

		pids[i] = spawn();
		if (pids[i])
			continue;
		mutex = open_mutex(self->name, i ? variant->how :
				   variant->how ^ GOSYNC_IOCTL_ONLY);
		do {
			uint64_t soon = gosync_deadline(random_u32(&seed) %
							(2 * NSEC_PER_MSEC));
			uint32_t r = random_u32(&seed);

			if (r % 16 == 1)
				ret = gosync_mutex_trylock(mutex);
			else if (r % 16 == 2)
				ret = gosync_mutex_lock_until(mutex, soon, 0);
			else
				ret = gosync_mutex_lock(mutex);
			if (ret == -EBUSY || ret == -ETIMEDOUT)
				continue;
			if (ret || shared->one != shared->two)
				add(&shared->wrong, 1);
			shared->one++;
			gosync_mutex_token(mutex, &token);
			if (token <= shared->token)
				add(&shared->wrong, 1);
			shared->token = token;
			if (r % 64 == 3)
				sleep_ns(r % 3000000);
			shared->two++;
			if (gosync_mutex_unlock(mutex))
				add(&shared->wrong, 1);
		} while (budget_left(end));
		_exit(0);
	}
	EXPECT_EQ(0, reap_all(pids, N));
	EXPECT_EQ(0, shared->wrong);
	EXPECT_LT(0, shared->one);
	EXPECT_EQ(shared->one, shared->two);
	EXPECT_LE(shared->one, shared->token);
	EXPECT_EQ(0, info(self->mutex).word);
	EXPECT_EQ(0, info(self->mutex).deaths);
}

TEST_F(mutex, each_acquisition_has_a_token_of_its_own)
{
	gosync_mutex_t *other = open_mutex(self->name,
					   variant->how ^ GOSYNC_IOCTL_ONLY);
	uint64_t token, last = 0;
	int i;

	for (i = 0; i < 20; i++) {
		gosync_mutex_t *mutex = i % 3 ? self->mutex : other;

		EXPECT_EQ(0, i % 2 ? gosync_mutex_lock(mutex) :
				     gosync_mutex_trylock(mutex));
		EXPECT_EQ(0, gosync_mutex_token(mutex, &token));
		EXPECT_LT(last, token);
		EXPECT_EQ(token, info(mutex).token);
		last = token;
		EXPECT_EQ(0, gosync_mutex_unlock(mutex));
	}
}

/* --- who is next --------------------------------------------------------- */

/* A child that waits for the lock, notes its turn, and leaves when told. */
struct turns {
	unsigned int count;
	unsigned int order[16];
	uint64_t tokens[16];
	unsigned int go_on;
};

static pid_t spawn_waiter(gosync_mutex_t *mutex, struct turns *turns,
			  unsigned int me)
{
	unsigned int before = waiters(mutex), turn;
	pid_t pid = spawn();

	if (!pid) {
		if (gosync_mutex_lock(mutex))
			_exit(1);
		turn = load(&turns->count);
		turns->order[turn] = me;
		gosync_mutex_token(mutex, &turns->tokens[turn]);
		store(&turns->count, turn + 1);
		(void)eventually(load(&turns->go_on));
		_exit(-gosync_mutex_unlock(mutex));
	}
	if (!eventually(waiters(mutex) == before + 1))
		abort();
	return pid;
}

/*
 * The caller holds the lock and somebody waits: unlock and lock again, before
 * the waiter that was woken does. 0, or -EBUSY if that was quicker.
 */
static int barge(gosync_mutex_t *mutex)
{
	gosync_mutex_unlock(mutex);
	return gosync_mutex_trylock(mutex);
}

/*
 * Have @count waiters, the mutex starving because of the first of them, and the
 * caller its owner. That takes
 * barging before the first waiter; when this loses, all may go and it is tried
 * again.
 */
static bool starve(gosync_mutex_t *mutex, struct turns *turns, pid_t *pids,
		   unsigned int count)
{
	unsigned int tries, i;

	for (tries = 0; tries < 200; tries++) {
		memset(turns, 0, sizeof(*turns));
		if (gosync_mutex_lock(mutex))
			return false;
		for (i = 0; i < count; i++)
			pids[i] = spawn_waiter(mutex, turns, i);
		sleep_ns(2 * NSEC_PER_MSEC);
		if (!barge(mutex)) {
			sleep_ns(2 * NSEC_PER_MSEC);
			return eventually(is_starving(mutex));
		}
		store(&turns->go_on, 1);
		for (i = 0; i < count; i++)
			reap(pids[i]);
	}
	return false;
}

TEST_F(mutex, newcomers_may_barge)
{
	struct turns *turns = shared_memory(sizeof(*turns));
	bool barged;
	int tries = 0;
	pid_t pid;

	do {
		memset(turns, 0, sizeof(*turns));
		store(&turns->go_on, 1);
		ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
		pid = spawn_waiter(self->mutex, turns, 0);
		EXPECT_FALSE(is_starving(self->mutex));
		barged = !barge(self->mutex);
		if (barged) {
			/* Or the waiter has come and gone before. */
			barged = !turns->count;
			EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
		}
		EXPECT_EQ(0, reap_soon(pid));
	} while (!barged && ++tries < 200);
	EXPECT_TRUE(barged);
}

/*
 * The caller rules the processor and holds the lock: a waiter is woken, loses, and
 * queues again. False if that took it too long, so that it starves, or did not
 * come to pass.
 */
static bool lose_quickly(gosync_mutex_t *mutex, struct turns *turns, pid_t *pid)
{
	unsigned int tries;

	*pid = spawn();
	if (!*pid) {
		if (gosync_mutex_lock(mutex))
			_exit(1);
		store(&turns->count, 1);
		(void)eventually(load(&turns->go_on));
		_exit(-gosync_mutex_unlock(mutex));
	}
	for (tries = 0; tries < 10000 && !waiters(mutex); tries++)
		sleep_ns(20 * NSEC_PER_USEC);
	if (barge(mutex))
		return false;
	/* It is on its way while it is woken. */
	for (tries = 0; tries < 10000 && is_woken(mutex); tries++)
		sleep_ns(20 * NSEC_PER_USEC);
	if (waiters(mutex) && !is_starving(mutex))
		return true;
	gosync_mutex_unlock(mutex);
	return false;
}

/* A woken waiter that loses has its turn next, however short it has waited. */
TEST_F(mutex, newcomers_may_barge_before_a_waiter_only_once)
{
	const uint64_t enough = gosync_deadline(10 * NSEC_PER_SEC);
	struct turns *turns = shared_memory(sizeof(*turns));
	pid_t pid;

	if (rule_one_cpu())
		SKIP(return, "cannot have a processor");
	for (;;) {
		memset(turns, 0, sizeof(*turns));
		ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
		if (lose_quickly(self->mutex, turns, &pid))
			break;
		store(&turns->go_on, 1);
		ASSERT_EQ(0, reap_soon(pid));
		if (gosync_deadline(0) > enough)
			SKIP(return, "nobody loses within 1 ms here");
	}
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(-EBUSY, gosync_mutex_trylock(self->mutex));
	EXPECT_EQ(pid, info(self->mutex).owner_pid);
	EXPECT_FALSE(is_starving(self->mutex));
	store(&turns->go_on, 1);
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_EQ(0, info(self->mutex).word);
}

TEST_F(mutex, hands_over_when_it_starves)
{
	struct turns *turns = shared_memory(sizeof(*turns));
	struct gosync_info before, after;
	pid_t pid;

	ASSERT_TRUE(starve(self->mutex, turns, &pid, 1));
	EXPECT_EQ(-EBUSY, gosync_mutex_trylock(self->mutex));
	before = info(self->mutex);
	EXPECT_EQ(before.holder, before.owner);
	EXPECT_EQ(1, before.waiters);

	/* From now on it is the waiter's, without having been free. */
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(-EBUSY, gosync_mutex_trylock(self->mutex));
	after = info(self->mutex);
	EXPECT_TRUE(after.word & GOSYNC_MUTEX_LOCKED);
	EXPECT_NE(0, after.owner);
	EXPECT_NE(before.owner, after.owner);
	EXPECT_EQ(pid, after.owner_pid);
	EXPECT_EQ(before.token + 1, after.token);
	/* It was the last that waited: back to normal. */
	EXPECT_FALSE(is_starving(self->mutex));
	EXPECT_EQ(0, after.waiters);
	EXPECT_LE(NSEC_PER_MSEC, after.wait_max_ns);
	store(&turns->go_on, 1);
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_EQ(before.token + 1, turns->tokens[0]);
	EXPECT_EQ(0, info(self->mutex).word);
}

TEST_F(mutex, hands_over_in_order)
{
	enum { N = 6 };
	struct turns *turns = shared_memory(sizeof(*turns));
	pid_t pids[N];
	int i;

	ASSERT_TRUE(starve(self->mutex, turns, pids, N));
	EXPECT_EQ(N, waiters(self->mutex));
	store(&turns->go_on, 1);
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, reap_all(pids, N));
	ASSERT_EQ(N, turns->count);
	for (i = 0; i < N; i++) {
		/* The one that lost to the barger had kept its place. */
		EXPECT_EQ(i, turns->order[i]);
		EXPECT_EQ(turns->tokens[0] + i, turns->tokens[i]);
	}
	EXPECT_EQ(0, info(self->mutex).word);
}

TEST_F(mutex, newcomers_queue_behind_who_starves)
{
	struct turns *turns = shared_memory(sizeof(*turns));
	pid_t pids[2], newcomer;

	ASSERT_TRUE(starve(self->mutex, turns, pids, 2));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	ASSERT_TRUE(eventually(load(&turns->count) == 1));
	/* The second has waited for as long, but has not lost to anybody. */
	EXPECT_FALSE(is_starving(self->mutex));
	EXPECT_EQ(-EBUSY, gosync_mutex_trylock(self->mutex));
	newcomer = spawn_waiter(self->mutex, turns, 2);
	store(&turns->go_on, 1);
	EXPECT_EQ(0, reap_soon(pids[0]));
	EXPECT_EQ(0, reap_soon(pids[1]));
	EXPECT_EQ(0, reap_soon(newcomer));
	EXPECT_EQ(0, turns->order[0]);
	EXPECT_EQ(1, turns->order[1]);
	EXPECT_EQ(2, turns->order[2]);
}

TEST_F(mutex, starving_ends_when_its_last_waiter_gives_up)
{
	struct turns *turns = shared_memory(sizeof(*turns));
	pid_t pid;

	ASSERT_TRUE(starve(self->mutex, turns, &pid, 1));
	kill_and_reap(pid);
	EXPECT_EQ(GOSYNC_MUTEX_LOCKED, (uint32_t)info(self->mutex).word);
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, info(self->mutex).word);
	EXPECT_EQ(0, gosync_mutex_trylock(self->mutex));
}

/*
 * The waiter is handed the lock while it cannot run yet; before it does, its
 * deadline passes and a signal comes for it.
 */
TEST_F(mutex, a_grant_beats_the_deadline_and_a_signal)
{
	uint64_t deadline;
	int tries;
	pid_t pid;

	if (rule_one_cpu())
		SKIP(return, "cannot have a processor");
	for (tries = 0; tries < 20; tries++) {
		ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
		deadline = gosync_deadline((tries + 1) * 100 * NSEC_PER_MSEC);
		pid = spawn();
		if (!pid) {
			int ret;

			handle(count_signal, 0);
			ret = gosync_mutex_lock_until(self->mutex, deadline,
						      GOSYNC_INTERRUPTIBLE);
			if (!ret)
				gosync_mutex_unlock(self->mutex);
			_exit(-ret);
		}
		eventually(waiters(self->mutex) || gosync_deadline(0) > deadline);
		sleep_ns(2 * NSEC_PER_MSEC);
		if (barge(self->mutex)) {
			reap(pid);
			continue;
		}
		eventually(is_starving(self->mutex) ||
			   gosync_deadline(0) > deadline);
		ASSERT_EQ(0, gosync_mutex_unlock(self->mutex));
		if (info(self->mutex).owner_pid == (unsigned int)pid)
			break;
		/* The machine was too slow for this deadline. */
		reap(pid);
	}
	ASSERT_GT(20, tries);
	kill(pid, SIGUSR1);
	while (gosync_deadline(0) <= deadline)
		;
	EXPECT_EQ(0, reap_soon(pid));
}

/*
 * Unlocked at just the moment when the deadlines of some who wait come, and
 * signals for them: one that is woken and leaves passes it on to the one that
 * stays. It must have had the lock before the next round.
 */
TEST_F(mutex, who_leaves_while_being_woken_wakes_another)
{
	enum { LEAVING = 3, ROUNDS = 1000 };
	struct {
		uint64_t deadline;
		unsigned int round, back, stayed, left, wrong, stop;
	} *shared = shared_memory(sizeof(*shared));
	uint64_t end = end_of_budget(), seed = random_seed();
	unsigned int i, round = 0, left = 0;
	int64_t later = 0;
	pid_t pids[LEAVING + 1];

	handle(count_signal, 0);
	for (i = 0; i <= LEAVING; i++) {
		unsigned int done = 0;

		pids[i] = spawn();
		if (pids[i])
			continue;
		prctl(PR_SET_TIMERSLACK, 1);
		for (;;) {
			uint64_t deadline;
			int ret;

			while (load(&shared->round) == done)
				if (load(&shared->stop))
					_exit(0);
				else
					sched_yield();
			done++;
			deadline = i == LEAVING ? GOSYNC_FOREVER :
				   load(&shared->deadline);
			ret = gosync_mutex_lock_until(self->mutex, deadline,
						      i == LEAVING ? 0 :
						      GOSYNC_INTERRUPTIBLE);
			if (!ret && gosync_mutex_unlock(self->mutex))
				add(&shared->wrong, 1);
			if (ret && (i == LEAVING || (ret != -ETIMEDOUT &&
						     ret != -EINTR)))
				add(&shared->wrong, 1);
			add(&shared->back, 1);
			if (i == LEAVING)
				add(&shared->stayed, 1);
			else if (ret)
				add(&shared->left, 1);
		}
	}
	do {
		uint64_t moment;

		ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
		moment = gosync_deadline(2 * NSEC_PER_MSEC);
		store(&shared->deadline, moment);
		store(&shared->round, ++round);
		while (waiters(self->mutex) < LEAVING + 1 &&
		       gosync_deadline(0) < moment)
			;
		moment += later + random_u32(&seed) % (4 * NSEC_PER_USEC);
		while (gosync_deadline(0) < moment)
			;
		if (round % 16 == 0)
			kill(pids[round % LEAVING], SIGUSR1);
		ASSERT_EQ(0, gosync_mutex_unlock(self->mutex));
		ASSERT_TRUE(eventually(load(&shared->stayed) == round))
			TH_LOG("in round %u", round);
		ASSERT_TRUE(eventually(load(&shared->back) ==
				       (LEAVING + 1) * round));
		/* Keep to the moment at which some leave and some do not. */
		if (load(&shared->left) - left > LEAVING / 2)
			later -= 3 * NSEC_PER_USEC;
		else
			later += 3 * NSEC_PER_USEC;
		left = load(&shared->left);
	} while (round < ROUNDS || budget_left(end));
	store(&shared->stop, 1);
	for (i = 0; i <= LEAVING; i++)
		EXPECT_EQ(0, reap_soon(pids[i]));
	TH_LOG("%u rounds, %u left, %u had it", round, shared->left,
	       LEAVING * round - shared->left);
	EXPECT_EQ(0, shared->wrong);
	EXPECT_LT(0, shared->left);
	EXPECT_EQ(0, info(self->mutex).word);
}

/*
 * One holds the lock 100 us at a time without pause, another wants it too. That
 * is woken to compete, and then to have the lock: it sleeps twice at most.
 */
TEST_F(mutex, nobody_starves_beside_a_hog)
{
	enum { WANTED = 100 };
	long all = 0, most = 0;
	unsigned int *turns = shared_memory(sizeof(*turns));
	pid_t hog = spawn();
	int i;

	if (!hog) {
		for (;;) {
			uint64_t until;

			if (gosync_mutex_lock(self->mutex))
				_exit(1);
			until = now_ns(CLOCK_MONOTONIC) + 100 * NSEC_PER_USEC;
			add(turns, 1);
			while (now_ns(CLOCK_MONOTONIC) < until)
				;
			gosync_mutex_unlock(self->mutex);
		}
	}
	ASSERT_TRUE(eventually(load(turns)));
	for (i = 0; i < WANTED; i++) {
		long before = sleeps_of_thread(), slept;

		ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
		slept = sleeps_of_thread() - before;
		EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
		all += slept;
		most = slept > most ? slept : most;
		sleep_ns(100 * NSEC_PER_USEC);
	}
	EXPECT_LT(0, all);
	if (!is_rt_kernel())
		EXPECT_GE(2, most);
	TH_LOG("%d turns, the hog had %u; %ld sleeps, at most %ld in a turn, longest wait %llu us",
	       WANTED, load(turns), all, most,
	       (unsigned long long)info(self->mutex).wait_max_ns / 1000);
	kill_and_reap(hog);
}

TEST_HARNESS_MAIN
