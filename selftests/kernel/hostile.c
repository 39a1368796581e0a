// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapped words are hostile input: whatever a process writes there, whenever,
 * the kernel comes to an end with every call, and other objects, also those in
 * the same page, do not notice.
 */
#include <poll.h>
#include <sys/time.h>
#include "scribble.h"

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

/* Is what belongs to the neighbour in the same page? */
static bool are_neighbours(int fd, int neighbour)
{
	char *page = (char *)map_state(fd) - info_of(fd).map_offset;
	uint64_t *word = (uint64_t *)(page + info_of(neighbour).map_offset);
	bool shown;

	lock_fd(neighbour);
	shown = load(word) == OWNED_BY(info_of(neighbour).holder);
	unlock_fd(neighbour);
	return shown;
}

FIXTURE_SETUP(hostile)
{
	self->name = unique_name();
	self->words_name = unique_name();
	self->neighbour_name = unique_name();
	self->mutex = create(GOSYNC_MUTEX, self->name);
	self->words = create(GOSYNC_INT64, self->words_name);
	self->neighbour = create(GOSYNC_MUTEX, self->neighbour_name);
	ASSERT_LE(0, self->mutex);
	ASSERT_LE(0, self->words);
	ASSERT_LE(0, self->neighbour);
	self->slot = map_state(self->mutex);
	self->page = (char *)self->slot - info_of(self->mutex).map_offset;
	self->atomic_slot = map_state(self->words);
	ASSERT_TRUE(are_neighbours(self->mutex, self->neighbour));
	self->shared = shared_memory(4096);
}

static int poll_fd(int fd, int ms)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	int ret = poll(&pollfd, 1, ms);

	return ret < 0 ? -errno : pollfd.revents;
}

static int lock_for(int fd, uint64_t ns)
{
	struct gosync_wait_args args = {
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
				  rows[i / 2].trylock, ret)
				TH_LOG("word %llx", (unsigned long long)word);
		} else {
			EXPECT_EQ(rows[i / 2].trylock, trylock_fd(fd))
				TH_LOG("word %llx", (unsigned long long)word);
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
	pid = WAITER_FD(self->mutex, lock_fd(open_object(0, self->name, 0, 0)));
	store(&self->slot->word, 0);
	EXPECT_EQ(-EPERM, unlock_fd(self->mutex));
	EXPECT_EQ(1, info_of(self->mutex).waiters);
	store(&self->slot->word, 0);
	EXPECT_LE(0, lock_fd(other));
	/* An owner that gives it back in user space would see the waiter. */
	EXPECT_TRUE(load(&self->slot->word) & GOSYNC_MUTEX_WAITERS);
	EXPECT_EQ(0, unlock_fd(other));
	EXPECT_LE(0, reap_soon(pid));
	EXPECT_EQ(0, info_of(self->mutex).waiters);
}

/* The owner is still named, so that an unlock looks like one without waiters. */
TEST_F(hostile, an_unlock_finds_a_waiter_that_the_word_forgot)
{
	const uint64_t owned = OWNED_BY(info_of(self->mutex).holder);
	pid_t pid;

	EXPECT_LE(0, lock_fd(self->mutex));
	pid = WAITER_FD(self->mutex, lock_fd(open_object(0, self->name, 0, 0)));
	store(&self->slot->word, owned);
	EXPECT_EQ(0, unlock_fd(self->mutex));
	EXPECT_LE(0, reap_soon(pid));
	EXPECT_EQ(0, info_of(self->mutex).waiters);
}

