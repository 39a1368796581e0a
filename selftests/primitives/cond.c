// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cond: who is woken, and when; that no signal is lost, whatever happens to the
 * waiters; and that the lock is held afterwards.
 */
#include "gosync_test_cond.h"

/* --- the lock ------------------------------------------------------------ */

TEST_F(cond, waits_without_the_lock_and_returns_with_it)
{
	enum kind kind;
	pid_t pid;

	for (kind = 0; kind < KINDS; kind++) {
		store(&self->shared->leave, 0);
		pid = spawn_waiter(self, kind, kind);
		/* It is free while the other waits. */
		EXPECT_EQ(0, lock(self, exclusive(kind)));
		EXPECT_EQ(0, gosync_cond_signal(self->cond));
		EXPECT_EQ(0, waiters(self->cond));
		sleep_ns(2 * NSEC_PER_MSEC);
		/* It is woken, and waits for the lock. */
		EXPECT_EQ(0, turn_of(self, kind));
		EXPECT_EQ(0, unlock(self, exclusive(kind)));
		EXPECT_TRUE(eventually(turn_of(self, kind)));
		EXPECT_EQ(-EBUSY, kind == MUTEX ?
			  gosync_mutex_trylock(self->mutex) :
			  gosync_rwmutex_trylock(self->rw));
		EXPECT_EQ(kind == READER, info(self->rw).readers);
		store(&self->shared->leave, 1);
		EXPECT_EQ(0, reap(pid));
		EXPECT_EQ(0, info(self->mutex).word);
		EXPECT_EQ(0, info(self->rw).word);
		EXPECT_EQ(0, info(self->rw).readers);
	}
}

TEST_F(cond, readers_wait_and_return_beside_each_other)
{
	pid_t pids[3];
	int i;

	store(&self->shared->leave, 0);
	EXPECT_EQ(0, gosync_rwmutex_rlock(self->rw));
	for (i = 0; i < 3; i++)
		pids[i] = spawn_waiter(self, READER, i);
	/* Each is a waiter before it unlocks. */
	EXPECT_TRUE(eventually(info(self->rw).readers == 1));
	EXPECT_EQ(0, gosync_cond_broadcast(self->cond));
	EXPECT_TRUE(eventually(load(&self->shared->turns) == 3));
	EXPECT_EQ(4, info(self->rw).readers);
	store(&self->shared->leave, 1);
	EXPECT_EQ(0, reap_all(pids, 3));
	EXPECT_EQ(0, gosync_rwmutex_runlock(self->rw));
}

TEST_F(cond, a_poisoned_lock_is_told_of)
{
	enum kind kind;

	for (kind = 0; kind < KINDS; kind++) {
		pid_t owner, waiter;

		/* First who dies with it, then who dies while another relocks */
		kill_and_reap(spawn_owner(self, kind));
		waiter = spawn_waiter(self, kind, 0);
		EXPECT_EQ(0, gosync_cond_signal(self->cond));
		EXPECT_EQ(1, reap(waiter));
		EXPECT_EQ(0, recover_lock(self, kind));

		waiter = spawn_waiter(self, kind, 0);
		owner = spawn_owner(self, kind);
		EXPECT_EQ(0, gosync_cond_signal(self->cond));
		ASSERT_TRUE(eventually(waiters(lock_of(self, kind)) == 1));
		EXPECT_EQ(0, turn_of(self, 0));
		kill_and_reap(owner);
		EXPECT_EQ(1, reap(waiter));
		EXPECT_EQ(0, recover_lock(self, kind));
	}
}

/* --- who is woken -------------------------------------------------------- */

TEST_F(cond, signals_wake_one_each_in_order)
{
	enum { N = 100 };
	pid_t pids[N];
	unsigned int i;

	for (i = 0; i < N; i++)
		pids[i] = spawn_waiter(self, i % KINDS, i);
	for (i = 0; i < N; i++) {
		EXPECT_EQ(0, gosync_cond_signal(self->cond));
		EXPECT_EQ(N - 1 - i, waiters(self->cond));
		ASSERT_TRUE(eventually(turn_of(self, i) == i + 1));
	}
	EXPECT_EQ(0, signal_fd(self));
	EXPECT_EQ(0, reap_all(pids, N));
	EXPECT_EQ(0, info(self->cond).word);
}

