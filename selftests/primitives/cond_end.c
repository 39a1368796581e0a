// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cond: waits that end without a signal, by a deadline or a handler, hold the
 * lock afterwards, tell of a dead owner, and swallow nothing.
 */
#include "gosync_test_cond.h"

/* --- deadlines ----------------------------------------------------------- */

TEST_F(cond, waits_until_its_deadline_and_holds_the_lock_then)
{
	static const struct {
		clockid_t clock;
		unsigned int flag;
		uint64_t ns;
	} rows[] = {
		{ CLOCK_MONOTONIC, 0, 20 * NSEC_PER_MSEC },
		{ CLOCK_REALTIME, GOSYNC_CLOCK_REALTIME, 20 * NSEC_PER_MSEC },
		{ CLOCK_MONOTONIC, 0, 0 },
	};
	enum kind kind;
	unsigned int i;

	for (kind = 0; kind < KINDS; kind++) {
		EXPECT_EQ(0, lock(self, kind));
		for (i = 0; i < ARRAY_SIZE(rows); i++) {
			uint64_t deadline = now_ns(rows[i].clock) + rows[i].ns;

			EXPECT_EQ(-ETIMEDOUT, wait_until(self, kind, deadline,
							 rows[i].flag));
			EXPECT_LE(deadline, now_ns(rows[i].clock));
			EXPECT_TRUE(is_mine(self, kind));
			EXPECT_EQ(0, waiters(self->cond));
		}
		EXPECT_EQ(-EINVAL, wait_until(self, kind, 1, 1U << 5));
		EXPECT_TRUE(is_mine(self, kind));
		EXPECT_EQ(0, unlock(self, kind));
		EXPECT_EQ(0, info_of(gosync_fd(self->cond)).word);
	}
}

/*
 * A child whose deadline passes while the caller has the lock; false if it was
 * through before that.
 */
static bool deadline_passes_outside(struct __test_metadata *_metadata,
				    FIXTURE_DATA(cond) *self, enum kind kind,
				    uint64_t ns)
{
	enum kind other = kind == READER ? WRITER : kind;
	int fd = gosync_fd(lock_of(self, kind));
	bool in_time;
	pid_t pid;

	store(&self->shared->step, 0);
	pid = spawn();
	if (!pid) {
		int ret = lock(self, kind);

		store(&self->shared->step, 1);
		ret |= wait_until(self, kind, gosync_deadline(ns), 0);
		store(&self->shared->step, 2);
		_exit(is_mine(self, kind) && !unlock(self, kind) ? -ret : 99);
	}
	EXPECT_TRUE(eventually(load(&self->shared->step)));
	EXPECT_EQ(0, lock(self, other));
	in_time = load(&self->shared->step) == 1;
	if (in_time) {
		EXPECT_TRUE(eventually(info_of(fd).waiters == 1));
		EXPECT_EQ(1, load(&self->shared->step));
		/* It comes too late for a signal. */
		EXPECT_EQ(0, waiters(self->cond));
		EXPECT_EQ(0, signal_fd(self));
	}
	EXPECT_EQ(0, unlock(self, other));
	EXPECT_EQ(ETIMEDOUT, reap(pid));
	return in_time;
}

TEST_F(cond, the_deadline_does_not_end_the_locking)
{
	enum kind kind;

	for (kind = 0; kind < KINDS; kind++) {
		int tries = 1;

		while (!deadline_passes_outside(_metadata, self, kind, tries *
						100 * NSEC_PER_MSEC))
			ASSERT_GT(20, ++tries);
	}
}

/* One that locks and is to be killed */
static pid_t spawn_owner(FIXTURE_DATA(cond) *self, enum kind kind)
{
	pid_t pid = spawn();

	if (!pid) {
		lock(self, kind == READER ? WRITER : kind);
		rest();
	}
	MUST(eventually(rests(pid)));
	return pid;
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
	if (lock(self, kind == READER ? WRITER : kind) != 1)
		return 6;
	recover(self, kind);
	return unlock(self, kind == READER ? WRITER : kind) ? 7 : 0;
}

