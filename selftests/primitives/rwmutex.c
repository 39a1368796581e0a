// SPDX-License-Identifier: GPL-2.0-only
/*
 * RWMutex: one writer or many readers, in whose favour it decides, holders with
 * a line and without, deaths, and garbage in the page.
 */
#include "scribble.h"

#define OWNED_BY(id)	(GOSYNC_MUTEX_LOCKED | \
			 (uint64_t)(id) << GOSYNC_MUTEX_OWNER_SHIFT)
#define KERNELS_BITS	(GOSYNC_MUTEX_WOKEN | GOSYNC_MUTEX_STARVING | \
			 GOSYNC_MUTEX_WAITERS)
#define LINES		63
#define PARTIES		256

enum side { WRITE, READ };

/* With children */
struct shared {
	unsigned int turns;
	unsigned int turn[PARTIES];	/* when each came in, from 1 on */
	unsigned int leave[PARTIES];	/* it may go */
	unsigned int step;
};

FIXTURE(rwmutex)
{
	char *name;
	gosync_rwmutex_t *rw;
	struct gosync_rwmutex_slot *slot;	/* in both variants */
	struct shared *shared;
};

MAPPED_AND_IOCTL(rwmutex);

static gosync_rwmutex_t *open_rw(const char *name, unsigned int flags)
{
	gosync_rwmutex_t *rw;

	return gosync_rwmutex_open(name, flags, flags & GOSYNC_CREATE ?
				   0600 : 0, &rw) ? NULL : rw;
}

FIXTURE_SETUP(rwmutex)
{
	struct gosync_info info;

	self->name = unique_name();
	self->rw = open_rw(self->name, GOSYNC_CREATE | variant->how);
	ASSERT_NE(NULL, self->rw);
	ASSERT_EQ(!variant->how, gosync_is_mapped(self->rw));
	info = info_of(gosync_fd(self->rw));
	self->slot = mmap(NULL, info.map_len, PROT_READ | PROT_WRITE, MAP_SHARED,
			  gosync_fd(self->rw), 0);
	ASSERT_NE(MAP_FAILED, self->slot);
	ASSERT_EQ(0, info.map_offset);
	self->shared = shared_memory(sizeof(*self->shared));
}

FIXTURE_TEARDOWN(rwmutex)
{
}

static struct gosync_info info(gosync_rwmutex_t *rw)
{
	return info_of(gosync_fd(rw));
}

static unsigned int waiters(gosync_rwmutex_t *rw)
{
	return info(rw).waiters;
}

/* Nobody waits, and neither word nor slot says so */
static bool is_quiet(FIXTURE_DATA(rwmutex) *self)
{
	return !waiters(self->rw) && !(info(self->rw).word & KERNELS_BITS) &&
	       !load(&self->slot->draining);
}

static int take(gosync_rwmutex_t *rw, enum side side)
{
	return side == READ ? gosync_rwmutex_rlock(rw) : gosync_rwmutex_lock(rw);
}

static int try(gosync_rwmutex_t *rw, enum side side)
{
	return side == READ ? gosync_rwmutex_tryrlock(rw) :
			      gosync_rwmutex_trylock(rw);
}

static int take_until(gosync_rwmutex_t *rw, enum side side, uint64_t deadline,
		      unsigned int flags)
{
	return side == READ ? gosync_rwmutex_rlock_until(rw, deadline, flags) :
			      gosync_rwmutex_lock_until(rw, deadline, flags);
}

static int drop(gosync_rwmutex_t *rw, enum side side)
{
	return side == READ ? gosync_rwmutex_runlock(rw) :
			      gosync_rwmutex_unlock(rw);
}

/* The same of a descriptor, waiting so long at most; 0: for ever */
static int take_fd(int fd, enum side side, uint64_t ns)
{
	struct gosync_wait_args args = {
		.size = sizeof(args),
		.deadline = ns ? gosync_deadline(ns) : 0,
	};

	return call(fd, side == READ ? GOSYNC_IOC_RWMUTEX_RLOCK :
				       GOSYNC_IOC_RWMUTEX_LOCK, &args);
}

static int drop_fd(int fd, enum side side)
{
	return call(fd, side == READ ? GOSYNC_IOC_RWMUTEX_RUNLOCK :
				       GOSYNC_IOC_RWMUTEX_UNLOCK, NULL);
}

/*
 * A child that locks, says when it is inside, unlocks when it may leave, and
 * exits with what it got.
 */
static pid_t spawn_party(FIXTURE_DATA(rwmutex) *self, enum side side,
			 unsigned int me)
{
	pid_t pid;
	int ret;

	store(&self->shared->turn[me], 0);
	store(&self->shared->leave[me], 0);
	pid = spawn();
	if (pid)
		return pid;
	ret = take(self->rw, side);
	if (ret < 0)
		_exit(99);
	store(&self->shared->turn[me], add(&self->shared->turns, 1));
	(void)eventually(load(&self->shared->leave[me]));
	_exit(drop(self->rw, side) ? 98 : ret);
}

static bool is_in(FIXTURE_DATA(rwmutex) *self, unsigned int me)
{
	return load(&self->shared->turn[me]);
}

/* One that gets in, and one that has to wait; -1 when it does not */
static pid_t spawn_inside(FIXTURE_DATA(rwmutex) *self, enum side side,
			  unsigned int me)
{
	pid_t pid = spawn_party(self, side, me);

	return eventually(is_in(self, me)) ? pid : -1;
}

static pid_t spawn_waiting(FIXTURE_DATA(rwmutex) *self, enum side side,
			   unsigned int me)
{
	unsigned int before = waiters(self->rw);
	pid_t pid = spawn_party(self, side, me);

	return eventually(waiters(self->rw) == before + 1) && !is_in(self, me) ?
		pid : -1;
}

static int let_go(FIXTURE_DATA(rwmutex) *self, unsigned int me, pid_t pid)
{
	store(&self->shared->leave[me], 1);
	return reap(pid);
}

/* --- one writer or many readers ------------------------------------------ */

TEST_F(rwmutex, a_writer_excludes_everybody)
{
	gosync_rwmutex_t *other = open_rw(self->name, variant->how);

	EXPECT_EQ(0, gosync_rwmutex_lock(self->rw));
	EXPECT_EQ(-EBUSY, gosync_rwmutex_trylock(other));
	EXPECT_EQ(-EBUSY, gosync_rwmutex_tryrlock(other));
	/* Neither recursive nor to be downgraded */
	EXPECT_EQ(-EBUSY, gosync_rwmutex_trylock(self->rw));
	EXPECT_EQ(-EBUSY, gosync_rwmutex_tryrlock(self->rw));
	EXPECT_EQ(info(self->rw).holder, info(other).owner);
	EXPECT_EQ(0, info(other).readers);
	EXPECT_EQ(0, gosync_rwmutex_unlock(self->rw));
	EXPECT_EQ(0, info(other).word);
	EXPECT_EQ(0, gosync_rwmutex_trylock(other));
	EXPECT_EQ(-EBUSY, gosync_rwmutex_tryrlock(self->rw));
	EXPECT_EQ(0, gosync_rwmutex_unlock(other));
	EXPECT_EQ(0, gosync_rwmutex_tryrlock(self->rw));
	EXPECT_EQ(0, gosync_rwmutex_runlock(self->rw));
}

