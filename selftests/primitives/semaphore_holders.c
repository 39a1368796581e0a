// SPDX-License-Identifier: GPL-2.0-only
/*
 * Semaphore: permits of dead holders are released if that was asked for; and a
 * crowd of waiters.
 */
#include <sys/sysinfo.h>
#include "kills.h"
#include "object.h"

#define PERMITS_MAX	2147483647U

enum { GIVEN = 10 };

OPENER(open_semaphore, gosync_semaphore, 0)
OPENER(open_giver, gosync_semaphore, GIVEN)

/* --- what is given back -------------------------------------------------- */

#define open_give_back(name, flags) open_giver(name, (flags) | GOSYNC_GIVE_BACK)
OBJECT_FIXTURE(give_back, gosync_semaphore, semaphore, open_give_back)

static int count(FIXTURE_DATA(give_back) *self)
{
	return gosync_semaphore_count(self->semaphore);
}

/* A child that acquires and releases, sleeps and is killed */
static bool held_by_a_dead(FIXTURE_DATA(give_back) *self, const int *steps,
			   int before)
{
	pid_t pid;
	bool good;

	store(self->shared, 0);
	pid = spawn();
	if (!pid) {
		for (; *steps; steps++)
			if (*steps > 0 ? gosync_semaphore_acquire(self->semaphore,
								  *steps) :
					 gosync_semaphore_release(self->semaphore,
								  -*steps))
				_exit(1);
		store(self->shared, 1);
		for (;;)
			pause();
	}
	good = eventually(load(self->shared)) && count(self) == before;
	return kill_and_reap(pid) == 128 + SIGKILL && good;
}

TEST_F(give_back, returns_exactly_what_was_held)
{
	/* What is done, what is there then, and what is after the death */
	static const struct {
		int steps[6], before, after;
	} rows[] = {
		{ { 3 }, 7, 10 },
		{ { 10 }, 0, 10 },
		{ { 2, 3, 1 }, 4, 10 },
		{ { 5, -2 }, 7, 10 },
		{ { 5, -5 }, 10, 10 },
		{ { 5, -5, 3, -2 }, 9, 10 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT_TRUE(held_by_a_dead(self, rows[i].steps, rows[i].before))
			TH_LOG("row %u", i);
		ASSERT_EQ(rows[i].after, count(self))
			TH_LOG("row %u", i);
	}
}

TEST_F(give_back, follows_the_holder_that_acquired)
{
	gosync_semaphore_t *other = open_semaphore(self->name, variant->how);
	gosync_semaphore_t *third = open_semaphore(self->name, variant->how);

	EXPECT_EQ(-EPERM, gosync_semaphore_release(other, 1));
	EXPECT_EQ(0, gosync_semaphore_release(other, 0));
	EXPECT_EQ(0, gosync_semaphore_acquire(other, 6));
	EXPECT_EQ(0, gosync_semaphore_tryacquire(third, 4));
	/* Nobody releases another's, nor more than it has. */
	EXPECT_EQ(-EPERM, gosync_semaphore_release(self->semaphore, 1));
	EXPECT_EQ(-EPERM, gosync_semaphore_release(third, 5));
	EXPECT_EQ(0, count(self));
	EXPECT_EQ(0, gosync_semaphore_release(third, 2));
	EXPECT_EQ(-EPERM, gosync_semaphore_release(third, 3));
	EXPECT_EQ(2, count(self));
	gosync_close(other);
	EXPECT_EQ(8, count(self));
	gosync_close(third);
	EXPECT_EQ(10, count(self));
	EXPECT_EQ(0, gosync_semaphore_acquire_until(self->semaphore, 10, 1, 0));
	EXPECT_EQ(0, count(self));
}

TEST_F(give_back, goes_to_those_who_wait)
{
	pid_t owner, many, one;

	owner = RESTING_CHILD(gosync_semaphore_acquire(self->semaphore, GIVEN));
	many = WAITER(self->semaphore,
		      -gosync_semaphore_acquire(self->semaphore, GIVEN));
	one = WAITER(self->semaphore,
		     -gosync_semaphore_acquire(self->semaphore, 1));
	kill_and_reap(owner);
	/* And on, when these end */
	EXPECT_EQ(0, reap_soon(many));
	EXPECT_EQ(0, reap_soon(one));
	EXPECT_EQ(GIVEN, count(self));
}

TEST_F(give_back, comes_by_exec_and_exit_too_but_not_from_a_fork)
{
	pid_t pid = spawn();

	if (!pid) {
		if (gosync_semaphore_acquire(self->semaphore, 4))
			_exit(1);
		store(self->shared, count(self));
		execlp("sleep", "sleep", "1000", NULL);
		_exit(1);
	}
	ASSERT_TRUE(eventually(load(self->shared) == GIVEN - 4));
	EXPECT_TRUE(eventually(count(self) == GIVEN));
	kill_and_reap(pid);

	EXPECT_EQ(0, gosync_semaphore_acquire(self->semaphore, 3));
	pid = CHILD(-gosync_semaphore_acquire(self->semaphore, 2));
	EXPECT_EQ(0, reap(pid));
	/* The child's are back, ours are ours. */
	EXPECT_EQ(GIVEN - 3, count(self));
	pid = CHILD(-gosync_semaphore_release(self->semaphore, 3));
	EXPECT_EQ(EPERM, reap(pid));
	EXPECT_EQ(GIVEN - 3, count(self));
	EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, 3));
	EXPECT_EQ(GIVEN, count(self));
}

