// SPDX-License-Identifier: GPL-2.0-only
/*
 * Atomic words: every type and operation, sequential consistency, and waiting
 * for a word to change.
 */
#include "gosync_test.h"

FIXTURE(atomic)
{
	char *name;
};

MAPPED_AND_IOCTL(atomic);

FIXTURE_SETUP(atomic)
{
	self->name = unique_name();
}

/* Open words as the variant wants them; N is gosync_int32 and so on. */
#define OPEN(N, count)							\
({									\
	N##_t *__a;							\
									\
	ASSERT_EQ(0, N##_open(self->name, count, GOSYNC_CREATE |	\
				       variant->how, 0600, &__a));	\
	ASSERT_EQ(!variant->how, gosync_is_mapped(__a));		\
	__a;								\
})

#define EXPECT_WORD(N, T, a, i, value)					\
do {									\
	T __now = 0;							\
									\
	EXPECT_EQ(0, N##_load(a, i, &__now));				\
	EXPECT_EQ((T)(value), __now);					\
} while (0)

/* What all types can; @one and @two are values of the type. */
#define CHECK_BASE(N, T, one, two)					\
do {									\
	N##_t *a = OPEN(N, 3);						\
	T old = ~(T)0;							\
									\
	EXPECT_WORD(N, T, a, 1, 0);					\
	EXPECT_EQ(0, N##_store(a, 1, one));				\
	EXPECT_WORD(N, T, a, 1, one);					\
	EXPECT_EQ(0, N##_swap(a, 1, two, &old));			\
	EXPECT_EQ((T)(one), old);					\
	EXPECT_WORD(N, T, a, 1, two);					\
	EXPECT_EQ(0, N##_cas(a, 1, one, two));				\
	EXPECT_EQ(1, N##_cas(a, 1, two, one));				\
	EXPECT_WORD(N, T, a, 1, one);					\
	EXPECT_EQ(0, N##_swap(a, 1, 0, NULL));				\
	EXPECT_WORD(N, T, a, 1, 0);					\
	/* Its neighbours have not moved. */				\
	EXPECT_WORD(N, T, a, 0, 0);					\
	EXPECT_WORD(N, T, a, 2, 0);					\
} while (0)

#define CHECK_ARITHMETIC(N, T, min, max)				\
do {									\
	N##_t *a = OPEN(N, 3);						\
	T got;								\
									\
	/* Add returns the new value, the others the old. */		\
	EXPECT_EQ(0, N##_store(a, 1, max));				\
	EXPECT_EQ(0, N##_add(a, 1, 1, &got));				\
	EXPECT_EQ((T)(min), got);					\
	EXPECT_EQ(0, N##_add(a, 1, (T)-1, &got));			\
	EXPECT_EQ((T)(max), got);					\
	EXPECT_EQ(0, N##_store(a, 1, 0x3c));				\
	EXPECT_EQ(0, N##_and(a, 1, 0x0f, &got));			\
	EXPECT_EQ(0x3c, got);						\
	EXPECT_WORD(N, T, a, 1, 0x0c);					\
	EXPECT_EQ(0, N##_or(a, 1, 0x61, &got));				\
	EXPECT_EQ(0x0c, got);						\
	EXPECT_WORD(N, T, a, 1, 0x6d);					\
	EXPECT_EQ(0, N##_and(a, 1, (T)~0x6d, NULL));			\
	EXPECT_WORD(N, T, a, 1, 0);					\
	EXPECT_EQ(0, N##_or(a, 1, (T)~0, NULL));			\
	EXPECT_WORD(N, T, a, 1, ~(T)0);					\
	EXPECT_WORD(N, T, a, 0, 0);					\
	EXPECT_WORD(N, T, a, 2, 0);					\
} while (0)

#define TEST_NUMBER(name, T, one, two, min, max)			\
TEST_F(atomic, name##_does_as_go_does)					\
{									\
	CHECK_BASE(gosync_##name, T, one, two);				\
	CHECK_ARITHMETIC(gosync_##name, T, min, max);			\
}

TEST_NUMBER(int32, int32_t, INT32_MIN, INT32_MAX, INT32_MIN, INT32_MAX)
TEST_NUMBER(uint32, uint32_t, 1, UINT32_MAX, 0, UINT32_MAX)
TEST_NUMBER(int64, int64_t, INT64_MIN, INT64_MAX, INT64_MIN, INT64_MAX)
TEST_NUMBER(uint64, uint64_t, 1, UINT64_MAX, 0, UINT64_MAX)
TEST_NUMBER(uintptr, uint64_t, 1, UINT64_MAX, 0, UINT64_MAX)

TEST_F(atomic, pointer_does_as_go_does)
{
	CHECK_BASE(gosync_pointer, uint64_t, 1ULL << 63, UINT64_MAX - 7);
}

TEST_F(atomic, bool_does_as_go_does)
{
	gosync_bool_t *a;
	uint32_t now;

	CHECK_BASE(gosync_bool, uint32_t, 1, 0);
	a = OPEN(gosync_bool, 3);
	EXPECT_EQ(-EINVAL, gosync_bool_store(a, 1, 2));
	EXPECT_EQ(-EINVAL, gosync_bool_swap(a, 1, UINT32_MAX, &now));
	EXPECT_EQ(-EINVAL, gosync_bool_cas(a, 1, 0, 2));
	EXPECT_WORD(gosync_bool, uint32_t, a, 1, 0);
}

TEST_F(atomic, arrays_are_as_long_as_they_are)
{
	gosync_uint64_t *a = OPEN(gosync_uint64, 65536), *same;
	uint64_t now;
	size_t i;

	for (i = 0; i < 65536; i += 4369)
		EXPECT_EQ(0, gosync_uint64_store(a, i, i));
	/* 0: as many as there are */
	ASSERT_EQ(0, gosync_uint64_open(self->name, 0, variant->how, 0, &same));
	for (i = 0; i < 65536; i += 4369)
		EXPECT_WORD(gosync_uint64, uint64_t, same, i, i);
	EXPECT_EQ(-EINVAL, gosync_uint64_load(a, 65536, &now));
	EXPECT_EQ(-EINVAL, gosync_uint64_store(a, 65536, 1));
	EXPECT_EQ(-EINVAL, gosync_uint64_add(a, 1ULL << 31, 1, NULL));
	EXPECT_EQ(-EINVAL, gosync_uint64_cas(a, (size_t)-1, 0, 1));
	EXPECT_EQ(-EINVAL, gosync_uint64_wait(a, 65536, 0, 0, 0, NULL));
	EXPECT_EQ(-EINVAL, gosync_uint64_wake(a, 65536, 1));
	EXPECT_EQ(-EPROTOTYPE, gosync_uint64_open(self->name, 2, 0, 0, &same));
}

TEST_F(atomic, readers_only_read)
{
	gosync_int32_t *a = OPEN(gosync_int32, 1), *reader;

	ASSERT_EQ(0, gosync_int32_open(self->name, 0, GOSYNC_RDONLY |
				       variant->how, 0, &reader));
	EXPECT_EQ(!variant->how, gosync_is_mapped(reader));
	EXPECT_EQ(0, gosync_int32_store(a, 0, 7));
	EXPECT_WORD(gosync_int32, int32_t, reader, 0, 7);
	EXPECT_EQ(-EBADF, gosync_int32_store(reader, 0, 8));
	EXPECT_EQ(-EBADF, gosync_int32_add(reader, 0, 1, NULL));
	EXPECT_EQ(-EBADF, gosync_int32_swap(reader, 0, 1, NULL));
	EXPECT_EQ(-EBADF, gosync_int32_cas(reader, 0, 7, 1));
	EXPECT_EQ(0, gosync_int32_wait(reader, 0, 6, 0, 0, NULL));
	EXPECT_WORD(gosync_int32, int32_t, a, 0, 7);
}

/* What does not fit the type is refused by the kernel. */
TEST_F(atomic, values_fit_their_type)
{
	static const struct {
		uint32_t type;
		uint64_t value;
		int result;
	} rows[] = {
		{ GOSYNC_INT32, INT32_MAX, 0 },
		{ GOSYNC_INT32, (uint64_t)INT32_MIN, 0 },
		{ GOSYNC_INT32, (uint64_t)INT32_MAX + 1, -EINVAL },
		{ GOSYNC_INT32, 0xffffffff, -EINVAL },
		{ GOSYNC_INT32, 1ULL << 32, -EINVAL },
		{ GOSYNC_UINT32, UINT32_MAX, 0 },
		{ GOSYNC_UINT32, 1ULL << 32, -EINVAL },
		{ GOSYNC_UINT32, UINT64_MAX, -EINVAL },
		{ GOSYNC_BOOL, 1, 0 },
		{ GOSYNC_BOOL, 2, -EINVAL },
		{ GOSYNC_BOOL, 1ULL << 32, -EINVAL },
		{ GOSYNC_INT64, UINT64_MAX, 0 },
		{ GOSYNC_POINTER, UINT64_MAX, 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		int fd = new_object(rows[i].type);
		struct gosync_atomic_args args = {
			.size = sizeof(args), .value = rows[i].value,
		};

		EXPECT_EQ(rows[i].result, call(fd, GOSYNC_IOC_ATOMIC_STORE, &args));
		EXPECT_EQ(rows[i].result, call(fd, GOSYNC_IOC_ATOMIC_SWAP, &args));
		args.value = 0;
		EXPECT_EQ(0, call(fd, GOSYNC_IOC_ATOMIC_LOAD, &args));
		EXPECT_EQ(rows[i].result ? 0 : rows[i].value, args.result);
		close(fd);
	}
}

/* --- between processes --------------------------------------------------- */

TEST_F(atomic, no_add_is_lost)
{
	enum { ADDERS = 4, ADDS = 3000 };
	/* One of them works the other way. */
	gosync_int64_t *a = OPEN(gosync_int64, 2), *other;
	pid_t pids[ADDERS];
	int i, j;

	ASSERT_EQ(0, gosync_int64_open(self->name, 0, GOSYNC_IOCTL_ONLY, 0,
				       &other));
	for (i = 0; i < ADDERS; i++) {
		pids[i] = spawn();
		if (pids[i])
			continue;
		for (j = 0; j < ADDS; j++)
			gosync_int64_add(i ? a : other, 1, i + 1, NULL);
		_exit(0);
	}
	EXPECT_EQ(0, reap_all(pids, ADDERS));
	EXPECT_WORD(gosync_int64, int64_t, a, 1,
		    ADDS * ADDERS * (ADDERS + 1) / 2);
}

/*
 * Store buffering: of two that each store to one word and load the other, at
 * least one sees the other's store. With release and acquire alone, both may
 * miss it.
 */
static void store_buffering(struct __test_metadata *_metadata,
			    gosync_int32_t *mine, gosync_int32_t *theirs)
{
	enum { ROUNDS = 15000, X = 0, Y = 1000 };
	struct {
		int go;
		int32_t saw[ROUNDS + 1];
		char apart[128];
	} *shared = shared_memory(2 * sizeof(*shared));
	pid_t pid = spawn();
	int me = !pid, round, spins;
	gosync_int32_t *a = me ? theirs : mine;

	for (round = 1; round <= ROUNDS; round++) {
		store(&shared[me].go, round);
		for (spins = 0; load(&shared[!me].go) < round; spins++)
			if (spins > 1000)
				sched_yield();
		gosync_int32_store(a, me ? X : Y, round);
		gosync_int32_load(a, me ? Y : X, &shared[me].saw[round]);
	}
	if (me)
		_exit(0);
	EXPECT_EQ(0, reap(pid));
	for (round = 1; round <= ROUNDS; round++)
		ASSERT_TRUE(shared[0].saw[round] >= round ||
			    shared[1].saw[round] >= round);
}

TEST_F(atomic, stores_and_loads_are_sequentially_consistent)
{
	gosync_int32_t *a = OPEN(gosync_int32, 1001);

	store_buffering(_metadata, a, a);
}

TEST_F(atomic, also_when_one_is_mapped_and_one_is_not)
{
	gosync_int32_t *a = OPEN(gosync_int32, 1001), *other;

	ASSERT_EQ(0, gosync_int32_open(self->name, 0,
				       variant->how ^ GOSYNC_IOCTL_ONLY, 0,
				       &other));
	store_buffering(_metadata, a, other);
}

/* --- waiting ------------------------------------------------------------- */

TEST_F(atomic, wait_returns_at_once_when_it_is_something_else)
{
	gosync_int32_t *a = OPEN(gosync_int32, 1);
	int32_t now = 0;

	EXPECT_EQ(0, gosync_int32_store(a, 0, -5));
	EXPECT_EQ(0, gosync_int32_wait(a, 0, 5, GOSYNC_FOREVER, 0, &now));
	EXPECT_EQ(-5, now);
}

TEST_F(atomic, wait_ends_with_change_and_wake)
{
	gosync_int32_t *a = OPEN(gosync_int32, 2);
	int32_t now;
	pid_t pid;

	EXPECT_EQ(0, gosync_int32_store(a, 1, -1));
	pid = WAITER(a, gosync_int32_wait(a, 1, -1, GOSYNC_FOREVER, 0, &now) ||
			now != 17);
	/* Another word is none of its business. */
	EXPECT_EQ(0, gosync_int32_wake(a, 0, 1));
	/* Nor is a wake without a change. */
	gosync_int32_wake(a, 1, 1);
	sleep_ns(20 * NSEC_PER_MSEC);
	EXPECT_TRUE(eventually(waiters(a) == 1));
	EXPECT_EQ(0, gosync_int32_store(a, 1, 17));
	EXPECT_EQ(1, gosync_int32_wake(a, 1, 1));
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(0, waiters(a));
	EXPECT_EQ(0, gosync_int32_wake(a, 1, 1));
}

TEST_F(atomic, wake_takes_those_that_came_first)
{
	enum { N = 4 };
	gosync_uint32_t *a = OPEN(gosync_uint32, 1);
	unsigned int *order = shared_memory((N + 1) * sizeof(*order));
	pid_t pids[N];
	int i;

	for (i = 0; i < N; i++)
		pids[i] = WAITER(a, ({
			MUST(!gosync_uint32_wait(a, 0, 0, 0, 0, NULL));
			order[add(&order[0], 1)] = i;
			0;
		}));
	EXPECT_EQ(0, gosync_uint32_store(a, 0, 1));
	for (i = 0; i < N - 2; i++) {
		EXPECT_EQ(1, gosync_uint32_wake(a, 0, 1));
		ASSERT_TRUE(eventually(load(&order[0]) == i + 1u));
		EXPECT_EQ(i, order[i + 1]);
	}
	/* ... and no more of them than asked for, or than there are. */
	EXPECT_EQ(2, waiters(a));
	EXPECT_EQ(0, gosync_uint32_wake(a, 0, 0));
	EXPECT_EQ(2, gosync_uint32_wake(a, 0, UINT32_MAX));
	EXPECT_EQ(0, reap_all(pids, N));
}

TEST_F(atomic, a_write_can_wake_all)
{
	static const unsigned int ops[] = {
		GOSYNC_IOC_ATOMIC_STORE, GOSYNC_IOC_ATOMIC_SWAP,
		GOSYNC_IOC_ATOMIC_ADD, GOSYNC_IOC_ATOMIC_CAS,
		GOSYNC_IOC_ATOMIC_OR,
	};
	gosync_uint64_t *a = OPEN(gosync_uint64, 1);
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		struct gosync_atomic_args args = {
			.size = sizeof(args), .flags = GOSYNC_ATOMIC_WAKE,
			.value = 1,
		};
		pid_t pids[3];

		EXPECT_EQ(0, gosync_uint64_store(a, 0, 0));
		for (j = 0; j < 3; j++)
			pids[j] = CHILD(-gosync_uint64_wait(a, 0, 0, 0, 0, NULL));
		ASSERT_TRUE(eventually(waiters(a) == 3));
		EXPECT_EQ(ops[i] == GOSYNC_IOC_ATOMIC_CAS,
			  call(gosync_fd(a), ops[i], &args));
		EXPECT_EQ(0, reap_all(pids, 3));
	}
}

TEST_F(atomic, wait_is_for_what_a_bool_can_be)
{
	gosync_bool_t *a = OPEN(gosync_bool, 1);

	EXPECT_EQ(-ETIMEDOUT, gosync_bool_wait(a, 0, 0, 1, 0, NULL));
	EXPECT_EQ(0, gosync_bool_wait(a, 0, 1, 1, 0, NULL));
	EXPECT_EQ(-EINVAL, gosync_bool_wait(a, 0, 2, 1, 0, NULL));
}

/* A lost wake-up is a hang. */
TEST_F(atomic, no_wake_up_is_lost)
{
	gosync_uint32_t *a = OPEN(gosync_uint32, 1);
	uint64_t end = end_of_budget();
	uint32_t turn = 0, now;
	pid_t pid = spawn();
	uint32_t me = !pid;

	/* Even numbers are the parent's turn; the last one ends it. */
	for (;;) {
		if (turn % 2 != me) {
			if (gosync_uint32_wait(a, 0, turn, 0, 0, &now))
				_exit(1);
			turn = now;
		}
		if (turn == UINT32_MAX)
			break;
		if (!me && !budget_left(end))
			turn = UINT32_MAX - 1;
		gosync_uint32_store(a, 0, ++turn);
		gosync_uint32_wake(a, 0, 1);
		if (turn == UINT32_MAX)
			break;
	}
	if (me)
		_exit(0);
	EXPECT_EQ(0, reap(pid));
}

/* The same with many that wait for every change */
TEST_F(atomic, every_change_reaches_every_waiter)
{
	enum { N = 4 };
	gosync_uint32_t *a = OPEN(gosync_uint32, 2);
	uint64_t end = end_of_budget();
	uint32_t seen = 0, now = 0;
	pid_t pids[N];
	int i;

	for (i = 0; i < N; i++) {
		pids[i] = spawn();
		if (pids[i])
			continue;
		for (seen = 0; seen != UINT32_MAX; seen = now) {
			if (gosync_uint32_wait(a, 0, seen, 0, 0, &now))
				_exit(1);
			gosync_uint32_add(a, 1, 1, NULL);
			gosync_uint32_wake(a, 1, 1);
		}
		_exit(0);
	}
	do {
		uint32_t acks = 0;

		seen = budget_left(end) ? seen + 1 : UINT32_MAX;
		gosync_uint32_store(a, 1, 0);
		gosync_uint32_store(a, 0, seen);
		gosync_uint32_wake(a, 0, UINT32_MAX);
		while (acks < N)
			if (gosync_uint32_wait(a, 1, acks, 0, 0, &acks))
				break;
	} while (seen != UINT32_MAX);
	EXPECT_EQ(0, reap_all(pids, N));
}

TEST_HARNESS_MAIN
