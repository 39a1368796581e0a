// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each operation as a command of io_uring, on each kind of ring: it does what the
 * ioctl does, also beside ioctls and the library.
 */
#include "each_ring.h"

/* --- operations that wait for nothing -------------------------------------- */

TEST_F(uring, a_lock_is_its_descriptors_holder_s)
{
	uint64_t token = info_of(self->fd).token;
	struct ring *ring = self->ring;

	EXPECT_EQ(0, run(ring, self->fd, GOSYNC_IOC_MUTEX_LOCK, 0));
	EXPECT_EQ(info_of(self->fd).holder, info_of(self->fd).owner);
	EXPECT_EQ(token + 1, info_of(self->fd).token);
	EXPECT_EQ(-EBUSY, gosync_mutex_trylock(self->mutex));
	EXPECT_EQ(0, run(ring, self->fd, GOSYNC_IOC_MUTEX_UNLOCK, 0));
	EXPECT_EQ(0, info_of(self->fd).word);
	EXPECT_EQ(-EPERM, run(ring, self->fd, GOSYNC_IOC_MUTEX_UNLOCK, 0));
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(token + 2, info_of(self->fd).token);
	EXPECT_EQ(-ETIMEDOUT, run_until(ring, self->fd, GOSYNC_IOC_MUTEX_LOCK, 0,
					1, 0));
	/* As by ioctl, who unlocks need not be who locked. */
	EXPECT_EQ(0, run(ring, self->fd, GOSYNC_IOC_MUTEX_UNLOCK, 0));
	EXPECT_EQ(0, run(ring, self->fd, GOSYNC_IOC_MUTEX_LOCK, 0));
	EXPECT_EQ(token + 3, info_of(self->fd).token);
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, info_of(self->fd).word);
}

TEST_F(uring, readers_and_writers)
{
	struct ring *ring = self->ring;
	gosync_rwmutex_t *rwmutex = NEW(gosync_rwmutex, variant->how);
	int fd = reopen_object(gosync_fd(rwmutex), 0), i;

	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_RWMUTEX_RLOCK, 0));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_RWMUTEX_RLOCK, 0));
	EXPECT_EQ(0, gosync_rwmutex_rlock(rwmutex));
	EXPECT_EQ(3, info_of(fd).readers);
	/* A writer stops new readers, and waits for the old ones. */
	ASSERT_TRUE(queue_on(ring, 1, fd, GOSYNC_IOC_RWMUTEX_LOCK, 0));
	for (i = 2; i < 5; i++) {
		EXPECT_EQ(-EBUSY, gosync_rwmutex_tryrlock(rwmutex));
		ASSERT_TRUE(queue_on(ring, i, fd, GOSYNC_IOC_RWMUTEX_RLOCK, 0));
	}
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_RWMUTEX_RUNLOCK, 0));
	EXPECT_EQ(0, gosync_rwmutex_runlock(rwmutex));
	EXPECT_TRUE(is_under_way(ring, 1));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_RWMUTEX_RUNLOCK, 0));
	EXPECT_EQ(0, result(ring, 1));
	EXPECT_EQ(info_of(fd).holder, info_of(fd).owner);
	/* Those who waited behind it go before the next. */
	ASSERT_TRUE(queue_on(ring, 5, fd, GOSYNC_IOC_RWMUTEX_LOCK, 0));
	EXPECT_TRUE(is_under_way(ring, 2));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_RWMUTEX_UNLOCK, 0));
	for (i = 2; i < 5; i++)
		EXPECT_EQ(0, result(ring, i));
	EXPECT_TRUE(is_under_way(ring, 5));
	for (i = 2; i < 5; i++)
		EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_RWMUTEX_RUNLOCK, 0));
	EXPECT_EQ(0, result(ring, 5));
	EXPECT_EQ(-EPERM, run(ring, fd, GOSYNC_IOC_RWMUTEX_RUNLOCK, 0));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_RWMUTEX_UNLOCK, 0));
	EXPECT_EQ(-EPERM, run(ring, fd, GOSYNC_IOC_RWMUTEX_UNLOCK, 0));
	EXPECT_TRUE(adds_up(fd));
}