TEST_F(cond, a_signal_wakes_only_one)
{
	pid_t pids[3];
	int i;

	for (i = 0; i < 3; i++)
		pids[i] = spawn_waiter(self, MUTEX, i);
	EXPECT_EQ(1, signal_fd(self));
	EXPECT_EQ(0, reap(pids[0]));
	sleep_ns(10 * NSEC_PER_MSEC);
	EXPECT_EQ(1, load(&self->shared->turns));
	EXPECT_EQ(2, waiters(self->cond));
	EXPECT_EQ(2, broadcast_fd(self));
	EXPECT_EQ(0, reap(pids[1]));
	EXPECT_EQ(0, reap(pids[2]));
}

TEST_F(cond, a_broadcast_wakes_all)
{
	enum { N = 100 };
	pid_t pids[N];
	unsigned int i;

	for (i = 0; i < N; i++)
		pids[i] = spawn_party(self, i % KINDS, i);
	ASSERT_TRUE(eventually(waiters(self->cond) == N));
	EXPECT_EQ(0, load(&self->shared->turns));
	EXPECT_EQ(0, gosync_cond_broadcast(self->cond));
	EXPECT_EQ(0, waiters(self->cond));
	EXPECT_EQ(0, reap_all(pids, N));
	EXPECT_EQ(N, load(&self->shared->turns));
	EXPECT_EQ(0, broadcast_fd(self));
}

static int signal_often(void *arg)
{
	gosync_cond_t *cond = arg;
	int i, ret = 0;

	for (i = 0; i < 100; i++) {
		ret |= gosync_cond_signal(cond);
		ret |= gosync_cond_broadcast(cond);
	}
	return ret;
}

TEST_F(cond, when_nobody_waits_signals_take_no_system_call)
{
	EXPECT_SYSTEM_CALLS(variant->how, signal_often, self->cond);
	/* Also when somebody did wait */
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(-ETIMEDOUT, gosync_cond_wait_until(self->cond, self->mutex,
						     1, 0));
	EXPECT_SYSTEM_CALLS(variant->how, signal_often, self->cond);
}

TEST_F(cond, when_nobody_waits_signals_are_forgotten)
{
	EXPECT_EQ(0, gosync_cond_signal(self->cond));
	EXPECT_EQ(0, gosync_cond_broadcast(self->cond));
	EXPECT_EQ(0, signal_fd(self));
	EXPECT_EQ(0, broadcast_fd(self));
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(-ETIMEDOUT, wait_until(self, MUTEX,
					 gosync_deadline(10 * NSEC_PER_MSEC),
					 0));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
}

/*
 * In each round the broadcast goes to one that waits already, while another
 * begins to wait. The first must have it; and all in all there are as many
 * wake-ups as broadcasts said.
 */
