// SPDX-License-Identifier: GPL-2.0-only
/*
 * What poll(2) says of each type of object in particular, after deaths, beside
 * other waiters, and of what a descriptor has been told to watch for.
 */
#include "gosync_test_poll.h"

/* --- what is particular -------------------------------------------------- */

FIXTURE(watch)
{
	unsigned int *shared;
};

WITH_AND_WITHOUT_MMAP(watch);

FIXTURE_SETUP(watch)
{
	self->shared = shared_memory(4096);
}

/* A handle of an anonymous object's descriptor, and another holder of it */
#define OPEN_BOTH(type, handle, fd, ...)				\
do {									\
	ASSERT_EQ(0, gosync_##type##_open(NULL, ##__VA_ARGS__,		\
					  GOSYNC_CREATE | variant->flags, \
					  0600, &(handle)));		\
	(fd) = reopen_object(gosync_fd(handle), 0);			\
	ASSERT_LE(0, fd);						\
} while (0)

/* --- owners that die ----------------------------------------------------- */

TEST_F(watch, a_mutex_is_ready_when_its_owner_dies)
{
	gosync_mutex_t *lock;
	pid_t owner, asker;
	enum way way;
	int fd;

	OPEN_BOTH(mutex, lock, fd);
	for (way = 0; way < WAYS; way++) {
		owner = RESTING_CHILD(gosync_mutex_lock(lock));
		EXPECT_FALSE(READY(fd));
		asker = spawn_asker(way, fd, POLLIN);
		kill_and_reap(owner);
		EXPECT_EQ(0, reap_soon(asker));
		EXPECT_TRUE(READY(fd));
		/* Whoever takes it is told. */
		EXPECT_EQ(1, gosync_mutex_lock(lock));
		EXPECT_EQ(0, gosync_mutex_recover(lock));
		EXPECT_FALSE(READY(fd));
		EXPECT_EQ(0, gosync_mutex_unlock(lock));
	}
	EXPECT_EQ(WAYS, info_of(fd).deaths);
}

TEST_F(watch, an_rwmutex_is_ready_when_its_owner_dies)
{
	gosync_rwmutex_t *lock;
	pid_t owner, askers[2];
	int fd, i;

	OPEN_BOTH(rwmutex, lock, fd);
	/* One that reads, then one that writes */
	for (i = 0; i < 2; i++) {
		owner = RESTING_CHILD(i ? gosync_rwmutex_lock(lock) :
					  gosync_rwmutex_rlock(lock));
		EXPECT_EQ(!i, READY(fd));
		EXPECT_FALSE(WRITABLE(fd));
		askers[0] = spawn_asker(POLL, fd, POLLOUT);
		askers[1] = CHILD(ask(POLL, fd, POLLIN, LONG_MS) != POLLIN);
		ASSERT_TRUE(eventually(is_asleep(askers[1])));
		kill_and_reap(owner);
		EXPECT_EQ(0, reap_soon(askers[0]));
		EXPECT_EQ(0, reap_soon(askers[1]));
		EXPECT_EQ(i, gosync_rwmutex_lock(lock));
		EXPECT_EQ(0, gosync_rwmutex_unlock(lock));
	}
}

TEST_F(watch, permits_that_a_dead_holder_gives_back_are_ready)
{
	gosync_semaphore_t *permits;
	pid_t owner, asker;
	int fd;

	permits = NEW(gosync_semaphore, GOSYNC_GIVE_BACK | variant->flags, 1);
	fd = reopen_object(gosync_fd(permits), 0);
	EXPECT_TRUE(READY(fd));
	owner = RESTING_CHILD(gosync_semaphore_acquire(permits, 1));
	EXPECT_FALSE(READY(fd));
	asker = spawn_asker(EDGE, fd, POLLIN);
	kill_and_reap(owner);
	EXPECT_EQ(0, reap_soon(asker));
	EXPECT_EQ(0, gosync_semaphore_tryacquire(permits, 1));
}

