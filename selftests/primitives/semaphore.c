// SPDX-License-Identifier: GPL-2.0-only
/*
 * Semaphore: permits by number, first come first served, none lost and none made.
 */
#include "kills.h"
#include "object.h"

#define PERMITS_MAX	2147483647U

/* It begins with no permits. */
OPENER(open_semaphore, gosync_semaphore, 0)
OBJECT_FIXTURE(semaphore, gosync_semaphore, semaphore, open_semaphore)

/*
 * A child that waits for @n permits, leaves its mark in @shared, and exits with
 * the error it got. It gives nothing back.
 */
static pid_t spawn_waiter(FIXTURE_DATA(semaphore) *self, unsigned int n)
{
	return WAITER(self->semaphore, ({
		int ret = gosync_semaphore_acquire(self->semaphore, n);

		if (!ret)
			add(self->shared, n);
		-ret;
	}));
}

/* --- permits ------------------------------------------------------------- */

TEST_F(semaphore, begins_with_its_permits)
{
	char *name = unique_name();
	gosync_semaphore_t *three, *other;

	three = NEW_NAMED(gosync_semaphore, name, variant->how, 3);
	EXPECT_EQ(3, gosync_semaphore_count(three));
	EXPECT_EQ(3, info_of(gosync_fd(three)).capacity);
	EXPECT_EQ(0, gosync_semaphore_acquire(three, 2));
	EXPECT_EQ(0, gosync_semaphore_open(name, 0, variant->how, 0, &other));
	EXPECT_EQ(1, gosync_semaphore_count(other));
	/* What it was created with, not what is there */
	EXPECT_EQ(0, gosync_semaphore_open(name, 3, GOSYNC_CREATE, 0600, &other));
	EXPECT_EQ(-EPROTOTYPE, gosync_semaphore_open(name, 1, GOSYNC_CREATE,
						     0600, &other));
	EXPECT_EQ(-EPROTOTYPE, gosync_semaphore_open(name, 4, 0, 0, &other));
	EXPECT_EQ(-EPROTOTYPE, gosync_semaphore_open(self->name, 1, 0, 0,
						     &other));
	EXPECT_EQ(1, gosync_semaphore_count(three));
}

TEST_F(semaphore, begins_with_no_more_than_there_can_be)
{
	gosync_semaphore_t *all;

	EXPECT_EQ(-EINVAL, gosync_semaphore_open(NULL, PERMITS_MAX + 1,
						 GOSYNC_CREATE, 0600, &all));
	EXPECT_EQ(-EINVAL, open_bytes(GOSYNC_SEMAPHORE, NULL, 0, GOSYNC_CREATE,
				      0600, 1ULL << 32));
	all = NEW(gosync_semaphore, variant->how, PERMITS_MAX);
	EXPECT_EQ(PERMITS_MAX, gosync_semaphore_count(all));
	EXPECT_EQ(0, gosync_semaphore_acquire(all, PERMITS_MAX));
	EXPECT_EQ(0, gosync_semaphore_count(all));
}

TEST_F(semaphore, counts)
{
	gosync_semaphore_t *other = open_semaphore(self->name, variant->how ^
						   GOSYNC_IOCTL_ONLY);

	EXPECT_EQ(0, gosync_semaphore_count(self->semaphore));
	EXPECT_EQ(-EBUSY, gosync_semaphore_tryacquire(self->semaphore, 1));
	/* Who releases need not have acquired. */
	EXPECT_EQ(0, gosync_semaphore_release(other, 5));
	EXPECT_EQ(5, gosync_semaphore_count(self->semaphore));
	EXPECT_EQ(5, info(self->semaphore).word);
	EXPECT_EQ(-EBUSY, gosync_semaphore_tryacquire(self->semaphore, 6));
	EXPECT_EQ(-ETIMEDOUT, gosync_semaphore_acquire_until(self->semaphore, 6,
							     1, 0));
	EXPECT_EQ(0, gosync_semaphore_tryacquire(other, 2));
	EXPECT_EQ(0, gosync_semaphore_acquire(self->semaphore, 1));
	EXPECT_EQ(0, gosync_semaphore_acquire_until(self->semaphore, 1, 1, 0));
	EXPECT_EQ(1, gosync_semaphore_count(other));
	EXPECT_EQ(0, gosync_semaphore_tryacquire(self->semaphore, 1));
	EXPECT_EQ(0, info(self->semaphore).word);
	EXPECT_EQ(0, waiters(self->semaphore));
}