/* Whatever became of the word, who polls is found when it is unlocked. */
TEST_F(hostile, a_watcher_that_the_word_forgot_is_found_again)
{
	const uint64_t words[] = {
		OWNED_BY(info_of(self->mutex).holder), OWNED_BY(NOBODY),
		UINT64_MAX, GOSYNC_MUTEX_LOCKED | GOSYNC_MUTEX_WOKEN,
	};
	unsigned int i;
	pid_t pid;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		EXPECT_LE(0, lock_fd(self->mutex));
		pid = CHILD(poll_fd(self->mutex, -1) != POLLIN);
		ASSERT_TRUE(eventually(info_of(self->mutex).word &
				       GOSYNC_MUTEX_WAITERS));
		store(&self->slot->word, words[i]);
		EXPECT_EQ(0, unlock_fd(self->mutex));
		EXPECT_EQ(0, reap_soon(pid))
			TH_LOG("word %llx", (unsigned long long)words[i]);
	}
	EXPECT_LE(0, lock_fd(self->mutex));
	EXPECT_EQ(0, unlock_fd(self->mutex));
	EXPECT_TRUE(is_sane(self->mutex));
}

/*
 * Such a wait, when it goes on, may end before it is in the queue: the owner is
 * dead, its successor too, and a signal comes.
 */
TEST_F(hostile, an_interrupted_wait_that_meets_dead_owners_is_counted_once)
{
	static const struct itimerval often = { { 0, 100 }, { 0, 100 } };
	static const struct itimerval never;
	struct sigaction action = { .sa_handler = count_signal };
	const int owner = reopen_object(self->mutex, 0);
	const uint64_t words[] = {
		OWNED_BY(info_of(owner).holder), OWNED_BY(NOBODY),
	};
	uint64_t end = end_of_budget(), seed = random_seed();
	pid_t scribbler = spawn();

	while (!scribbler)
		store(&self->slot->word, words[random_u32(&seed) % 2]);
	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &often, NULL));
	do {
		lock_fd(self->mutex);
	} while (budget_left(end));
	setitimer(ITIMER_REAL, &never, NULL);
	kill_and_reap(scribbler);
	EXPECT_LT(0, stat_fd(self->mutex).gave_up);
	EXPECT_TRUE(is_accounted(self->mutex));
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
	EXPECT_EQ(128 + SIGKILL, kill_all(pids, 3));
	EXPECT_EQ(0, info_of(self->mutex).waiters);
	EXPECT_EQ(0, unlock_fd(self->mutex));
	EXPECT_LE(0, trylock_fd(self->mutex));
}