TEST_F(give_back, comes_with_the_last_wait_on_a_closed_descriptor)
{
	struct gosync_semaphore_args two = { .size = sizeof(two), .count = 2 };
	struct call_in_thread acquire = {
		open_object(0, self->name, 0, 0), GOSYNC_IOC_SEMAPHORE_ACQUIRE,
		&two, -1,
	};
	pthread_t thread;

	EXPECT_EQ(0, gosync_semaphore_acquire(self->semaphore, GIVEN));
	ASSERT_EQ(0, pthread_create(&thread, NULL, call_in_thread, &acquire));
	ASSERT_TRUE(eventually(waiters(self->semaphore) == 1));
	close(acquire.fd);
	EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, 2));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, acquire.ret);
	EXPECT_EQ(2, count(self));
}

/* There may be no room for all of it: then there are as many as can be. */
TEST_F(give_back, does_not_exceed_what_can_be)
{
	gosync_semaphore_t *other = open_semaphore(self->name, variant->how);
	uint64_t *word = map_state(gosync_fd(other));

	EXPECT_EQ(0, gosync_semaphore_acquire(other, 8));
	/* User space has no business there. */
	store(word, PERMITS_MAX - 3);
	EXPECT_EQ(PERMITS_MAX - 3, count(self));
	gosync_close(other);
	EXPECT_EQ(PERMITS_MAX, count(self));
}

enum { WORKERS = 6 };

struct storm {
	gosync_semaphore_t *semaphore;
	unsigned int had, failed;
};

static void acquire_and_release(void *arg, unsigned int me)
{
	struct storm *storm = arg;
	uint64_t seed = random_seed() + me;

	for (;;) {
		uint64_t soon = gosync_deadline(random_u32(&seed) % NSEC_PER_MSEC);
		uint32_t r = random_u32(&seed);
		unsigned int n = r / 8 % (GIVEN + 1);
		int ret = gosync_semaphore_acquire_until(storm->semaphore, n,
							 r % 2 ? GOSYNC_FOREVER :
							 soon, 0);

		if (ret == -ETIMEDOUT)
			continue;
		if (r % 8 == 1)
			sleep_ns(NSEC_PER_MSEC / 4);
		if (ret | gosync_semaphore_release(storm->semaphore, n))
			add(&storm->failed, 1);
		add(&storm->had, 1);
	}
}

/* Whatever the moment, all is back when all are dead. */
TEST_F(give_back, after_death_at_any_moment_nothing_is_missing)
{
	struct storm *storm = shared_memory(sizeof(*storm));
	pid_t pids[WORKERS];
	unsigned int kills;

	storm->semaphore = self->semaphore;
	kills = kill_at_random(pids, WORKERS, acquire_and_release, NULL,
			       &storm->had, storm);
	EXPECT_EQ(128 + SIGKILL, kill_all(pids, WORKERS));
	TH_LOG("%u kills, %u times had", kills, storm->had);
	EXPECT_EQ(0, storm->failed);
	EXPECT_EQ(0, waiters(self->semaphore));
	EXPECT_EQ(GIVEN, info(self->semaphore).word);
}

/* --- very many ----------------------------------------------------------- */

/*
 * As many waiters as there is memory for, up to 10,000: threads with the
 * smallest of stacks in a number of processes.
 */
FIXTURE(crowd)
{
	char *name;
	gosync_semaphore_t *semaphore;
	unsigned int *shared;
	pid_t pids[20];
	unsigned int each;		/* threads in a process */
	unsigned int size;		/* of the crowd */
};

FIXTURE_SETUP(crowd)
{
	const uint64_t cost = 64 << 10;		/* of a thread, at the most */
	struct sysinfo info;
	uint64_t size = 10000;

	/* Debug kernels have memory and time for fewer. */
	if (is_debug_kernel())
		size = 1000;
	ASSERT_EQ(0, sysinfo(&info));
	if (size > info.freeram * (uint64_t)info.mem_unit / cost)
		size = info.freeram * (uint64_t)info.mem_unit / cost;
	self->each = size / ARRAY_SIZE(self->pids);
	self->size = self->each * ARRAY_SIZE(self->pids);
	write_file("/proc/sys/kernel/threads-max", "30000");
	self->name = unique_name();
	self->semaphore = open_semaphore(self->name, GOSYNC_CREATE);
	ASSERT_NE(NULL, self->semaphore);
	self->shared = shared_memory(4096);
}

NO_TEARDOWN(crowd);

struct member {
	gosync_semaphore_t *semaphore;
	unsigned int *shared;
	uint64_t deadline;
};

