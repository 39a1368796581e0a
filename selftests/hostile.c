// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapped words are hostile input: whatever a process writes there, whenever,
 * the kernel comes to an end with every call, and other objects, also those in
 * the same page, do not notice.
 */
#include "gosync_test.h"

#define OWNED_BY(id)	(GOSYNC_MUTEX_LOCKED | \
			 (uint64_t)(id) << GOSYNC_MUTEX_OWNER_SHIFT)
#define NOBODY		0xfffffff0U

/* Who suffers: @mutex and @words. Who shares their page: @neighbour. */
FIXTURE(hostile)
{
	char *name;
	char *words_name;
	char *neighbour_name;
	int mutex;
	int words;
	int neighbour;
	struct gosync_mutex_slot *slot;
	struct gosync_atomic_slot *atomic_slot;
	char *page;
	unsigned int *shared;
};

MAPPED_AND_IOCTL(hostile);

static int create(uint32_t type, const char *name)
{
	return open_object(type, name, GOSYNC_CREATE, 0606);
}

FIXTURE_SETUP(hostile)
{
	struct gosync_info info;

	self->name = unique_name();
	self->words_name = unique_name();
	self->neighbour_name = unique_name();
	self->mutex = create(GOSYNC_MUTEX, self->name);
	self->words = create(GOSYNC_INT64, self->words_name);
	self->neighbour = create(GOSYNC_MUTEX, self->neighbour_name);
	ASSERT_LE(0, self->mutex);
	ASSERT_LE(0, self->words);
	ASSERT_LE(0, self->neighbour);
	info = info_of(self->mutex);
	self->page = mmap(NULL, info.map_len, PROT_READ | PROT_WRITE, MAP_SHARED,
			  self->mutex, 0);
	ASSERT_NE(MAP_FAILED, self->page);
	self->slot = (void *)(self->page + info.map_offset);
	self->atomic_slot = (void *)(self->page +
				     info_of(self->words).map_offset);
	/* One page, as we need it here */
	lock_fd(self->neighbour);
	ASSERT_EQ(OWNED_BY(info_of(self->neighbour).holder),
		  load((uint64_t *)(self->page +
				    info_of(self->neighbour).map_offset)));
	unlock_fd(self->neighbour);
	self->shared = shared_memory(4096);
}

FIXTURE_TEARDOWN(hostile)
{
}

static int lock_for(int fd, uint64_t ns)
{
	struct gosync_wait args = {
		.size = sizeof(args), .deadline = gosync_deadline(ns),
	};

	return call(fd, GOSYNC_IOC_MUTEX_LOCK, &args);
}

/* Has it come to rest: locked or not, but no bit that the kernel knows better */
static bool is_sane(int fd)
{
	return !(info_of(fd).word & (GOSYNC_MUTEX_WOKEN | GOSYNC_MUTEX_STARVING |
				     GOSYNC_MUTEX_WAITERS));
}

TEST_F(hostile, words_at_rest_are_put_right)
{
	const uint32_t me = info_of(self->mutex).holder;
	const struct {
		uint64_t word;
		int trylock;
	} rows[] = {
		{ GOSYNC_MUTEX_STARVING, 0 },
		{ GOSYNC_MUTEX_WOKEN, 0 },
		{ GOSYNC_MUTEX_POISONED, 0 },
		{ GOSYNC_MUTEX_WAITERS, 0 },
		{ UINT64_MAX & ~GOSYNC_MUTEX_LOCKED, 0 },
		{ (uint64_t)me << GOSYNC_MUTEX_OWNER_SHIFT, 0 },
		/* An owner that does not live is a dead owner. */
		{ UINT64_MAX, 1 },
		{ GOSYNC_MUTEX_LOCKED, 1 },
		{ OWNED_BY(NOBODY), 1 },
		{ OWNED_BY(NOBODY) | GOSYNC_MUTEX_WAITERS, 1 },
		/* One that lives owns it, whoever wrote so. */
		{ OWNED_BY(me), -EBUSY },
		{ OWNED_BY(me) | GOSYNC_MUTEX_STARVING, -EBUSY },
		{ OWNED_BY(me) | GOSYNC_MUTEX_WOKEN, -EBUSY },
		{ OWNED_BY(me) | GOSYNC_MUTEX_WAITERS, -EBUSY },
	};
	unsigned int i, how;
	int fd;

	for (i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		const uint64_t word = rows[i / 2].word;

		/* Each by a try and by a wait, which must time out then. */
		how = i % 2;
		fd = open_object(0, self->name, 0, 0);
		store(&self->slot->token, i % 3 ? UINT64_MAX : i);
		store(&self->slot->word, word);
		if (how) {
			int ret = lock_for(fd, 3 * NSEC_PER_MSEC);

			EXPECT_EQ(rows[i / 2].trylock == -EBUSY ? -ETIMEDOUT :
				  rows[i / 2].trylock, ret) {
				TH_LOG("word %llx", (unsigned long long)word);
			}
		} else {
			EXPECT_EQ(rows[i / 2].trylock, trylock_fd(fd)) {
				TH_LOG("word %llx", (unsigned long long)word);
			}
		}
		EXPECT_TRUE(is_sane(fd));
		EXPECT_EQ(0, unlock_fd(fd));
		EXPECT_EQ(-EPERM, unlock_fd(fd));
		EXPECT_LE(0, trylock_fd(fd));
		EXPECT_EQ(0, call(fd, GOSYNC_IOC_MUTEX_RECOVER, NULL));
		EXPECT_EQ(OWNED_BY(info_of(fd).holder), info_of(fd).word);
		EXPECT_EQ(0, unlock_fd(fd));
		close(fd);
	}
	EXPECT_EQ(0, info_of(self->neighbour).word);
}