TEST_F(watch, a_once_is_not_ready_when_its_runner_dies)
{
	gosync_once_t *once;
	pid_t runner, asker;
	int fd;

	OPEN_BOTH(once, once, fd);
	runner = RESTING_CHILD(gosync_once_begin(once) != GOSYNC_ONCE_RUN);
	EXPECT_FALSE(READY(fd));
	asker = spawn_asker(POLL, fd, POLLIN);
	kill_and_reap(runner);
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(GOSYNC_ONCE_RUN_AGAIN, gosync_once_begin(once));
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(0, gosync_once_done(once));
	EXPECT_EQ(0, reap_soon(asker));
	EXPECT_TRUE(READY(fd));
}

/* A Once has but one edge, so it takes many. */
TEST_F(watch, the_edge_of_a_once_is_not_lost)
{
	enum { N = 32 };
	uint64_t end = end_of_budget(), seed = random_seed();
	unsigned int edges = 0;

	do {
		int fds[N], i;
		pid_t pid;

		for (i = 0; i < N; i++)
			fds[i] = create(GOSYNC_ONCE, 0, variant->flags);
		store(self->shared, 0);
		pid = spawn();
		if (!pid) {
			for (i = 0; i < N; i++) {
				add(self->shared, 1);
				dither(&seed);
				if (ask(i % WAYS, fds[i], POLLIN, LONG_MS) !=
				    POLLIN)
					_exit(1);
			}
			_exit(0);
		}
		for (i = 0; i < N; i++) {
			ASSERT_TRUE(reaches(self->shared, i + 1));
			ASSERT_EQ(GOSYNC_ONCE_RUN,
				  call(fds[i], GOSYNC_IOC_ONCE_BEGIN, NULL));
			random_u32(&seed);
			dither(&seed);
			ASSERT_EQ(0, call(fds[i], GOSYNC_IOC_ONCE_DONE, NULL));
		}
		ASSERT_EQ(0, reap_soon(pid));
		for (i = 0; i < N; i++)
			close(fds[i]);
		edges += N;
	} while (budget_left(end));
	TH_LOG("%u edges", edges);
}

/* --- RWMutex ------------------------------------------------------------- */

TEST_F(watch, an_rwmutex_is_readable_and_writable)
{
	gosync_rwmutex_t *lock;
	int fd;

	OPEN_BOTH(rwmutex, lock, fd);
	EXPECT_TRUE(READY(fd));
	EXPECT_TRUE(WRITABLE(fd));
	EXPECT_EQ(0, gosync_rwmutex_rlock(lock));
	EXPECT_TRUE(READY(fd));
	EXPECT_FALSE(WRITABLE(fd));
	EXPECT_EQ(0, gosync_rwmutex_rlock(lock));
	EXPECT_EQ(0, gosync_rwmutex_runlock(lock));
	EXPECT_FALSE(WRITABLE(fd));
	EXPECT_EQ(0, gosync_rwmutex_runlock(lock));
	EXPECT_TRUE(WRITABLE(fd));
	EXPECT_EQ(0, gosync_rwmutex_lock(lock));
	EXPECT_FALSE(READY(fd));
	EXPECT_FALSE(WRITABLE(fd));
	EXPECT_EQ(0, gosync_rwmutex_unlock(lock));
	EXPECT_TRUE(READY(fd));
	EXPECT_TRUE(WRITABLE(fd));
}

/* It lets no new reader in, until it has had the lock or has given up. */
TEST_F(watch, a_writer_that_waits_makes_an_rwmutex_unreadable)
{
	gosync_rwmutex_t *lock;
	pid_t pids[2], asker;
	int fd, i;

	OPEN_BOTH(rwmutex, lock, fd);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, gosync_rwmutex_rlock(lock));
		pids[i] = WAITER_FD(fd, gosync_rwmutex_lock(lock) ?:
					gosync_rwmutex_unlock(lock));
		EXPECT_FALSE(READY(fd));
		asker = spawn_asker(EDGE, fd, POLLIN);
		if (!i)
			EXPECT_EQ(0, gosync_rwmutex_runlock(lock));
		EXPECT_EQ(i ? 128 + SIGKILL : 0,
			  i ? kill_and_reap(pids[i]) : reap_soon(pids[i]));
		EXPECT_EQ(0, reap_soon(asker));
		EXPECT_TRUE(READY(fd));
		EXPECT_EQ(!i, WRITABLE(fd));
	}
}

