// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cond: waits that end without a signal, by a deadline or a handler, hold the
 * lock afterwards, tell of a dead owner, and swallow nothing.
 */
#include "gosync_test_cond.h"

/* --- deadlines ----------------------------------------------------------- */

TEST_F(cond, holds_the_lock_when_its_deadline_has_passed)
{
	enum kind kind;

	for (kind = 0; kind < KINDS; kind++) {
		uint64_t soon = gosync_deadline(20 * NSEC_PER_MSEC);

		EXPECT_EQ(0, lock(self, kind));
		EXPECT_EQ(-ETIMEDOUT, wait_until(self, kind, soon, 0));
		EXPECT_TRUE(is_mine(self, kind));
		EXPECT_EQ(-ETIMEDOUT, wait_until(self, kind, 1,
						 GOSYNC_CLOCK_REALTIME));
		EXPECT_TRUE(is_mine(self, kind));
		EXPECT_EQ(-EINVAL, wait_until(self, kind, 1, 1U << 5));
		EXPECT_TRUE(is_mine(self, kind));
		EXPECT_EQ(0, unlock(self, kind));
		EXPECT_EQ(0, info(self->cond).word);
	}
}

/*
 * What a wait returned during which an owner died, is 1. That the lock is
 * poisoned is known then: the next one ends as it does. Return: an exit status.
 */
static int told_once(FIXTURE_DATA(cond) *self, enum kind kind, int ret)
{
	if (ret != 1 || !is_mine(self, kind))
		return 2 + !!ret;
	/* Or who waits until something is so would never give up. */
	if (wait_until(self, kind, 1, 0) != -ETIMEDOUT)
		return 4;
	if (unlock(self, kind))
		return 5;
	return recover_lock(self, kind) ? 6 : 0;
}

/*
 * A child whose deadline passes while an owner has the lock. The owner lets it
 * go, or @dies. Return: false if the child was through before that; then none of
 * this counts.
 */
static bool deadline_passes_outside(struct __test_metadata *_metadata,
				    FIXTURE_DATA(cond) *self, enum kind kind,
				    bool dies, uint64_t ns)
{
	const void *lock_handle = lock_of(self, kind);
	pid_t pid, owner = 0;
	bool in_time;

	store(&self->shared->step, 0);
	pid = CHILD(({
		int ret = lock(self, kind);

		store(&self->shared->step, 1);
		ret |= wait_until(self, kind, gosync_deadline(ns), 0);
		store(&self->shared->step, 2);
		dies ? told_once(self, kind, ret) : unlock_after(self, kind, ret);
	}));
	EXPECT_TRUE(eventually(load(&self->shared->step)));
	if (dies)
		owner = spawn_owner(self, kind);
	else
		EXPECT_EQ(0, lock(self, exclusive(kind)));
	in_time = load(&self->shared->step) == 1;
	if (in_time) {
		EXPECT_TRUE(eventually(waiters(lock_handle) == 1));
		EXPECT_EQ(1, load(&self->shared->step));
		/* It comes too late for a signal. */
		EXPECT_EQ(0, waiters(self->cond));
		EXPECT_EQ(0, signal_fd(self));
	}
	EXPECT_EQ(dies ? 128 + SIGKILL : 0,
		  dies ? kill_and_reap(owner) : unlock(self, exclusive(kind)));
	if (in_time) {
		EXPECT_EQ(dies ? 0 : ETIMEDOUT, reap(pid))
			TH_LOG("kind %u", kind);
		return true;
	}
	kill_and_reap(pid);
	EXPECT_LE(0, lock(self, exclusive(kind)));
	recover(self, kind);
	EXPECT_EQ(0, unlock(self, exclusive(kind)));
	return false;
}

static void deadlines_pass_outside(struct __test_metadata *_metadata,
				   FIXTURE_DATA(cond) *self, bool dies)
{
	enum kind kind;

	for (kind = 0; kind < KINDS; kind++) {
		int tries = 1;

		while (!deadline_passes_outside(_metadata, self, kind, dies,
						tries * 100 * NSEC_PER_MSEC))
			ASSERT_GT(20, ++tries);
	}
}