TEST_F(semaphore, nothing_is_always_there)
{
	pid_t pid;

	EXPECT_EQ(0, gosync_semaphore_acquire(self->semaphore, 0));
	EXPECT_EQ(0, gosync_semaphore_tryacquire(self->semaphore, 0));
	EXPECT_EQ(0, gosync_semaphore_acquire_until(self->semaphore, 0, 1, 0));
	EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, 0));
	EXPECT_EQ(0, acquire_fd(gosync_fd(self->semaphore), 0));
	EXPECT_EQ(0, release_fd(gosync_fd(self->semaphore), 0));
	EXPECT_EQ(0, info(self->semaphore).word);
	/* But not out of turn */
	pid = spawn_waiter(self, 1);
	EXPECT_EQ(-EBUSY, gosync_semaphore_tryacquire(self->semaphore, 0));
	EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, 0));
	EXPECT_TRUE(is_waiting(pid));
	EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, 1));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_EQ(0, info(self->semaphore).word);
}

TEST_F(semaphore, refuses_what_cannot_be)
{
	int fd = gosync_fd(self->semaphore);
	pid_t pid;

	EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, 7));
	EXPECT_EQ(-EINVAL, gosync_semaphore_acquire(self->semaphore,
						    PERMITS_MAX + 1));
	EXPECT_EQ(-EINVAL, gosync_semaphore_tryacquire(self->semaphore,
						       UINT32_MAX));
	EXPECT_EQ(-EINVAL, gosync_semaphore_acquire_until(self->semaphore,
							  UINT32_MAX, 1, 0));
	EXPECT_EQ(-EINVAL, gosync_semaphore_release(self->semaphore,
						    PERMITS_MAX + 1));
	EXPECT_EQ(-EINVAL, release_fd(fd, UINT32_MAX));
	EXPECT_EQ(-EINVAL, acquire_fd(fd, PERMITS_MAX + 1));
	EXPECT_EQ(-ERANGE, gosync_semaphore_release(self->semaphore,
						    PERMITS_MAX));
	EXPECT_EQ(-ERANGE, gosync_semaphore_release(self->semaphore,
						    PERMITS_MAX - 6));
	EXPECT_EQ(-ERANGE, release_fd(fd, PERMITS_MAX - 6));
	EXPECT_EQ(7, info(self->semaphore).word);
	EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, PERMITS_MAX - 8));
	/* Also while somebody waits, who stays where it is */
	pid = spawn_waiter(self, PERMITS_MAX);
	EXPECT_EQ(-ERANGE, gosync_semaphore_release(self->semaphore, 2));
	EXPECT_EQ(PERMITS_MAX - 1, gosync_semaphore_count(self->semaphore));
	EXPECT_TRUE(is_waiting(pid));
	EXPECT_EQ(1, waiters(self->semaphore));
	EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, 1));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_EQ(0, info(self->semaphore).word);
}

TEST_F(semaphore, readers_only_look)
{
	gosync_semaphore_t *reader = open_semaphore(self->name,
						    GOSYNC_RDONLY |
						    variant->how);

	ASSERT_NE(NULL, reader);
	EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, 2));
	EXPECT_EQ(-EBADF, gosync_semaphore_acquire(reader, 1));
	EXPECT_EQ(-EBADF, gosync_semaphore_tryacquire(reader, 1));
	EXPECT_EQ(-EBADF, gosync_semaphore_release(reader, 1));
	EXPECT_EQ(2, gosync_semaphore_count(reader));
	EXPECT_EQ(2, info(self->semaphore).word);
}