TEST_F(rwmutex, readers_share_it)
{
	gosync_rwmutex_t *other = open_rw(self->name, variant->how ^
					  GOSYNC_IOCTL_ONLY);
	pid_t pid;
	int i;

	EXPECT_EQ(0, gosync_rwmutex_rlock(self->rw));
	EXPECT_EQ(0, gosync_rwmutex_rlock(self->rw));
	EXPECT_EQ(0, gosync_rwmutex_tryrlock(self->rw));
	EXPECT_EQ(0, gosync_rwmutex_rlock_until(other, 1, 0));
	EXPECT_EQ(4, info(other).readers);
	pid = spawn_inside(self, READ, 0);
	ASSERT_LT(0, pid);
	EXPECT_EQ(5, info(other).readers);
	EXPECT_EQ(0, info(other).word);
	EXPECT_EQ(0, info(other).owner);
	EXPECT_EQ(-EBUSY, gosync_rwmutex_trylock(other));
	EXPECT_EQ(0, let_go(self, 0, pid));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(-EBUSY, gosync_rwmutex_trylock(other));
		EXPECT_EQ(0, gosync_rwmutex_runlock(self->rw));
	}
	EXPECT_EQ(1, info(other).readers);
	EXPECT_EQ(-EBUSY, gosync_rwmutex_trylock(self->rw));
	EXPECT_EQ(0, gosync_rwmutex_runlock(other));
	EXPECT_EQ(0, info(other).readers);
	EXPECT_EQ(0, gosync_rwmutex_trylock(self->rw));
	EXPECT_EQ(0, gosync_rwmutex_unlock(self->rw));
}

TEST_F(rwmutex, a_try_that_fails_stops_nobody)
{
	gosync_rwmutex_t *other = open_rw(self->name, variant->how);
	uint64_t token = info(self->rw).token;

	EXPECT_EQ(0, gosync_rwmutex_rlock(self->rw));
	EXPECT_EQ(-EBUSY, gosync_rwmutex_trylock(other));
	EXPECT_EQ(0, info(self->rw).word);
	EXPECT_EQ(token, info(self->rw).token);
	EXPECT_EQ(0, gosync_rwmutex_tryrlock(other));
	EXPECT_EQ(0, gosync_rwmutex_runlock(other));
	EXPECT_EQ(0, gosync_rwmutex_runlock(self->rw));
}

TEST_F(rwmutex, unlocking_what_is_not_locked_is_an_error)
{
	gosync_rwmutex_t *other = open_rw(self->name, variant->how);

	EXPECT_EQ(-EPERM, gosync_rwmutex_unlock(self->rw));
	EXPECT_EQ(-EPERM, gosync_rwmutex_runlock(self->rw));
	EXPECT_EQ(-EPERM, gosync_rwmutex_recover(self->rw));
	EXPECT_EQ(0, info(self->rw).word);
	EXPECT_EQ(0, info(self->rw).readers);

	EXPECT_EQ(0, gosync_rwmutex_rlock(self->rw));
	EXPECT_EQ(-EPERM, gosync_rwmutex_unlock(self->rw));
	EXPECT_EQ(-EPERM, gosync_rwmutex_recover(self->rw));
	/* A read lock is its holder's. */
	EXPECT_EQ(-EPERM, gosync_rwmutex_runlock(other));
	EXPECT_EQ(1, info(self->rw).readers);
	EXPECT_EQ(0, gosync_rwmutex_runlock(self->rw));
	EXPECT_EQ(-EPERM, gosync_rwmutex_runlock(self->rw));
	EXPECT_EQ(0, info(self->rw).readers);

	EXPECT_EQ(0, gosync_rwmutex_lock(self->rw));
	EXPECT_EQ(-EPERM, gosync_rwmutex_runlock(self->rw));
	EXPECT_EQ(info(self->rw).holder, info(other).owner);
	EXPECT_EQ(0, gosync_rwmutex_unlock(self->rw));
	EXPECT_EQ(-EPERM, gosync_rwmutex_unlock(self->rw));
	EXPECT_EQ(0, info(self->rw).word);
}

TEST_F(rwmutex, anyone_may_unlock_for_the_writer)
{
	gosync_rwmutex_t *other = open_rw(self->name, variant->how);

	EXPECT_EQ(0, gosync_rwmutex_lock(self->rw));
	EXPECT_EQ(-EPERM, gosync_rwmutex_recover(other));
	EXPECT_EQ(0, gosync_rwmutex_unlock(other));
	EXPECT_EQ(0, gosync_rwmutex_tryrlock(other));
	EXPECT_EQ(0, gosync_rwmutex_runlock(other));
}

TEST_F(rwmutex, errorcheck_lets_only_the_owner_unlock)
{
	char *name = unique_name();
	gosync_rwmutex_t *mine = open_rw(name, GOSYNC_CREATE | variant->how |
					 GOSYNC_ERRORCHECK);
	gosync_rwmutex_t *other = open_rw(name, variant->how);

	ASSERT_NE(NULL, mine);
	ASSERT_NE(NULL, other);
	EXPECT_EQ(0, gosync_rwmutex_lock(mine));
	EXPECT_EQ(-EPERM, gosync_rwmutex_unlock(other));
	EXPECT_EQ(info(mine).holder, info(mine).owner);
	EXPECT_EQ(0, gosync_rwmutex_unlock(mine));
	EXPECT_EQ(-EPERM, gosync_rwmutex_unlock(mine));
}

TEST_F(rwmutex, read_only_handles_only_look)
{
	gosync_rwmutex_t *looker = open_rw(self->name, GOSYNC_RDONLY |
					   variant->how);
	int fd;

	ASSERT_NE(NULL, looker);
	fd = gosync_fd(looker);
	EXPECT_EQ(-EBADF, gosync_rwmutex_lock(looker));
	EXPECT_EQ(-EBADF, gosync_rwmutex_trylock(looker));
	EXPECT_EQ(-EBADF, gosync_rwmutex_lock_until(looker, 1, 0));
	EXPECT_EQ(-EBADF, gosync_rwmutex_rlock(looker));
	EXPECT_EQ(-EBADF, gosync_rwmutex_tryrlock(looker));
	EXPECT_EQ(-EBADF, gosync_rwmutex_rlock_until(looker, 1, 0));
	EXPECT_EQ(-EBADF, call(fd, GOSYNC_IOC_RWMUTEX_DRAIN, NULL));
	EXPECT_EQ(-EBADF, call(fd, GOSYNC_IOC_RWMUTEX_DRAINED, NULL));
	EXPECT_EQ(0, info(looker).map_data);
	EXPECT_EQ(0, gosync_rwmutex_lock(self->rw));
	EXPECT_EQ(-EBADF, gosync_rwmutex_unlock(looker));
	EXPECT_EQ(-EBADF, gosync_rwmutex_recover(looker));
	EXPECT_EQ(info(self->rw).holder, info(looker).owner);
	EXPECT_EQ(0, gosync_rwmutex_unlock(self->rw));
	EXPECT_EQ(0, gosync_rwmutex_rlock(self->rw));
	EXPECT_EQ(-EBADF, gosync_rwmutex_runlock(looker));
	EXPECT_EQ(1, info(looker).readers);
}