/* --- Semaphore ----------------------------------------------------------- */

TEST_F(watch, a_semaphore_is_ready_with_as_many_permits_as_were_said)
{
	gosync_semaphore_t *permits;
	int fd, other;

	OPEN_BOTH(semaphore, permits, fd, 0);
	other = reopen_object(fd, 0);
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(0, watch_fd(fd, 0, 0, 3));
	EXPECT_EQ(0, gosync_semaphore_release(permits, 2));
	EXPECT_FALSE(READY(fd));
	EXPECT_TRUE(READY(other));
	EXPECT_EQ(0, gosync_semaphore_release(permits, 1));
	EXPECT_TRUE(READY(fd));
	EXPECT_EQ(0, gosync_semaphore_acquire(permits, 1));
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(0, stop_watching(fd));
	EXPECT_TRUE(READY(fd));
	EXPECT_EQ(0, gosync_semaphore_acquire(permits, 2));
	EXPECT_FALSE(READY(fd));
	EXPECT_FALSE(READY(other));
}

TEST_F(watch, permits_are_ready_when_who_wants_many_gives_up)
{
	gosync_semaphore_t *permits;
	pid_t many, asker;
	int fd;

	OPEN_BOTH(semaphore, permits, fd, 0);
	many = WAITER_FD(fd, gosync_semaphore_acquire(permits, 10));
	EXPECT_EQ(0, gosync_semaphore_release(permits, 3));
	asker = spawn();
	if (!asker) {
		/* As long as it is told so and gets nothing, it tries. */
		do {
			if (ask(EDGE, fd, POLLIN, LONG_MS) != POLLIN)
				_exit(1);
		} while (gosync_semaphore_tryacquire(permits, 3));
		_exit(0);
	}
	sleep_ns(5 * NSEC_PER_MSEC);
	EXPECT_EQ(128 + SIGKILL, kill_and_reap(many));
	EXPECT_EQ(0, reap_soon(asker));
}

/* --- beside those who poll ----------------------------------------------- */

/* The state shows that somebody is there, but that is nobody's turn. */
TEST_F(watch, a_try_succeeds_beside_those_who_poll)
{
	gosync_semaphore_t *semaphore;
	gosync_waitgroup_t *waitgroup;
	gosync_rwmutex_t *rwmutex;
	gosync_mutex_t *mutex;
	int fds[4], i;

	OPEN_BOTH(mutex, mutex, fds[0]);
	OPEN_BOTH(rwmutex, rwmutex, fds[1]);
	OPEN_BOTH(semaphore, semaphore, fds[2], 2);
	OPEN_BOTH(waitgroup, waitgroup, fds[3]);
	for (i = 0; i < 4; i++)
		ASSERT_EQ(POLLIN, wait_set(epoll_of(fds[i], POLLIN), 0));
	ASSERT_EQ(POLLOUT, wait_set(epoll_of(fds[1], POLLOUT), 0));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, gosync_mutex_trylock(mutex));
		EXPECT_EQ(-EBUSY, gosync_mutex_trylock(mutex));
		EXPECT_EQ(0, gosync_mutex_unlock(mutex));
		EXPECT_EQ(0, gosync_mutex_lock_until(mutex, 1, 0));
		EXPECT_EQ(0, gosync_mutex_unlock(mutex));

		EXPECT_EQ(0, gosync_rwmutex_tryrlock(rwmutex));
		EXPECT_EQ(0, gosync_rwmutex_tryrlock(rwmutex));
		EXPECT_EQ(-EBUSY, gosync_rwmutex_trylock(rwmutex));
		EXPECT_EQ(0, gosync_rwmutex_runlock(rwmutex));
		EXPECT_EQ(0, gosync_rwmutex_runlock(rwmutex));
		EXPECT_EQ(0, gosync_rwmutex_trylock(rwmutex));
		EXPECT_EQ(-EBUSY, gosync_rwmutex_tryrlock(rwmutex));
		EXPECT_EQ(0, gosync_rwmutex_unlock(rwmutex));

		EXPECT_EQ(-EBUSY, gosync_semaphore_tryacquire(semaphore, 3));
		EXPECT_EQ(0, gosync_semaphore_tryacquire(semaphore, 1));
		EXPECT_EQ(0, gosync_semaphore_acquire_until(semaphore, 1, 1,
							    0));
		EXPECT_EQ(-EBUSY, gosync_semaphore_tryacquire(semaphore, 1));
		EXPECT_EQ(0, gosync_semaphore_count(semaphore));
		EXPECT_EQ(0, gosync_semaphore_release(semaphore, 2));
		EXPECT_EQ(2, gosync_semaphore_count(semaphore));

		EXPECT_EQ(0, gosync_waitgroup_wait(waitgroup));
		EXPECT_EQ(0, gosync_waitgroup_add(waitgroup, 2));
		EXPECT_EQ(2, gosync_waitgroup_count(waitgroup));
		EXPECT_EQ(0, gosync_waitgroup_done(waitgroup));
		EXPECT_EQ(-ERANGE, gosync_waitgroup_add(waitgroup, -2));
		EXPECT_EQ(-ETIMEDOUT,
			  gosync_waitgroup_wait_until(waitgroup, 1, 0));
		EXPECT_EQ(0, gosync_waitgroup_done(waitgroup));
		EXPECT_EQ(0, gosync_waitgroup_count(waitgroup));
	}
}