/* --- continuously -------------------------------------------------------- */

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

		switch (r % 9) {
		case 0:
			ret = gosync_mutex_trylock(mutex);
			break;
		case 8:
			ret = poll_fd(gosync_fd(mutex), r / 9 % 3);
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
static pid_t spawn_neighbour(const char *name, unsigned int *counters,
			     uint64_t end, unsigned int how)
{
	gosync_mutex_t *mutex;
	pid_t pid = spawn();

	if (pid)
		return pid;
	if (gosync_mutex_open(name, how, 0, &mutex))
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
	uint64_t end = end_of_budget(), seed = random_seed();
	pid_t scribbler, victims[4], neighbours[2], stuck;
	int i;

	scribbler = spawn_scribbler((uint64_t *)self->slot,
				    sizeof(*self->slot) / 8);
	for (i = 0; i < 4; i++)
		victims[i] = spawn_victim(self, end, i, variant->how);
	for (i = 0; i < 2; i++)
		neighbours[i] = spawn_neighbour(self->neighbour_name,
						self->shared + 16, end,
						variant->how);
	while (budget_left(end)) {
		/* Somebody waits for ever, until killed. */
		stuck = spawn();
		if (!stuck) {
			for (;;)
				if (random_u32(&seed) % 2)
					lock_fd(self->mutex);
				else
					poll_fd(self->mutex, -1);
		}
		random_u32(&seed);
		sleep_ns(10 * NSEC_PER_MSEC);
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(stuck));
	}
	EXPECT_EQ(0, reap_all(victims, 4));
	EXPECT_EQ(0, reap_all(neighbours, 2));
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

static int watch_and_poll(int fd, uint64_t value)
{
	struct gosync_watch_args args = { .size = sizeof(args), .value = value };

	return call(fd, GOSYNC_IOC_WATCH, &args) ?: poll_fd(fd, value % 3);
}

TEST_F(hostile, scribbled_words_harm_themselves_alone)
{
	uint64_t end = end_of_budget();
	pid_t scribbler, victims[3], neighbour;
	int i;

	scribbler = spawn_scribbler((uint64_t *)self->atomic_slot,
				    sizeof(*self->atomic_slot) / 8);
	neighbour = spawn_neighbour(self->neighbour_name, self->shared + 16, end,
				    variant->how);
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

			switch (r % 6) {
			case 5:
				ret = watch_and_poll(gosync_fd(words), r % 64);
				break;
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
	EXPECT_EQ(0, reap_all(victims, 3));
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
	neighbour = spawn_neighbour(elsewhere, self->shared + 16, end,
				    variant->how);
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
	EXPECT_EQ(0, reap_all(victims, 3));
	EXPECT_EQ(0, reap(neighbour));
	kill_and_reap(scribbler);
	EXPECT_EQ(0, info_of(fd).word);
	EXPECT_EQ(0, info_of(fd).deaths);
}

/* --- other words --------------------------------------------------------- */

/* Who suffers: @fd. Who shares its page: @neighbour. */
FIXTURE(word)
{
	char *name;
	char *neighbour_name;
	int fd;
	int neighbour;
	uint64_t *word;
	unsigned int *shared;
};

FIXTURE_VARIANT(word)
{
	uint32_t type;
	unsigned int how;
	int (*open)(const char *name, unsigned int how, void **object);
	/* Not 0: an error that must not be */
	int (*use)(void *object, uint32_t r, unsigned int *shared);
	unsigned int wait;		/* the ioctl that waits */
};

static int open_waitgroup(const char *name, unsigned int how, void **object)
{
	return gosync_waitgroup_open(name, how, 0, (void *)object);
}

static int open_once(const char *name, unsigned int how, void **object)
{
	return gosync_once_open(name, how, 0, (void *)object);
}

static int open_semaphore(const char *name, unsigned int how, void **object)
{
	return gosync_semaphore_open(name, 0, how, 0, (void *)object);
}

static int wait_fd(int fd, uint64_t ns)
{
	struct gosync_waitgroup_wait_args args = {
		.size = sizeof(args), .deadline = gosync_deadline(ns),
	};

	return call(fd, GOSYNC_IOC_WAITGROUP_WAIT, &args);
}

static int begin_fd(int fd, uint64_t ns)
{
	struct gosync_wait_args args = {
		.size = sizeof(args), .deadline = gosync_deadline(ns),
	};

	return call(fd, GOSYNC_IOC_ONCE_BEGIN, &args);
}

static int acquire_for(int fd, unsigned int n, uint64_t ns)
{
	struct gosync_semaphore_args args = {
		.size = sizeof(args), .count = n, .deadline = gosync_deadline(ns),
	};

	return call(fd, GOSYNC_IOC_SEMAPHORE_ACQUIRE, &args);
}

static int use_waitgroup(void *object, uint32_t r, unsigned int *shared)
{
	int ret;

	switch (r % 4) {
	case 0:
		ret = gosync_waitgroup_add(object, (int)(r / 8 % 16) - 8);
		break;
	case 1:
		ret = add_fd(gosync_fd(object), (int)(r / 8 % 16) - 8);
		break;
	case 2:
		ret = gosync_waitgroup_done(object);
		break;
	default:
		ret = gosync_waitgroup_wait_until(object,
						  gosync_deadline(r % 1000000),
						  0);
		break;
	}
	return ret && ret != -ERANGE && ret != -EBUSY && ret != -ETIMEDOUT;
}

/* In @shared: how many were told to run, and how many that it is done */
static int use_once(void *object, uint32_t r, unsigned int *shared)
{
	int ret;

	if (r % 4 == 0) {
		ret = gosync_once_done(object);
		return ret != -EPERM;
	}
	ret = r % 4 == 1 ? begin_fd(gosync_fd(object), r % 1000000) :
	      gosync_once_begin_until(object, gosync_deadline(r % 1000000), 0);
	if (ret <= 0)
		return ret && ret != -ETIMEDOUT;
	add(shared, 1);
	/* Long enough for many to try meanwhile */
	sleep_ns(100 * NSEC_PER_MSEC);
	if (gosync_once_done(object))
		return 1;
	add(shared + 1, 1);
	return ret != GOSYNC_ONCE_RUN;
}

static int use_semaphore(void *object, uint32_t r, unsigned int *shared)
{
	unsigned int n = r / 8 % 8;
	int ret;

	switch (r % 5) {
	case 0:
		ret = gosync_semaphore_release(object, n);
		break;
	case 1:
		ret = release_fd(gosync_fd(object), n);
		break;
	case 2:
		ret = gosync_semaphore_tryacquire(object, n);
		break;
	case 3:
		ret = acquire_for(gosync_fd(object), n, r % 1000000);
		break;
	default:
		ret = gosync_semaphore_acquire_until(object, n,
						     gosync_deadline(r % 1000000),
						     0);
		break;
	}
	return ret && ret != -ERANGE && ret != -EBUSY && ret != -ETIMEDOUT;
}

#define WORD_VARIANTS(kind, KIND, ioctl)				\
	FIXTURE_VARIANT_ADD(word, kind) {				\
		.type = GOSYNC_##KIND, .open = open_##kind,		\
		.use = use_##kind, .wait = (ioctl),			\
	};								\
	FIXTURE_VARIANT_ADD(word, kind##_ioctl) {			\
		.type = GOSYNC_##KIND, .how = GOSYNC_IOCTL_ONLY,	\
		.open = open_##kind, .use = use_##kind, .wait = (ioctl), \
	}

WORD_VARIANTS(waitgroup, WAITGROUP, GOSYNC_IOC_WAITGROUP_WAIT);
WORD_VARIANTS(once, ONCE, GOSYNC_IOC_ONCE_BEGIN);
WORD_VARIANTS(semaphore, SEMAPHORE, GOSYNC_IOC_SEMAPHORE_ACQUIRE);

FIXTURE_SETUP(word)
{
	self->name = unique_name();
	self->neighbour_name = unique_name();
	self->fd = create(variant->type, self->name);
	self->neighbour = create(GOSYNC_MUTEX, self->neighbour_name);
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, self->neighbour);
	self->word = map_state(self->fd);
	ASSERT_TRUE(are_neighbours(self->fd, self->neighbour));
	self->shared = shared_memory(4096);
}

NO_TEARDOWN(word);

static pid_t spawn_user(FIXTURE_DATA(word) *self,
			const FIXTURE_VARIANT(word) *variant, uint64_t end,
			unsigned int me)
{
	uint64_t seed = random_seed() + me;
	pid_t pid = spawn();
	void *object;

	if (pid)
		return pid;
	if (variant->open(self->name, variant->how, &object))
		_exit(1);
	while (budget_left(end)) {
		uint32_t r = random_u32(&seed);

		if (r % 8 == 7 && poll_fd(gosync_fd(object), r / 8 % 3) < 0)
			_exit(3);
		if (variant->use(object, random_u32(&seed), self->shared))
			_exit(2);
	}
	_exit(0);
}

TEST_F(word, scribbled_continuously_harms_itself_alone)
{
	uint64_t end = end_of_budget();
	pid_t scribbler, users[3], neighbour, stuck;
	int i;

	scribbler = spawn_scribbler(self->word, 1);
	for (i = 0; i < 3; i++)
		users[i] = spawn_user(self, variant, end, i);
	neighbour = spawn_neighbour(self->neighbour_name, self->shared + 16, end,
				    variant->how);
	while (budget_left(end) && variant->type != GOSYNC_ONCE) {
		/* Somebody waits for ever, until killed. */
		stuck = spawn();
		if (!stuck) {
			struct gosync_semaphore_args args = {
				.size = sizeof(args),
				.count = INT32_MAX,
			};

			for (;;)
				call(self->fd, variant->wait,
				     variant->type == GOSYNC_SEMAPHORE ? &args :
									 NULL);
		}
		sleep_ns(10 * NSEC_PER_MSEC);
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(stuck));
	}
	EXPECT_EQ(0, reap_all(users, 3));
	EXPECT_EQ(0, reap_soon(neighbour));
	kill_and_reap(scribbler);
	EXPECT_LT(0, self->shared[16]);
	EXPECT_EQ(0, info_of(self->neighbour).word);
	EXPECT_EQ(0, info_of(self->neighbour).deaths);
	EXPECT_EQ(0, info_of(self->fd).waiters);

	/* And it can be used again. */
	store(self->word, 0);
	switch (variant->type) {
	case GOSYNC_WAITGROUP:
		EXPECT_EQ(0, add_fd(self->fd, 1));
		EXPECT_EQ(-ETIMEDOUT, wait_fd(self->fd, 0));
		EXPECT_EQ(0, add_fd(self->fd, -1));
		EXPECT_EQ(0, wait_fd(self->fd, 0));
		EXPECT_EQ(0, load(self->word));
		break;
	case GOSYNC_SEMAPHORE:
		EXPECT_EQ(0, release_fd(self->fd, 3));
		EXPECT_EQ(-ETIMEDOUT, acquire_for(self->fd, 4, 0));
		EXPECT_EQ(0, acquire_for(self->fd, 2, 0));
		EXPECT_EQ(1, load(self->word));
		break;
	case GOSYNC_ONCE:
		/* A look can be deceived, the kernel cannot. */
		EXPECT_GE(1, self->shared[0]);
		EXPECT_EQ(self->shared[0], self->shared[1]);
		EXPECT_EQ(0, info_of(self->fd).deaths);
		if (!self->shared[0]) {
			EXPECT_EQ(GOSYNC_ONCE_RUN, begin_fd(self->fd, 0));
			EXPECT_EQ(0, call(self->fd, GOSYNC_IOC_ONCE_DONE, NULL));
		}
		EXPECT_EQ(GOSYNC_ONCE_DONE, begin_fd(self->fd, 0));
		break;
	}
}