TEST_F(uring, permits_are_had_in_order_of_arrival)
{
	struct ring *ring = self->ring;
	gosync_semaphore_t *semaphore = NEW(gosync_semaphore, variant->how, 1);
	int fd = reopen_object(gosync_fd(semaphore), 0);

	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_SEMAPHORE_RELEASE, 2));
	EXPECT_EQ(3, gosync_semaphore_count(semaphore));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_SEMAPHORE_ACQUIRE, 3));
	EXPECT_EQ(-ERANGE, gosync_semaphore_release(semaphore, INT_MAX) ?:
		  run(ring, fd, GOSYNC_IOC_SEMAPHORE_RELEASE, 1));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_SEMAPHORE_ACQUIRE, INT_MAX));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_SEMAPHORE_ACQUIRE, 0));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_SEMAPHORE_RELEASE, 0));
	EXPECT_EQ(-EINVAL, run(ring, fd, GOSYNC_IOC_SEMAPHORE_RELEASE,
			       1ULL << 31));

	ASSERT_TRUE(queue_on(ring, 1, fd, GOSYNC_IOC_SEMAPHORE_ACQUIRE, 3));
	ASSERT_TRUE(queue_on(ring, 2, fd, GOSYNC_IOC_SEMAPHORE_ACQUIRE, 1));
	EXPECT_EQ(0, gosync_semaphore_release(semaphore, 2));
	EXPECT_TRUE(is_under_way(ring, 2));
	EXPECT_EQ(-EBUSY, gosync_semaphore_tryacquire(semaphore, 1));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_SEMAPHORE_RELEASE, 1));
	EXPECT_EQ(0, result(ring, 1));
	EXPECT_TRUE(is_under_way(ring, 2));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_SEMAPHORE_RELEASE, 3));
	EXPECT_EQ(0, result(ring, 2));
	EXPECT_EQ(2, gosync_semaphore_count(semaphore));
	/* Who leaves makes room for those behind. */
	ASSERT_TRUE(queue_on(ring, 1, fd, GOSYNC_IOC_SEMAPHORE_ACQUIRE, 9));
	ASSERT_TRUE(queue_on(ring, 2, fd, GOSYNC_IOC_SEMAPHORE_ACQUIRE, 2));
	EXPECT_EQ(1, cancel(ring, fd, 1));
	EXPECT_EQ(0, result(ring, 2));
	EXPECT_EQ(0, gosync_semaphore_count(semaphore));
	EXPECT_TRUE(adds_up(fd));
}

TEST_F(uring, permits_of_who_is_gone_are_given_back)
{
	int fd = open_bytes(GOSYNC_SEMAPHORE, NULL, 0,
			    GOSYNC_CREATE | GOSYNC_GIVE_BACK, 0600, 6);
	int other = reopen_object(fd, 0);

	EXPECT_EQ(0, acquire_fd(other, 1));
	EXPECT_EQ(0, run(self->ring, fd, GOSYNC_IOC_SEMAPHORE_ACQUIRE, 3));
	EXPECT_EQ(-EPERM, run(self->ring, fd, GOSYNC_IOC_SEMAPHORE_RELEASE, 4));
	start(self->ring, 1, fd, GOSYNC_IOC_SEMAPHORE_ACQUIRE, 3);
	ASSERT_TRUE(has_waiters(other, 1));
	EXPECT_EQ(0, release_fd(other, 1));
	EXPECT_EQ(0, result(self->ring, 1));
	EXPECT_EQ(-EBUSY, permits_fd(other, GOSYNC_IOC_SEMAPHORE_TRYACQUIRE, 1));
	forget_fd(self->ring, fd);
	close(fd);
	EXPECT_TRUE(eventually(info_of(other).word == 6));
}

