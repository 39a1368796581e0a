// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cond: who signals puts the waiter into L's queue, or gives it L, while it sleeps.
 * So it is woken once. What is granted there is lost with nobody.
 */
#include "gosync_test_cond.h"
#include "sleeps.h"

/* A child whose exit status is how often it slept in its wait */
static pid_t spawn_sleeper(FIXTURE_DATA(cond) *self, enum kind kind)
{
	unsigned int before = waiters(self->cond);
	pid_t pid = spawn();
	long sleeps;

	if (!pid) {
		MUST(!lock(self, kind));
		sleeps = sleeps_of_thread();
		MUST(!wait_for_ever(self, kind));
		sleeps = sleeps_of_thread() - sleeps;
		MUST(!unlock_after(self, kind, 0));
		_exit(sleeps < 100 ? sleeps : 100);
	}
	/* It has unlocked L when it sleeps. */
	MUST(eventually(waiters(self->cond) == before + 1 && is_asleep(pid)));
	return pid;
}

TEST_F(cond, a_broadcast_wakes_each_when_it_has_the_lock)
{
	enum { N = 20 };
	enum kind kind;
	pid_t pids[N];
	int i;

	for (kind = 0; kind < KINDS; kind++) {
		for (i = 0; i < N; i++)
			pids[i] = spawn_sleeper(self, kind);
		ASSERT_EQ(0, lock(self, exclusive(kind)));
		EXPECT_EQ(N, broadcast_fd(self));
		/* They are there already. */
		EXPECT_EQ(N, waiters(lock_of(self, kind)));
		EXPECT_EQ(0, waiters(self->cond));
		EXPECT_EQ(0, unlock(self, exclusive(kind)));
		for (i = 0; i < N; i++) {
			int sleeps = reap_soon(pids[i]);

			if (!is_rt_kernel())
				EXPECT_EQ(1, sleeps);
		}
	}
}

/* Others may have a free lock as long as a single waiter does not run. */
TEST_F(cond, a_signal_leaves_a_free_lock_free)
{
	enum kind kind;
	pid_t pid;

	if (rule_one_cpu())
		SKIP(return, "cannot have a processor");
	for (kind = 0; kind < KINDS; kind++) {
		pid = spawn_waiter(self, kind, 0);
		EXPECT_EQ(1, signal_fd(self));
		EXPECT_EQ(0, info(lock_of(self, kind)).owner);
		EXPECT_EQ(0, info(lock_of(self, kind)).readers);
		EXPECT_EQ(0, lock(self, kind));
		EXPECT_EQ(0, unlock(self, kind));
		EXPECT_EQ(0, reap_soon(pid));
	}
}

TEST_F(cond, a_broadcast_gives_the_first_a_free_lock)
{
	enum { N = 3 };
	enum kind kind;
	pid_t pids[N];
	int i;

	if (rule_one_cpu())
		SKIP(return, "cannot have a processor");
	for (kind = 0; kind < KINDS; kind++) {
		const void *lock = lock_of(self, kind);

		store(&self->shared->turns, 0);
		for (i = 0; i < N; i++)
			pids[i] = spawn_waiter(self, kind, i);
		EXPECT_EQ(N, broadcast_fd(self));
		EXPECT_EQ(kind == READER ? 0 : pids[0], info(lock).owner_pid);
		EXPECT_EQ(kind == READER ? N : 0, info(lock).readers);
		/* A writer waits for nobody, so it does not drain. */
		EXPECT_EQ(kind == READER ? 0 : N - 1, waiters(lock));
		EXPECT_EQ(0, reap_all(pids, N));
		for (i = 0; i < N && kind != READER; i++)
			EXPECT_EQ(i + 1, turn_of(self, i));
		EXPECT_EQ(0, info(lock).word);
		EXPECT_EQ(0, info(lock).readers);
	}
}

static struct shared *handlers;

static void count_handler(int sig)
{
	add(&handlers->stage, 1);
}

/* A handler takes one of those out of L's queue; it comes back to its place. */
TEST_F(cond, a_handler_keeps_the_place_in_the_queue_for_the_lock)
{
	enum { N = 3 };
	pid_t pids[N];
	int i;

	handlers = self->shared;
	for (i = 0; i < N; i++) {
		pids[i] = spawn();
		if (!pids[i]) {
			handle(count_handler, SA_RESTART);
			MUST(!lock(self, MUTEX));
			MUST(!wait_for_ever(self, MUTEX));
			store(&self->shared->turn[i],
			      add(&self->shared->turns, 1));
			_exit(unlock_after(self, MUTEX, 0));
		}
		ASSERT_TRUE(eventually(waiters(self->cond) == i + 1));
	}
	ASSERT_EQ(0, lock(self, MUTEX));
	EXPECT_EQ(N, broadcast_fd(self));
	for (i = 0; i < 20; i++) {
		kill(pids[0], SIGUSR1);
		ASSERT_TRUE(eventually(load(&handlers->stage) == i + 1));
		ASSERT_TRUE(eventually(waiters(self->mutex) == N));
	}
	EXPECT_EQ(0, unlock(self, MUTEX));
	EXPECT_EQ(0, reap_all(pids, N));
	for (i = 0; i < N; i++)
		EXPECT_EQ(i + 1, turn_of(self, i));
	EXPECT_EQ(0, info(self->mutex).word);
}

/* Who is killed there leaves what it was granted to the next. */
TEST_F(cond, who_dies_in_the_queue_for_the_lock_takes_nothing_with_it)
{
	enum { N = 4 };
	enum kind kind;
	pid_t pids[N];
	int i, dies;

	if (rule_one_cpu())
		SKIP(return, "cannot have a processor");
	for (kind = 0; kind < KINDS; kind++) {
		for (dies = 0; dies < 2; dies++) {
			const void *handle = lock_of(self, kind);

			for (i = 0; i < N; i++)
				pids[i] = spawn_waiter(self, kind, i);
			EXPECT_EQ(0, lock(self, exclusive(kind)));
			EXPECT_EQ(N, broadcast_fd(self));
			/* In the queue, or when it has L and does not run yet */
			if (dies)
				EXPECT_EQ(0, unlock(self, exclusive(kind)));
			EXPECT_EQ(128 + SIGKILL, kill_and_reap(pids[0]));
			if (!dies)
				EXPECT_EQ(0, unlock(self, exclusive(kind)));
			EXPECT_EQ(0, reap_all(pids + 1, N - 1));
			EXPECT_EQ(0, info(handle).deaths);
			EXPECT_EQ(0, info(handle).word);
			EXPECT_EQ(0, info(handle).readers);
		}
	}
}

/* A wait that is refused, because L was not locked, leaves L's queue again. */
TEST_F(cond, who_may_not_wait_leaves_the_queue_for_the_lock)
{
	uint64_t end = end_of_budget();
	unsigned int rounds = 0;
	pid_t pids[2];
	int i;

	for (i = 0; i < 2; i++) {
		pids[i] = spawn();
		while (!pids[i])
			MUST(wait_for_ever(self, MUTEX) == -EPERM);
	}
	do {
		ASSERT_LE(0, broadcast_fd(self));
		rounds++;
	} while (budget_left(end));
	EXPECT_EQ(128 + SIGKILL, kill_all(pids, 2));
	EXPECT_TRUE(eventually(!info(self->mutex).word));
	EXPECT_EQ(0, waiters(self->cond));
	TH_LOG("%u broadcasts", rounds);
}

TEST_HARNESS_MAIN