/* Each is told of what is for all, and it is up to him whether it is his. */
TEST_F(watch, the_exclusive_do_not_take_what_another_watches_for)
{
	gosync_semaphore_t *permits;
	gosync_uint64_t *words;
	gosync_cond_t *cond;
	int fds[2], round;
	pid_t pids[2];

	for (round = 0; round < 3; round++) {
		store(self->shared, 0);
		switch (round) {
		case 0:
			OPEN_BOTH(semaphore, permits, fds[0], 0);
			break;
		case 1:
			OPEN_BOTH(uint64, words, fds[0], WORDS);
			break;
		case 2:
			OPEN_BOTH(cond, cond, fds[0]);
			/* The second is to have the first place. */
			fds[1] = reopen_object(fds[0], 0);
			EXPECT_EQ(0, watch_fd(fds[1], 0, 0, 0));
			EXPECT_EQ(0, watch_fd(fds[0], 0, 0, 0));
			break;
		}
		if (round < 2) {
			fds[1] = reopen_object(fds[0], 0);
			EXPECT_EQ(0, watch_fd(fds[0], 0, round ? 3 : 0,
					      round ? 0 : 9));
			EXPECT_EQ(0, watch_fd(fds[1], 0, round ? INDEX : 0,
					      round ? 0 : 1));
		}
		pids[0] = spawn_exclusive(fds[0], POLLIN, self->shared + 1);
		pids[1] = spawn_exclusive(fds[1], POLLIN, self->shared);
		switch (round) {
		case 0:
			EXPECT_EQ(0, gosync_semaphore_release(permits, 1));
			break;
		case 1:
			EXPECT_LE(0, change_words(words));
			break;
		case 2:
			EXPECT_EQ(0, gosync_cond_signal(cond));
			break;
		}
		EXPECT_TRUE(eventually(load(self->shared) == 1))
			TH_LOG("round %d", round);
		EXPECT_EQ(0, load(self->shared + 1));
		kill_and_reap(pids[0]);
		kill_and_reap(pids[1]);
	}
}

/* --- Value and Map ------------------------------------------------------- */

static int load_fd(int fd)
{
	uint64_t room;
	struct gosync_value_args args = {
		.size = sizeof(args), .buf = to_u64(&room), .len = sizeof(room),
	};

	return call(fd, GOSYNC_IOC_VALUE_LOAD, &args);
}