/* The same holder: it may be used with either handle. */
TEST_F(semaphore, a_duplicate_is_another_handle_of_it)
{
	gosync_semaphore_t *copy = HANDLE(gosync_semaphore,
					  dup(gosync_fd(self->semaphore)),
					  variant->how);

	EXPECT_EQ(0, gosync_semaphore_release(copy, 1));
	gosync_close(copy);
	EXPECT_EQ(1, gosync_semaphore_count(self->semaphore));
}

static int use_without_waiting(void *arg)
{
	gosync_semaphore_t *semaphore = arg;
	int i, ret = 0;

	for (i = 0; i < 100; i++) {
		ret |= gosync_semaphore_release(semaphore, 4);
		ret |= gosync_semaphore_acquire(semaphore, 1);
		ret |= gosync_semaphore_tryacquire(semaphore, 1);
		ret |= gosync_semaphore_acquire_until(semaphore, 2, 1, 0);
		ret |= gosync_semaphore_tryacquire(semaphore, 1) != -EBUSY;
		ret |= gosync_semaphore_count(semaphore);
	}
	return ret;
}

TEST_F(semaphore, makes_no_system_call_while_nobody_waits)
{
	EXPECT_SYSTEM_CALLS(variant->how, use_without_waiting, self->semaphore);
}

/* --- who is next --------------------------------------------------------- */

TEST_F(semaphore, who_wants_many_is_not_overtaken)
{
	pid_t ten, one, two;

	ten = spawn_waiter(self, 10);
	one = spawn_waiter(self, 1);
	two = spawn_waiter(self, 2);
	EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, 9));
	sleep_ns(5 * NSEC_PER_MSEC);
	EXPECT_EQ(3, waiters(self->semaphore));
	EXPECT_EQ(3, info(self->semaphore).word >> GOSYNC_SEMAPHORE_WAITER_SHIFT);
	EXPECT_EQ(9, gosync_semaphore_count(self->semaphore));
	EXPECT_EQ(0, load(self->shared));
	EXPECT_EQ(-EBUSY, gosync_semaphore_tryacquire(self->semaphore, 1));
	EXPECT_EQ(-ETIMEDOUT, gosync_semaphore_acquire_until(self->semaphore, 1,
							     1, 0));
	EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, 1));
	EXPECT_EQ(0, reap_soon(ten));
	EXPECT_EQ(2, waiters(self->semaphore));
	EXPECT_EQ(0, gosync_semaphore_count(self->semaphore));
	EXPECT_TRUE(is_waiting(one));
	EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, 4));
	EXPECT_EQ(0, reap_soon(one));
	EXPECT_EQ(0, reap_soon(two));
	EXPECT_EQ(1, info(self->semaphore).word);
}

TEST_F(semaphore, is_had_in_the_order_of_arrival)
{
	enum { N = 8 };
	unsigned int *order = self->shared + 1;
	pid_t pids[N];
	int i;

	for (i = 0; i < N; i++) {
		pids[i] = spawn();
		if (!pids[i]) {
			if (gosync_semaphore_acquire(self->semaphore, 1 + i % 3))
				_exit(1);
			/* It is alone: the next gets what it wants from us. */
			order[load(self->shared)] = i;
			add(self->shared, 1);
			_exit(-gosync_semaphore_release(self->semaphore,
							1 + (i + 1) % 3));
		}
		ASSERT_TRUE(eventually(waiters(self->semaphore) == i + 1));
	}
	EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, 1));
	EXPECT_EQ(0, reap_all(pids, N));
	ASSERT_EQ(N, load(self->shared));
	for (i = 0; i < N; i++)
		EXPECT_EQ(i, order[i]);
}