TEST_F(cond, a_broadcast_is_not_stolen_by_who_comes_later)
{
	enum { ROUNDS = 1000 };
	struct {
		unsigned int round;	/* the first may wait */
		unsigned int go;	/* the other may come */
		unsigned int ready, first_done, other_done;
		unsigned int done;	/* under the lock */
		unsigned int wrong, woken;
	} *shared = shared_memory(sizeof(*shared));
	unsigned int round, woken = 0;
	pid_t first, other;

	first = spawn();
	if (!first) {
		for (round = 1; round <= ROUNDS; round++) {
			while (load(&shared->round) != round)
				sched_yield();
			gosync_mutex_lock(self->mutex);
			store(&shared->ready, round);
			if (gosync_cond_wait(self->cond, self->mutex))
				add(&shared->wrong, 1);
			add(&shared->woken, 1);
			gosync_mutex_unlock(self->mutex);
			store(&shared->first_done, round);
		}
		_exit(0);
	}
	other = spawn();
	if (!other) {
		for (round = 1; round <= ROUNDS; round++) {
			while (load(&shared->go) != round)
				sched_yield();
			gosync_mutex_lock(self->mutex);
			while (load(&shared->done) != round) {
				if (gosync_cond_wait(self->cond, self->mutex))
					add(&shared->wrong, 1);
				add(&shared->woken, 1);
			}
			gosync_mutex_unlock(self->mutex);
			store(&shared->other_done, round);
		}
		_exit(0);
	}
	for (round = 1; round <= ROUNDS; round++) {
		store(&shared->round, round);
		ASSERT_TRUE(eventually(load(&shared->ready) == round));
		/* Once we have had the lock, it waits. */
		gosync_mutex_lock(self->mutex);
		gosync_mutex_unlock(self->mutex);
		store(&shared->go, round);
		woken += broadcast_fd(self);
		ASSERT_TRUE(eventually(load(&shared->first_done) == round));
		gosync_mutex_lock(self->mutex);
		store(&shared->done, round);
		gosync_mutex_unlock(self->mutex);
		woken += broadcast_fd(self);
		ASSERT_TRUE(eventually(load(&shared->other_done) == round));
	}
	EXPECT_EQ(0, reap(first));
	EXPECT_EQ(0, reap(other));
	EXPECT_EQ(0, shared->wrong);
	EXPECT_EQ(woken, shared->woken);
}

/*
 * Two who do nothing but wait for each other: one signal lost, and both sleep.
 * When it is sent under the lock, nobody is woken but for its turn.
 */
static void take_turns(struct __test_metadata *_metadata,
		       FIXTURE_DATA(cond) *self, enum kind kind, bool inside)
{
	enum { TURNS = 2000 };
	struct {
		unsigned int turn, wrong;
	} *shared = shared_memory(sizeof(*shared));
	pid_t pids[2];
	int i;

	for (i = 0; i < 2; i++) {
		pids[i] = spawn();
		if (pids[i])
			continue;
		while (lock(self, kind) == 0 && shared->turn < TURNS) {
			while (shared->turn % 2 != i)
				if (wait_for_ever(self, kind) ||
				    (inside && shared->turn % 2 != i))
					shared->wrong++;
			shared->turn++;
			if (inside)
				gosync_cond_signal(self->cond);
			unlock(self, kind);
			if (!inside)
				gosync_cond_signal(self->cond);
		}
		unlock(self, kind);
		_exit(0);
	}
	EXPECT_EQ(0, reap_soon(pids[0]));
	EXPECT_EQ(0, reap_soon(pids[1]));
	EXPECT_EQ(0, shared->wrong);
	EXPECT_LE(TURNS, shared->turn);
}

TEST_F(cond, nothing_is_lost_between_unlocking_and_sleeping)
{
	take_turns(_metadata, self, MUTEX, false);
	take_turns(_metadata, self, WRITER, false);
}

TEST_F(cond, nobody_is_woken_without_a_signal)
{
	take_turns(_metadata, self, MUTEX, true);
	take_turns(_metadata, self, WRITER, true);
}

/* --- the ioctl ----------------------------------------------------------- */

static int wait_fd(int fd, int lock, struct gosync_cond_wait_args *args)
{
	args->size = sizeof(*args);
	args->lock = lock;
	return call(fd, GOSYNC_IOC_COND_WAIT, args);
}