/* What stands in the bits of the kernel does not count. */
static void counts_as(struct __test_metadata *_metadata,
		      FIXTURE_DATA(word) *self,
		      const FIXTURE_VARIANT(word) *variant, uint64_t word,
		      uint32_t count)
{
	bool is_waitgroup = variant->type == GOSYNC_WAITGROUP;
	int fd = self->fd;

	store(self->word, word);
	EXPECT_EQ((is_waitgroup ? count > 0 : count < 3) ? -ETIMEDOUT : 0,
		  is_waitgroup ? wait_fd(fd, 1000) : acquire_for(fd, 3, 1000));
	store(self->word, word);
	EXPECT_EQ(count == INT32_MAX ? -ERANGE : 0,
		  is_waitgroup ? add_fd(fd, 1) : release_fd(fd, 1));
	if (count < INT32_MAX)
		EXPECT_EQ(count + 1, load(self->word));
	store(self->word, word);
	EXPECT_EQ(0, is_waitgroup ? add_fd(fd, 0) : acquire_for(fd, 0, 1000));
	EXPECT_EQ(count, load(self->word));
	EXPECT_EQ(0, is_waitgroup ? add_fd(fd, -(int64_t)count) :
				    acquire_for(fd, count, 1000));
	EXPECT_EQ(0, load(self->word));
	EXPECT_EQ(0, info_of(fd).waiters);
}