/* As deadline_passes_outside(), but the owner dies. */
static bool owner_dies_outside(struct __test_metadata *_metadata,
			       FIXTURE_DATA(cond) *self, enum kind kind,
			       uint64_t ns)
{
	int fd = gosync_fd(lock_of(self, kind)), ret;
	pid_t pid, owner;
	bool in_time;

	store(&self->shared->step, 0);
	pid = spawn();
	if (!pid) {
		lock(self, kind);
		store(&self->shared->step, 1);
		ret = wait_until(self, kind, gosync_deadline(ns), 0);
		store(&self->shared->step, 2);
		_exit(told_once(self, kind, ret));
	}
	EXPECT_TRUE(eventually(load(&self->shared->step)));
	owner = spawn_owner(self, kind);
	in_time = owner > 0 && load(&self->shared->step) == 1;
	if (in_time) {
		EXPECT_TRUE(eventually(info_of(fd).waiters == 1));
		EXPECT_EQ(0, waiters(self->cond));
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(owner));
		EXPECT_EQ(0, reap(pid))
			TH_LOG("kind %u", kind);
		return true;
	}
	/* It was through before that; none of this counts. */
	if (owner > 0)
		kill_and_reap(owner);
	kill_and_reap(pid);
	EXPECT_LE(0, lock(self, kind == READER ? WRITER : kind));
	recover(self, kind);
	EXPECT_EQ(0, unlock(self, kind == READER ? WRITER : kind));
	return false;
}

TEST_F(cond, an_owner_that_died_is_told_of_at_the_deadline)
{
	enum kind kind;

	for (kind = 0; kind < KINDS; kind++) {
		int tries = 1;

		while (!owner_dies_outside(_metadata, self, kind,
					   tries * 100 * NSEC_PER_MSEC))
			ASSERT_GT(20, ++tries);
	}
}

/* --- handlers of signals ------------------------------------------------- */

TEST_F(cond, a_signals_handler_ends_the_wait_if_asked_for)
{
	enum kind kind;
	pid_t pid;

	for (kind = 0; kind < KINDS; kind++) {
		pid = spawn();
		if (!pid) {
			int ret;

			handle(count_signal, 0);
			lock(self, kind);
			ret = wait_until(self, kind, GOSYNC_FOREVER,
					 GOSYNC_INTERRUPTIBLE);
			if (!is_mine(self, kind) || unlock(self, kind))
				_exit(99);
			_exit(signals == 1 ? -ret : 1);
		}
		ASSERT_TRUE(eventually(waiters(self->cond) == 1));
		kill(pid, SIGUSR1);
		EXPECT_EQ(EINTR, reap(pid));
		EXPECT_EQ(0, waiters(self->cond));
		EXPECT_EQ(0, info_of(gosync_fd(self->cond)).word);
	}
}

TEST_F(cond, otherwise_the_wait_goes_on_after_the_handler)
{
	int flags, i;
	pid_t pid;
	enum kind kind;

	for (kind = 0; kind < KINDS; kind++) {
		for (flags = 0; flags != 2 * SA_RESTART; flags += SA_RESTART) {
			pid = spawn();
			if (!pid) {
				int ret;

				handle(count_signal, flags);
				lock(self, kind);
				ret = wait_for_ever(self, kind);
				if (!is_mine(self, kind) || !signals)
					_exit(99);
				_exit(ret | unlock(self, kind));
			}
			ASSERT_TRUE(eventually(waiters(self->cond) == 1));
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
	if (pid < 0)
		return -1;
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
		ASSERT_TRUE(pids[0] > 0 && pids[1] > 0 && pids[2] > 0);
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
		ASSERT_TRUE(pids[0] > 0 && pids[1] > 0 && pids[2] > 0);
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
	ASSERT_TRUE(pids[0] > 0 && pids[1] > 0);
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
		pid = spawn();
		if (!pid) {
			handle(stay_in_handler, 0);
			lock(self, kind);
			_exit(told_once(self, kind,
					wait_until(self, kind, GOSYNC_FOREVER,
						   GOSYNC_INTERRUPTIBLE)));
		}
		ASSERT_TRUE(eventually(waiters(self->cond) == 1));
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
