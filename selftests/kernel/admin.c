// SPDX-License-Identifier: GPL-2.0-only
/*
 * What administrators do to objects that others use: change a limit,
 * take away what nobody uses, and what comes again in its place.
 */
#include <poll.h>

#include "gosync_test.h"

#define PERMITS_MAX	2147483647U

/* --- the limit of a Semaphore -------------------------------------------- */

FIXTURE(limit)
{
	gosync_semaphore_t *semaphore;
	unsigned int *shared;
};

FIXTURE_VARIANT(limit)
{
	unsigned int how;
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(limit, mapped) { .how = 0 };
FIXTURE_VARIANT_ADD(limit, ioctl) { .how = GOSYNC_IOCTL_ONLY };
FIXTURE_VARIANT_ADD(limit, give_back) { .flags = GOSYNC_GIVE_BACK };

enum { BEGINS_WITH = 4 };

FIXTURE_SETUP(limit)
{
	self->semaphore = NEW(gosync_semaphore, variant->flags | variant->how,
			      BEGINS_WITH);
	self->shared = shared_memory(4096);
}

NO_TEARDOWN(limit);

/* A child that waits for @n permits, leaves its mark, and keeps them */
static pid_t spawn_waiter(FIXTURE_DATA(limit) *self, unsigned int n)
{
	return WAITER(self->semaphore, ({
		MUST(!gosync_semaphore_acquire(self->semaphore, n));
		add(self->shared, n);
		rest();
		0;
	}));
}

TEST_F(limit, grows_and_shrinks_with_the_permits)
{
	gosync_semaphore_t *s = self->semaphore;

	EXPECT_EQ(0, gosync_semaphore_acquire(s, 3));
	EXPECT_EQ(0, gosync_semaphore_set_limit(s, 6));
	EXPECT_EQ(3, gosync_semaphore_count(s));
	EXPECT_EQ(6, info(self->semaphore).capacity);
	EXPECT_EQ(0, gosync_semaphore_set_limit(s, 3));
	EXPECT_EQ(0, gosync_semaphore_count(s));
	EXPECT_EQ(0, info(self->semaphore).owed);
	EXPECT_EQ(0, gosync_semaphore_release(s, 3));
	EXPECT_EQ(3, gosync_semaphore_count(s));
	EXPECT_EQ(-EBUSY, gosync_semaphore_tryacquire(s, 4));
	EXPECT_EQ(0, gosync_semaphore_tryacquire(s, 3));
	EXPECT_EQ(0, gosync_semaphore_release(s, 3));
}

TEST_F(limit, below_what_is_out_is_reached_as_permits_come_back)
{
	gosync_semaphore_t *s = self->semaphore;

	EXPECT_EQ(0, gosync_semaphore_acquire(s, 4));
	EXPECT_EQ(0, gosync_semaphore_set_limit(s, 1));
	EXPECT_EQ(3, info(self->semaphore).owed);
	EXPECT_EQ(0, gosync_semaphore_count(s));
	/* Nobody waits, and yet these are not for the next. */
	EXPECT_EQ(0, gosync_semaphore_release(s, 1));
	EXPECT_EQ(-EBUSY, gosync_semaphore_tryacquire(s, 1));
	EXPECT_EQ(2, info(self->semaphore).owed);
	/* Growing pays, too. */
	EXPECT_EQ(0, gosync_semaphore_set_limit(s, 2));
	EXPECT_EQ(1, info(self->semaphore).owed);
	EXPECT_EQ(0, gosync_semaphore_release(s, 2));
	EXPECT_EQ(0, info(self->semaphore).owed);
	EXPECT_EQ(1, gosync_semaphore_count(s));
	EXPECT_EQ(0, gosync_semaphore_release(s, 1));
	EXPECT_EQ(2, gosync_semaphore_count(s));
	EXPECT_EQ(2, info(self->semaphore).word);
	EXPECT_EQ(2, info(self->semaphore).capacity);
}

TEST_F(limit, that_grows_lets_go_on_who_waits)
{
	ASSERT_EQ(0, gosync_semaphore_acquire(self->semaphore, 4));
	spawn_waiter(self, 2);
	spawn_waiter(self, 1);
	EXPECT_EQ(0, gosync_semaphore_set_limit(self->semaphore, 5));
	/* The first wants two, and is not overtaken. */
	EXPECT_EQ(2, info(self->semaphore).waiters);
	EXPECT_EQ(0, gosync_semaphore_set_limit(self->semaphore, 7));
	EXPECT_TRUE(eventually(load(self->shared) == 3));
	EXPECT_EQ(0, info(self->semaphore).waiters);
	EXPECT_EQ(0, gosync_semaphore_count(self->semaphore));
}

TEST_F(limit, makes_a_descriptor_readable)
{
	struct pollfd ask = {
		.fd = gosync_fd(self->semaphore), .events = POLLIN,
	};

	ASSERT_EQ(0, gosync_semaphore_acquire(self->semaphore, 4));
	EXPECT_EQ(0, poll(&ask, 1, 0));
	if (!spawn()) {
		sleep_ns(20 * NSEC_PER_MSEC);
		_exit(-gosync_semaphore_set_limit(self->semaphore, 5));
	}
	EXPECT_EQ(1, poll(&ask, 1, -1));
	EXPECT_EQ(0, gosync_semaphore_tryacquire(self->semaphore, 1));
}

TEST_F(limit, is_refused_where_it_cannot_be)
{
	gosync_semaphore_t *s = self->semaphore, *observer;
	int fd = reopen_object(gosync_fd(s), GOSYNC_RDONLY);

	observer = HANDLE(gosync_semaphore, fd, variant->how);
	EXPECT_EQ(-EBADF, gosync_semaphore_set_limit(observer, 9));
	EXPECT_EQ(-EINVAL, gosync_semaphore_set_limit(s, PERMITS_MAX + 1));
	EXPECT_EQ(4, info(self->semaphore).capacity);
	EXPECT_EQ(0, gosync_semaphore_set_limit(s, PERMITS_MAX));
	EXPECT_EQ(PERMITS_MAX, gosync_semaphore_count(s));
	EXPECT_EQ(0, gosync_semaphore_set_limit(s, 0));
	EXPECT_EQ(0, gosync_semaphore_count(s));
	if (variant->flags)
		return;
	/* More than the limit are there, because more were released. */
	EXPECT_EQ(0, gosync_semaphore_release(s, 5));
	EXPECT_EQ(-ERANGE, gosync_semaphore_set_limit(s, PERMITS_MAX));
	EXPECT_EQ(0, info(self->semaphore).capacity);
	EXPECT_EQ(5, gosync_semaphore_count(s));
}

TEST_F(limit, is_what_who_opens_the_name_has_to_say)
{
	gosync_semaphore_t *s, *other;
	char *name = unique_name();

	s = NEW_NAMED(gosync_semaphore, name, variant->flags | variant->how, 2);
	ASSERT_EQ(0, gosync_semaphore_set_limit(s, 5));
	EXPECT_EQ(-EPROTOTYPE, gosync_semaphore_open(name, 2, 0, 0, &other));
	EXPECT_EQ(0, gosync_semaphore_open(name, 5, 0, 0, &other));
	EXPECT_EQ(0, gosync_semaphore_open(name, 0, 0, 0, &other));
}

/*
 * While the limit changes all the time, everybody gets on, and in the end
 * there are as many as it says.
 */
TEST_F(limit, changes_at_any_moment_and_none_is_lost)
{
	enum { WORKERS = 4, MOST = 6 };
	uint64_t end = end_of_budget(), seed = random_seed();
	unsigned int *stop = self->shared, i, changes = 0, limit;
	pid_t pids[WORKERS];

	for (i = 0; i < WORKERS; i++) {
		random_u32(&seed);
		pids[i] = spawn();
		if (pids[i])
			continue;
		while (!load(stop)) {
			unsigned int n = random_u32(&seed) % 2 + 1;

			if (gosync_semaphore_acquire(self->semaphore, n))
				_exit(1);
			add(self->shared + 1, 1);
			if (gosync_semaphore_release(self->semaphore, n))
				_exit(2);
		}
		_exit(0);
	}
	do {
		limit = random_u32(&seed) % (MOST + 1);
		ASSERT_EQ(0, gosync_semaphore_set_limit(self->semaphore, limit));
		changes++;
		if (!(random_u32(&seed) % 8))
			sleep_ns(NSEC_PER_MSEC / 10);
	} while (budget_left(end));
	/* Nobody is left waiting for what cannot be. */
	store(stop, 1);
	ASSERT_EQ(0, gosync_semaphore_set_limit(self->semaphore, 2));
	EXPECT_EQ(0, reap_all(pids, WORKERS));
	TH_LOG("%u changes, %u acquisitions", changes, load(self->shared + 1));
	EXPECT_LT(0, load(self->shared + 1));
	EXPECT_EQ(2, gosync_semaphore_count(self->semaphore));
	EXPECT_EQ(2, info(self->semaphore).word);
	EXPECT_EQ(0, info(self->semaphore).owed);
}

FIXTURE(token)
{
};

MAPPED_AND_IOCTL(token);

FIXTURE_SETUP(token)
{
}

TEST_F(token, grows_over_a_name_that_comes_again)
{
	uint64_t token, last = 0;
	char *name = unique_name();
	gosync_mutex_t *mutex;
	int i, k;

	for (i = 0; i < 20; i++) {
		mutex = NEW_NAMED(gosync_mutex, name,
				  GOSYNC_PERSIST | variant->how);
		for (k = 0; k < 1000; k++) {
			ASSERT_EQ(0, gosync_mutex_lock(mutex));
			ASSERT_EQ(0, gosync_mutex_token(mutex, &token));
			ASSERT_LT(last, token);
			last = token;
			ASSERT_EQ(0, gosync_mutex_unlock(mutex));
		}
		gosync_close(mutex);
		ASSERT_EQ(0, gosync_unlink(name));
	}
}

TEST(only_what_is_unused_is_taken_away)
{
	char *name = unique_name();
	int fd = open_object(GOSYNC_RWMUTEX, name,
			     GOSYNC_CREATE | GOSYNC_PERSIST, 0600);
	int observer, i;
	uint64_t closed, idle;

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EBUSY, gosync_unlink_unused(name));
	observer = reopen_object(fd, GOSYNC_RDONLY);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, info_of(observer).idle_ns);
		usleep(1000);
		closed = gosync_deadline(0);
		close(fd);
		/* Who looks on has it open, but does not use it. */
		idle = info_of(observer).idle_ns;
		EXPECT_LT(0, idle);
		EXPECT_GE(gosync_deadline(0) - closed + 1, idle);
		EXPECT_EQ(-EBUSY, gosync_unlink_unused(name));
		fd = open_object(GOSYNC_RWMUTEX, name, 0, 0);
		ASSERT_LE(0, fd);
	}
	close(fd);
	close(observer);
	EXPECT_EQ(0, gosync_unlink_unused(name));
	EXPECT_EQ(-ENOENT, gosync_unlink_unused(name));
}

TEST_HARNESS_MAIN