TEST_F(word, scribbled_at_rest_is_put_right)
{
	int fd = self->fd, other = open_object(0, self->name, 0, 0);

	if (variant->type != GOSYNC_ONCE) {
		counts_as(_metadata, self, variant, 7ULL << 32, 0);
		counts_as(_metadata, self, variant, 1ULL << 32 | 5, 5);
		counts_as(_metadata, self, variant, 1ULL << 31, 0);
		counts_as(_metadata, self, variant, 1ULL << 31 | 2, 2);
		counts_as(_metadata, self, variant, UINT64_MAX, INT32_MAX);
		counts_as(_metadata, self, variant, ~0ULL << 31, 0);
		return;
	}
	/* What a Once is, the kernel knows by itself. */
	store(self->word, GOSYNC_ONCE_IS_DONE);
	EXPECT_EQ(GOSYNC_ONCE_RUN, begin_fd(fd, 0));
	store(self->word, 0);
	/* It is being run, whatever the word says. */
	EXPECT_EQ(-ETIMEDOUT, begin_fd(other, 0));
	store(self->word, GOSYNC_ONCE_RUNS | (uint64_t)info_of(other).holder <<
	      GOSYNC_ONCE_OWNER_SHIFT);
	EXPECT_EQ(-EPERM, call(other, GOSYNC_IOC_ONCE_DONE, NULL));
	EXPECT_EQ(-EPERM, call(other, GOSYNC_IOC_ONCE_ABANDON, NULL));
	EXPECT_EQ(info_of(fd).holder, info_of(fd).owner);
	EXPECT_EQ(0, call(fd, GOSYNC_IOC_ONCE_DONE, NULL));
	EXPECT_EQ(GOSYNC_ONCE_IS_DONE, load(self->word));
	store(self->word, UINT64_MAX & ~GOSYNC_ONCE_IS_DONE);
	EXPECT_EQ(GOSYNC_ONCE_DONE, begin_fd(other, 0));
	EXPECT_EQ(-EPERM, call(other, GOSYNC_IOC_ONCE_DONE, NULL));
	close(other);
	EXPECT_EQ(0, info_of(fd).deaths);
	EXPECT_EQ(GOSYNC_ONCE_DONE, begin_fd(fd, 0));
}

