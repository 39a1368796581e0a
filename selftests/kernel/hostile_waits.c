// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waits for several things beside words that somebody scribbles on, and lists of
 * waiters and holders that are asked for at a bad moment.
 */
#include "scribble.h"

/* Who suffers: @fd, mapped at @state. Who is waited for besides: @neighbour. */
FIXTURE(among)
{
	int fd;
	int neighbour;
	uint64_t *state;
	unsigned int *shared;
};

FIXTURE_VARIANT(among)
{
	uint32_t type;
	unsigned int op;
	unsigned int undo;	/* the ioctl, if what was got is given back */
	uint64_t value;
	unsigned int words;	/* that are scribbled on */
};

FIXTURE_VARIANT_ADD(among, mutex) {
	.type = GOSYNC_MUTEX, .op = GOSYNC_IOC_MUTEX_LOCK,
	.undo = GOSYNC_IOC_MUTEX_UNLOCK, .words = 2,
};

FIXTURE_VARIANT_ADD(among, write) {
	.type = GOSYNC_RWMUTEX, .op = GOSYNC_IOC_RWMUTEX_LOCK,
	.undo = GOSYNC_IOC_RWMUTEX_UNLOCK,
	.words = GOSYNC_RWMUTEX_SIZE / sizeof(uint64_t),
};

FIXTURE_VARIANT_ADD(among, read) {
	.type = GOSYNC_RWMUTEX, .op = GOSYNC_IOC_RWMUTEX_RLOCK,
	.undo = GOSYNC_IOC_RWMUTEX_RUNLOCK,
	.words = GOSYNC_RWMUTEX_SIZE / sizeof(uint64_t),
};

FIXTURE_VARIANT_ADD(among, semaphore) {
	.type = GOSYNC_SEMAPHORE, .op = GOSYNC_IOC_SEMAPHORE_ACQUIRE,
	.value = 3, .words = 1,
};

FIXTURE_VARIANT_ADD(among, waitgroup) {
	.type = GOSYNC_WAITGROUP, .op = GOSYNC_IOC_WAITGROUP_WAIT, .words = 1,
};

FIXTURE_VARIANT_ADD(among, word) {
	.type = GOSYNC_UINT64, .op = GOSYNC_IOC_ATOMIC_WAIT, .words = 8,
};

FIXTURE_SETUP(among)
{
	self->fd = create(variant->type, NULL);
	self->neighbour = create(GOSYNC_MUTEX, NULL);
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, self->neighbour);
	self->state = map_state(self->fd);
	self->shared = shared_memory(4096);
}

NO_TEARDOWN(among);

/* @fds: of the one and of the neighbour */
static int wait_for_both(int dev, const FIXTURE_VARIANT(among) *variant,
			 const int *fds, unsigned int flags, uint64_t deadline)
{
	struct gosync_wait_entry entries[] = {
		{ fds[0], variant->op, .value = variant->value },
		{ fds[1], GOSYNC_IOC_MUTEX_LOCK },
	};
	struct gosync_wait_many_args args = {
		.size = sizeof(args), .flags = flags, .deadline = deadline,
		.entries = to_u64(entries), .count = 2,
		.entry_size = sizeof(entries[0]),
	};
	int ret = call(dev, GOSYNC_IOC_WAIT, &args);

	/* Nobody dies with the neighbour. */
	return ret >= 0 && entries[1].result == 1 ? -EOWNERDEAD : ret;
}

/* Waits for any and for all, and uses the neighbour as it should be. */
static pid_t spawn_both(FIXTURE_DATA(among) *self,
			const FIXTURE_VARIANT(among) *variant, uint64_t end,
			unsigned int me)
{
	uint64_t seed = random_seed() + me;
	unsigned int *counters = self->shared;
	int fds[2], dev, ret;
	pid_t pid = spawn();

	if (pid)
		return pid;
	dev = open_device();
	fds[0] = reopen_object(self->fd, 0);
	fds[1] = reopen_object(self->neighbour, 0);
	while (budget_left(end)) {
		uint32_t r = random_u32(&seed);
		bool all = r % 2;

		ret = wait_for_both(dev, variant, fds,
				    all ? GOSYNC_WAIT_ALL : 0,
				    gosync_deadline(r / 2 % (2 * NSEC_PER_MSEC)));
		/* The second: a count of readers that cannot be. */
		if (ret == -ETIMEDOUT || ret == -ERANGE)
			continue;
		if (ret < 0)
			_exit(2);
		if ((all || ret == 0) && variant->undo) {
			int undone = call(fds[0], variant->undo, NULL);

			if (undone && undone != -EPERM)
				_exit(3);
		}
		if (!all && ret == 0)
			continue;
		if (counters[0] != counters[1])
			_exit(4);
		counters[0]++;
		if (r % 64 == 1)
			sched_yield();
		counters[1]++;
		if (unlock_fd(fds[1]))
			_exit(5);
	}
	_exit(0);
}

