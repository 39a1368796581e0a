// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync-uring.h: each command does what the function of the same name does, on
 * the same handle, and what one of them got the other gives back.
 */
#include <gosync-uring.h>
#include "gosync_test_uring.h"

FIXTURE(commands)
{
	struct io_uring ring;
	gosync_mutex_t *mutex;
	gosync_mutex_t *other;		/* another holder of the same */
	gosync_rwmutex_t *rwmutex;
	gosync_semaphore_t *semaphore;
	gosync_waitgroup_t *wg;
	gosync_once_t *once;
	gosync_cond_t *cond;
	gosync_value_t *value;
	gosync_map_t *map;
	gosync_int32_t *words;
};

MAPPED_AND_IOCTL(commands);

static struct io_uring_sqe *next(FIXTURE_DATA(commands) *self)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&self->ring);

	/* Whatever was there is not to be left. */
	if (sqe)
		memset(sqe, 0xff, sizeof(*sqe));
	return sqe;
}

/* The result of the next that ends; @data: of which, if it matters */
static int outcome(FIXTURE_DATA(commands) *self, uint64_t *data)
{
	struct io_uring_cqe *cqe;
	int ret;

	do {
		ret = io_uring_wait_cqe(&self->ring, &cqe);
	} while (ret == -EINTR);
	if (ret)
		return ret;
	ret = cqe->res;
	if (data)
		*data = cqe->user_data;
	io_uring_cqe_seen(&self->ring, cqe);
	return ret;
}

/* Nothing has ended yet. */
static bool pending(FIXTURE_DATA(commands) *self)
{
	struct io_uring_cqe *cqe;

	return io_uring_peek_cqe(&self->ring, &cqe) == -EAGAIN;
}

/* Fill an SQE by gosync_prep_@what, submit it, and wait for what comes of it. */
#define done(what, ...)							\
({									\
	gosync_prep_##what(next(self), __VA_ARGS__);			\
	io_uring_submit(&self->ring);					\
	outcome(self, NULL);						\
})

/* Only submit it, as number @data. Return: how many were submitted */
#define begun(data, what, ...)						\
({									\
	struct io_uring_sqe *__sqe = next(self);			\
									\
	gosync_prep_##what(__sqe, __VA_ARGS__);				\
	io_uring_sqe_set_data64(__sqe, data);				\
	io_uring_submit(&self->ring);					\
})

static uint64_t soon(void)
{
	return gosync_deadline(10 * NSEC_PER_MSEC);
}

FIXTURE_SETUP(commands)
{
	NEED_URING();
	ASSERT_EQ(0, io_uring_queue_init(64, &self->ring, 0));
	self->mutex = NEW(gosync_mutex, variant->how);
	self->other = ANOTHER(gosync_mutex, gosync_fd(self->mutex),
			      variant->how);
	self->rwmutex = NEW(gosync_rwmutex, variant->how);
	self->semaphore = NEW(gosync_semaphore, variant->how, 0);
	self->wg = NEW(gosync_waitgroup, variant->how);
	self->once = NEW(gosync_once, variant->how);
	self->cond = NEW(gosync_cond, variant->how);
	self->value = NEW(gosync_value, variant->how, 64);
	self->map = NEW(gosync_map, variant->how, NULL);
	self->words = NEW(gosync_int32, variant->how, 2);
}

TEST_F(commands, mutex)
{
	struct gosync_party party;

	EXPECT_EQ(0, done(mutex_lock, self->mutex, GOSYNC_FOREVER, 0));
	EXPECT_EQ(info(self->mutex).holder, info(self->mutex).owner);
	EXPECT_EQ(-ETIMEDOUT, done(mutex_lock, self->other, soon(), 0));
	EXPECT_EQ(-ETIMEDOUT, done(mutex_lock, self->other, 1,
				   GOSYNC_CLOCK_REALTIME));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, gosync_mutex_lock(self->other));
	EXPECT_EQ(1, begun(7, mutex_lock, self->mutex, GOSYNC_FOREVER, 0));
	EXPECT_TRUE(pending(self));
	EXPECT_EQ(1, gosync_waiters(self->other, &party, 1));
	EXPECT_EQ(GOSYNC_PARTY_ASYNC, party.flags);
	EXPECT_EQ(info(self->mutex).holder, party.holder);
	EXPECT_EQ(getpid(), party.pid);
	EXPECT_EQ(0, party.tid);
	EXPECT_EQ(0, gosync_mutex_unlock(self->other));
	EXPECT_EQ(0, outcome(self, NULL));
	EXPECT_EQ(-EBUSY, gosync_mutex_trylock(self->other));
	EXPECT_EQ(0, done(mutex_unlock, self->mutex));
	EXPECT_EQ(-EPERM, done(mutex_unlock, self->mutex));
	EXPECT_EQ(0, info(self->mutex).word);
}

