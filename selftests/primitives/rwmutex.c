// SPDX-License-Identifier: GPL-2.0-only
/*
 * RWMutex: one writer or many readers, in whose favour it decides, and holders
 * with a line and without. What each wait promises is in contract.c.
 */
#include "gosync_test_rwmutex.h"

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
	EXPECT_EQ(-EBADF, gosync_rwmutex_rlock(looker));
	EXPECT_EQ(-EBADF, gosync_rwmutex_tryrlock(looker));
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
	EXPECT_SYSTEM_CALLS(variant->how, all_uncontended, self->rw);
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
	EXPECT_EQ(-EBUSY, gosync_rwmutex_tryrlock(other));
	EXPECT_EQ(-EBUSY, gosync_rwmutex_trylock(other));
	EXPECT_EQ(-ETIMEDOUT, gosync_rwmutex_rlock_until(other, 1, 0));
	reader = spawn_waiting(self, READ, 1);
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
	for (i = 1; i < 3; i++)
		readers[i] = spawn_waiting(self, READ, i);
	first = spawn_waiting(self, WRITE, 3);
	EXPECT_EQ(0, gosync_rwmutex_unlock(self->rw));
	ASSERT_TRUE(eventually(is_in(self, 1) && is_in(self, 2)));
	EXPECT_EQ(2, info(self->rw).readers);
	/* The writer has its turn now, and stops who comes from now on. */
	ASSERT_TRUE(eventually(info(self->rw).owner));
	late = spawn_waiting(self, READ, 4);
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
	EXPECT_EQ(0, reap_all(readers, N));
	EXPECT_TRUE(eventually(is_in(self, N)));
	EXPECT_EQ(0, let_go(self, N, writer));
	EXPECT_EQ(0, info(self->rw).word);
	EXPECT_EQ(0, load(&self->slot->extra));
}

/* The writer that gave up had stopped some. */
TEST_F(rwmutex, a_writer_that_gives_up_lets_readers_in)
{
	pid_t writer, readers[3];
	int i;

	EXPECT_EQ(0, gosync_rwmutex_rlock(self->rw));
	writer = WAITER(self->rw, ({
		uint64_t later = gosync_deadline(2 * NSEC_PER_SEC);

		-gosync_rwmutex_lock_until(self->rw, later, 0);
	}));
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

TEST_F(rwmutex, the_first_60_holders_have_a_line_each)
{
	enum { N = 100, WORDS = GOSYNC_RWMUTEX_SIZE / 4, CACHE_LINES = 16 };
	unsigned int start = info(self->rw).map_offset;
	unsigned int i, line, together[CACHE_LINES] = {};
	gosync_rwmutex_t *handles[N];
	bool seen[WORDS] = {};

	EXPECT_EQ(LINES - 1, open_many(self, variant->how, handles, N));
	for (i = 0; i <= N; i++) {
		line = info(i ? handles[i - 1] : self->rw).map_data;
		if (i >= LINES) {
			EXPECT_EQ(0, line);
			continue;
		}
		line -= start;
		EXPECT_EQ(0, line % 4);
		ASSERT_GT(WORDS, line / 4);
		EXPECT_FALSE(seen[line / 4]);
		seen[line / 4] = true;
		/* None is beside the word, nor beside another before it must. */
		EXPECT_LE(64, line);
		EXPECT_EQ(i / (CACHE_LINES - 1), together[line / 64]++);
	}
	EXPECT_EQ(GOSYNC_RWMUTEX_LINES, load(&self->slot->lines));
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

TEST_HARNESS_MAIN