TEST_F(cond, the_deadline_does_not_end_the_locking)
{
	deadlines_pass_outside(_metadata, self, false);
}

TEST_F(cond, an_owner_that_died_is_told_of_at_the_deadline)
{
	deadlines_pass_outside(_metadata, self, true);
}

/* --- handlers of signals ------------------------------------------------- */

TEST_F(cond, a_signals_handler_ends_the_wait_if_asked_for)
{
	enum kind kind;
	pid_t pid;

	for (kind = 0; kind < KINDS; kind++) {
		pid = WAITER(self->cond, ({
			int ret;

			handle(count_signal, 0);
			ret = wait_and_unlock(self, kind, GOSYNC_FOREVER,
					      GOSYNC_INTERRUPTIBLE);
			signals == 1 ? ret : 1;
		}));
		kill(pid, SIGUSR1);
		EXPECT_EQ(EINTR, reap(pid));
		EXPECT_EQ(0, waiters(self->cond));
		EXPECT_EQ(0, info(self->cond).word);
	}
}

TEST_F(cond, otherwise_the_wait_goes_on_after_the_handler)
{
	int flags, i;
	pid_t pid;
	enum kind kind;

	for (kind = 0; kind < KINDS; kind++) {
		for (flags = 0; flags != 2 * SA_RESTART; flags += SA_RESTART) {
			pid = WAITER(self->cond, ({
				handle(count_signal, flags);
				wait_and_unlock(self, kind, GOSYNC_FOREVER, 0) ||
				!signals;
			}));
			for (i = 0; i < 3; i++) {
				kill(pid, SIGUSR1);
				sleep_ns(2 * NSEC_PER_MSEC);
			}
			EXPECT_EQ(1, waiters(self->cond));
			EXPECT_EQ(0, lock(self, kind));
			EXPECT_EQ(0, unlock(self, kind));
			EXPECT_EQ(0, gosync_cond_signal(self->cond));
			EXPECT_EQ(0, reap(pid));
		}
	}
}

static void (*at_the_end)(void);

static void stay_and_end(int signal)
{
	stay_in_handler(signal);
	at_the_end();
}

/* The first of three waiters, and it is in its handler */
static pid_t spawn_distracted(FIXTURE_DATA(cond) *self, int flags,
			      void (*then)(void), unsigned int me)
{
	pid_t pid;

	handler_stage = &self->shared->stage;
	store(handler_stage, 0);
	at_the_end = then;
	handle(then ? stay_and_end : stay_in_handler, flags);
	pid = spawn_waiter(self, MUTEX, me);
	kill(pid, SIGUSR1);
	MUST(eventually(load(handler_stage) == 1));
	return pid;
}

TEST_F(cond, a_handler_does_not_lose_the_place_in_the_queue)
{
	pid_t pids[3];
	int flags;

	for (flags = 0; flags != 2 * SA_RESTART; flags += SA_RESTART) {
		store(&self->shared->turns, 0);
		pids[0] = spawn_distracted(self, flags, NULL, 0);
		pids[1] = spawn_waiter(self, MUTEX, 1);
		pids[2] = spawn_waiter(self, MUTEX, 2);
		EXPECT_EQ(3, waiters(self->cond));
		EXPECT_EQ(1, signal_fd(self));
		EXPECT_EQ(2, waiters(self->cond));
		sleep_ns(5 * NSEC_PER_MSEC);
		EXPECT_EQ(0, load(&self->shared->turns));
		/* The lock is not held in the handler. */
		EXPECT_TRUE(eventually(!gosync_mutex_trylock(self->mutex)));
		EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
		store(handler_stage, 2);
		EXPECT_EQ(0, reap(pids[0]));
		EXPECT_EQ(1, load(&self->shared->turns));
		EXPECT_EQ(1, signal_fd(self));
		EXPECT_EQ(0, reap(pids[1]));
		EXPECT_EQ(1, broadcast_fd(self));
		EXPECT_EQ(0, reap(pids[2]));
	}
}