TEST_F(uring, a_counter_of_work)
{
	struct ring *ring = self->ring;
	gosync_waitgroup_t *wg = NEW(gosync_waitgroup, variant->how);
	int fd = reopen_object(gosync_fd(wg), 0), i;

	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_WAITGROUP_ADD, 2));
	EXPECT_EQ(2, gosync_waitgroup_count(wg));
	for (i = 0; i < 3; i++) {
		ASSERT_TRUE(queue_on(ring, i, fd,
				     GOSYNC_IOC_WAITGROUP_WAIT, 0));
	}
	EXPECT_EQ(-ERANGE, run(ring, fd, GOSYNC_IOC_WAITGROUP_ADD, -3));
	EXPECT_EQ(-ERANGE, run(ring, fd, GOSYNC_IOC_WAITGROUP_ADD, 1ULL << 31));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_WAITGROUP_ADD, -1));
	EXPECT_TRUE(is_under_way(ring, 0));
	EXPECT_EQ(0, gosync_waitgroup_done(wg));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, result(ring, i));
	EXPECT_TRUE(adds_up(fd));
	/* It may be used again at once. */
	EXPECT_EQ(0, gosync_waitgroup_add(wg, 1));
	ASSERT_TRUE(queue_on(ring, 0, fd, GOSYNC_IOC_WAITGROUP_WAIT, 0));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_WAITGROUP_ADD, -1));
	EXPECT_EQ(0, result(ring, 0));
}

static void *begin_and_close(void *arg)
{
	int *fd = arg;
	int ret = call(*fd, GOSYNC_IOC_ONCE_BEGIN, NULL);

	close(*fd);
	*fd = ret;
	return NULL;
}

TEST_F(uring, what_is_done_once)
{
	struct ring *ring = self->ring;
	int fd = new_object(GOSYNC_ONCE);
	int other = reopen_object(fd, 0), i;

	EXPECT_EQ(GOSYNC_ONCE_RUN, run(ring, fd, GOSYNC_IOC_ONCE_BEGIN, 0));
	EXPECT_EQ(info_of(fd).holder, info_of(fd).owner);
	for (i = 0; i < 4; i++) {
		ASSERT_TRUE(queue_on(ring, i, other, i % 2 ?
				     GOSYNC_IOC_ONCE_BEGIN :
				     GOSYNC_IOC_ONCE_WAIT, 0));
	}
	EXPECT_EQ(-EPERM, run(ring, other, GOSYNC_IOC_ONCE_DONE, 0));
	EXPECT_TRUE(is_under_way(ring, 0));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_ONCE_DONE, 0));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(GOSYNC_ONCE_DONE, result(ring, i));
	EXPECT_EQ(GOSYNC_ONCE_DONE, run(ring, fd, GOSYNC_IOC_ONCE_BEGIN, 0));
	EXPECT_EQ(GOSYNC_ONCE_DONE, run(ring, fd, GOSYNC_IOC_ONCE_WAIT, 0));
	EXPECT_EQ(-EPERM, run(ring, fd, GOSYNC_IOC_ONCE_DONE, 0));
	EXPECT_TRUE(adds_up(fd));
}