TEST_F(commands, a_dead_owner_is_told_of)
{
	pid_t pid = CHILD(gosync_mutex_lock(self->mutex));

	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(1, done(mutex_lock, self->mutex, GOSYNC_FOREVER, 0));
	EXPECT_EQ(0, gosync_mutex_recover(self->mutex));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
}

TEST_F(commands, rwmutex)
{
	EXPECT_EQ(0, done(rwmutex_lock, self->rwmutex, GOSYNC_FOREVER, 0));
	EXPECT_EQ(-ETIMEDOUT, done(rwmutex_lock, self->rwmutex, soon(), 0));
	EXPECT_EQ(-ETIMEDOUT, done(rwmutex_rlock, self->rwmutex, soon(), 0));
	EXPECT_EQ(0, gosync_rwmutex_unlock(self->rwmutex));
	EXPECT_EQ(0, done(rwmutex_rlock, self->rwmutex, GOSYNC_FOREVER, 0));
	EXPECT_EQ(0, gosync_rwmutex_rlock(self->rwmutex));
	EXPECT_EQ(2, info(self->rwmutex).readers);
	EXPECT_EQ(1, begun(7, rwmutex_lock, self->rwmutex, GOSYNC_FOREVER, 0));
	EXPECT_EQ(0, gosync_rwmutex_runlock(self->rwmutex));
	EXPECT_TRUE(pending(self));
	EXPECT_EQ(1, begun(8, rwmutex_runlock, self->rwmutex));
	EXPECT_EQ(0, outcome(self, NULL));
	EXPECT_EQ(0, outcome(self, NULL));
	EXPECT_EQ(info(self->rwmutex).holder, info(self->rwmutex).owner);
	EXPECT_EQ(0, done(rwmutex_unlock, self->rwmutex));
	EXPECT_EQ(-EPERM, done(rwmutex_unlock, self->rwmutex));
	EXPECT_EQ(-EPERM, done(rwmutex_runlock, self->rwmutex));
	EXPECT_EQ(0, info(self->rwmutex).word);
}

TEST_F(commands, semaphore)
{
	EXPECT_EQ(0, done(semaphore_release, self->semaphore, 3));
	EXPECT_EQ(0, done(semaphore_acquire, self->semaphore, 2,
			  GOSYNC_FOREVER, 0));
	EXPECT_EQ(1, gosync_semaphore_count(self->semaphore));
	EXPECT_EQ(-ETIMEDOUT, done(semaphore_acquire, self->semaphore, 2,
				   soon(), 0));
	EXPECT_EQ(1, begun(7, semaphore_acquire, self->semaphore, 2,
			   GOSYNC_FOREVER, 0));
	EXPECT_TRUE(pending(self));
	EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, 1));
	EXPECT_EQ(0, outcome(self, NULL));
	EXPECT_EQ(0, gosync_semaphore_count(self->semaphore));
	EXPECT_EQ(0, done(semaphore_release, self->semaphore, 2147483647));
	EXPECT_EQ(-ERANGE, done(semaphore_release, self->semaphore, 1));
	EXPECT_EQ(-EINVAL, done(semaphore_acquire, self->semaphore, 2147483648U,
				GOSYNC_FOREVER, 0));
}

TEST_F(commands, waitgroup)
{
	EXPECT_EQ(0, done(waitgroup_add, self->wg, 3));
	EXPECT_EQ(0, done(waitgroup_add, self->wg, -1));
	EXPECT_EQ(2, gosync_waitgroup_count(self->wg));
	EXPECT_EQ(-ETIMEDOUT, done(waitgroup_wait, self->wg, soon(), 0));
	EXPECT_EQ(1, begun(7, waitgroup_wait, self->wg, GOSYNC_FOREVER, 0));
	EXPECT_EQ(0, gosync_waitgroup_done(self->wg));
	EXPECT_TRUE(pending(self));
	EXPECT_EQ(1, begun(8, waitgroup_done, self->wg));
	EXPECT_EQ(0, outcome(self, NULL));
	EXPECT_EQ(0, outcome(self, NULL));
	EXPECT_EQ(0, done(waitgroup_wait, self->wg, GOSYNC_FOREVER, 0));
	EXPECT_EQ(-ERANGE, done(waitgroup_done, self->wg));
}