static int all_uncontended(void *arg)
{
	gosync_rwmutex_t *rw = arg;
	int i, ret = 0;

	for (i = 0; i < 100; i++) {
		uint64_t token;

		ret |= gosync_rwmutex_lock(rw);
		ret |= gosync_rwmutex_token(rw, &token);
		ret |= gosync_rwmutex_trylock(rw) != -EBUSY;
		ret |= gosync_rwmutex_tryrlock(rw) != -EBUSY;
		ret |= gosync_rwmutex_unlock(rw);
		ret |= gosync_rwmutex_trylock(rw);
		ret |= gosync_rwmutex_unlock(rw);
		ret |= gosync_rwmutex_lock_until(rw, 1, 0);
		ret |= gosync_rwmutex_unlock(rw);
		ret |= gosync_rwmutex_rlock(rw);
		ret |= gosync_rwmutex_tryrlock(rw);
		ret |= gosync_rwmutex_rlock_until(rw, 1, 0);
		ret |= gosync_rwmutex_trylock(rw) != -EBUSY;
		ret |= gosync_rwmutex_runlock(rw);
		ret |= gosync_rwmutex_runlock(rw);
		ret |= gosync_rwmutex_runlock(rw);
	}
	return ret;
}

TEST_F(rwmutex, uncontended_it_takes_no_system_call)
{
	int ret = without_system_calls(all_uncontended, self->rw);

	if (ret == KSFT_SKIP)
		SKIP(return, "no seccomp");
	EXPECT_EQ(variant->how ? 128 + SIGKILL : 0, ret);
}

TEST_F(rwmutex, each_lock_for_writing_has_a_token_of_its_own)
{
	gosync_rwmutex_t *other = open_rw(self->name,
					  variant->how ^ GOSYNC_IOCTL_ONLY);
	uint64_t token, last = 0;
	int i;

	for (i = 0; i < 20; i++) {
		gosync_rwmutex_t *rw = i % 3 ? self->rw : other;

		EXPECT_EQ(0, i % 2 ? gosync_rwmutex_lock(rw) :
				     gosync_rwmutex_trylock(rw));
		EXPECT_EQ(0, gosync_rwmutex_token(rw, &token));
		EXPECT_LT(last, token);
		EXPECT_EQ(token, info(rw).token);
		last = token;
		EXPECT_EQ(0, gosync_rwmutex_unlock(rw));
		EXPECT_EQ(0, gosync_rwmutex_rlock(rw));
		EXPECT_EQ(token, info(rw).token);
		EXPECT_EQ(0, gosync_rwmutex_runlock(rw));
	}
}

/* --- in whose favour ----------------------------------------------------- */

TEST_F(rwmutex, a_writer_that_waits_stops_new_readers)
{
	gosync_rwmutex_t *other = open_rw(self->name, variant->how);
	pid_t writer, reader;

	EXPECT_EQ(0, gosync_rwmutex_rlock(self->rw));
	writer = spawn_waiting(self, WRITE, 0);
	ASSERT_LT(0, writer);
	EXPECT_EQ(-EBUSY, gosync_rwmutex_tryrlock(other));
	EXPECT_EQ(-EBUSY, gosync_rwmutex_trylock(other));
	EXPECT_EQ(-ETIMEDOUT, gosync_rwmutex_rlock_until(other, 1, 0));
	reader = spawn_waiting(self, READ, 1);
	ASSERT_LT(0, reader);
	EXPECT_EQ(1, info(self->rw).readers);
	EXPECT_FALSE(is_in(self, 0));
	EXPECT_EQ(0, gosync_rwmutex_runlock(self->rw));
	ASSERT_TRUE(eventually(is_in(self, 0)));
	EXPECT_EQ(0, info(self->rw).readers);
	EXPECT_FALSE(is_in(self, 1));
	EXPECT_EQ(0, let_go(self, 0, writer));
	EXPECT_TRUE(eventually(is_in(self, 1)));
	EXPECT_EQ(0, let_go(self, 1, reader));
	EXPECT_TRUE(is_quiet(self));
}

TEST_F(rwmutex, a_writer_waits_for_the_last_reader)
{
	pid_t readers[3], writer;
	int i;

	for (i = 0; i < 3; i++)
		readers[i] = spawn_inside(self, READ, i);
	writer = spawn_waiting(self, WRITE, 3);
	ASSERT_LT(0, writer);
	for (i = 0; i < 3; i++) {
		sleep_ns(2 * NSEC_PER_MSEC);
		EXPECT_FALSE(is_in(self, 3));
		EXPECT_EQ(0, let_go(self, i, readers[i]));
	}
	EXPECT_TRUE(eventually(is_in(self, 3)));
	EXPECT_EQ(0, let_go(self, 3, writer));
	EXPECT_EQ(0, info(self->rw).word);
}

TEST_F(rwmutex, readers_that_waited_go_before_a_writer_that_waited_longer)
{
	pid_t first, writer, readers[3], late;
	int i;

	EXPECT_EQ(0, gosync_rwmutex_lock(self->rw));
	writer = spawn_waiting(self, WRITE, 0);
	ASSERT_LT(0, writer);
	for (i = 1; i < 3; i++) {
		readers[i] = spawn_waiting(self, READ, i);
		ASSERT_LT(0, readers[i]);
	}
	first = spawn_waiting(self, WRITE, 3);
	ASSERT_LT(0, first);
	EXPECT_EQ(0, gosync_rwmutex_unlock(self->rw));
	ASSERT_TRUE(eventually(is_in(self, 1) && is_in(self, 2)));
	EXPECT_EQ(2, info(self->rw).readers);
	/* The writer has its turn now, and stops who comes from now on. */
	ASSERT_TRUE(eventually(info(self->rw).owner));
	late = spawn_waiting(self, READ, 4);
	ASSERT_LT(0, late);
	EXPECT_FALSE(is_in(self, 0) || is_in(self, 3));
	EXPECT_EQ(0, let_go(self, 1, readers[1]));
	sleep_ns(2 * NSEC_PER_MSEC);
	EXPECT_FALSE(is_in(self, 0) || is_in(self, 3));
	EXPECT_EQ(0, let_go(self, 2, readers[2]));
	ASSERT_TRUE(eventually(is_in(self, 0)));
	EXPECT_FALSE(is_in(self, 3));
	EXPECT_FALSE(is_in(self, 4));
	EXPECT_EQ(0, let_go(self, 0, writer));
	ASSERT_TRUE(eventually(is_in(self, 4)));
	EXPECT_FALSE(is_in(self, 3));
	EXPECT_EQ(0, let_go(self, 4, late));
	ASSERT_TRUE(eventually(is_in(self, 3)));
	EXPECT_EQ(0, let_go(self, 3, first));
	EXPECT_EQ(0, info(self->rw).word);
}

/* More than the kernel wakes at a time, and more than have a line */
TEST_F(rwmutex, all_readers_that_waited_are_inside_at_once)
{
	enum { N = 100 };
	pid_t writer, readers[N];
	unsigned int i;

	EXPECT_EQ(0, gosync_rwmutex_lock(self->rw));
	writer = spawn_waiting(self, WRITE, N);
	ASSERT_LT(0, writer);
	for (i = 0; i < N; i++)
		readers[i] = spawn_party(self, READ, i);
	ASSERT_TRUE(eventually(waiters(self->rw) == N + 1));
	EXPECT_EQ(0, load(&self->shared->turns));
	EXPECT_EQ(0, gosync_rwmutex_unlock(self->rw));
	ASSERT_TRUE(eventually(load(&self->shared->turns) == N));
	EXPECT_EQ(N, info(self->rw).readers);
	EXPECT_FALSE(is_in(self, N));
	for (i = 0; i < N; i++)
		store(&self->shared->leave[i], 1);
	for (i = 0; i < N; i++)
		EXPECT_EQ(0, reap(readers[i]));
	EXPECT_TRUE(eventually(is_in(self, N)));
	EXPECT_EQ(0, let_go(self, N, writer));
	EXPECT_EQ(0, info(self->rw).word);
	EXPECT_EQ(0, load(&self->slot->extra));
}