TEST_F(cond, the_ioctl_leaves_a_ticket_to_come_back_with)
{
	int other = reopen_object(gosync_fd(self->cond), 0);
	pid_t pid = spawn();

	ASSERT_LE(0, other);
	if (!pid) {
		struct gosync_cond_wait_args args = {}, copy;
		int fd = gosync_fd(self->cond);
		int lock = gosync_fd(self->mutex);

		handle(count_signal, 0);
		EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
		EXPECT_EQ(-EINTR, wait_fd(fd, lock, &args));
		EXPECT_NE(0, args.ticket);
		EXPECT_FALSE(is_mine(self, MUTEX));
		/* Nobody else's, and no other */
		copy = args;
		EXPECT_EQ(-EINVAL, wait_fd(other, lock, &copy));
		copy.ticket++;
		EXPECT_EQ(-EINVAL, wait_fd(fd, lock, &copy));
		copy = args;
		copy.cancel = 1;
		EXPECT_EQ(-EINVAL, wait_fd(fd, lock, &copy));
		copy = args;
		EXPECT_EQ(-EBADF, wait_fd(fd, -1, &copy));
		EXPECT_EQ(-ENOTTY, wait_fd(fd, fd, &copy));
		EXPECT_EQ(1, waiters(self->cond));
		EXPECT_FALSE(is_mine(self, MUTEX));
		/* Enough of it */
		copy.deadline = 1;
		EXPECT_EQ(-ETIMEDOUT, wait_fd(fd, lock, &copy));
		EXPECT_TRUE(is_mine(self, MUTEX));
		EXPECT_EQ(0, waiters(self->cond));
		/* It is used up. */
		EXPECT_EQ(-EINVAL, wait_fd(fd, lock, &args));
		EXPECT_TRUE(is_mine(self, MUTEX));
		/* And signalled meanwhile */
		args.ticket = 0;
		store(&self->shared->step, 1);
		EXPECT_EQ(-EINTR, wait_fd(fd, lock, &args));
		store(&self->shared->step, 2);
		while (load(&self->shared->step) != 3)
			sched_yield();
		EXPECT_EQ(0, waiters(self->cond));
		args.deadline = 1;
		EXPECT_EQ(0, wait_fd(fd, lock, &args));
		EXPECT_TRUE(is_mine(self, MUTEX));
		_exit(gosync_mutex_unlock(self->mutex));
	}
	ASSERT_TRUE(eventually(waiters(self->cond) == 1));
	kill(pid, SIGUSR1);
	ASSERT_TRUE(eventually(load(&self->shared->step) == 1));
	ASSERT_TRUE(eventually(waiters(self->cond) == 1));
	kill(pid, SIGUSR1);
	ASSERT_TRUE(eventually(load(&self->shared->step) == 2));
	EXPECT_EQ(1, signal_fd(self));
	store(&self->shared->step, 3);
	EXPECT_EQ(0, reap(pid));
}

TEST_F(cond, only_who_holds_the_lock_may_wait)
{
	struct gosync_cond_wait_args args;
	enum kind kind;

	for (kind = 0; kind < KINDS; kind++) {
		EXPECT_EQ(-EPERM, wait_for_ever(self, kind));
		EXPECT_EQ(-EPERM, wait_until(self, kind, 1, 0));
		EXPECT_EQ(0, waiters(self->cond));
		EXPECT_EQ(0, info(self->cond).word);
	}
	/* The side that is not locked */
	EXPECT_EQ(0, gosync_rwmutex_rlock(self->rw));
	EXPECT_EQ(-EPERM, wait_for_ever(self, WRITER));
	EXPECT_EQ(0, gosync_rwmutex_runlock(self->rw));
	EXPECT_EQ(0, gosync_rwmutex_lock(self->rw));
	EXPECT_EQ(-EPERM, wait_for_ever(self, READER));
	EXPECT_TRUE(is_mine(self, WRITER));
	EXPECT_EQ(0, gosync_rwmutex_unlock(self->rw));
	EXPECT_EQ(0, waiters(self->cond));
	/* It did not get as far as to have a place in the queue. */
	memset(&args, 0, sizeof(args));
	EXPECT_EQ(-EPERM, wait_fd(gosync_fd(self->cond), gosync_fd(self->rw),
				  &args));
	EXPECT_EQ(0, args.ticket);
	EXPECT_EQ(0, signal_fd(self));
}

TEST_F(cond, with_errorcheck_only_the_owner_may_wait)
{
	char *name = unique_name();
	gosync_mutex_t *mine, *other;

	mine = NEW_NAMED(gosync_mutex, name, GOSYNC_ERRORCHECK | variant->how);
	ASSERT_EQ(0, gosync_mutex_open(name, variant->how, 0, &other));
	EXPECT_EQ(0, gosync_mutex_lock(mine));
	EXPECT_EQ(-EPERM, gosync_cond_wait(self->cond, other));
	EXPECT_EQ(-ETIMEDOUT, gosync_cond_wait_until(self->cond, mine, 1, 0));
	EXPECT_EQ(0, gosync_mutex_unlock(mine));
}