TEST_F(hostile, a_waiter_that_the_word_forgot_is_found_again)
{
	int other = open_object(0, self->name, 0, 0);
	pid_t pid;

	EXPECT_EQ(0, lock_fd(self->mutex));
	pid = spawn();
	if (!pid)
		_exit(lock_fd(open_object(0, self->name, 0, 0)));
	ASSERT_TRUE(eventually(info_of(self->mutex).waiters == 1));
	store(&self->slot->word, 0);
	EXPECT_EQ(-EPERM, unlock_fd(self->mutex));
	EXPECT_EQ(1, info_of(self->mutex).waiters);
	EXPECT_LE(0, lock_fd(other));
	EXPECT_EQ(0, unlock_fd(other));
	EXPECT_LE(0, reap(pid));
	EXPECT_EQ(0, info_of(self->mutex).waiters);
}

TEST_F(hostile, a_mutex_made_to_hang_can_be_killed)
{
	pid_t pids[3];
	int i;

	store(&self->slot->word, OWNED_BY(info_of(self->mutex).holder) |
	      GOSYNC_MUTEX_WOKEN | GOSYNC_MUTEX_STARVING);
	for (i = 0; i < 3; i++) {
		gosync_mutex_t *mutex;

		pids[i] = spawn();
		if (pids[i])
			continue;
		gosync_mutex_open(self->name, variant->how, 0, &mutex);
		add(&self->shared[0], 1);
		_exit(gosync_mutex_lock(mutex));
	}
	ASSERT_TRUE(eventually(load(&self->shared[0]) == 3));
	sleep_ns(20 * NSEC_PER_MSEC);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(pids[i]));
	EXPECT_EQ(0, info_of(self->mutex).waiters);
	EXPECT_EQ(0, unlock_fd(self->mutex));
	EXPECT_LE(0, trylock_fd(self->mutex));
}

/* --- continuously -------------------------------------------------------- */

/* A word that makes the most trouble: near to what might be true */
static uint64_t nasty(uint64_t *seed)
{
	uint64_t word = random_u32(seed) & 0x3f;

	switch (random_u32(seed) % 4) {
	case 0:
		return word | (uint64_t)(random_u32(seed) % 12) <<
			GOSYNC_MUTEX_OWNER_SHIFT;
	case 1:
		return word;
	case 2:
		return 0;
	default:
		return (uint64_t)random_u32(seed) << 32 | random_u32(seed);
	}
}

static pid_t spawn_scribbler(volatile uint64_t *from, size_t words)
{
	uint64_t seed = random_seed();
	pid_t pid = spawn();

	if (pid)
		return pid;
	for (;;)
		from[random_u32(&seed) % words] = nasty(&seed);
}

/* Does all that can be done with the mutex, but waits only for so long. */
static pid_t spawn_victim(FIXTURE_DATA(hostile) *self, uint64_t end, int me,
			  unsigned int how)
{
	uint64_t seed = random_seed() + me, token;
	gosync_mutex_t *mutex;
	pid_t pid = spawn();

	if (pid)
		return pid;
	if (gosync_mutex_open(self->name, how, 0, &mutex))
		_exit(1);
	while (budget_left(end)) {
		uint32_t r = random_u32(&seed);
		int ret, fd;

		switch (r % 8) {
		case 0:
			ret = gosync_mutex_trylock(mutex);
			break;
		case 1:
		case 2:
			ret = gosync_mutex_lock_until(mutex,
						      gosync_deadline(r % 2000000),
						      0);
			break;
		case 3:
			fd = open_object(0, self->name, 0, 0);
			ret = lock_for(fd, r % 1000000);
			close(fd);
			break;
		case 4:
			ret = gosync_mutex_recover(mutex);
			break;
		case 5:
			ret = gosync_mutex_token(mutex, &token);
			info_of(gosync_fd(mutex));
			break;
		default:
			ret = gosync_mutex_unlock(mutex);
			break;
		}
		if (ret < 0 && ret != -EBUSY && ret != -ETIMEDOUT &&
		    ret != -EPERM)
			_exit(2);
	}
	_exit(0);
}

/* Uses the neighbour as it should be, and sees whether it is. */
static pid_t spawn_neighbour(FIXTURE_DATA(hostile) *self, uint64_t end,
			     unsigned int how)
{
	unsigned int *counters = self->shared + 16;
	gosync_mutex_t *mutex;
	pid_t pid = spawn();

	if (pid)
		return pid;
	if (gosync_mutex_open(self->neighbour_name, how, 0, &mutex))
		_exit(1);
	do {
		if (gosync_mutex_lock(mutex) || counters[0] != counters[1])
			_exit(2);
		counters[0]++;
		if (counters[0] % 16 == 0)
			sched_yield();
		counters[1]++;
		if (gosync_mutex_unlock(mutex))
			_exit(3);
	} while (budget_left(end));
	_exit(0);
}