TEST_F(cond, who_dies_in_its_handler_swallows_no_signal)
{
	pid_t pids[3];
	int i;

	/* It dies with the signal, then before there is one. */
	for (i = 0; i < 2; i++) {
		store(&self->shared->turns, 0);
		pids[0] = spawn_distracted(self, 0, NULL, 0);
		pids[1] = spawn_waiter(self, MUTEX, 1);
		pids[2] = spawn_waiter(self, MUTEX, 2);
		if (!i)
			EXPECT_EQ(1, signal_fd(self));
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(pids[0]));
		if (i) {
			EXPECT_EQ(2, waiters(self->cond));
			EXPECT_EQ(1, signal_fd(self));
		}
		EXPECT_EQ(0, reap(pids[1]));
		sleep_ns(2 * NSEC_PER_MSEC);
		EXPECT_EQ(1, load(&self->shared->turns));
		EXPECT_EQ(1, waiters(self->cond));
		EXPECT_EQ(1, signal_fd(self));
		EXPECT_EQ(0, reap(pids[2]));
	}
}

static gosync_cond_t *closed_in_handler;

static void close_and_stay(void)
{
	close(gosync_fd(closed_in_handler));
	for (;;)
		pause();
}

/* The task lives on, but its holder has ended. */
TEST_F(cond, who_closes_in_its_handler_swallows_no_signal)
{
	pid_t pids[2];

	closed_in_handler = self->cond;
	pids[0] = spawn_distracted(self, 0, close_and_stay, 0);
	pids[1] = spawn_waiter(self, MUTEX, 1);
	EXPECT_EQ(1, signal_fd(self));
	EXPECT_EQ(1, waiters(self->cond));
	store(handler_stage, 2);
	EXPECT_EQ(0, reap_soon(pids[1]));
	EXPECT_EQ(0, load(&self->shared->turn[0]));
	EXPECT_EQ(128 + SIGKILL, kill_and_reap(pids[0]));
}

/* One is told, another comes to wait, and the first dies in its handler. */
static void dies_before_another(struct __test_metadata *_metadata,
				FIXTURE_DATA(cond) *self,
				int (*tell)(FIXTURE_DATA(cond) *self))
{
	pid_t pids[2];

	pids[0] = spawn_distracted(self, 0, NULL, 0);
	EXPECT_EQ(1, tell(self));
	pids[1] = spawn_waiter(self, MUTEX, 1);
	EXPECT_EQ(128 + SIGKILL, kill_and_reap(pids[0]));
	sleep_ns(5 * NSEC_PER_MSEC);
	EXPECT_EQ(1, waiters(self->cond));
	EXPECT_EQ(1, signal_fd(self));
	EXPECT_EQ(0, reap(pids[1]));
}

/* A broadcast reached all who were there: nothing is passed on. */
TEST_F(cond, who_dies_in_its_handler_passes_no_broadcast_on)
{
	dies_before_another(_metadata, self, broadcast_fd);
}

/* Nor is a signal, to who came after it. */
TEST_F(cond, a_signal_is_not_passed_on_to_who_came_later)
{
	dies_before_another(_metadata, self, signal_fd);
}

TEST_F(cond, an_owner_that_died_is_told_of_when_a_handler_ends_the_wait)
{
	enum kind kind;
	pid_t pid, owner;

	handler_stage = &self->shared->stage;
	for (kind = 0; kind < KINDS; kind++) {
		store(handler_stage, 0);
		pid = WAITER(self->cond, ({
			handle(stay_in_handler, 0);
			lock(self, kind);
			told_once(self, kind,
				  wait_until(self, kind, GOSYNC_FOREVER,
					     GOSYNC_INTERRUPTIBLE));
		}));
		kill(pid, SIGUSR1);
		ASSERT_TRUE(eventually(load(handler_stage) == 1));
		owner = spawn_owner(self, kind);
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(owner));
		store(handler_stage, 2);
		EXPECT_EQ(0, reap_soon(pid))
			TH_LOG("kind %u", kind);
	}
}

TEST_HARNESS_MAIN