TEST_F(watch, a_value_is_ready_until_it_is_looked_at)
{
	gosync_value_t *value;
	uint64_t version, room;
	size_t len = sizeof(room);
	int fd, copy;

	OPEN_BOTH(value, value, fd, 0);
	copy = dup(fd);
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(-ENODATA, load_fd(fd));
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(0, gosync_value_store(value, TYPE, "one", 4));
	EXPECT_TRUE(READY(fd));
	EXPECT_TRUE(READY(copy));
	EXPECT_TRUE(READY(gosync_fd(value)));
	EXPECT_EQ(0, load_fd(fd));
	EXPECT_FALSE(READY(fd));
	EXPECT_FALSE(READY(copy));
	EXPECT_TRUE(READY(gosync_fd(value)));
	/* Also when the same is stored */
	EXPECT_EQ(0, gosync_value_store(value, TYPE, "one", 4));
	EXPECT_TRUE(READY(fd));
	EXPECT_EQ(0, gosync_value_version(value, &version));
	EXPECT_EQ(0, watch_fd(fd, 0, 0, version));
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(1, gosync_value_swap(value, TYPE, "two", 4, &room, &len));
	EXPECT_TRUE(READY(fd));
	EXPECT_EQ(0, load_fd(fd));
	EXPECT_EQ(0, gosync_value_cas(value, TYPE, "one", 4, TYPE, "three", 6));
	EXPECT_EQ(-EPROTOTYPE, gosync_value_store(value, TYPE + 1, "one", 4));
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(1, gosync_value_cas(value, TYPE, "two", 4, TYPE, "three", 6));
	EXPECT_TRUE(READY(fd));
	/* A version that is not there yet is another one, too. */
	EXPECT_EQ(0, gosync_value_version(value, &version));
	EXPECT_EQ(0, watch_fd(fd, 0, 0, version + 1));
	EXPECT_TRUE(READY(fd));
	EXPECT_EQ(0, gosync_value_store(value, TYPE, "four", 5));
	EXPECT_FALSE(READY(fd));
}

/* A key's value, or the number of an operation that wants an old one as well */
static int change_map(gosync_map_t *map, int op)
{
	char old[16];
	size_t len = sizeof(old);

	switch (op) {
	case 0:
		return gosync_map_store(map, "a", 1, "new", 3);
	case 1:
		return gosync_map_store(map, "a", 1, "over", 4);
	case 2:
		return gosync_map_load_or_store(map, "b", 1, "b", 1, old, &len);
	case 3:
		return gosync_map_swap(map, "b", 1, "bb", 2, old, &len);
	case 4:
		return gosync_map_swap(map, "c", 1, "c", 1, old, &len);
	case 5:
		return gosync_map_cas(map, "c", 1, "c", 1, "cc", 2);
	case 6:
		return gosync_map_compare_and_delete(map, "c", 1, "cc", 2);
	case 7:
		return gosync_map_load_and_delete(map, "b", 1, old, &len);
	case 8:
		return gosync_map_delete(map, "a", 1);
	case 9:
		return gosync_map_store(map, "d", 1, "", 0);
	case 10:
		return gosync_map_clear(map);
	case 11:
		return gosync_map_store_many(map, &(struct gosync_map_pair) {
					     "e", 1, "", 0 }, 1);
	default:
		return -EINVAL;
	}
}

TEST_F(watch, each_change_of_a_map_makes_it_ready)
{
	uint64_t version, before = 0;
	gosync_map_t *map;
	pid_t asker;
	int fd, op;

	OPEN_BOTH(map, map, fd, NULL);
	/* Nobody has looked yet. */
	EXPECT_TRUE(READY(fd));
	for (op = 0; op <= 11; op++) {
		version = map_now(fd);
		EXPECT_NE(0, version);
		EXPECT_NE(before, version);
		EXPECT_EQ(0, watch_fd(fd, 0, 0, version));
		EXPECT_FALSE(READY(fd));
		asker = spawn_asker(op % WAYS, fd, POLLIN);
		EXPECT_LE(0, change_map(map, op))
			TH_LOG("operation %d", op);
		EXPECT_EQ(0, reap_soon(asker))
			TH_LOG("operation %d", op);
		EXPECT_TRUE(READY(fd));
		before = version;
	}
}