TEST_F(hostile, a_scribbled_mutex_harms_itself_alone)
{
	uint64_t end = end_of_budget();
	pid_t scribbler, victims[4], neighbours[2], stuck;
	int i;

	scribbler = spawn_scribbler((uint64_t *)self->slot,
				    sizeof(*self->slot) / 8);
	for (i = 0; i < 4; i++)
		victims[i] = spawn_victim(self, end, i, variant->how);
	for (i = 0; i < 2; i++)
		neighbours[i] = spawn_neighbour(self, end, variant->how);
	while (budget_left(end)) {
		/* Somebody waits for ever, until killed. */
		stuck = spawn();
		if (!stuck) {
			for (;;)
				lock_fd(self->mutex);
		}
		sleep_ns(10 * NSEC_PER_MSEC);
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(stuck));
	}
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, reap(victims[i]));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, reap(neighbours[i]));
	kill_and_reap(scribbler);
	EXPECT_LT(0, self->shared[16]);
	EXPECT_EQ(0, info_of(self->neighbour).word);
	EXPECT_EQ(0, info_of(self->neighbour).deaths);

	/* And it can be used again. */
	unlock_fd(self->mutex);
	EXPECT_LE(0, trylock_fd(self->mutex));
	EXPECT_TRUE(is_sane(self->mutex));
	EXPECT_EQ(0, info_of(self->mutex).waiters);
	EXPECT_EQ(0, call(self->mutex, GOSYNC_IOC_MUTEX_RECOVER, NULL));
	EXPECT_EQ(0, unlock_fd(self->mutex));
	EXPECT_EQ(0, lock_fd(self->mutex));
}

TEST_F(hostile, scribbled_words_harm_themselves_alone)
{
	uint64_t end = end_of_budget();
	pid_t scribbler, victims[3], neighbour;
	int i;

	scribbler = spawn_scribbler((uint64_t *)self->atomic_slot,
				    sizeof(*self->atomic_slot) / 8);
	neighbour = spawn_neighbour(self, end, variant->how);
	for (i = 0; i < 3; i++) {
		uint64_t seed = random_seed() + i;
		gosync_int64_t *words;
		int64_t got;
		int ret;

		victims[i] = spawn();
		if (victims[i])
			continue;
		if (gosync_int64_open(self->words_name, 0, variant->how, 0,
				      &words))
			_exit(1);
		while (budget_left(end)) {
			uint32_t r = random_u32(&seed);

			switch (r % 5) {
			case 0:
				ret = gosync_int64_wait(words, 0, r % 64,
							gosync_deadline(r % 1000000),
							0, &got);
				break;
			case 1:
				ret = gosync_int64_wake(words, 0, r % 4);
				break;
			case 2:
				ret = gosync_int64_add(words, 0, r, NULL);
				break;
			case 3:
				ret = gosync_int64_cas(words, 0, r, r + 1);
				break;
			default:
				ret = gosync_int64_load(words, 0, &got);
				break;
			}
			if (ret < 0 && ret != -ETIMEDOUT)
				_exit(2);
		}
		_exit(0);
	}
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, reap(victims[i]));
	EXPECT_EQ(0, reap(neighbour));
	kill_and_reap(scribbler);
	EXPECT_EQ(0, info_of(self->words).waiters);
}

/*
 * The whole page, while objects in it come and go; it is their mode that makes
 * them share it, so objects of another mode are elsewhere.
 */
TEST_F(hostile, a_scribbled_page_harms_itself_alone)
{
	uint64_t end = end_of_budget();
	pid_t scribbler, victims[3], neighbour;
	char *elsewhere = unique_name();
	int fd, i;

	fd = open_object(GOSYNC_MUTEX, elsewhere, GOSYNC_CREATE, 0660);
	ASSERT_LE(0, fd);
	self->neighbour_name = elsewhere;
	neighbour = spawn_neighbour(self, end, variant->how);
	scribbler = spawn_scribbler((uint64_t *)self->page, getpagesize() / 8);
	for (i = 0; i < 2; i++)
		victims[i] = spawn_victim(self, end, i, variant->how);
	victims[2] = spawn();
	if (!victims[2]) {
		while (budget_left(end)) {
			int mutex = create(GOSYNC_MUTEX, unique_name());

			if (lock_for(mutex, 100000) == -EFAULT)
				_exit(1);
			close(create(GOSYNC_BOOL, unique_name()));
			close(mutex);
		}
		_exit(0);
	}
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, reap(victims[i]));
	EXPECT_EQ(0, reap(neighbour));
	kill_and_reap(scribbler);
	EXPECT_EQ(0, info_of(fd).word);
	EXPECT_EQ(0, info_of(fd).deaths);
}

TEST_HARNESS_MAIN