/* --- deadlines ----------------------------------------------------------- */

/* The writer that gave up had stopped some. */
TEST_F(rwmutex, a_writer_that_gives_up_lets_readers_in)
{
	pid_t writer, readers[3];
	int i;

	EXPECT_EQ(0, gosync_rwmutex_rlock(self->rw));
	writer = spawn();
	if (!writer)
		_exit(-gosync_rwmutex_lock_until(self->rw,
						 gosync_deadline(2 * NSEC_PER_SEC),
						 0));
	ASSERT_TRUE(eventually(waiters(self->rw) == 1));
	for (i = 0; i < 3; i++)
		readers[i] = spawn_party(self, READ, i);
	EXPECT_EQ(ETIMEDOUT, reap(writer));
	for (i = 0; i < 3; i++)
		EXPECT_TRUE(eventually(is_in(self, i)));
	EXPECT_EQ(4, info(self->rw).readers);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, let_go(self, i, readers[i]));
	EXPECT_EQ(0, gosync_rwmutex_runlock(self->rw));
	EXPECT_EQ(0, gosync_rwmutex_trylock(self->rw));
}

/* --- signals ------------------------------------------------------------- */

/* Its caller owned the word, and does not any more. */
TEST_F(rwmutex, draining_is_not_restarted)
{
	pid_t pid;
	int flags;

	for (flags = 0; flags != 2 * SA_RESTART; flags += SA_RESTART) {
		EXPECT_EQ(0, gosync_rwmutex_rlock(self->rw));
		pid = spawn();
		if (!pid) {
			uint64_t me = OWNED_BY(info(self->rw).holder), free = 0;
			int fd = gosync_fd(self->rw);

			handle(count_signal, flags);
			if (call(fd, GOSYNC_IOC_RWMUTEX_DRAIN, NULL) != -EPERM)
				_exit(1);
			if (!__atomic_compare_exchange_n(&self->slot->word,
							 &free, me, 0,
							 __ATOMIC_SEQ_CST,
							 __ATOMIC_SEQ_CST))
				_exit(2);
			_exit(-call(fd, GOSYNC_IOC_RWMUTEX_DRAIN, NULL));
		}
		ASSERT_TRUE(eventually(waiters(self->rw) == 1));
		kill(pid, SIGUSR1);
		EXPECT_EQ(EINTR, reap(pid));
		EXPECT_EQ(0, info(self->rw).word);
		EXPECT_EQ(0, info(self->rw).deaths);
		EXPECT_TRUE(is_quiet(self));
		EXPECT_EQ(0, gosync_rwmutex_runlock(self->rw));
	}
}

/* --- lines --------------------------------------------------------------- */

/* @n more holders; how many of them have a line */
static unsigned int open_many(FIXTURE_DATA(rwmutex) *self, unsigned int how,
			      gosync_rwmutex_t **handles, unsigned int n)
{
	unsigned int i, lined = 0;

	for (i = 0; i < n; i++) {
		int fd = reopen_object(gosync_fd(self->rw), 0);

		if (gosync_rwmutex_from_fd(fd, how, &handles[i]))
			abort();
		lined += !!info_of(fd).map_data;
	}
	return lined;
}

TEST_F(rwmutex, the_first_63_holders_have_a_line_each)
{
	enum { N = 100 };
	gosync_rwmutex_t *handles[N];
	bool seen[LINES + 1] = {};
	unsigned int i, line;

	EXPECT_EQ(LINES - 1, open_many(self, variant->how, handles, N));
	for (i = 0; i < N; i++) {
		line = info(handles[i]).map_data;
		if (!line)
			continue;
		EXPECT_EQ(0, line % GOSYNC_RWMUTEX_LINE);
		line /= GOSYNC_RWMUTEX_LINE;
		ASSERT_LE(line, LINES);
		EXPECT_FALSE(seen[line]);
		seen[line] = true;
	}
	EXPECT_EQ(~1ULL, load(&self->slot->lines));
	/* One that has gone leaves its line, with nothing in it. */
	line = info(handles[7]).map_data;
	EXPECT_EQ(0, gosync_rwmutex_rlock(handles[7]));
	EXPECT_EQ(0, gosync_rwmutex_rlock(handles[7]));
	gosync_close(handles[7]);
	EXPECT_EQ(0, info(self->rw).readers);
	EXPECT_EQ(1, open_many(self, variant->how, handles + 7, 1));
	EXPECT_EQ(line, info(handles[7]).map_data);
	EXPECT_EQ(-EPERM, gosync_rwmutex_runlock(handles[7]));
	EXPECT_EQ(0, gosync_rwmutex_trylock(handles[7]));
	EXPECT_EQ(0, gosync_rwmutex_unlock(handles[7]));
	/* Who only looks needs none. */
	gosync_close(handles[8]);
	EXPECT_NE(NULL, open_rw(self->name, GOSYNC_RDONLY));
	EXPECT_EQ(1, open_many(self, variant->how, handles + 8, 1));
}

TEST_F(rwmutex, holders_without_a_line_are_readers_like_others)
{
	enum { N = 150 };
	gosync_rwmutex_t *handles[N];
	unsigned int i, round;

	EXPECT_EQ(LINES - 1, open_many(self, variant->how, handles, N));
	for (round = 0; round < 2; round++) {
		for (i = 0; i < N; i++)
			EXPECT_EQ(0, i % 2 ? gosync_rwmutex_rlock(handles[i]) :
					     gosync_rwmutex_tryrlock(handles[i]));
		EXPECT_EQ(N, info(self->rw).readers);
		EXPECT_EQ(0, gosync_rwmutex_rlock(handles[N - 1]));
		EXPECT_EQ(N + 1, info(self->rw).readers);
		EXPECT_EQ(0, gosync_rwmutex_runlock(handles[N - 1]));
		/* Those with a line first, or last: any one is enough. */
		for (i = 0; i < N; i++) {
			gosync_rwmutex_t *rw = handles[round ? N - 1 - i : i];

			EXPECT_EQ(-EBUSY, gosync_rwmutex_trylock(rw));
			EXPECT_EQ(-EBUSY, gosync_rwmutex_trylock(self->rw));
			EXPECT_EQ(0, gosync_rwmutex_runlock(rw));
			EXPECT_EQ(-EPERM, gosync_rwmutex_runlock(rw));
		}
		EXPECT_EQ(0, info(self->rw).readers);
		EXPECT_EQ(0, gosync_rwmutex_trylock(handles[N - 1]));
		for (i = 0; i < N; i++)
			EXPECT_EQ(-EBUSY, gosync_rwmutex_tryrlock(handles[i]));
		EXPECT_EQ(-ETIMEDOUT, gosync_rwmutex_rlock_until(handles[N - 2],
								 1, 0));
		EXPECT_EQ(0, gosync_rwmutex_unlock(handles[N - 1]));
	}
}

