// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conds that are watched and polled: signals and broadcasts reach pollers as they
 * reach sleepers, each once, and pass on when nobody takes them.
 */
#include "gosync_test_poll.h"

/* --- Cond ---------------------------------------------------------------- */

FIXTURE(signals)
{
	char *name;
	gosync_cond_t *cond;
	gosync_mutex_t *mutex;
	int a, b;		/* who may watch */
	unsigned int *shared;
};

WITH_AND_WITHOUT_MMAP(signals);

FIXTURE_SETUP(signals)
{
	self->name = unique_name();
	self->cond = NEW_NAMED(gosync_cond, self->name, variant->flags);
	self->mutex = NEW(gosync_mutex, variant->flags);
	self->a = open_object(0, self->name, 0, 0);
	self->b = open_object(0, self->name, 0, 0);
	ASSERT_LE(0, self->a);
	ASSERT_LE(0, self->b);
	self->shared = shared_memory(4096);
}

static int arm(int fd)
{
	return watch_fd(fd, 0, 0, 0);
}

/* How many were told */
static int signal_fd(FIXTURE_DATA(signals) *self)
{
	return call(self->a, GOSYNC_IOC_COND_SIGNAL, NULL);
}

static int broadcast_fd(FIXTURE_DATA(signals) *self)
{
	return call(self->a, GOSYNC_IOC_COND_BROADCAST, NULL);
}

/* A child that waits, and has been signalled when it exits with 0 */
static pid_t spawn_cond_waiter(FIXTURE_DATA(signals) *self)
{
	return WAITER_FD(self->a, gosync_mutex_lock(self->mutex) ||
			 gosync_cond_wait(self->cond, self->mutex) ||
			 gosync_mutex_unlock(self->mutex));
}

TEST_F(signals, are_for_those_who_wait)
{
	/* Nobody does. */
	EXPECT_EQ(0, signal_fd(self));
	EXPECT_EQ(0, broadcast_fd(self));
	EXPECT_FALSE(READY(self->a));
	EXPECT_EQ(0, arm(self->a));
	EXPECT_FALSE(READY(self->a));
	EXPECT_EQ(1, signal_fd(self));
	EXPECT_TRUE(READY(self->a));
	EXPECT_FALSE(READY(self->b));
	/* The library finds out by itself that somebody waits. */
	EXPECT_EQ(0, arm(self->a));
	EXPECT_EQ(0, gosync_cond_signal(self->cond));
	EXPECT_TRUE(READY(self->a));
	/* It stays so, and nobody waits any more. */
	EXPECT_EQ(0, signal_fd(self));
	EXPECT_TRUE(READY(self->a));
	EXPECT_EQ(0, arm(self->a));
	EXPECT_FALSE(READY(self->a));
	EXPECT_EQ(1, broadcast_fd(self));
	EXPECT_TRUE(READY(self->a));
	EXPECT_EQ(0, stop_watching(self->a));
	EXPECT_FALSE(READY(self->a));
	EXPECT_EQ(0, signal_fd(self));
	EXPECT_FALSE(READY(self->a));
}

TEST_F(signals, are_one_for_each)
{
	EXPECT_EQ(0, arm(self->b));
	EXPECT_EQ(0, arm(self->a));
	EXPECT_EQ(2, info_of(self->a).waiters);
	EXPECT_EQ(1, signal_fd(self));
	/* The one that came first */
	EXPECT_TRUE(READY(self->b));
	EXPECT_FALSE(READY(self->a));
	EXPECT_EQ(1, signal_fd(self));
	EXPECT_TRUE(READY(self->a));
	EXPECT_EQ(0, signal_fd(self));
	EXPECT_EQ(0, arm(self->a));
	EXPECT_EQ(0, arm(self->b));
	EXPECT_EQ(2, broadcast_fd(self));
	EXPECT_TRUE(READY(self->a));
	EXPECT_TRUE(READY(self->b));
	EXPECT_EQ(0, info_of(self->a).waiters);
}