TEST_F(uring, what_was_begun_and_not_done_is_begun_again)
{
	struct ring *ring = self->ring;
	int fd = new_object(GOSYNC_ONCE);
	int dies = reopen_object(fd, 0);
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, begin_and_close, &dies));
	pthread_join(thread, NULL);
	EXPECT_EQ(GOSYNC_ONCE_RUN, dies);
	EXPECT_EQ(GOSYNC_ONCE_RUN_AGAIN, run(ring, fd, GOSYNC_IOC_ONCE_BEGIN, 0));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_ONCE_DONE, 0));

	/* And so it is for who waits. */
	fd = new_object(GOSYNC_ONCE);
	dies = reopen_object(fd, 0);
	EXPECT_EQ(GOSYNC_ONCE_RUN, call(dies, GOSYNC_IOC_ONCE_BEGIN, NULL));
	ASSERT_TRUE(queue_on(ring, 1, fd, GOSYNC_IOC_ONCE_WAIT, 0));
	ASSERT_TRUE(queue_on(ring, 2, fd, GOSYNC_IOC_ONCE_BEGIN, 0));
	ASSERT_TRUE(queue_on(ring, 3, fd, GOSYNC_IOC_ONCE_BEGIN, 0));
	close(dies);
	EXPECT_EQ(GOSYNC_ONCE_RUN_AGAIN, result(ring, 2));
	EXPECT_TRUE(is_under_way(ring, 1));
	EXPECT_TRUE(is_under_way(ring, 3));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_ONCE_DONE, 0));
	EXPECT_EQ(GOSYNC_ONCE_DONE, result(ring, 1));
	EXPECT_EQ(GOSYNC_ONCE_DONE, result(ring, 3));
}

TEST_F(uring, signals_and_a_broadcast)
{
	struct ring *ring = self->ring;
	int cond = new_object(GOSYNC_COND), i;

	EXPECT_EQ(0, run(ring, cond, GOSYNC_IOC_COND_SIGNAL, 0));
	EXPECT_EQ(0, run(ring, cond, GOSYNC_IOC_COND_BROADCAST, 0));
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(0, run(ring, self->fd, GOSYNC_IOC_MUTEX_LOCK, 0));
		ASSERT_TRUE(queue_on(ring, i, cond,
				     GOSYNC_IOC_COND_WAIT, self->fd));
		/* It unlocks after that. */
		ASSERT_TRUE(eventually(!info_of(self->fd).word));
	}
	/* In their order, and each with the lock */
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(1, run(ring, cond, GOSYNC_IOC_COND_SIGNAL, 0));
		EXPECT_EQ(0, result(ring, i));
		EXPECT_EQ(info_of(self->fd).holder, info_of(self->fd).owner);
		EXPECT_TRUE(is_under_way(ring, i + 1));
		EXPECT_EQ(0, unlock_fd(self->fd));
	}
	/* Who is signalled while the lock is taken waits for it. */
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(3, run(ring, cond, GOSYNC_IOC_COND_BROADCAST, 0));
	EXPECT_TRUE(has_waiters(cond, 0));
	EXPECT_TRUE(comes_back(self, 3));
	EXPECT_TRUE(is_under_way(ring, 2));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	for (i = 2; i < 5; i++) {
		EXPECT_EQ(0, result(ring, i));
		EXPECT_EQ(info_of(self->fd).holder, info_of(self->fd).owner);
		if (i < 4)
			EXPECT_TRUE(is_under_way(ring, i + 1));
		EXPECT_EQ(0, unlock_fd(self->fd));
	}
	EXPECT_TRUE(adds_up(cond));
	EXPECT_TRUE(adds_up(self->fd));
}

/* Its deadline ends the wait, not the locking. */
TEST_F(uring, a_conds_deadline_passes_while_the_lock_is_taken)
{
	int cond = new_object(GOSYNC_COND);

	EXPECT_EQ(0, lock_fd(self->fd));
	start_until(self->ring, 1, cond, GOSYNC_IOC_COND_WAIT, self->fd,
		    gosync_deadline(50 * NSEC_PER_MSEC), 0);
	ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_TRUE(comes_back(self, 1));
	EXPECT_EQ(0, info_of(cond).waiters);
	EXPECT_TRUE(is_under_way(self->ring, 1));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(-ETIMEDOUT, result(self->ring, 1));
	EXPECT_EQ(info_of(self->fd).holder, info_of(self->fd).owner);
	EXPECT_EQ(0, unlock_fd(self->fd));
}