TEST_F(among, scribbled_continuously_harms_itself_alone)
{
	uint64_t end = end_of_budget();
	pid_t scribbler, users[4], stuck;
	struct gosync_stat stat = { .size = sizeof(stat) };
	int fds[] = { self->fd, create(GOSYNC_MUTEX, NULL) };
	int i, dev = open_device();

	ASSERT_EQ(0, lock_fd(reopen_object(fds[1], 0)));
	scribbler = spawn_scribbler(self->state, variant->words);
	for (i = 0; i < 4; i++)
		users[i] = spawn_both(self, variant, end, i);
	while (budget_left(end)) {
		/* Somebody waits for it and for what is never free, until killed. */
		stuck = spawn();
		if (!stuck) {
			for (i = 0;; i++)
				wait_for_both(dev, variant, fds, i % 2 ?
					      GOSYNC_WAIT_ALL : 0, 0);
		}
		sleep_ns(10 * NSEC_PER_MSEC);
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(stuck));
	}
	EXPECT_EQ(0, reap_all(users, 4));
	kill_and_reap(scribbler);
	TH_LOG("%u times had the neighbour", self->shared[0]);
	EXPECT_LT(0, self->shared[0]);
	EXPECT_EQ(0, info_of(self->neighbour).word);
	EXPECT_EQ(0, info_of(self->neighbour).deaths);
	EXPECT_EQ(0, info_of(self->neighbour).waiters);
	EXPECT_EQ(0, info_of(self->fd).waiters);
	EXPECT_EQ(0, info_of(fds[1]).waiters);
	EXPECT_EQ(0, info_of(fds[1]).deaths);
	ASSERT_EQ(0, call(self->neighbour, GOSYNC_IOC_STAT, &stat));
	EXPECT_EQ(stat.contended, stat.acquired + stat.gave_up);
	EXPECT_EQ(0, trylock_fd(self->neighbour));
}

/* --- who waits and who holds, asked at a bad moment ------------------------ */

static int ask(int fd, unsigned int op, struct gosync_party *parties,
	       unsigned int count, uint64_t *cursor)
{
	struct gosync_parties_args args = {
		.size = sizeof(args), .cursor = *cursor, .count = count,
		.entries = to_u64(parties), .entry_size = sizeof(*parties),
	};
	int ret = call(fd, op, &args);

	*cursor = args.cursor;
	return ret;
}

#define CROWD	1500

static void *acquire_in_thread(void *arg)
{
	acquire_fd(*(int *)arg, 1);
	return NULL;
}

TEST(of_a_crowd_those_who_waited_longest_are_listed)
{
	struct gosync_party *parties = calloc(CROWD, sizeof(*parties));
	int fd = create(GOSYNC_SEMAPHORE, NULL);
	pthread_t threads[CROWD];
	pthread_attr_t attr;
	uint64_t cursor = 0;
	unsigned int i;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (i = 0; i < CROWD; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], &attr,
					    acquire_in_thread, &fd));
	ASSERT_TRUE(eventually(info_of(fd).waiters == CROWD));
	ASSERT_EQ(GOSYNC_WAITERS_LISTED,
		  ask(fd, GOSYNC_IOC_WAITERS, parties, CROWD, &cursor));
	for (i = 0; i < GOSYNC_WAITERS_LISTED; i++) {
		ASSERT_EQ(i + 1, parties[i].position);
		ASSERT_EQ(i + 1, parties[i].wait);
		ASSERT_EQ(getpid(), parties[i].pid);
		ASSERT_EQ(1, parties[i].count);
	}
	ASSERT_EQ(0, parties[i].pid);
	ASSERT_EQ(0, release_fd(fd, CROWD));
	for (i = 0; i < CROWD; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, ask(fd, GOSYNC_IOC_WAITERS, parties, CROWD, &cursor));
}

TEST(names_of_threads_are_any_bytes)
{
	static const char *const names[] = {
		"", "\n\"\\%s\x1b[31m", "\x01\x7f\x80\xff\xfe", "123456789012345",
	};
	int fd = create(GOSYNC_SEMAPHORE, NULL);
	struct gosync_party party;
	uint64_t cursor = 0;
	unsigned int i;
	pid_t pid;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		pid = spawn();
		if (!pid) {
			prctl(PR_SET_NAME, names[i]);
			_exit(acquire_fd(fd, 1));
		}
		ASSERT_TRUE(eventually(info_of(fd).waiters));
		ASSERT_EQ(1, ask(fd, GOSYNC_IOC_WAITERS, &party, 1, &cursor));
		EXPECT_STREQ(names[i], (char *)party.comm);
		kill_and_reap(pid);
	}
}