TEST_F(cond, the_lock_must_be_one)
{
	int fd = gosync_fd(self->cond);
	struct gosync_cond_wait_args args = {};
	int pipes[2], wrong[4], i;

	ASSERT_EQ(0, pipe(pipes));
	wrong[0] = pipes[0];
	wrong[1] = new_object(GOSYNC_INT32);
	wrong[2] = new_object(GOSYNC_VALUE);
	wrong[3] = fd;
	for (i = 0; i < 4; i++) {
		ASSERT_LE(0, wrong[i]);
		EXPECT_EQ(-ENOTTY, wait_fd(fd, wrong[i], &args));
	}
	close(pipes[0]);
	EXPECT_EQ(-EBADF, wait_fd(fd, pipes[0], &args));
	EXPECT_EQ(-EBADF, wait_fd(fd, -1, &args));
	EXPECT_EQ(-EFAULT, call(fd, GOSYNC_IOC_COND_WAIT, NULL));
	/* A Mutex has no read side. */
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(-ENOTTY, gosync_cond_wait_until(self->cond, self->mutex, 1,
						  GOSYNC_READ_SIDE));
	EXPECT_TRUE(is_mine(self, MUTEX));
	EXPECT_EQ(0, waiters(self->cond));
}

TEST_F(cond, read_only_handles_only_look)
{
	gosync_cond_t *looker;
	gosync_mutex_t *mutex;
	pid_t pid;

	ASSERT_EQ(0, gosync_cond_open(self->name, GOSYNC_RDONLY | variant->how,
				      0, &looker));
	ASSERT_EQ(0, gosync_mutex_open(self->mutex_name, GOSYNC_RDONLY |
				       variant->how, 0, &mutex));
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(-EBADF, gosync_cond_wait(looker, self->mutex));
	EXPECT_EQ(-EBADF, gosync_cond_wait(self->cond, mutex));
	EXPECT_TRUE(is_mine(self, MUTEX));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	pid = spawn_waiter(self, MUTEX, 0);
	EXPECT_EQ(-EBADF, gosync_cond_signal(looker));
	EXPECT_EQ(-EBADF, gosync_cond_broadcast(looker));
	EXPECT_EQ(1, waiters(self->cond));
	EXPECT_EQ(1, info(looker).word);
	EXPECT_EQ(0, gosync_cond_signal(self->cond));
	EXPECT_EQ(0, reap(pid));
}

/* --- who leaves ---------------------------------------------------------- */

TEST_F(cond, who_gave_up_swallows_no_signal)
{
	pid_t pids[3];

	pids[0] = spawn_waiter(self, MUTEX, 0);
	pids[1] = CHILD(wait_and_unlock(self, MUTEX,
					gosync_deadline(NSEC_PER_SEC / 5), 0));
	EXPECT_EQ(ETIMEDOUT, reap(pids[1]));
	pids[1] = spawn_waiter(self, MUTEX, 1);
	pids[2] = spawn_waiter(self, MUTEX, 2);
	kill_and_reap(pids[0]);
	EXPECT_EQ(2, waiters(self->cond));
	EXPECT_EQ(1, signal_fd(self));
	EXPECT_EQ(0, reap_soon(pids[1]));
	EXPECT_EQ(1, signal_fd(self));
	EXPECT_EQ(0, reap_soon(pids[2]));
}

/* The one that was signalled waits for the lock, and is killed there. */
TEST_F(cond, who_dies_before_it_has_the_lock_passes_the_signal_on)
{
	enum kind kind;
	pid_t pids[2];

	for (kind = 0; kind < KINDS; kind++) {
		store(&self->shared->turns, 0);
		pids[0] = spawn_waiter(self, kind, 0);
		pids[1] = spawn_waiter(self, kind, 1);
		EXPECT_EQ(0, lock(self, exclusive(kind)));
		EXPECT_EQ(1, signal_fd(self));
		ASSERT_TRUE(eventually(waiters(lock_of(self, kind)) == 1));
		EXPECT_EQ(1, waiters(self->cond));
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(pids[0]));
		EXPECT_EQ(0, waiters(self->cond));
		EXPECT_EQ(0, unlock(self, exclusive(kind)));
		EXPECT_EQ(0, reap_soon(pids[1]));
		EXPECT_EQ(1, load(&self->shared->turns));
	}
}