TEST_F(commands, once)
{
	EXPECT_EQ(GOSYNC_ONCE_RUN, done(once_begin, self->once, GOSYNC_FOREVER,
					0));
	EXPECT_EQ(-ETIMEDOUT, done(once_wait, self->once, soon(), 0));
	EXPECT_EQ(1, begun(7, once_wait, self->once, GOSYNC_FOREVER, 0));
	EXPECT_TRUE(pending(self));
	EXPECT_EQ(1, begun(8, once_done, self->once));
	EXPECT_EQ(0, outcome(self, NULL));
	EXPECT_EQ(0, outcome(self, NULL));
	EXPECT_EQ(GOSYNC_ONCE_DONE, done(once_begin, self->once, GOSYNC_FOREVER,
					 0));
	EXPECT_EQ(0, done(once_wait, self->once, GOSYNC_FOREVER, 0));
	EXPECT_EQ(-EPERM, done(once_done, self->once));
	EXPECT_EQ(1, gosync_once_is_done(self->once));
}

TEST_F(commands, cond)
{
	uint64_t data = 0;

	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(-ETIMEDOUT, done(cond_wait, self->cond, self->mutex, soon(),
				   0));
	EXPECT_EQ(info(self->mutex).holder, info(self->mutex).owner);
	EXPECT_EQ(1, begun(7, cond_wait, self->cond, self->mutex,
			   GOSYNC_FOREVER, 0));
	EXPECT_TRUE(pending(self));
	/* It has unlocked, and does not return while another has the lock. */
	EXPECT_EQ(0, gosync_mutex_lock(self->other));
	EXPECT_EQ(1, begun(8, cond_signal, self->cond));
	EXPECT_EQ(1, outcome(self, &data));
	EXPECT_EQ(8, data);
	EXPECT_TRUE(pending(self));
	EXPECT_EQ(0, gosync_mutex_unlock(self->other));
	EXPECT_EQ(0, outcome(self, &data));
	EXPECT_EQ(7, data);
	EXPECT_EQ(info(self->mutex).holder, info(self->mutex).owner);
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, done(cond_signal, self->cond));
	EXPECT_EQ(0, done(cond_broadcast, self->cond));
	EXPECT_EQ(-EPERM, done(cond_wait, self->cond, self->mutex, soon(), 0));
	/* With the read lock of an RWMutex */
	EXPECT_EQ(0, gosync_rwmutex_rlock(self->rwmutex));
	EXPECT_EQ(1, begun(7, cond_wait, self->cond, self->rwmutex,
			   GOSYNC_FOREVER, GOSYNC_READ_SIDE));
	EXPECT_EQ(0, info(self->rwmutex).readers);
	EXPECT_EQ(0, gosync_cond_broadcast(self->cond));
	EXPECT_EQ(0, outcome(self, NULL));
	EXPECT_EQ(1, info(self->rwmutex).readers);
}

TEST_F(commands, value_and_map)
{
	uint64_t version = 0;

	EXPECT_EQ(-ETIMEDOUT, done(value_wait, self->value, 0, soon(), 0));
	EXPECT_EQ(1, begun(7, value_wait, self->value, 0, GOSYNC_FOREVER, 0));
	EXPECT_TRUE(pending(self));
	EXPECT_EQ(0, gosync_value_store(self->value, 1, "one", 4));
	EXPECT_EQ(0, outcome(self, NULL));
	EXPECT_EQ(0, done(value_wait, self->value, 0, GOSYNC_FOREVER, 0));
	EXPECT_EQ(-ETIMEDOUT, done(value_wait, self->value, 1, soon(), 0));

	EXPECT_EQ(0, gosync_map_wait(self->map, &version));
	EXPECT_EQ(-ETIMEDOUT, done(map_wait, self->map, version, soon(), 0));
	EXPECT_EQ(1, begun(7, map_wait, self->map, version, GOSYNC_FOREVER, 0));
	EXPECT_TRUE(pending(self));
	EXPECT_EQ(0, gosync_map_store(self->map, "key", 3, "1", 1));
	EXPECT_EQ(0, outcome(self, NULL));
	EXPECT_EQ(0, done(map_wait, self->map, version, GOSYNC_FOREVER, 0));
}

TEST_F(commands, atomic)
{
	uint64_t data = 0;
	int i, ret;

	EXPECT_EQ(0, gosync_int32_store(self->words, 1, -5));
	EXPECT_EQ(0, done(atomic_wait, self->words, 1, 5, GOSYNC_FOREVER, 0));
	EXPECT_EQ(-ETIMEDOUT, done(atomic_wait, self->words, 1, (uint64_t)-5,
				   soon(), 0));
	EXPECT_EQ(1, begun(7, atomic_wait, self->words, 1, (uint64_t)-5,
			   GOSYNC_FOREVER, 0));
	EXPECT_EQ(0, done(atomic_wake, self->words, 0, 9));
	EXPECT_EQ(0, gosync_int32_store(self->words, 1, 5));
	EXPECT_EQ(1, begun(8, atomic_wake, self->words, 1, 9));
	for (i = 0; i < 2; i++) {
		ret = outcome(self, &data);
		EXPECT_EQ(data == 8, ret);
	}
	EXPECT_EQ(-EINVAL, done(atomic_wait, self->words, 2, 0, soon(), 0));
}