TEST_F(semaphore, one_release_is_enough_for_several)
{
	enum { N = 100 };
	pid_t pids[N];
	int i;

	for (i = 0; i < N; i++)
		pids[i] = CHILD(-gosync_semaphore_acquire(self->semaphore, 2));
	ASSERT_TRUE(eventually(waiters(self->semaphore) == N));
	EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, 2 * N + 1));
	EXPECT_EQ(0, reap_all(pids, N));
	EXPECT_EQ(1, info(self->semaphore).word);
	EXPECT_EQ(0, waiters(self->semaphore));
	EXPECT_EQ(N, info(self->semaphore).contended);
}

/* The first wants more than there is; when it leaves, the others can go on. */
TEST_F(semaphore, those_behind_one_that_leaves_go_on)
{
	static const int left_with[] = { ETIMEDOUT, EINTR, 128 + SIGKILL };
	pid_t many, first, second, third;
	unsigned int i;

	handle(count_signal, 0);
	for (i = 0; i < ARRAY_SIZE(left_with); i++) {
		uint64_t deadline = left_with[i] == ETIMEDOUT ?
			gosync_deadline(3 * NSEC_PER_SEC) : GOSYNC_FOREVER;

		EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, 3));
		many = WAITER(self->semaphore,
			      -gosync_semaphore_acquire_until(self->semaphore,
							      10, deadline,
							      GOSYNC_INTERRUPTIBLE));
		first = spawn_waiter(self, 1);
		second = spawn_waiter(self, 2);
		third = spawn_waiter(self, 1);
		if (left_with[i] != ETIMEDOUT)
			kill(many, left_with[i] == EINTR ? SIGUSR1 : SIGKILL);
		EXPECT_EQ(left_with[i], reap_soon(many));
		EXPECT_EQ(0, reap_soon(first));
		EXPECT_EQ(0, reap_soon(second));
		EXPECT_EQ(1, waiters(self->semaphore));
		EXPECT_TRUE(is_waiting(third));
		EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, 1));
		EXPECT_EQ(0, reap_soon(third));
		EXPECT_EQ(0, info(self->semaphore).word);
	}
}

/* Everything at once; @in_use is never more than there are. */
TEST_F(semaphore, permits_are_neither_lost_nor_made)
{
	enum { N = 5, PERMITS = 7 };
	struct {
		unsigned int in_use, too_many, failed, had, waited;
	} *shared = shared_memory(sizeof(*shared));
	uint64_t end = end_of_budget(), seed = random_seed();
	pid_t pids[N];
	int i;

	EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, PERMITS));
	handle(count_signal, 0);
	for (i = 0; i < N; i++) {
		gosync_semaphore_t *semaphore;

		seed += i;
		pids[i] = spawn();
		if (pids[i])
			continue;
		semaphore = open_semaphore(self->name, i ? variant->how :
					   variant->how ^ GOSYNC_IOCTL_ONLY);
		handle(count_signal, i % 2 ? SA_RESTART : 0);
		do {
			uint64_t soon = gosync_deadline(random_u32(&seed) %
							(2 * NSEC_PER_MSEC));
			uint32_t r = random_u32(&seed);
			unsigned int n = random_u32(&seed) % (PERMITS + 1), part;
			unsigned int flags = 0;
			int ret;

			if (r % 4 == 1) {
				flags = GOSYNC_INTERRUPTIBLE;
				soon = GOSYNC_FOREVER;
			}
			if (r % 4 == 0)
				ret = gosync_semaphore_tryacquire(semaphore, n);
			else if (r % 4 == 3)
				ret = gosync_semaphore_acquire(semaphore, n);
			else
				ret = gosync_semaphore_acquire_until(semaphore,
								     n, soon,
								     flags);
			if (ret == -ETIMEDOUT || ret == -EINTR)
				add(&shared->waited, 1);
			else if (ret && ret != -EBUSY)
				add(&shared->failed, 1);
			if (ret)
				continue;
			add(&shared->had, 1);
			if (add(&shared->in_use, n) > PERMITS)
				add(&shared->too_many, 1);
			if (r % 32 == 5)
				sleep_ns(r % NSEC_PER_MSEC);
			/* Back in two parts */
			part = n ? r / 64 % n : 0;
			add(&shared->in_use, -part);
			ret = gosync_semaphore_release(semaphore, part);
			add(&shared->in_use, part - n);
			ret |= gosync_semaphore_release(semaphore, n - part);
			if (ret)
				add(&shared->failed, 1);
		} while (budget_left(end));
		_exit(0);
	}
	while (budget_left(end)) {
		sleep_ns(random_u32(&seed) % NSEC_PER_MSEC);
		kill(pids[random_u32(&seed) % N], SIGUSR1);
	}
	EXPECT_EQ(0, reap_all(pids, N));
	TH_LOG("%u times had, %u times given up, %llu waited", shared->had,
	       shared->waited, (unsigned long long)info(self->semaphore).contended);
	EXPECT_EQ(0, shared->too_many);
	EXPECT_EQ(0, shared->failed);
	EXPECT_LT(0, shared->had);
	EXPECT_EQ(PERMITS, info(self->semaphore).word);
	EXPECT_EQ(0, waiters(self->semaphore));
}