/* What matters more: the lock that it has is poisoned since it waited. */
TEST_F(uring, a_conds_deadline_does_not_hide_that_an_owner_died)
{
	int cond = new_object(GOSYNC_COND);
	int owner = reopen_object(self->fd, 0);

	ASSERT_LE(0, owner);
	EXPECT_EQ(0, lock_fd(self->fd));
	start_until(self->ring, 1, cond, GOSYNC_IOC_COND_WAIT, self->fd,
		    gosync_deadline(NSEC_PER_SEC / 2), 0);
	/* Who submits may not be this thread. */
	ASSERT_TRUE(eventually(!trylock_fd(owner)));
	EXPECT_TRUE(comes_back(self, 1));
	EXPECT_TRUE(is_under_way(self->ring, 1));
	close(owner);
	EXPECT_EQ(1, result(self->ring, 1));
	EXPECT_EQ(info_of(self->fd).holder, info_of(self->fd).owner);
	/* It is known now: the next one's deadline is told. */
	start_until(self->ring, 2, cond, GOSYNC_IOC_COND_WAIT, self->fd,
		    gosync_deadline(NSEC_PER_MSEC), 0);
	EXPECT_EQ(-ETIMEDOUT, result(self->ring, 2));
	EXPECT_EQ(0, call(self->fd, GOSYNC_IOC_MUTEX_RECOVER, NULL));
	EXPECT_EQ(0, unlock_fd(self->fd));
}

/* Signalled and cancelled before it had the lock: as if it had never been */
TEST_F(uring, who_is_cancelled_swallows_no_signal)
{
	int cond = new_object(GOSYNC_COND), i;
	struct ring *ring = self->ring;

	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, lock_fd(self->fd));
		ASSERT_TRUE(queue_on(ring, i, cond,
				     GOSYNC_IOC_COND_WAIT, self->fd));
	}
	EXPECT_EQ(1, cancel(ring, cond, 0));
	EXPECT_EQ(-ECANCELED, result(ring, 0));
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(1, run(ring, cond, GOSYNC_IOC_COND_SIGNAL, 0));
	EXPECT_TRUE(comes_back(self, 1));
	EXPECT_EQ(1, cancel(ring, cond, 1));
	EXPECT_EQ(-ECANCELED, result(ring, 1));
	EXPECT_TRUE(has_waiters(cond, 0));
	EXPECT_TRUE(comes_back(self, 1));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, result(ring, 2));
	EXPECT_EQ(info_of(self->fd).holder, info_of(self->fd).owner);
	EXPECT_TRUE(adds_up(cond));
	EXPECT_TRUE(adds_up(self->fd));
}

/* A command for the word of index 2 */
static void start_on_third(struct ring *ring, unsigned int id, int fd,
			   unsigned int op, uint64_t addr)
{
	command_of(prepare(ring, id, fd, op, addr))->index = 2;
	submit(ring);
}