static int see_entry(const void *key, size_t key_len, const void *value,
		     size_t len, void *arg)
{
	return 0;
}

TEST_F(watch, what_does_not_change_a_map_does_not_make_it_ready)
{
	char old[16], large[300] = {};
	size_t len = sizeof(old);
	gosync_map_t *map;
	int fd;

	OPEN_BOTH(map, map, fd, NULL);
	EXPECT_EQ(0, gosync_map_store(map, "a", 1, "a", 1));
	EXPECT_EQ(0, watch_fd(fd, 0, 0, map_now(fd)));
	EXPECT_EQ(0, gosync_map_load(map, "a", 1, old, &len));
	len = sizeof(old);
	EXPECT_EQ(-ENODATA, gosync_map_load(map, "b", 1, old, &len));
	EXPECT_EQ(0, gosync_map_range(map, see_entry, NULL));
	EXPECT_EQ(1, gosync_map_len(map));
	EXPECT_EQ(1, gosync_map_load_or_store(map, "a", 1, "b", 1, old, &len));
	EXPECT_EQ(0, gosync_map_cas(map, "a", 1, "b", 1, "c", 1));
	EXPECT_EQ(0, gosync_map_cas(map, "b", 1, "b", 1, "c", 1));
	EXPECT_EQ(0, gosync_map_compare_and_delete(map, "a", 1, "b", 1));
	EXPECT_EQ(0, gosync_map_compare_and_delete(map, "b", 1, "b", 1));
	EXPECT_EQ(0, gosync_map_delete(map, "b", 1));
	EXPECT_EQ(-ENODATA, gosync_map_load_and_delete(map, "b", 1, old, &len));
	EXPECT_EQ(-EMSGSIZE, gosync_map_store(map, "a", 1, large,
					      sizeof(large)));
	EXPECT_EQ(-EINVAL, gosync_map_store(map, "", 0, "a", 1));
	EXPECT_EQ(-EINVAL, gosync_map_store_many(map, NULL, 0));
	EXPECT_FALSE(READY(fd));
}

/* --- atomics ------------------------------------------------------------- */

static int write_fd(int fd, unsigned int op, uint32_t flags, uint64_t value,
		    uint64_t expected)
{
	struct gosync_atomic_args args = {
		.size = sizeof(args), .flags = flags, .index = INDEX,
		.value = value, .expected = expected,
	};

	return call(fd, op, &args);
}

TEST_F(watch, a_word_is_ready_while_it_is_another)
{
	gosync_uint64_t *words;
	int fd;

	OPEN_BOTH(uint64, words, fd, WORDS);
	/* Nobody has said what it is not to be. */
	EXPECT_EQ(0, gosync_uint64_store(words, 0, 1));
	EXPECT_EQ(0, gosync_uint64_store(words, INDEX, 1));
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(0, watch_fd(fd, 0, INDEX, 1));
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(0, gosync_uint64_store(words, INDEX - 1, 2));
	EXPECT_EQ(0, gosync_uint64_store(words, INDEX + 1, 2));
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(0, gosync_uint64_store(words, INDEX, 2));
	EXPECT_TRUE(READY(fd));
	EXPECT_EQ(0, gosync_uint64_store(words, INDEX, 1));
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(0, watch_fd(fd, 0, INDEX, 0));
	EXPECT_TRUE(READY(fd));
	EXPECT_EQ(0, watch_fd(fd, 0, WORDS - 1, 0));
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(0, gosync_uint64_store(words, WORDS - 1, UINT64_MAX));
	EXPECT_TRUE(READY(fd));
	/* Other holders have said nothing. */
	EXPECT_FALSE(READY(gosync_fd(words)));
	EXPECT_FALSE(READY(reopen_object(fd, 0)));
	EXPECT_EQ(0, stop_watching(fd));
	EXPECT_FALSE(READY(fd));
}