TEST_F(commands, wait_any)
{
	struct gosync_wait_entry entries[] = {
		gosync_entry_mutex(self->mutex),
		gosync_entry_semaphore(self->semaphore, 1),
		gosync_entry_value(self->value, 0),
	};
	struct gosync_wait_many_args many = {
		.size = sizeof(many),
		.deadline = soon(),
		.entries = to_u64(entries),
		.count = ARRAY_SIZE(entries),
		.entry_size = sizeof(*entries),
	};

	EXPECT_EQ(0, gosync_mutex_lock(self->other));
	EXPECT_EQ(-ETIMEDOUT, done(wait_any, &many));
	many.deadline = GOSYNC_FOREVER;
	EXPECT_EQ(1, begun(7, wait_any, &many));
	EXPECT_TRUE(pending(self));
	EXPECT_EQ(0, gosync_value_store(self->value, 1, "one", 4));
	EXPECT_EQ(2, outcome(self, NULL));
	EXPECT_EQ(1, entries[2].value);
	many.count = 2;
	EXPECT_EQ(1, begun(7, wait_any, &many));
	EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, 1));
	EXPECT_EQ(1, outcome(self, NULL));
	EXPECT_EQ(0, gosync_semaphore_count(self->semaphore));
	EXPECT_EQ(1, begun(7, wait_any, &many));
	EXPECT_EQ(0, gosync_mutex_unlock(self->other));
	EXPECT_EQ(0, outcome(self, NULL));
	EXPECT_EQ(0, entries[0].result);
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
}

/*
 * @count commands are cancelled by the one of number @cancel, and end before it
 * or after it. Return: what that one returned
 */
static int cancelled(FIXTURE_DATA(commands) *self, int count, uint64_t cancel)
{
	int got = 0, said = -1, i;

	for (i = 0; i <= count; i++) {
		uint64_t data;
		int ret = outcome(self, &data);

		if (data == cancel)
			said = ret;
		else
			got += ret == -ECANCELED;
	}
	return got == count ? said : -1;
}

TEST_F(commands, cancel)
{
	struct gosync_wait_entry entry =
		gosync_entry_semaphore(self->semaphore, 1);
	struct gosync_wait_many_args many = ENTRIES_OF(&entry, 1);
	int i;

	EXPECT_EQ(0, gosync_mutex_lock(self->other));
	for (i = 1; i <= 4; i++)
		EXPECT_EQ(1, begun(i, mutex_lock, self->mutex, GOSYNC_FOREVER,
				   0));
	EXPECT_EQ(1, begun(9, wait_any, &many));
	EXPECT_EQ(-ENOENT, done(cancel, self->mutex, 5));
	EXPECT_EQ(-ENOENT, done(cancel, self->semaphore, 9));
	EXPECT_EQ(1, begun(10, cancel, self->mutex, 2));
	EXPECT_EQ(1, cancelled(self, 1, 10));
	EXPECT_EQ(-ENOENT, done(cancel, self->mutex, 2));
	EXPECT_EQ(1, begun(10, cancel_all, self->mutex));
	EXPECT_EQ(3, cancelled(self, 3, 10));
	EXPECT_EQ(-ENOENT, done(cancel_all, self->mutex));
	EXPECT_EQ(1, begun(10, cancel, NULL, 9));
	EXPECT_EQ(1, cancelled(self, 1, 10));
	EXPECT_EQ(-ENOENT, done(cancel_all, NULL));
	EXPECT_EQ(0, gosync_mutex_unlock(self->other));
	EXPECT_EQ(0, info(self->mutex).word);
}

TEST_F(commands, a_child_has_its_own)
{
	pid_t pid;

	EXPECT_EQ(1, begun(7, semaphore_acquire, self->semaphore, 1,
			   GOSYNC_FOREVER, 0));
	pid = spawn();
	if (!pid) {
		/* A ring is not for two. */
		ASSERT_EQ(0, io_uring_queue_init(8, &self->ring, 0));
		EXPECT_EQ(0, done(mutex_lock, self->mutex, GOSYNC_FOREVER, 0));
		EXPECT_NE(info(self->other).holder, info(self->mutex).holder);
		EXPECT_EQ(info(self->mutex).holder, info(self->mutex).owner);
		_exit(0);
	}
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(1, done(mutex_lock, self->mutex, GOSYNC_FOREVER, 0));
	/* What was begun before is ours. */
	EXPECT_TRUE(pending(self));
	EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, 1));
	EXPECT_EQ(0, outcome(self, NULL));
}

TEST_HARNESS_MAIN