TEST_F(rwmutex, a_writer_waits_for_readers_without_a_line)
{
	gosync_rwmutex_t *handles[LINES + 1];
	unsigned int i;
	pid_t pid;

	open_many(self, variant->how, handles, LINES + 1);
	for (i = 0; i < 2; i++) {
		/* The last to leave has none, then has one. */
		gosync_rwmutex_t *last = handles[i ? 0 : LINES];
		gosync_rwmutex_t *first = handles[i ? LINES : 0];

		EXPECT_EQ(0, gosync_rwmutex_rlock(first));
		EXPECT_EQ(0, gosync_rwmutex_rlock(last));
		pid = spawn_waiting(self, WRITE, i);
		ASSERT_LT(0, pid);
		EXPECT_EQ(0, gosync_rwmutex_runlock(first));
		sleep_ns(2 * NSEC_PER_MSEC);
		EXPECT_FALSE(is_in(self, i));
		EXPECT_EQ(0, gosync_rwmutex_runlock(last));
		EXPECT_TRUE(eventually(is_in(self, i)));
		EXPECT_EQ(0, let_go(self, i, pid));
	}
}

TEST_F(rwmutex, a_child_has_a_line_of_its_own)
{
	unsigned int line = info(self->rw).map_data;
	pid_t pid;

	EXPECT_EQ(0, gosync_rwmutex_rlock(self->rw));
	pid = spawn();
	if (!pid) {
		EXPECT_NE(0, info(self->rw).map_data);
		EXPECT_NE(line, info(self->rw).map_data);
		EXPECT_EQ(1, info(self->rw).readers);
		EXPECT_EQ(-EPERM, gosync_rwmutex_runlock(self->rw));
		EXPECT_EQ(0, gosync_rwmutex_rlock(self->rw));
		EXPECT_EQ(0, gosync_rwmutex_rlock(self->rw));
		EXPECT_EQ(3, info(self->rw).readers);
		_exit(0);
	}
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(1, info(self->rw).readers);
	EXPECT_EQ(0, gosync_rwmutex_runlock(self->rw));
	EXPECT_EQ(0, gosync_rwmutex_trylock(self->rw));
}

/* --- deaths -------------------------------------------------------------- */

/* A child that has locked so often, and sleeps */
static pid_t spawn_owner(FIXTURE_DATA(rwmutex) *self, enum side side, int times)
{
	pid_t pid;
	int i;

	store(&self->shared->step, 0);
	pid = spawn();
	if (!pid) {
		for (i = 0; i < times; i++)
			if (take(self->rw, side) < 0)
				_exit(1);
		store(&self->shared->step, 1);
		for (;;)
			pause();
	}
	return eventually(load(&self->shared->step)) ? pid : -1;
}

TEST_F(rwmutex, a_dead_readers_locks_are_dropped)
{
	gosync_rwmutex_t *handles[LINES + 1];
	unsigned int i;

	/* One whose holder has a line, then one without */
	for (i = 0; i < 2; i++) {
		pid_t reader = spawn_owner(self, READ, 3), writer;

		ASSERT_LT(0, reader);
		EXPECT_EQ(3, info(self->rw).readers);
		writer = spawn_waiting(self, WRITE, i);
		ASSERT_LT(0, writer);
		kill_and_reap(reader);
		EXPECT_TRUE(eventually(is_in(self, i)));
		/* It could not spoil anything, so there is nothing to tell. */
		EXPECT_EQ(0, let_go(self, i, writer));
		EXPECT_EQ(0, info(self->rw).deaths);
		EXPECT_EQ(0, info(self->rw).readers);
		EXPECT_EQ(0, gosync_rwmutex_trylock(self->rw));
		EXPECT_EQ(0, gosync_rwmutex_unlock(self->rw));
		if (!i)
			open_many(self, variant->how, handles, LINES + 1);
	}
}

TEST_F(rwmutex, a_dead_writer_is_told_until_somebody_recovers)
{
	gosync_rwmutex_t *other = open_rw(self->name, variant->how);
	pid_t writer = spawn_owner(self, WRITE, 1), waiting[2];

	ASSERT_LT(0, writer);
	EXPECT_EQ(-EBUSY, gosync_rwmutex_tryrlock(self->rw));
	waiting[0] = spawn_waiting(self, READ, 0);
	waiting[1] = spawn_waiting(self, WRITE, 1);
	ASSERT_LT(0, waiting[0]);
	ASSERT_LT(0, waiting[1]);
	kill_and_reap(writer);
	ASSERT_TRUE(eventually(is_in(self, 0)));
	EXPECT_EQ(1, let_go(self, 0, waiting[0]));
	ASSERT_TRUE(eventually(is_in(self, 1)));
	EXPECT_EQ(1, let_go(self, 1, waiting[1]));
	EXPECT_EQ(1, info(self->rw).deaths);
	EXPECT_EQ(1, gosync_rwmutex_rlock(other));
	EXPECT_EQ(1, gosync_rwmutex_tryrlock(other));
	EXPECT_EQ(1, gosync_rwmutex_rlock_until(other, 1, 0));
	/* A reader cannot have put anything right. */
	EXPECT_EQ(-EPERM, gosync_rwmutex_recover(other));
	EXPECT_EQ(0, gosync_rwmutex_runlock(other));
	EXPECT_EQ(0, gosync_rwmutex_runlock(other));
	EXPECT_EQ(0, gosync_rwmutex_runlock(other));
	EXPECT_EQ(1, gosync_rwmutex_trylock(other));
	EXPECT_EQ(0, gosync_rwmutex_unlock(other));
	EXPECT_EQ(1, gosync_rwmutex_lock_until(other, 1, 0));
	EXPECT_EQ(0, gosync_rwmutex_unlock(other));
	EXPECT_EQ(1, gosync_rwmutex_lock(self->rw));
	EXPECT_EQ(-EPERM, gosync_rwmutex_recover(other));
	EXPECT_EQ(0, gosync_rwmutex_recover(self->rw));
	EXPECT_EQ(0, gosync_rwmutex_unlock(self->rw));
	EXPECT_EQ(0, gosync_rwmutex_rlock(other));
	EXPECT_EQ(0, gosync_rwmutex_runlock(other));
	EXPECT_EQ(0, gosync_rwmutex_lock(other));
	EXPECT_EQ(1, info(self->rw).deaths);
}

/* It never was inside, so nothing is spoilt; whom it stopped goes on. */
TEST_F(rwmutex, a_writer_that_dies_waiting_for_readers_lets_others_in)
{
	pid_t writer, next, reader;

	EXPECT_EQ(0, gosync_rwmutex_rlock(self->rw));
	writer = spawn_waiting(self, WRITE, 0);
	ASSERT_LT(0, writer);
	next = spawn_waiting(self, WRITE, 1);
	ASSERT_LT(0, next);
	reader = spawn_waiting(self, READ, 2);
	ASSERT_LT(0, reader);
	EXPECT_EQ(128 + SIGKILL, kill_and_reap(writer));
	ASSERT_TRUE(eventually(is_in(self, 2)));
	EXPECT_EQ(0, let_go(self, 2, reader));
	EXPECT_FALSE(is_in(self, 1));
	EXPECT_EQ(0, gosync_rwmutex_runlock(self->rw));
	ASSERT_TRUE(eventually(is_in(self, 1)));
	EXPECT_EQ(0, let_go(self, 1, next));
	EXPECT_EQ(0, info(self->rw).deaths);
	EXPECT_EQ(0, info(self->rw).word);
	EXPECT_TRUE(is_quiet(self));
}