TEST_F(watch, each_operation_on_a_word_can_wake)
{
	static const struct {
		unsigned int op;
		uint64_t value;
		uint64_t expected;
	} rows[] = {
		{ GOSYNC_IOC_ATOMIC_STORE, 7 },
		{ GOSYNC_IOC_ATOMIC_SWAP, 9 },
		{ GOSYNC_IOC_ATOMIC_ADD, 1 },
		{ GOSYNC_IOC_ATOMIC_AND, 6 },
		{ GOSYNC_IOC_ATOMIC_OR, 5 },
		{ GOSYNC_IOC_ATOMIC_CAS, 0, 7 },
	};
	int fd = create(GOSYNC_UINT64, WORDS, variant->flags), i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		pid_t asker;

		EXPECT_EQ(0, watch_fd(fd, 0, INDEX, indexed_now(fd)));
		asker = spawn_asker(i % WAYS, fd, POLLIN);
		EXPECT_LE(0, write_fd(fd, rows[i].op, GOSYNC_ATOMIC_WAKE,
				      rows[i].value, rows[i].expected));
		EXPECT_EQ(0, reap_soon(asker))
			TH_LOG("operation %d", i);
	}
}

TEST_F(watch, a_narrow_word_is_watched_for_all_it_can_be)
{
	int fd = create(GOSYNC_INT32, WORDS, variant->flags);

	EXPECT_EQ(0, write_fd(fd, GOSYNC_IOC_ATOMIC_STORE, 0, -1ULL, 0));
	EXPECT_EQ(0, watch_fd(fd, 0, INDEX, -1ULL));
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(-EINVAL, watch_fd(fd, 0, INDEX, UINT32_MAX));
	EXPECT_EQ(-EINVAL, watch_fd(fd, 0, INDEX, 1ULL << 31));
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(0, watch_fd(fd, 0, INDEX, INT32_MAX));
	EXPECT_TRUE(READY(fd));
	fd = create(GOSYNC_BOOL, WORDS, variant->flags);
	EXPECT_EQ(-EINVAL, watch_fd(fd, 0, INDEX, 2));
	EXPECT_EQ(0, watch_fd(fd, 0, INDEX, 1));
	EXPECT_TRUE(READY(fd));
}

/* --- WATCH itself -------------------------------------------------------- */

/* What one says now may be so already, and then is news to who sleeps. */
TEST_F(watch, watching_for_what_is_there_wakes)
{
	gosync_semaphore_t *permits;
	gosync_uint64_t *words;
	gosync_value_t *value;
	struct {
		int fd;
		uint64_t not_yet;
		uint64_t already;
	} rows[3] = {
		{ .not_yet = 2, .already = 1 },
		{ .not_yet = 0, .already = 1 },
		{ .not_yet = 1, .already = 0 },
	};
	pid_t pids[WAYS];
	enum way way;
	int i;

	OPEN_BOTH(semaphore, permits, rows[0].fd, 1);
	OPEN_BOTH(uint64, words, rows[1].fd, WORDS);
	OPEN_BOTH(value, value, rows[2].fd, 0);
	EXPECT_EQ(0, gosync_value_store(value, TYPE, "one", 4));
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		int set, fd = rows[i].fd;

		EXPECT_EQ(0, watch_fd(fd, 0, 0, rows[i].not_yet));
		set = epoll_of(fd, POLLIN | EPOLLET);
		EXPECT_EQ(0, wait_set(set, 0));
		for (way = 0; way < WAYS; way++)
			pids[way] = spawn_asker(way, fd, POLLIN);
		EXPECT_EQ(0, watch_fd(fd, 0, 0, rows[i].already));
		for (way = 0; way < WAYS; way++)
			EXPECT_EQ(0, reap_soon(pids[way]))
				TH_LOG("row %d, way %d", i, way);
		EXPECT_EQ(POLLIN, wait_set(set, LONG_MS));
	}
}