/* Waits, with a holder of its own, until it is killed */
static void come_and_go(int mutex, int rwmutex, uint64_t seed)
{
	for (;;) {
		int m = reopen_object(mutex, 0), rw = reopen_object(rwmutex, 0);
		struct gosync_wait_args wait = { .size = sizeof(wait) };
		uint32_t r = random_u32(&seed);
		int ret;

		wait.deadline = gosync_deadline(r % NSEC_PER_MSEC);
		ret = call(m, GOSYNC_IOC_MUTEX_LOCK, r & 1 << 20 ? &wait : NULL);
		call(rw, r & 1 << 21 ? GOSYNC_IOC_RWMUTEX_LOCK :
				       GOSYNC_IOC_RWMUTEX_RLOCK, &wait);
		if (r & 1 << 22)
			sched_yield();
		/* Otherwise the end of the holder does. */
		if (r & 1 << 23 && ret >= 0)
			unlock_fd(m);
		close(m);
		close(rw);
	}
}

static bool is_order(const struct gosync_party *parties, int n)
{
	uint32_t before = 0;
	int i;

	for (i = 0; i < n; before = parties[i++].position)
		if (parties[i].wants > GOSYNC_WANTS_TO_READ ||
		    !parties[i].holder || !parties[i].pid ||
		    !memchr(parties[i].comm, 0, sizeof(parties[i].comm)) ||
		    parties[i].ns > WATCHDOG * NSEC_PER_SEC ||
		    (parties[i].position != before + 1 &&
		     parties[i].position != 1))
			return false;
	return true;
}

static int keep_asking(int fd, uint64_t end, unsigned int *asked)
{
	struct gosync_stat stat = { .size = sizeof(stat) };
	struct gosync_party parties[16];
	uint64_t cursor, last, before = 0;
	int i, n;

	do {
		cursor = 0;
		n = ask(fd, GOSYNC_IOC_WAITERS, parties, 16, &cursor);
		if (n < 0 || n > 16 || !is_order(parties, n))
			return 1;
		add(asked, n);
		for (last = 0;;) {
			n = ask(fd, GOSYNC_IOC_HOLDERS, parties, 3, &cursor);
			if (n < 0 || n > 3)
				return 2;
			if (!n)
				break;
			for (i = 0; i < n; last = parties[i++].holder)
				if (parties[i].holder <= last)
					return 3;
		}
		if (call(fd, GOSYNC_IOC_STAT, &stat) ||
		    stat.contended < before ||
		    stat.contended < stat.acquired + stat.gave_up)
			return 4;
		before = stat.contended;
	} while (budget_left(end) || !load(asked));
	return 0;
}

#define COMERS	6
#define ASKERS	3

TEST(asking_while_waiters_and_holders_come_and_go)
{
	unsigned int *asked = shared_memory(sizeof(*asked));
	int mutex = create(GOSYNC_MUTEX, NULL);
	int rwmutex = create(GOSYNC_RWMUTEX, NULL);
	uint64_t end = end_of_budget();
	uint64_t seed = random_seed();
	pid_t comers[COMERS] = {}, askers[ASKERS];
	unsigned int i;

	TH_LOG("seed %llu", (unsigned long long)seed);
	for (i = 0; i < ASKERS; i++)
		askers[i] = CHILD(keep_asking(i % 2 ? rwmutex : mutex, end,
					      asked));
	do {
		i = random_u32(&seed) % COMERS;
		if (comers[i])
			kill_and_reap(comers[i]);
		comers[i] = spawn();
		if (!comers[i])
			come_and_go(mutex, rwmutex, seed);
		sleep_ns(random_u32(&seed) % (4 * NSEC_PER_MSEC));
		/* On a slow machine, until somebody has been seen waiting */
	} while (budget_left(end) || !load(asked));
	EXPECT_EQ(0, reap_all(askers, ASKERS));
	for (i = 0; i < COMERS; i++)
		if (comers[i])
			kill_and_reap(comers[i]);
	EXPECT_LT(0, *asked);
	EXPECT_EQ(0, info_of(mutex).waiters);
	EXPECT_EQ(1, info_of(mutex).holders);
	EXPECT_EQ(1, info_of(rwmutex).holders);
}

TEST_HARNESS_MAIN