/* --- fork, close, death -------------------------------------------------- */

TEST_F(semaphore, keeps_what_the_dead_took)
{
	pid_t pid;

	EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, 5));
	pid = CHILD(-gosync_semaphore_acquire(self->semaphore, 3));
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(2, gosync_semaphore_count(self->semaphore));
	EXPECT_EQ(0, info(self->semaphore).deaths);
	pid = CHILD(-gosync_semaphore_release(self->semaphore, 4));
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(6, info(self->semaphore).word);
}

enum { WORKERS = 6, MOST = 3 };

struct storm {
	FIXTURE_DATA(semaphore) *self;
	unsigned int stop, had, failed;
};

static void acquire_and_release(void *arg, unsigned int me)
{
	struct storm *storm = arg;
	gosync_semaphore_t *semaphore = storm->self->semaphore;
	uint64_t seed = random_seed() + me;

	do {
		unsigned int n = 1 + random_u32(&seed) % MOST;
		int ret = gosync_semaphore_acquire(semaphore, n);

		if (random_u32(&seed) % 4 == 0)
			sleep_ns(NSEC_PER_MSEC / 4);
		if (ret | gosync_semaphore_release(semaphore, n))
			add(&storm->failed, 1);
		add(&storm->had, 1);
	} while (!load(&storm->stop));
}

/* Each kill is paid with what the dead one can have had. */
static void pay(void *arg, unsigned int me)
{
	struct storm *storm = arg;

	MUST(!gosync_semaphore_release(storm->self->semaphore, MOST));
}

TEST_F(semaphore, death_at_any_moment_leaves_nobody_hanging)
{
	struct storm *storm = shared_memory(sizeof(*storm));
	pid_t pids[WORKERS];
	unsigned int kills;

	EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, MOST));
	storm->self = self;
	kills = kill_at_random(pids, WORKERS, acquire_and_release, pay,
			       &storm->had, storm);
	store(&storm->stop, 1);
	EXPECT_EQ(0, reap_all(pids, WORKERS));
	TH_LOG("%u kills, %u times had", kills, storm->had);
	EXPECT_EQ(0, storm->failed);
	EXPECT_EQ(0, waiters(self->semaphore));
	/* A waiter that is killed has had nothing. */
	EXPECT_LE(MOST, info(self->semaphore).word);
	EXPECT_GE(MOST * (1 + kills), info(self->semaphore).word);
}

TEST_HARNESS_MAIN