TEST_F(rwmutex, a_process_that_shares_a_holder_leaves_its_locks_there)
{
	int fd = open_object(0, self->name, 0, 0);
	pid_t pid = spawn();

	if (!pid)
		_exit(take_fd(fd, READ, 0) || take_fd(fd, READ, 0));
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(2, info(self->rw).readers);
	EXPECT_EQ(0, drop_fd(fd, READ));
	EXPECT_EQ(-EBUSY, gosync_rwmutex_trylock(self->rw));
	close(fd);
	EXPECT_EQ(0, info(self->rw).readers);
	EXPECT_EQ(0, gosync_rwmutex_trylock(self->rw));
}

/*
 * A reader takes its 1 back, and dies before it can tell the writer that it
 * saw: alone, or while its parent keeps their holder alive.
 */
TEST_F(rwmutex, a_reader_that_dies_before_it_tells_has_told)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		int fd = open_object(0, self->name, 0, 0);
		unsigned int line = info_of(fd).map_data;
		uint32_t *reads = (void *)((char *)self->slot + line);
		pid_t reader, writer;

		ASSERT_NE(0, line);
		store(&self->shared->step, 0);
		reader = spawn();
		if (!reader) {
			add(reads, 1);
			store(&self->shared->step, 1);
			while (load(&self->shared->step) != 2)
				sched_yield();
			add(reads, -1);
			store(&self->shared->step, 3);
			for (;;)
				pause();
		}
		if (!i)
			close(fd);
		ASSERT_TRUE(eventually(load(&self->shared->step) == 1));
		writer = spawn_waiting(self, WRITE, i);
		ASSERT_LT(0, writer);
		store(&self->shared->step, 2);
		ASSERT_TRUE(eventually(load(&self->shared->step) == 3));
		sleep_ns(2 * NSEC_PER_MSEC);
		EXPECT_FALSE(is_in(self, i));
		kill_and_reap(reader);
		EXPECT_TRUE(eventually(is_in(self, i)));
		EXPECT_EQ(0, let_go(self, i, writer));
		EXPECT_EQ(i, info_of(fd).holder != 0);
		if (i)
			close(fd);
	}
}

/*
 * With a processor to itself, the caller can let go and kill whom it let in
 * before that one runs: the lock dies in its hands, and goes to the next.
 */
static bool dies_before_it_runs(FIXTURE_DATA(rwmutex) *self, enum side held,
				enum side first, enum side second)
{
	pid_t one, two;
	bool good;

	if (take(self->rw, held))
		abort();
	one = spawn_waiting(self, first, 0);
	two = spawn_waiting(self, second, 1);
	drop(self->rw, held);
	kill(one, SIGKILL);
	good = one > 0 && two > 0 && reap(one) == 128 + SIGKILL;
	good &= !is_in(self, 0);
	good &= eventually(is_in(self, 1));
	good &= let_go(self, 1, two) == 0;
	return good && info(self->rw).word == 0 && !info(self->rw).readers &&
	       !info(self->rw).deaths && is_quiet(self);
}

TEST_F(rwmutex, who_dies_before_it_runs_passes_it_on)
{
	static const struct {
		enum side held, first, second;
	} rows[] = {
		{ READ, WRITE, WRITE }, { READ, WRITE, READ },
		{ WRITE, WRITE, WRITE }, { WRITE, READ, WRITE },
		{ WRITE, WRITE, READ }, { WRITE, READ, READ },
	};
	unsigned int i;

	if (rule_one_cpu())
		SKIP(return, "cannot have a processor");
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		int tries = 0;

		while (!dies_before_it_runs(self, rows[i].held, rows[i].first,
					    rows[i].second)) {
			ASSERT_GT(20, ++tries) {
				TH_LOG("row %u", i);
			}
		}
	}
}

/* --- storms -------------------------------------------------------------- */

/* As long as anybody is to wait among many who never pause */
#define PATIENCE	(20 * NSEC_PER_SEC)

static pid_t spawn_hog(FIXTURE_DATA(rwmutex) *self, enum side side,
		       unsigned int *turns)
{
	pid_t pid = spawn();

	if (pid)
		return pid;
	for (;;) {
		uint64_t until;

		if (take(self->rw, side) < 0)
			_exit(1);
		until = now_ns(CLOCK_MONOTONIC) + 50 * NSEC_PER_USEC;
		while (now_ns(CLOCK_MONOTONIC) < until)
			;
		add(turns, 1);
		drop(self->rw, side);
	}
}

static void gets_in_beside_hogs(struct __test_metadata *_metadata,
				FIXTURE_DATA(rwmutex) *self, enum side hogs,
				enum side wanted)
{
	enum { HOGS = 4, WANTED = 30 };
	unsigned int *turns = shared_memory(HOGS * sizeof(*turns));
	uint64_t worst = 0, wait;
	pid_t pids[HOGS];
	int i;

	for (i = 0; i < HOGS; i++)
		pids[i] = spawn_hog(self, hogs, &turns[i]);
	for (i = 0; i < HOGS; i++)
		ASSERT_TRUE(eventually(load(&turns[i])));
	for (i = 0; i < WANTED; i++) {
		wait = now_ns(CLOCK_MONOTONIC);
		ASSERT_EQ(0, take_until(self->rw, wanted,
					gosync_deadline(PATIENCE), 0));
		wait = now_ns(CLOCK_MONOTONIC) - wait;
		worst = wait > worst ? wait : worst;
		EXPECT_EQ(0, drop(self->rw, wanted));
		sleep_ns(100 * NSEC_PER_USEC);
	}
	TH_LOG("%d turns, a hog had %u, longest wait %llu us", WANTED,
	       load(&turns[0]), (unsigned long long)worst / 1000);
	for (i = 0; i < HOGS; i++)
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(pids[i]));
}

TEST_F(rwmutex, a_writer_gets_in_among_readers_without_pause)
{
	gets_in_beside_hogs(_metadata, self, READ, WRITE);
}

TEST_F(rwmutex, a_reader_gets_in_among_writers_without_pause)
{
	gets_in_beside_hogs(_metadata, self, WRITE, READ);
}

TEST_F(rwmutex, a_writer_gets_in_among_writers_without_pause)
{
	gets_in_beside_hogs(_metadata, self, WRITE, WRITE);
}

enum { WORKERS = 6 };

struct storm {
	unsigned int stop;
	unsigned int wrong;
	unsigned int writer;		/* who is inside; under the lock */
	unsigned int one, two;		/* equal when no writer is inside */
	uint64_t token;
	unsigned int written, read;
	unsigned int reports;
	unsigned int is_inside[WORKERS];	/* as a writer */
};

static void write_inside(struct storm *storm, gosync_rwmutex_t *rw,
			 unsigned int me, bool died, uint32_t r)
{
	uint64_t token;

	store(&storm->is_inside[me], 1);
	if (died) {
		/* Put right what the dead one left. */
		add(&storm->reports, 1);
		store(&storm->writer, 0);
		store(&storm->two, load(&storm->one));
		if (gosync_rwmutex_recover(rw))
			add(&storm->wrong, 1);
	}
	if (load(&storm->writer) || load(&storm->one) != load(&storm->two))
		add(&storm->wrong, 1);
	store(&storm->writer, me + 1);
	gosync_rwmutex_token(rw, &token);
	if (token <= load(&storm->token))
		add(&storm->wrong, 1);
	store(&storm->token, token);
	add(&storm->one, 1);
	if (r % 32 == 5)
		sleep_ns(r % (3 * NSEC_PER_MSEC));
	add(&storm->two, 1);
	add(&storm->written, 1);
	if (load(&storm->writer) != me + 1)
		add(&storm->wrong, 1);
	store(&storm->writer, 0);
	store(&storm->is_inside[me], 0);
}