static void *join_crowd(void *arg)
{
	struct member *member = arg;
	int ret = gosync_semaphore_acquire_until(member->semaphore, 1,
						 member->deadline, 0);

	add(member->shared + !!ret, 1);
	return NULL;
}

/* All of them wait, or exit with a failure. */
static bool spawn_crowd(FIXTURE_DATA(crowd) *self, uint64_t deadline)
{
	pthread_t *threads;
	pthread_attr_t attr;
	struct member member = { self->semaphore, self->shared, deadline };
	unsigned int i, j;

	store(&self->shared[0], 0);
	store(&self->shared[1], 0);
	for (i = 0; i < ARRAY_SIZE(self->pids); i++) {
		self->pids[i] = spawn();
		if (self->pids[i])
			continue;
		threads = calloc(self->each, sizeof(*threads));
		pthread_attr_init(&attr);
		pthread_attr_setstacksize(&attr, sysconf(_SC_THREAD_STACK_MIN));
		for (j = 0; j < self->each; j++)
			if (pthread_create(&threads[j], &attr, join_crowd,
					   &member))
				_exit(1);
		for (j = 0; j < self->each; j++)
			pthread_join(threads[j], NULL);
		_exit(0);
	}
	return deadline != GOSYNC_FOREVER ||
		eventually(waiters(self->semaphore) ==
			   self->size);
}

static bool crowd_has_gone(FIXTURE_DATA(crowd) *self)
{
	unsigned int i;
	bool good = true;

	for (i = 0; i < ARRAY_SIZE(self->pids); i++)
		good &= reap_soon(self->pids[i]) == 0;
	return good && !waiters(self->semaphore);
}

TEST_F(crowd, is_released_by_one_and_one_by_one)
{
	unsigned int i;

	ASSERT_TRUE(spawn_crowd(self, GOSYNC_FOREVER));
	/* Half of it by itself, the rest at once */
	for (i = 0; i < self->size / 2; i++)
		ASSERT_EQ(0, gosync_semaphore_release(self->semaphore, 1));
	EXPECT_EQ(self->size - i,
		  waiters(self->semaphore));
	ASSERT_EQ(0, gosync_semaphore_release(self->semaphore, self->size - i));
	EXPECT_TRUE(crowd_has_gone(self));
	EXPECT_EQ(self->size, load(&self->shared[0]));
	EXPECT_EQ(0, info(self->semaphore).word);
	TH_LOG("%u waiters", self->size);
}

TEST_F(crowd, times_out)
{
	ASSERT_TRUE(spawn_crowd(self, gosync_deadline(4 * NSEC_PER_SEC)));
	EXPECT_TRUE(crowd_has_gone(self));
	EXPECT_EQ(self->size, load(&self->shared[1]));
	EXPECT_EQ(0, info(self->semaphore).word);
}

TEST_F(crowd, is_killed)
{
	unsigned int i;

	ASSERT_TRUE(spawn_crowd(self, GOSYNC_FOREVER));
	for (i = 0; i < ARRAY_SIZE(self->pids); i++)
		kill(self->pids[i], SIGKILL);
	for (i = 0; i < ARRAY_SIZE(self->pids); i++)
		EXPECT_EQ(128 + SIGKILL, reap_soon(self->pids[i]));
	EXPECT_EQ(0, waiters(self->semaphore));
	EXPECT_EQ(0, info(self->semaphore).word);
	EXPECT_EQ(0, load(&self->shared[0]));
}

/* Processor time of the calling thread: it does not matter who else runs. */
static uint64_t cost_of_waiting_in_vain(gosync_semaphore_t *semaphore)
{
	uint64_t best = UINT64_MAX, before, cost;
	int i;

	for (i = 0; i < 50; i++) {
		before = now_ns(CLOCK_THREAD_CPUTIME_ID);
		gosync_semaphore_release(semaphore, 0);
		gosync_semaphore_tryacquire(semaphore, 1);
		gosync_semaphore_acquire_until(semaphore, 1, 1, 0);
		cost = now_ns(CLOCK_THREAD_CPUTIME_ID) - before;
		if (cost < best)
			best = cost;
	}
	return best;
}

/*
 * Releasing, trying, joining and leaving the queue cost what they cost, however
 * many wait: walking along 10,000 would be hundreds of times as much.
 */
TEST_F(crowd, costs_the_others_nothing)
{
	uint64_t alone, among;
	pid_t pid = WAITER(self->semaphore,
			   -gosync_semaphore_acquire(self->semaphore, 1));

	alone = cost_of_waiting_in_vain(self->semaphore);
	EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, 1));
	EXPECT_EQ(0, reap_soon(pid));
	ASSERT_TRUE(spawn_crowd(self, GOSYNC_FOREVER));
	among = cost_of_waiting_in_vain(self->semaphore);
	TH_LOG("%llu ns beside one, %llu ns beside %u",
	       (unsigned long long)alone, (unsigned long long)among, self->size);
	EXPECT_GT(8 * alone, among);
	EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, self->size));
	EXPECT_TRUE(crowd_has_gone(self));
}

TEST_HARNESS_MAIN