TEST_F(uring, words_that_change)
{
	struct ring *ring = self->ring;
	struct gosync_atomic_args args = { .size = sizeof(args), .index = 2 };
	int fd, i;

	fd = open_bytes(GOSYNC_INT32, NULL, 0, GOSYNC_CREATE, 0600, 3);
	ASSERT_LE(0, fd);
	for (i = 1; i < 4; i++) {
		start_on_third(ring, i, fd, GOSYNC_IOC_ATOMIC_WAIT, 0);
		ASSERT_TRUE(has_waiters(fd, i));
	}
	/* Who is woken looks whether it has changed. */
	start_on_third(ring, 9, fd, GOSYNC_IOC_ATOMIC_WAKE, 3);
	EXPECT_LE(0, result(ring, 9));
	EXPECT_TRUE(is_under_way(ring, 1));
	EXPECT_EQ(3, info_of(fd).waiters);
	args.value = -7;
	EXPECT_EQ(0, call(fd, GOSYNC_IOC_ATOMIC_STORE, &args));
	/* Another word's are not they. */
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_ATOMIC_WAKE, 3));
	EXPECT_TRUE(is_under_way(ring, 1));
	start_on_third(ring, 9, fd, GOSYNC_IOC_ATOMIC_WAKE, 1);
	EXPECT_EQ(1, result(ring, 9));
	EXPECT_EQ(0, result(ring, 1));
	EXPECT_TRUE(is_under_way(ring, 2));
	start_on_third(ring, 9, fd, GOSYNC_IOC_ATOMIC_WAKE, 9);
	EXPECT_EQ(2, result(ring, 9));
	EXPECT_EQ(0, result(ring, 2));
	EXPECT_EQ(0, result(ring, 3));
	/* Signed words are extended. */
	start_on_third(ring, 1, fd, GOSYNC_IOC_ATOMIC_WAIT, -7);
	ASSERT_TRUE(has_waiters(fd, 1));
	EXPECT_EQ(1, cancel(ring, fd, 1));
	EXPECT_EQ(-ECANCELED, result(ring, 1));
	EXPECT_TRUE(adds_up(fd));
}

TEST_F(uring, of_many_things_one_is_granted)
{
	struct gosync_wait_entry entries[GOSYNC_WAIT_MAX] = {};
	struct gosync_wait_many_args many = ENTRIES_OF(entries, GOSYNC_WAIT_MAX);
	int dev = open_device(), i, round;

	for (i = 0; i < GOSYNC_WAIT_MAX; i++) {
		int fd = new_object(GOSYNC_SEMAPHORE);

		entries[i] = (struct gosync_wait_entry) {
			.fd = fd, .op = GOSYNC_IOC_SEMAPHORE_ACQUIRE,
			.result = -1, .value = 1 + i % 2,
		};
	}
	for (round = 0; round < GOSYNC_WAIT_MAX; round += 7) {
		start(self->ring, 1, dev, GOSYNC_IOC_WAIT, to_u64(&many));
		ASSERT_TRUE(has_waiters(entries[GOSYNC_WAIT_MAX - 1].fd, 1));
		EXPECT_TRUE(is_under_way(self->ring, 1));
		EXPECT_EQ(0, release_fd(entries[round].fd, 3));
		EXPECT_EQ(round, result(self->ring, 1));
		for (i = 0; i < GOSYNC_WAIT_MAX; i++) {
			EXPECT_EQ(0, info_of(entries[i].fd).waiters);
			EXPECT_EQ(i == round ? 3 - entries[i].value : 0,
				  info_of(entries[i].fd).word);
			EXPECT_EQ(i == round ? 0 : -1, entries[i].result);
			EXPECT_TRUE(adds_up(entries[i].fd));
		}
		entries[round].result = -1;
		EXPECT_EQ(0, acquire_fd(entries[round].fd, 3 - entries[round].value));
	}
	/* Of those that can be had, the first */
	for (i = 20; i < 40; i++)
		EXPECT_EQ(0, release_fd(entries[i].fd, 1));
	EXPECT_EQ(20, run(self->ring, dev, GOSYNC_IOC_WAIT, to_u64(&many)));
	EXPECT_EQ(22, run(self->ring, dev, GOSYNC_IOC_WAIT, to_u64(&many)));
	EXPECT_EQ(1, info_of(entries[21].fd).word);
}