/* While it stays, no writer may come; after a death things may be spoilt. */
static void read_inside(struct storm *storm, bool died, uint32_t r)
{
	unsigned int one = load(&storm->one);

	if (!died && (load(&storm->writer) || one != load(&storm->two)))
		add(&storm->wrong, 1);
	if (r % 32 == 5)
		sleep_ns(r % (2 * NSEC_PER_MSEC));
	else if (r % 8 == 1)
		sched_yield();
	if (load(&storm->one) != one)
		add(&storm->wrong, 1);
	add(&storm->read, 1);
}

static void work(struct storm *storm, gosync_rwmutex_t *rw, unsigned int me)
{
	uint64_t seed = random_seed() + me;

	do {
		uint64_t soon = gosync_deadline(random_u32(&seed) %
						(3 * NSEC_PER_MSEC));
		uint32_t r = random_u32(&seed);
		enum side side = r >> 16 & 1 ? READ : WRITE;
		int ret;

		if (r % 8 == 0)
			ret = take_until(rw, side, soon, 0);
		else if (r % 8 == 1)
			ret = try(rw, side);
		else
			ret = take(rw, side);
		if (ret == -ETIMEDOUT || ret == -EBUSY)
			continue;
		if (ret < 0) {
			add(&storm->wrong, 1);
			_exit(1);
		}
		if (side == READ)
			read_inside(storm, ret, r);
		else
			write_inside(storm, rw, me, ret, r);
		if (drop(rw, side))
			add(&storm->wrong, 1);
	} while (!load(&storm->stop));
	_exit(0);
}

/* Every other worker in the other way, so that the two meet */
static pid_t spawn_worker(FIXTURE_DATA(rwmutex) *self, struct storm *storm,
			  unsigned int me, unsigned int how)
{
	pid_t pid = spawn();

	if (!pid)
		work(storm, me % 3 ? self->rw :
		     open_rw(self->name, how ^ GOSYNC_IOCTL_ONLY), me);
	return pid;
}

TEST_F(rwmutex, deaths_at_any_moment_leave_nobody_hanging)
{
	uint64_t end = end_of_budget(), seed = random_seed();
	struct storm *storm = shared_memory(sizeof(*storm));
	unsigned int i, kills = 0, certain = 0;
	pid_t pids[WORKERS];
	int ret;

	for (i = 0; i < WORKERS; i++)
		pids[i] = spawn_worker(self, storm, i, variant->how);
	while (budget_left(end)) {
		sleep_ns(random_u32(&seed) % (2 * NSEC_PER_MSEC));
		i = random_u32(&seed) % WORKERS;
		ASSERT_EQ(128 + SIGKILL, kill_and_reap(pids[i]));
		kills++;
		certain += load(&storm->is_inside[i]);
		store(&storm->is_inside[i], 0);
		pids[i] = spawn_worker(self, storm, i, variant->how);
	}
	store(&storm->stop, 1);
	for (i = 0; i < WORKERS; i++)
		EXPECT_EQ(0, reap_soon(pids[i]));
	TH_LOG("%u writes, %u reads, %u kills, %u deaths (%u seen), %u reports",
	       storm->written, storm->read, kills, info(self->rw).deaths,
	       certain, storm->reports);
	EXPECT_EQ(0, storm->wrong);
	EXPECT_LT(0, storm->written + storm->read);
	/* A death outside of what we see of the inside is one nevertheless. */
	EXPECT_LE(certain, info(self->rw).deaths);
	EXPECT_LE(info(self->rw).deaths, kills);
	EXPECT_LE(storm->reports, info(self->rw).deaths);
	EXPECT_TRUE(is_quiet(self));
	EXPECT_EQ(0, info(self->rw).word & ~GOSYNC_MUTEX_POISONED);
	EXPECT_EQ(0, info(self->rw).readers);
	EXPECT_EQ(0, load(&self->slot->extra));
	ret = gosync_rwmutex_trylock(self->rw);
	EXPECT_TRUE(ret == 0 || ret == 1);
	if (storm->writer || storm->one != storm->two)
		EXPECT_EQ(1, ret);
}

/* --- garbage ------------------------------------------------------------- */

/* All that can be done with two holders comes to an end. */
static void try_everything(struct __test_metadata *_metadata, int one, int two)
{
	static const unsigned int cmds[] = {
		GOSYNC_IOC_RWMUTEX_TRYLOCK, GOSYNC_IOC_RWMUTEX_TRYRLOCK,
		GOSYNC_IOC_RWMUTEX_DRAINED, GOSYNC_IOC_RWMUTEX_RUNLOCK,
		GOSYNC_IOC_RWMUTEX_RECOVER, GOSYNC_IOC_RWMUTEX_UNLOCK,
	};
	struct gosync_wait_args soon = { .size = sizeof(soon) };
	unsigned int i;
	int ret;

	for (i = 0; i < 2 * ARRAY_SIZE(cmds); i++) {
		ret = call(i % 2 ? one : two, cmds[i / 2], NULL);
		EXPECT_TRUE(ret >= 0 || ret == -EBUSY || ret == -EPERM ||
			    ret == -ERANGE);
	}
	for (i = 0; i < 4; i++) {
		ret = take_fd(i % 2 ? one : two, i / 2 ? READ : WRITE,
			      NSEC_PER_MSEC);
		EXPECT_TRUE(ret >= 0 || ret == -ETIMEDOUT || ret == -ERANGE);
		soon.deadline = gosync_deadline(NSEC_PER_MSEC);
		ret = call(one, GOSYNC_IOC_RWMUTEX_DRAIN, &soon);
		EXPECT_TRUE(ret >= 0 || ret == -ETIMEDOUT || ret == -EPERM);
		drop_fd(two, i % 2);
	}
}

/* Whatever was there, with new holders it is an RWMutex again. */
static void works_again(struct __test_metadata *_metadata,
			FIXTURE_DATA(rwmutex) *self, unsigned int how)
{
	gosync_rwmutex_t *fresh = open_rw(self->name, how), *other;

	ASSERT_NE(NULL, fresh);
	gosync_close(self->rw);
	self->rw = fresh;
	other = open_rw(self->name, how);
	gosync_rwmutex_unlock(fresh);
	EXPECT_LE(0, gosync_rwmutex_lock(fresh));
	EXPECT_EQ(0, gosync_rwmutex_recover(fresh));
	EXPECT_EQ(-EBUSY, gosync_rwmutex_tryrlock(other));
	EXPECT_EQ(0, gosync_rwmutex_unlock(fresh));
	EXPECT_EQ(0, gosync_rwmutex_rlock(fresh));
	EXPECT_EQ(0, gosync_rwmutex_rlock(other));
	EXPECT_EQ(2, info(fresh).readers);
	EXPECT_EQ(-EBUSY, gosync_rwmutex_trylock(other));
	EXPECT_EQ(-ETIMEDOUT, gosync_rwmutex_lock_until(other, 1, 0));
	EXPECT_EQ(0, gosync_rwmutex_runlock(fresh));
	EXPECT_EQ(0, gosync_rwmutex_runlock(other));
	EXPECT_EQ(0, info(fresh).word);
	EXPECT_EQ(0, waiters(fresh));
	EXPECT_EQ(0, load(&self->slot->draining));
	EXPECT_EQ(0, load(&self->slot->extra));
	gosync_close(other);
}