/* The queue is the kernel's: no word makes it forget who waits. */
TEST_F(word, waiters_that_it_forgot_are_found_again)
{
	int fd = self->fd;
	pid_t pid, watcher;

	if (variant->type == GOSYNC_WAITGROUP)
		EXPECT_EQ(0, add_fd(fd, 1));
	if (variant->type == GOSYNC_ONCE)
		EXPECT_EQ(GOSYNC_ONCE_RUN, begin_fd(fd, 0));
	pid = spawn();
	if (!pid) {
		struct gosync_semaphore_args args = { .size = sizeof(args), .count = 2 };

		_exit(-call(fd, variant->wait,
			    variant->type == GOSYNC_SEMAPHORE ? &args : NULL));
	}
	ASSERT_TRUE(eventually(info_of(fd).waiters == 1));
	watcher = spawn();
	if (!watcher) {
		add(self->shared, 1);
		_exit(poll_fd(fd, -1) != POLLIN);
	}
	/* It may come later, and then finds it so. */
	ASSERT_TRUE(eventually(load(self->shared)));
	sleep_ns(NSEC_PER_MSEC);
	store(self->word, variant->type == GOSYNC_WAITGROUP);
	EXPECT_EQ(1, info_of(fd).waiters);
	switch (variant->type) {
	case GOSYNC_WAITGROUP:
		EXPECT_EQ(0, add_fd(fd, -1));
		break;
	case GOSYNC_ONCE:
		EXPECT_EQ(0, call(fd, GOSYNC_IOC_ONCE_DONE, NULL));
		break;
	case GOSYNC_SEMAPHORE:
		EXPECT_EQ(0, release_fd(fd, 3));
		break;
	}
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_EQ(0, reap_soon(watcher));
	EXPECT_EQ(0, info_of(fd).waiters);
	/* What is done next sees that nobody is there any more. */
	if (variant->type == GOSYNC_SEMAPHORE)
		EXPECT_EQ(0, acquire_for(fd, 1, 0));
	if (variant->type == GOSYNC_WAITGROUP)
		EXPECT_EQ(0, add_fd(fd, 0));
	EXPECT_EQ(variant->type == GOSYNC_ONCE ? GOSYNC_ONCE_IS_DONE : 0,
		  load(self->word));
}

TEST_HARNESS_MAIN
