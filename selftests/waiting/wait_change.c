// SPDX-License-Identifier: GPL-2.0-only
/*
 * Value, Map: waiting for another version than the one that is known.
 */
#include "gosync_test.h"

/* Of no Value and no Map */
#define NONE	UINT64_MAX

FIXTURE(version)
{
	char *name;
	/* One of them */
	gosync_value_t *value;
	gosync_map_t *map;
	void *object;
	int fd;
};

FIXTURE_VARIANT(version)
{
	unsigned int type;
	unsigned int how;
};

FIXTURE_VARIANT_ADD(version, value_mapped) { GOSYNC_VALUE, 0 };
FIXTURE_VARIANT_ADD(version, value_ioctl) { GOSYNC_VALUE, GOSYNC_IOCTL_ONLY };
FIXTURE_VARIANT_ADD(version, map_mapped) { GOSYNC_MAP, 0 };
FIXTURE_VARIANT_ADD(version, map_ioctl) { GOSYNC_MAP, GOSYNC_IOCTL_ONLY };

FIXTURE_SETUP(version)
{
	unsigned int flags = variant->how | GOSYNC_CREATE;

	self->name = unique_name();
	if (variant->type == GOSYNC_VALUE) {
		ASSERT_EQ(0, gosync_value_open(self->name, 0, flags, 0600,
					       &self->value));
		self->object = self->value;
	} else {
		ASSERT_EQ(0, gosync_map_open(self->name, NULL, flags, 0600,
					     &self->map));
		self->object = self->map;
	}
	self->fd = gosync_fd(self->object);
}

NO_TEARDOWN(version);

static int put(FIXTURE_DATA(version) *self, unsigned int number)
{
	return self->value ?
	       gosync_value_store(self->value, 1, &number, sizeof(number)) :
	       gosync_map_store(self->map, "key", 3, &number, sizeof(number));
}

static int get(FIXTURE_DATA(version) *self, unsigned int *number)
{
	size_t len = sizeof(*number);

	return self->value ?
	       gosync_value_load(self->value, number, &len, NULL) :
	       gosync_map_load(self->map, "key", 3, number, &len);
}

/* What changes nothing of what put() has put there: 0 if it did as it should */
static int change_nothing(FIXTURE_DATA(version) *self)
{
	if (self->value)
		return gosync_value_store(self->value, 2, "two", 4) !=
			       -EPROTOTYPE ||
		       gosync_value_cas(self->value, 1, "two", 4, 1, "x", 1);
	return gosync_map_delete(self->map, "other", 5) ||
	       gosync_map_cas(self->map, "key", 3, "two", 3, "x", 1);
}

/* @version is what it waits to see the end of, then what came instead. */
static int wait_on(FIXTURE_DATA(version) *self, int fd, uint64_t *version,
		   uint64_t deadline, unsigned int flags)
{
	struct gosync_version_wait_args args = {
		.size = sizeof(args), .flags = flags, .version = *version,
		.deadline = deadline,
	};
	int ret = call(fd, self->value ? GOSYNC_IOC_VALUE_WAIT :
					 GOSYNC_IOC_MAP_WAIT, &args);

	*version = args.version;
	return ret;
}

static int wait_until(FIXTURE_DATA(version) *self, uint64_t *version,
		      uint64_t deadline, unsigned int flags)
{
	return wait_on(self, self->fd, version, deadline, flags);
}

static uint64_t version_of(FIXTURE_DATA(version) *self)
{
	uint64_t version = NONE;

	return wait_until(self, &version, 1, 0) ? NONE : version;
}

/* A child that waits for what comes after @version; it exits with the error. */
static pid_t spawn_waiter(FIXTURE_DATA(version) *self, uint64_t version)
{
	return WAITER_FD(self->fd, ({
		uint64_t now = version;
		int ret = wait_until(self, &now, 0, 0);

		!ret && now == version ? 100 : -ret;
	}));
}

TEST_F(version, wait_returns_at_once_what_is_another_version)
{
	uint64_t version = NONE, first;

	EXPECT_EQ(0, wait_until(self, &version, 0, 0));
	first = version;
	if (self->map)
		EXPECT_NE(0, first);
	EXPECT_EQ(-ETIMEDOUT, wait_until(self, &version, 1, 0));
	EXPECT_EQ(first, version);
	EXPECT_EQ(0, put(self, 1));
	/* Also when it is late */
	EXPECT_EQ(0, wait_until(self, &version, 1, 0));
	EXPECT_NE(first, version);
	EXPECT_EQ(version, version_of(self));
	version = first;
	EXPECT_EQ(0, wait_until(self, &version, 1, GOSYNC_CLOCK_REALTIME));
	EXPECT_EQ(version, version_of(self));
	EXPECT_EQ(0, info_of(self->fd).waiters);
}