/*
 * With a processor to itself, the caller can signal and kill whom it woke
 * before that one runs.
 */
TEST_F(cond, who_dies_before_it_runs_passes_the_signal_on)
{
	enum kind kind;
	pid_t pids[2];

	if (rule_one_cpu())
		SKIP(return, "cannot have a processor");
	for (kind = 0; kind < KINDS; kind++) {
		pids[0] = spawn_waiter(self, kind, 0);
		pids[1] = spawn_waiter(self, kind, 1);
		EXPECT_EQ(1, signal_fd(self));
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(pids[0]));
		EXPECT_EQ(0, turn_of(self, 0));
		EXPECT_EQ(0, reap_soon(pids[1]));
		EXPECT_EQ(0, info(lock_of(self, kind)).deaths);
	}
}

/* Deadlines, handlers and signals all come at the same time. */
TEST_F(cond, as_many_are_woken_as_signals_were_sent)
{
	enum { N = 5 };
	uint64_t end = end_of_budget(), seed = random_seed();
	struct {
		unsigned int stop;
		unsigned int woken, gave_up, interrupted, wrong;
	} *shared = shared_memory(sizeof(*shared));
	unsigned int sent = 0;
	pid_t pids[N];
	int i;

	handle(count_signal, 0);
	for (i = 0; i < N; i++) {
		uint64_t mine = random_seed() + i;
		enum kind kind = i % KINDS;

		pids[i] = spawn();
		if (pids[i])
			continue;
		handle(count_signal, i % 2 ? SA_RESTART : 0);
		while (!load(&shared->stop)) {
			uint64_t soon = gosync_deadline(random_u32(&mine) %
							(NSEC_PER_MSEC));
			int ret = lock(self, kind);

			if (!ret)
				ret = wait_until(self, kind, soon,
						 random_u32(&mine) % 2 ?
						 GOSYNC_INTERRUPTIBLE : 0);
			if (!ret)
				add(&shared->woken, 1);
			else if (ret == -ETIMEDOUT)
				add(&shared->gave_up, 1);
			else if (ret == -EINTR)
				add(&shared->interrupted, 1);
			else
				add(&shared->wrong, 1);
			if (!is_mine(self, kind) && kind != READER)
				add(&shared->wrong, 1);
			if (unlock(self, kind))
				add(&shared->wrong, 1);
		}
		_exit(0);
	}
	do {
		uint32_t r = random_u32(&seed);
		int ret = r % 4 ? signal_fd(self) : broadcast_fd(self);

		ASSERT_LE(0, ret);
		sent += ret;
		if (r % 8 == 1)
			kill(pids[r / 8 % N], SIGUSR1);
		sleep_ns(r % (300 * NSEC_PER_USEC));
	} while (budget_left(end) || !sent);
	store(&shared->stop, 1);
	EXPECT_EQ(0, reap_all(pids, N));
	TH_LOG("%u sent, %u woken, %u gave up, %u interrupted", sent,
	       shared->woken, shared->gave_up, shared->interrupted);
	EXPECT_EQ(0, shared->wrong);
	EXPECT_EQ(sent, shared->woken);
	EXPECT_EQ(0, waiters(self->cond));
	EXPECT_EQ(0, info(self->cond).word);
}

struct in_thread {
	int cond;
	int lock;
	int ret;
};

static void *wait_in_thread(void *arg)
{
	struct in_thread *in_thread = arg;
	struct gosync_cond_wait_args args = {};

	in_thread->ret = lock_fd(in_thread->lock);
	if (!in_thread->ret)
		in_thread->ret = wait_fd(in_thread->cond, in_thread->lock,
					 &args);
	return NULL;
}