TEST_F(watch, what_is_refused_changes_nothing)
{
	static const struct {
		uint32_t type;
		uint32_t index;
		uint64_t value;
		uint32_t flags;
		int error;
	} rows[] = {
		{ GOSYNC_MUTEX, 0, 0, 0, -ENOTTY },
		{ GOSYNC_RWMUTEX, 0, 0, 0, -ENOTTY },
		{ GOSYNC_WAITGROUP, 0, 0, 0, -ENOTTY },
		{ GOSYNC_ONCE, 0, 0, 0, -ENOTTY },
		{ GOSYNC_UINT64, WORDS, 0, 0, -EINVAL },
		{ GOSYNC_UINT64, UINT32_MAX, 0, 0, -EINVAL },
		{ GOSYNC_UINT64, 0, 0, 1U << 1, -EINVAL },
		{ GOSYNC_UINT64, 1, 0, GOSYNC_WATCH_STOP, -EINVAL },
		{ GOSYNC_UINT64, 0, 1, GOSYNC_WATCH_STOP, -EINVAL },
		{ GOSYNC_INT32, 0, UINT32_MAX, 0, -EINVAL },
		{ GOSYNC_BOOL, 0, 2, 0, -EINVAL },
		{ GOSYNC_SEMAPHORE, 1, 1, 0, -EINVAL },
		{ GOSYNC_SEMAPHORE, 0, 1ULL << 31, 0, -EINVAL },
		{ GOSYNC_SEMAPHORE, 0, 1, GOSYNC_WATCH_STOP, -EINVAL },
		{ GOSYNC_VALUE, 1, 0, 0, -EINVAL },
		{ GOSYNC_VALUE, 0, 1, GOSYNC_WATCH_STOP, -EINVAL },
		{ GOSYNC_MAP, 1, 0, 0, -EINVAL },
		{ GOSYNC_MAP, 0, 1, GOSYNC_WATCH_STOP, -EINVAL },
		{ GOSYNC_COND, 1, 0, 0, -EINVAL },
		{ GOSYNC_COND, 0, 1, 0, -EINVAL },
		{ GOSYNC_COND, 0, 1, GOSYNC_WATCH_STOP, -EINVAL },
		{ GOSYNC_COND, 0, 0, ~0U, -EINVAL },
	};
	int i, state;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		bool is_words = rows[i].type == GOSYNC_UINT64 ||
				rows[i].type == GOSYNC_INT32 ||
				rows[i].type == GOSYNC_BOOL;
		bool has_one = is_words || rows[i].type == GOSYNC_SEMAPHORE;
		int fd = create(rows[i].type, is_words ? WORDS : 0,
				variant->flags);

		/* In one state that it is in without WATCH, and in another */
		for (state = 0; state < 2; state++) {
			bool ready;

			if (state && rows[i].error != -ENOTTY)
				EXPECT_EQ(0, watch_fd(fd, 0, 0, has_one));
			ready = READY(fd);
			EXPECT_EQ(rows[i].error,
				  watch_fd(fd, rows[i].flags, rows[i].index,
					   rows[i].value))
				TH_LOG("row %d", i);
			EXPECT_EQ(ready, READY(fd))
				TH_LOG("row %d", i);
			EXPECT_EQ(state && rows[i].type == GOSYNC_COND,
				  info_of(fd).waiters);
		}
		close(fd);
	}
}

TEST_F(watch, stops_as_often_as_one_likes)
{
	static const uint32_t types[] = {
		GOSYNC_UINT64, GOSYNC_SEMAPHORE, GOSYNC_VALUE, GOSYNC_MAP,
		GOSYNC_COND,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		int fd = create(types[i], 0, variant->flags);

		EXPECT_EQ(0, stop_watching(fd));
		EXPECT_EQ(0, watch_fd(fd, 0, 0, types[i] == GOSYNC_SEMAPHORE));
		EXPECT_EQ(0, stop_watching(fd));
		EXPECT_EQ(0, stop_watching(fd));
		EXPECT_EQ(types[i] == GOSYNC_MAP, READY(fd));
		EXPECT_EQ(0, info_of(fd).waiters);
		close(fd);
	}
}

TEST_HARNESS_MAIN