TEST_F(version, wait_ends_with_a_change)
{
	enum { N = 30 };
	struct gosync_stat stat = { .size = sizeof(stat) };
	int reader = open_object(0, self->name, GOSYNC_RDONLY, 0);
	uint64_t version, late;
	pid_t pids[N];
	int i;

	EXPECT_EQ(0, put(self, 1));
	version = version_of(self);
	for (i = 0; i < N; i++)
		pids[i] = CHILD(-wait_on(self, i % 2 ? self->fd : reader,
					 &version, 0, 0));
	ASSERT_TRUE(eventually(info_of(self->fd).waiters == N));
	EXPECT_EQ(0, change_nothing(self));
	EXPECT_EQ(N, info_of(self->fd).waiters);
	EXPECT_EQ(0, put(self, 2));
	EXPECT_EQ(0, reap_all(pids, N));
	EXPECT_EQ(0, info_of(self->fd).waiters);
	EXPECT_NE(version, version_of(self));
	late = version_of(self);
	EXPECT_EQ(-ETIMEDOUT, wait_on(self, reader, &late, 1, 0));
	ASSERT_EQ(0, call(reader, GOSYNC_IOC_STAT, &stat));
	EXPECT_EQ(N + 1, stat.contended);
	EXPECT_EQ(N, stat.acquired);
	EXPECT_EQ(N, stat.handed_over);
	EXPECT_EQ(1, stat.gave_up);
	EXPECT_LT(0, stat.wait_ns);
}

TEST_F(version, those_who_wait_are_listed)
{
	struct gosync_party parties[3];
	pid_t pids[2];
	int i;

	for (i = 0; i < 2; i++)
		pids[i] = spawn_waiter(self, version_of(self));
	ASSERT_EQ(2, gosync_waiters(self->object, parties, 3));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(pids[i], parties[i].pid);
		EXPECT_EQ(pids[i], parties[i].tid);
		EXPECT_EQ(i + 1, parties[i].position);
		EXPECT_EQ(GOSYNC_WANTS_IT, parties[i].wants);
		EXPECT_EQ(0, parties[i].flags);
		EXPECT_EQ(0, parties[i].count);
	}
	/* One leaves, the others do not notice. */
	EXPECT_EQ(128 + SIGKILL, kill_and_reap(pids[0]));
	ASSERT_EQ(1, gosync_waiters(self->object, parties, 3));
	EXPECT_EQ(pids[1], parties[0].pid);
	EXPECT_EQ(1, parties[0].position);
	EXPECT_EQ(0, put(self, 1));
	EXPECT_EQ(0, reap_soon(pids[1]));
	EXPECT_EQ(0, gosync_waiters(self->object, parties, 3));
}

/*
 * Who waits for whatever comes next sees the last of them, however quickly they
 * follow each other and whoever else is killed meanwhile.
 */
TEST_F(version, no_change_is_waited_for_in_vain)
{
	enum { N = 3 };
	uint64_t end = end_of_budget(), seed = random_seed();
	unsigned int *seen = shared_memory(N * sizeof(*seen));
	unsigned int i, count = 0;
	pid_t pids[N], victim = 0;

	ASSERT_EQ(0, put(self, count));
	for (i = 0; i < N; i++) {
		uint64_t version = NONE;

		pids[i] = spawn();
		if (pids[i])
			continue;
		do {
			if (wait_until(self, &version, 0, 0))
				_exit(1);
			if (get(self, &count))
				_exit(2);
			store(&seen[i], count);
		} while (count != UINT32_MAX);
		_exit(0);
	}
	do {
		uint32_t r = random_u32(&seed);

		count++;
		ASSERT_EQ(0, put(self, count));
		/* Now and then, when it has been seen by all */
		for (i = 0; r % 4 == 0 && i < N; i++)
			ASSERT_TRUE(eventually(load(&seen[i]) == count));
		if (r % 64 == 0) {
			if (victim)
				kill_and_reap(victim);
			victim = spawn();
			if (!victim) {
				uint64_t version = version_of(self);

				for (;;)
					wait_until(self, &version, 0, 0);
			}
		}
	} while (budget_left(end));
	TH_LOG("%u changes", count);
	count = UINT32_MAX;
	ASSERT_EQ(0, put(self, count));
	EXPECT_EQ(0, reap_all(pids, N));
	if (victim)
		kill_and_reap(victim);
	EXPECT_EQ(0, info_of(self->fd).waiters);
}

TEST_HARNESS_MAIN