/* Who has been told waits at the end of the queue if it waits again. */
TEST_F(signals, go_round_among_those_who_watch)
{
	int round, fd = self->a, other = self->b, old;

	EXPECT_EQ(0, arm(fd));
	EXPECT_EQ(0, arm(other));
	for (round = 0; round < 10; round++) {
		EXPECT_EQ(1, signal_fd(self));
		EXPECT_TRUE(READY(fd));
		EXPECT_FALSE(READY(other));
		EXPECT_EQ(0, arm(fd));
		old = fd;
		fd = other;
		other = old;
	}
	EXPECT_EQ(2, info_of(fd).waiters);
}

TEST_F(signals, are_for_waiters_of_both_kinds)
{
	pid_t pids[2];

	EXPECT_EQ(0, arm(self->a));
	pids[0] = spawn_cond_waiter(self);
	EXPECT_EQ(0, arm(self->b));
	EXPECT_EQ(1, signal_fd(self));
	EXPECT_TRUE(READY(self->a));
	EXPECT_TRUE(is_waiting(pids[0]));
	EXPECT_EQ(1, signal_fd(self));
	EXPECT_EQ(0, reap_soon(pids[0]));
	EXPECT_FALSE(READY(self->b));
	pids[1] = spawn_cond_waiter(self);
	EXPECT_EQ(0, arm(self->a));
	EXPECT_EQ(3, broadcast_fd(self));
	EXPECT_EQ(0, reap_soon(pids[1]));
	EXPECT_TRUE(READY(self->a));
	EXPECT_TRUE(READY(self->b));
}

/* Ways not to have what one has been signalled */
static void leave_by_stop(int fd)
{
	stop_watching(fd);
}

static void leave_by_close(int fd)
{
	close(fd);
}

static void leave_by_exit(int fd)
{
	_exit(0);
}

static void leave_by_kill(int fd)
{
	raise(SIGKILL);
}

static void (*const leave[])(int fd) = {
	leave_by_stop, leave_by_close, leave_by_exit, leave_by_kill,
};

/* A child that watches, and leaves in this way when told to */
static pid_t spawn_leaver(FIXTURE_DATA(signals) *self, int way)
{
	pid_t pid;

	store(self->shared, 0);
	pid = spawn();
	if (!pid) {
		int fd = open_object(0, self->name, 0, 0);

		if (arm(fd))
			_exit(1);
		store(self->shared, 1);
		while (load(self->shared) == 1)
			sleep_ns(NSEC_PER_MSEC / 10);
		leave[way](fd);
		store(self->shared, 3);
		for (;;)
			pause();
	}
	MUST(eventually(load(self->shared) == 1));
	return pid;
}

/* Return: whether it has, by now */
static bool has_left(FIXTURE_DATA(signals) *self, pid_t pid)
{
	siginfo_t info;

	store(self->shared, 2);
	return eventually(load(self->shared) == 3 ||
			  !waitid(P_PID, pid, &info, WEXITED | WNOHANG |
				  WNOWAIT));
}

TEST_F(signals, that_nobody_took_pass_to_the_next)
{
	pid_t first, second;
	int way;

	for (way = 0; way < ARRAY_SIZE(leave); way++) {
		/* Who waits behind it watches, too. */
		first = spawn_leaver(self, way);
		EXPECT_EQ(0, arm(self->a));
		EXPECT_EQ(1, signal_fd(self));
		EXPECT_FALSE(READY(self->a));
		EXPECT_TRUE(has_left(self, first));
		EXPECT_TRUE(eventually(READY(self->a)))
			TH_LOG("way %d", way);
		EXPECT_EQ(0, stop_watching(self->a));
		kill_and_reap(first);

		/* Or sleeps */
		first = spawn_leaver(self, way);
		second = spawn_cond_waiter(self);
		EXPECT_EQ(1, signal_fd(self));
		EXPECT_TRUE(is_waiting(second));
		EXPECT_TRUE(has_left(self, first));
		EXPECT_EQ(0, reap_soon(second));
		kill_and_reap(first);
		EXPECT_EQ(0, info_of(self->a).waiters);
	}
}