/* What is stored there when it is granted may be gone by then. */
TEST_F(uring, of_many_things_the_results_have_nowhere_to_go)
{
	struct gosync_wait_many_args many = {
		.size = sizeof(many), .count = 1,
		.entry_size = sizeof(struct gosync_wait_entry),
	};
	struct gosync_wait_entry *entry = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					       MAP_PRIVATE | MAP_ANONYMOUS, -1,
					       0);
	int dev = open_device(), ret;

	ASSERT_NE(MAP_FAILED, entry);
	many.entries = to_u64(entry);
	*entry = gosync_entry(self->fd, GOSYNC_IOC_MUTEX_LOCK, 0, 0);
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	start(self->ring, 1, dev, GOSYNC_IOC_WAIT, to_u64(&many));
	ASSERT_TRUE(has_waiters(self->fd, 1));
	munmap(entry, 4096);
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	ret = result(self->ring, 1);
	EXPECT_TRUE(ret == 0 || ret == -EFAULT);
	/* Either it has it, or nobody has. */
	EXPECT_EQ(ret ? 0 : -EBUSY, gosync_mutex_trylock(self->mutex));
}

TEST_F(uring, of_a_poisoned_lock_it_is_told)
{
	struct ring *ring = self->ring;
	int dies = reopen_object(self->fd, 0), rw, i;
	static const unsigned int ops[] = {
		GOSYNC_IOC_RWMUTEX_LOCK, GOSYNC_IOC_RWMUTEX_UNLOCK,
		GOSYNC_IOC_RWMUTEX_RLOCK, GOSYNC_IOC_RWMUTEX_RUNLOCK,
	};

	EXPECT_EQ(0, lock_fd(dies));
	ASSERT_TRUE(queue(self, 1));
	close(dies);
	EXPECT_EQ(1, result(ring, 1));
	EXPECT_EQ(1, info_of(self->fd).deaths);
	EXPECT_EQ(0, unlock_fd(self->fd));
	EXPECT_EQ(1, run(ring, self->fd, GOSYNC_IOC_MUTEX_LOCK, 0));
	EXPECT_EQ(0, call(self->fd, GOSYNC_IOC_MUTEX_RECOVER, NULL));
	EXPECT_EQ(0, unlock_fd(self->fd));
	EXPECT_EQ(0, run(ring, self->fd, GOSYNC_IOC_MUTEX_LOCK, 0));

	rw = new_object(GOSYNC_RWMUTEX);
	for (i = 0; i < 4; i += 2) {
		dies = reopen_object(rw, 0);
		EXPECT_LE(0, call(dies, GOSYNC_IOC_RWMUTEX_LOCK, NULL));
		ASSERT_TRUE(queue_on(ring, 1, rw, ops[i], 0));
		close(dies);
		EXPECT_EQ(1, result(ring, 1));
		EXPECT_EQ(0, run(ring, rw, ops[i + 1], 0));
		EXPECT_EQ(1, run(ring, rw, ops[i], 0));
		EXPECT_EQ(0, run(ring, rw, ops[i + 1], 0));
	}
}

/* The death of its holder is that of the lock's owner, as any other's. */
TEST_F(uring, who_has_it_and_is_closed_has_died)
{
	EXPECT_EQ(0, run(self->ring, self->fd, GOSYNC_IOC_MUTEX_LOCK, 0));
	forget_fd(self->ring, self->fd);
	close(self->fd);
	EXPECT_TRUE(eventually(gosync_mutex_trylock(self->mutex) == 1));
}

/* It is a descriptor that only the ring has. */
TEST_F(uring, what_a_registered_file_has_it_can_release)
{
	struct ring *ring = self->ring;
	int fd = self->fd;

	if (!(variant->kind.sqe_flags & IOSQE_FIXED_FILE))
		SKIP(return, "no registered files");
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	ASSERT_TRUE(queue(self, 1));
	close(fd);
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, result(ring, 1));
	EXPECT_EQ(-EBUSY, gosync_mutex_trylock(self->mutex));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_MUTEX_UNLOCK, 0));
	EXPECT_EQ(0, gosync_mutex_trylock(self->mutex));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_MUTEX_LOCK, 0));
	forget_fd(ring, fd);
	EXPECT_TRUE(eventually(gosync_mutex_trylock(self->mutex) == 1));
}

TEST_HARNESS_MAIN