/* Who waits on descriptors that are closed meanwhile waits on. */
TEST_F(cond, closing_does_not_end_a_wait)
{
	struct in_thread in_thread = {
		.cond = open_object(0, self->name, 0, 0),
		.lock = open_object(0, self->mutex_name, 0, 0),
		.ret = -1,
	};
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_in_thread, &in_thread));
	ASSERT_TRUE(eventually(waiters(self->cond) == 1));
	close(in_thread.cond);
	close(in_thread.lock);
	EXPECT_EQ(2, info(self->cond).holders);
	EXPECT_EQ(1, waiters(self->cond));
	EXPECT_EQ(1, signal_fd(self));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, in_thread.ret);
	/* It had the lock, and its holder has ended with the call. */
	EXPECT_EQ(1, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(1, info(self->cond).holders);
}

TEST_F(cond, a_child_is_not_who_waits_in_its_parent)
{
	struct in_thread in_thread = {
		.cond = gosync_fd(self->cond),
		.lock = gosync_fd(self->mutex),
		.ret = -1,
	};
	pthread_t thread;
	pid_t pid;

	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_in_thread, &in_thread));
	ASSERT_TRUE(eventually(waiters(self->cond) == 1));
	pid = spawn();
	if (!pid) {
		EXPECT_EQ(2, info(self->cond).holders);
		EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
		EXPECT_EQ(-ETIMEDOUT,
			  gosync_cond_wait_until(self->cond, self->mutex, 1, 0));
		_exit(gosync_mutex_unlock(self->mutex));
	}
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(1, waiters(self->cond));
	EXPECT_EQ(0, gosync_cond_signal(self->cond));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, in_thread.ret);
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
}

TEST_F(cond, the_kernel_does_not_believe_the_mapped_count)
{
	static const uint32_t garbage[] = { 0, 1, 7, 0x80000000, 0xffffffff };
	struct gosync_cond_slot *slot = map_state(gosync_fd(self->cond));
	unsigned int i;
	pid_t pids[2];

	for (i = 0; i < ARRAY_SIZE(garbage); i++) {
		pids[0] = spawn_waiter(self, MUTEX, 0);
		pids[1] = spawn_waiter(self, WRITER, 1);
		EXPECT_EQ(2, load(&slot->waiters));
		store(&slot->waiters, garbage[i]);
		EXPECT_EQ(2, waiters(self->cond));
		EXPECT_EQ(1, signal_fd(self));
		EXPECT_EQ(1, load(&slot->waiters));
		store(&slot->waiters, garbage[i]);
		EXPECT_EQ(1, broadcast_fd(self));
		EXPECT_EQ(0, load(&slot->waiters));
		EXPECT_EQ(0, reap(pids[0]));
		EXPECT_EQ(0, reap(pids[1]));
		store(&slot->waiters, garbage[i]);
		EXPECT_EQ(0, gosync_cond_signal(self->cond));
		EXPECT_EQ(0, gosync_cond_broadcast(self->cond));
	}
}

enum { WORKERS = 6, ROOM = 3 };

struct queue {
	unsigned int items;		/* under the lock */
	unsigned int inside;		/* who is, likewise */
	unsigned int stop;
	unsigned int wrong;
	unsigned int produced, consumed;
	unsigned int reports;
	gosync_cond_t *not_full;
	gosync_cond_t *not_empty;
};

/*
 * A change and its signal are made under the lock, so that whoever dies in
 * between leaves the lock poisoned: then all are to look again.
 */
static void repair(struct queue *queue, gosync_mutex_t *mutex)
{
	add(&queue->reports, 1);
	store(&queue->inside, 0);
	if (gosync_mutex_recover(mutex) ||
	    gosync_cond_broadcast(queue->not_full) ||
	    gosync_cond_broadcast(queue->not_empty))
		add(&queue->wrong, 1);
}

/* @ret is what locking said. */
static void enter(struct queue *queue, gosync_mutex_t *mutex, int ret,
		  unsigned int me)
{
	if (ret == 1)
		repair(queue, mutex);
	else if (ret)
		add(&queue->wrong, 1);
	if (load(&queue->inside) || load(&queue->items) > ROOM)
		add(&queue->wrong, 1);
	store(&queue->inside, me + 1);
}