/* A broadcast was for those who waited then, not for who comes later. */
TEST_F(signals, of_a_broadcast_do_not_pass_to_later_ones)
{
	EXPECT_EQ(0, arm(self->a));
	EXPECT_EQ(1, broadcast_fd(self));
	EXPECT_EQ(0, arm(self->b));
	EXPECT_EQ(0, stop_watching(self->a));
	EXPECT_FALSE(READY(self->b));
	EXPECT_EQ(1, info_of(self->b).waiters);
}

TEST_F(signals, are_not_swallowed_by_who_left_before)
{
	pid_t first, second;
	int way;

	for (way = 0; way < ARRAY_SIZE(leave); way++) {
		first = spawn_leaver(self, way);
		second = spawn_cond_waiter(self);
		EXPECT_EQ(0, arm(self->a));
		EXPECT_TRUE(has_left(self, first));
		EXPECT_TRUE(eventually(info_of(self->a).waiters == 2));
		EXPECT_EQ(1, signal_fd(self));
		EXPECT_EQ(0, reap_soon(second));
		EXPECT_EQ(1, signal_fd(self));
		EXPECT_TRUE(READY(self->a));
		EXPECT_EQ(0, stop_watching(self->a));
		kill_and_reap(first);
	}
}

enum { LEAVERS = 3, STAYERS = 3 };

struct rounds {
	unsigned int round;
	unsigned int armed;
	unsigned int go;
	unsigned int got;
	unsigned int left;
};

/* Each round: watch, then take what is there or leave it */
static int come_and_leave(FIXTURE_DATA(signals) *self, struct rounds *rounds,
			  uint64_t seed)
{
	unsigned int round, turns = 0;

	for (round = 1;; round++) {
		uint32_t r = random_u32(&seed);
		int fd;

		while (load(&rounds->round) < round)
			pass_time(&turns);
		fd = open_object(0, self->name, 0, 0);
		if (arm(fd))
			return 1;
		add(&rounds->armed, 1);
		while (load(&rounds->go) < round)
			pass_time(&turns);
		dither(&seed);
		if (r % 2 && ask(r / 2 % WAYS, fd, POLLIN, r / 8 % 2) ==
			     POLLIN) {
			/* Watching again says that it was taken. */
			if (arm(fd))
				return 2;
			add(&rounds->got, 1);
		}
		if (r / 16 % 2 && stop_watching(fd))
			return 3;
		close(fd);
		add(&rounds->left, 1);
	}
}

/*
 * Signals race with who leaves. Behind those are enough who stay, so none may
 * be lost, and none may come twice.
 */
TEST_F(signals, get_to_as_many_as_were_sent)
{
	struct rounds *rounds = shared_memory(sizeof(*rounds));
	uint64_t end = end_of_budget(), seed = random_seed();
	unsigned int round = 0, sent = 0, got, before;
	int stayers[STAYERS], i, n;
	pid_t pids[LEAVERS];

	for (i = 0; i < STAYERS; i++)
		stayers[i] = open_object(0, self->name, 0, 0);
	for (i = 0; i < LEAVERS; i++)
		pids[i] = CHILD(come_and_leave(self, rounds, seed + i));
	do {
		before = load(&rounds->got);
		store(&rounds->round, ++round);
		ASSERT_TRUE(reaches(&rounds->armed, LEAVERS * round));
		for (i = 0; i < STAYERS; i++)
			ASSERT_EQ(0, arm(stayers[i]));
		store(&rounds->go, round);
		n = random_u32(&seed) % (STAYERS + 1);
		for (i = 0; i < n; i++) {
			dither(&seed);
			ASSERT_EQ(1, signal_fd(self));
		}
		ASSERT_TRUE(reaches(&rounds->left, LEAVERS * round));
		got = load(&rounds->got) - before;
		for (i = 0; i < STAYERS; i++)
			got += READY(stayers[i]);
		ASSERT_EQ(n, got)
			TH_LOG("round %u", round);
		for (i = 0; i < STAYERS; i++)
			ASSERT_EQ(0, stop_watching(stayers[i]));
		ASSERT_EQ(0, info_of(self->a).waiters);
		sent += n;
	} while (budget_left(end) || sent < 2);
	EXPECT_EQ(128 + SIGKILL, kill_all(pids, LEAVERS));
	TH_LOG("%u rounds, %u signals", round, sent);
}

TEST_HARNESS_MAIN