TEST_F(rwmutex, garbage_at_rest_does_not_last)
{
	const uint32_t words[] = {
		0, 1, 2, 0x7ffffffe, 0x7fffffff, 0x80000000, 0xfffffffe,
		0xffffffff,
	};
	unsigned int i, j, field;

	for (i = 0; i < 6 * ARRAY_SIZE(words); i++) {
		const uint32_t word = words[i / 6];
		int fd = open_object(0, self->name, 0, 0);
		int other = open_object(0, self->name, 0, 0);
		uint32_t *reads = (void *)((char *)self->slot +
					   info_of(fd).map_data);

		field = i % 6;
		if (field == 0)
			store(&self->slot->word, (uint64_t)word << 32 | word);
		else if (field == 1)
			store(&self->slot->word, OWNED_BY(info_of(fd).holder) |
			      (word & KERNELS_BITS));
		else if (field == 2)
			store(&self->slot->lines, (uint64_t)word << 32 | word);
		else if (field == 3)
			store(&self->slot->draining, word);
		else if (field == 4)
			store(&self->slot->extra, word);
		else
			store(reads, word);
		for (j = 0; j < 2; j++)
			try_everything(_metadata, j ? fd : other,
				       j ? other : fd);
		close(other);
		close(fd);
		works_again(_metadata, self, variant->how);
	}
}

TEST_F(rwmutex, nobody_has_more_read_locks_than_can_be_counted)
{
	int fd = open_object(0, self->name, 0, 0);
	uint32_t *reads = (void *)((char *)self->slot + info_of(fd).map_data);

	store(reads, GOSYNC_RWMUTEX_READS_MAX - 1);
	EXPECT_EQ(0, take_fd(fd, READ, 0));
	EXPECT_EQ(GOSYNC_RWMUTEX_READS_MAX, load(reads));
	EXPECT_EQ(-ERANGE, take_fd(fd, READ, 0));
	EXPECT_EQ(-ERANGE, call(fd, GOSYNC_IOC_RWMUTEX_TRYRLOCK, NULL));
	EXPECT_EQ(GOSYNC_RWMUTEX_READS_MAX, info_of(fd).readers);
	EXPECT_EQ(0, drop_fd(fd, READ));
	EXPECT_EQ(GOSYNC_RWMUTEX_READS_MAX - 1, load(reads));
}

TEST_F(rwmutex, waiters_that_the_word_forgot_are_found_again)
{
	gosync_rwmutex_t *other = open_rw(self->name, variant->how);
	enum side side;
	pid_t pid;

	for (side = WRITE; side <= READ; side++) {
		EXPECT_EQ(0, gosync_rwmutex_lock(self->rw));
		pid = spawn_waiting(self, side, side);
		ASSERT_LT(0, pid);
		store(&self->slot->word, 0);
		EXPECT_EQ(-EPERM, drop_fd(gosync_fd(self->rw), WRITE));
		EXPECT_EQ(1, waiters(self->rw));
		EXPECT_LE(0, take_fd(gosync_fd(other), WRITE, 0));
		EXPECT_EQ(0, drop_fd(gosync_fd(other), WRITE));
		EXPECT_TRUE(eventually(is_in(self, side)));
		EXPECT_LE(0, let_go(self, side, pid));
		EXPECT_EQ(0, waiters(self->rw));
	}
}

/* Two then wait for the readers, each thinking that the word is its own. */
TEST_F(rwmutex, all_writers_that_wait_for_readers_go_on_when_they_are_gone)
{
	pid_t pids[2];
	int i;

	EXPECT_EQ(0, gosync_rwmutex_rlock(self->rw));
	for (i = 0; i < 2; i++) {
		pids[i] = spawn_waiting(self, WRITE, i);
		ASSERT_LT(0, pids[i]);
		store(&self->slot->word, 0);
	}
	EXPECT_EQ(0, gosync_rwmutex_runlock(self->rw));
	EXPECT_TRUE(eventually(is_in(self, 0) && is_in(self, 1)));
	EXPECT_EQ(0, waiters(self->rw));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(pids[i]));
}

/* Mostly the slot and the first lines, where somebody looks */
static pid_t spawn_page_scribbler(FIXTURE_DATA(rwmutex) *self)
{
	volatile uint64_t *page = (void *)self->slot;
	uint64_t seed = random_seed();
	pid_t pid = spawn();

	if (pid)
		return pid;
	for (;;)
		page[random_u32(&seed) % (random_u32(&seed) % 8 ? 64 : 512)] =
			nasty(&seed);
}

/* Does all that can be done, but waits only for so long. */
static pid_t spawn_victim(FIXTURE_DATA(rwmutex) *self, uint64_t end,
			  unsigned int how)
{
	gosync_rwmutex_t *rw;
	uint64_t seed, token;
	pid_t pid = spawn();

	if (pid)
		return pid;
	seed = random_seed();
	rw = open_rw(self->name, how);
	while (budget_left(end)) {
		uint32_t r = random_u32(&seed);
		enum side side = r >> 16 & 1;
		int ret, fd;

		switch (r % 8) {
		case 0:
			ret = try(rw, side);
			break;
		case 1:
		case 2:
			ret = take_until(rw, side,
					 gosync_deadline(r % 2000000), 0);
			break;
		case 3:
			fd = open_object(0, self->name, 0, 0);
			ret = take_fd(fd, side, r % 1000000 + 1);
			close(fd);
			break;
		case 4:
			ret = gosync_rwmutex_recover(rw);
			break;
		case 5:
			ret = gosync_rwmutex_token(rw, &token);
			info(rw);
			break;
		default:
			ret = drop(rw, side);
			break;
		}
		if (ret < 0 && ret != -EBUSY && ret != -ETIMEDOUT &&
		    ret != -EPERM && ret != -ERANGE)
			_exit(2);
	}
	_exit(0);
}

TEST_F(rwmutex, scribbled_on_it_harms_itself_alone)
{
	uint64_t end = end_of_budget();
	gosync_rwmutex_t *neighbour = open_rw(unique_name(), GOSYNC_CREATE |
					      variant->how);
	unsigned int *used = shared_memory(sizeof(*used));
	pid_t scribbler, victims[4], user, stuck;
	int i;

	scribbler = spawn_page_scribbler(self);
	for (i = 0; i < 4; i++)
		victims[i] = spawn_victim(self, end, variant->how);
	user = spawn();
	if (!user) {
		do {
			int side = *used % 2;

			if (take(neighbour, side) ||
			    try(neighbour, !side) != -EBUSY ||
			    drop(neighbour, side))
				_exit(1);
			++*used;
		} while (budget_left(end));
		_exit(0);
	}
	for (i = 0; budget_left(end); i++) {
		/* Somebody waits for ever, until killed. */
		stuck = spawn();
		if (!stuck) {
			for (;;)
				take_fd(gosync_fd(self->rw), i % 2, 0);
		}
		sleep_ns(10 * NSEC_PER_MSEC);
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(stuck));
	}
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, reap_soon(victims[i]));
	EXPECT_EQ(0, reap_soon(user));
	EXPECT_EQ(128 + SIGKILL, kill_and_reap(scribbler));
	EXPECT_LT(0, *used);
	EXPECT_EQ(0, info(neighbour).word);
	EXPECT_EQ(0, info(neighbour).readers);
	EXPECT_EQ(0, info(neighbour).deaths);
	works_again(_metadata, self, variant->how);
}

TEST_HARNESS_MAIN