static void leave(struct queue *queue, unsigned int me)
{
	if (load(&queue->inside) != me + 1)
		add(&queue->wrong, 1);
	store(&queue->inside, 0);
}

/* Even ones produce, the others consume. */
static void work(struct queue *queue, gosync_mutex_t *mutex, unsigned int me)
{
	const bool produces = me % 2 == 0;
	gosync_cond_t *mine = produces ? queue->not_full : queue->not_empty;
	gosync_cond_t *others = produces ? queue->not_empty : queue->not_full;
	uint64_t seed = random_seed() + me;

	handle(count_signal, me % 3 ? SA_RESTART : 0);
	while (!load(&queue->stop)) {
		uint32_t r = random_u32(&seed);

		enter(queue, mutex, gosync_mutex_lock(mutex), me);
		while (load(&queue->items) == (produces ? ROOM : 0) &&
		       !load(&queue->stop)) {
			leave(queue, me);
			enter(queue, mutex, gosync_cond_wait(mine, mutex), me);
		}
		if (!load(&queue->stop)) {
			add(&queue->items, produces ? 1 : -1);
			add(produces ? &queue->produced : &queue->consumed, 1);
			gosync_cond_signal(others);
		}
		leave(queue, me);
		if (gosync_mutex_unlock(mutex))
			add(&queue->wrong, 1);
		if (r % 16 == 1)
			sleep_ns(r % NSEC_PER_MSEC);
	}
	_exit(0);
}

static pid_t spawn_worker(FIXTURE_DATA(cond) *self, struct queue *queue,
			  unsigned int me)
{
	pid_t pid = spawn();

	if (!pid)
		work(queue, self->mutex, me);
	return pid;
}

/* Whoever died may have been the last that was awake. */
static void look_after(FIXTURE_DATA(cond) *self, struct queue *queue)
{
	enter(queue, self->mutex, gosync_mutex_lock(self->mutex), WORKERS);
	leave(queue, WORKERS);
	if (gosync_mutex_unlock(self->mutex))
		add(&queue->wrong, 1);
}

TEST_F(cond, deaths_at_any_moment_leave_nobody_hanging)
{
	uint64_t end = end_of_budget(), seed = random_seed();
	struct queue *queue = shared_memory(sizeof(*queue));
	unsigned int i, kills = 0, before;
	pid_t pids[WORKERS];

	queue->not_full = self->cond;
	queue->not_empty = NEW_NAMED(gosync_cond, unique_name(), variant->how);
	handle(count_signal, 0);
	for (i = 0; i < WORKERS; i++)
		pids[i] = spawn_worker(self, queue, i);
	while (budget_left(end)) {
		sleep_ns(random_u32(&seed) % (2 * NSEC_PER_MSEC));
		i = random_u32(&seed) % WORKERS;
		kill(pids[random_u32(&seed) % WORKERS], SIGUSR1);
		ASSERT_EQ(128 + SIGKILL, kill_and_reap(pids[i]));
		kills++;
		look_after(self, queue);
		pids[i] = spawn_worker(self, queue, i);
	}
	/* It goes on without anybody's help. */
	before = load(&queue->consumed);
	EXPECT_TRUE(eventually(load(&queue->consumed) > before + 100));
	gosync_mutex_lock(self->mutex);
	store(&queue->stop, 1);
	gosync_cond_broadcast(queue->not_full);
	gosync_cond_broadcast(queue->not_empty);
	gosync_mutex_unlock(self->mutex);
	EXPECT_EQ(0, reap_all(pids, WORKERS));
	TH_LOG("%u produced, %u consumed, %u kills, %u deaths, %u reports",
	       queue->produced, queue->consumed, kills,
	       info(self->mutex).deaths, queue->reports);
	EXPECT_EQ(0, queue->wrong);
	EXPECT_LT(0, queue->consumed);
	EXPECT_EQ(0, waiters(self->cond));
	EXPECT_EQ(0, waiters(queue->not_empty));
	EXPECT_EQ(0, waiters(self->mutex));
}

TEST_HARNESS_MAIN
